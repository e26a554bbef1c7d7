import { issueCredential } from '../../server/call/issue-credential.ts';
import { io, judgement, ports } from './evidence.ts';

void issueCredential(ports, judgement, io);
