import { claim } from '../../server/call/claim.ts';
import { ports, warrant } from './evidence.ts';

void claim(ports, warrant, 'dec', 1, 'handle');
