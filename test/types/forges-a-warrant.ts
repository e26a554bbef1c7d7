import type { Warrant } from '../../server/call/obtain-warrant.ts';
import { judgement } from './evidence.ts';

export const forged: Warrant = { judgement, approval: null };
