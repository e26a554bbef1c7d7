import type { Ports } from '../ports.ts';
import { atUpstream } from './at-upstream.ts';
import type { CallAnswer, CallIo, CallRequest, CallResult } from './call.ts';
import { claim } from './claim.ts';
import { deadlineOf } from './deadline.ts';
import { enterSession, type Session } from './enter-session.ts';
import { recordedName } from './find-operation.ts';
import { invoke } from './invoke.ts';
import { issueCredential } from './issue-credential.ts';
import { judge } from './judge.ts';
import { labelResult } from './label-result.ts';
import { obtainWarrant } from './obtain-warrant.ts';
import { observedOf } from './record-observed.ts';
import { recordOutcome } from './record-outcome.ts';
import { recordWayOut } from './record-way-out.ts';
import { isRefusal, type Refusal } from './refusals.ts';
import { resolveTool } from './resolve-tool.ts';
import { whileLive } from './while-live.ts';

/** What was judged may change before it is claimed; the call is then judged afresh, at most this often. */
const attempts = 4;

/** The whole life of one call, from its session on. Nothing reaches an upstream by any other route. */
export async function brokerCall(ports: Ports, entered: Session, request: CallRequest, io: CallIo): Promise<CallAnswer> {
  const decision = ports.newId('dec');
  const until = ports.clock() + io.holdMs;
  return recordWayOut(ports, entered.caller, { tool: recordedName(null, request), rung: io.rung }, decision, () =>
    whileLive(ports, entered.caller, io, async (signal) => {
      let session: Session | Refusal = entered; // at the door, a moment ago: for which task, until when, budget left
      for (let attempt = 1; ; attempt++) {
        const answer = isRefusal(session)
          ? session
          : ofTask(session, request, await walk(ports, session, request, { ...io, signal, holdMs: Math.max(0, until - ports.clock()) }, decision));
        if (!isRefusal(answer) || answer.refused !== 'stale' || attempt === attempts) return answer;
        session = await enterSession(ports, entered.caller);
      }
    }),
  );
}

/** One stage a line; each takes the evidence of the stage before, so leaving one out does not compile. */
async function walk(ports: Ports, session: Session, request: CallRequest, io: CallIo, decision: string): Promise<CallResult | Refusal> {
  const tool = resolveTool(session, request); // granted, pinned; arguments valid
  if (isRefusal(tool)) return tool;

  const judgement = judge(tool); // allow | deny | require, with reasons, now
  if (isRefusal(judgement)) return judgement;

  const warrant = await obtainWarrant(ports, judgement, request, io, decision); // requirements satisfied for exactly this call, or a pause
  if (isRefusal(warrant) || 'replayed' in warrant) return warrant;

  // In its turn at the upstream, waited for before anything is taken: between claim and invoke nothing waits.
  const raw = await atUpstream(ports, warrant, io, async () => {
    const credential = await issueCredential(ports, warrant, io); // ready, one audience, definition as pinned
    if (isRefusal(credential)) return credential;

    const deadline = deadlineOf(session, tool.tool);
    const claimed = await claim(ports, credential, decision, deadline, io.rung); // one transaction: still true, taken, counted, recorded
    if (isRefusal(claimed)) return claimed;

    return invoke(ports, claimed, request, io, deadline); // one attempt, deadline, size cap
  });
  if (isRefusal(raw)) return raw;

  const result = labelResult(raw); // labels rise
  return recordOutcome(ports, result, io); // durable before release; still live, under the ceiling
}

/** A refusal inside a task, with what its record says of the task. */
function ofTask(session: Session, request: CallRequest, answer: CallResult | Refusal): CallResult | Refusal {
  if (!isRefusal(answer)) return answer;
  return { ...answer, operation: recordedName(session, request), task: { use_case: session.row.useCase, ...observedOf(session) } };
}
