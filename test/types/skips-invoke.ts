import { labelResult } from '../../server/call/label-result.ts';
import { claimed } from './evidence.ts';

labelResult(claimed);
