import { issueCredential } from '../../server/call/issue-credential.ts';
import { judgement, ports } from './evidence.ts';

void issueCredential(ports, judgement);
