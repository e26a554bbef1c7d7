import { obtainWarrant } from '../../server/call/obtain-warrant.ts';
import { io, ports, request, tool } from './evidence.ts';

void obtainWarrant(ports, tool, request, io, 'dec');
