import { judge } from '../../server/call/judge.ts';
import { session } from './evidence.ts';

judge(session);
