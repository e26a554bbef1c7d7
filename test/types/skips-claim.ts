import { invoke } from '../../server/call/invoke.ts';
import { credential, io, ports, request } from './evidence.ts';

void invoke(ports, credential, request, io, 1);
