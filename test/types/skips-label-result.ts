import { recordOutcome } from '../../server/call/record-outcome.ts';
import { ports, raw } from './evidence.ts';

void recordOutcome(ports, raw);
