import { recordOutcome } from '../../server/call/record-outcome.ts';
import { io, ports, raw } from './evidence.ts';

void recordOutcome(ports, raw, io);
