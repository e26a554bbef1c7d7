import type { CallIo, CallRequest } from '../../server/call/call.ts';
import type { Claimed } from '../../server/call/claim.ts';
import type { Session } from '../../server/call/enter-session.ts';
import type { Raw } from '../../server/call/invoke.ts';
import type { Credential } from '../../server/call/issue-credential.ts';
import type { Judgement } from '../../server/call/judge.ts';
import type { Labelled } from '../../server/call/label-result.ts';
import type { Warrant } from '../../server/call/obtain-warrant.ts';
import type { ResolvedTool } from '../../server/call/resolve-tool.ts';
import type { Caller } from '../../server/identity/caller.ts';
import type { Ports } from '../../server/ports.ts';

/** One of each evidence, for the files beside this one, none of which may compile. */
export declare const ports: Ports;
export declare const request: CallRequest;
export declare const io: CallIo;
export declare const caller: Caller;
export declare const session: Session;
export declare const tool: ResolvedTool;
export declare const judgement: Judgement;
export declare const warrant: Warrant;
export declare const credential: Credential;
export declare const claimed: Claimed;
export declare const raw: Raw;
export declare const labelled: Labelled;
