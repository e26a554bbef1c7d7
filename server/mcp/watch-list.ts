import type { ServerEventBus } from '@modelcontextprotocol/server';
import { isRefusal, type Refusal, refuse } from '../call/index.ts';
import type { Caller } from '../identity/index.ts';
import { watchSession } from '../sessions/index.ts';
import { admit, identify, whoOf } from './admit.ts';
import { answerList, type ListKey } from './answer-list.ts';
import { capabilitiesOf } from './introduction.ts';
import type { Visit } from './parts.ts';

/**
 * `subscriptions/listen` (2026-07-28): tells a client when what it may use has changed. The store is the authority and
 * other replicas change it too, so each stream looks for itself, as whoever opened it, and ends with their authority:
 * when a signal says that something changed, and every few seconds for what no signal tells, such as an end in time.
 */

const lookEvery = 5_000;
/** However many signals come. */
const lookAtMostEvery = 1_000;
/** Open streams one session or connection may have. */
const mostStreams = 4;

const allNews = ['tools_list_changed', 'resources_list_changed', 'prompts_list_changed'] as const;
type News = (typeof allNews)[number];

export interface ListWatches {
  /** The event source of one stream; `end` closes it once its holder would be turned away, or `still` says no. */
  begin(
    visit: Visit,
    headers: Headers,
    end: () => void,
    still?: (visit: Visit) => Promise<boolean>,
  ): { readonly bus: ServerEventBus; readonly maxSubscriptions: number };
}

export function createListWatches(): ListWatches {
  const open = new Map<string, number>();
  const count = (who: string, by: 1 | -1): void => {
    const now = (open.get(who) ?? 0) + by;
    if (now > 0) open.set(who, now);
    else open.delete(who);
  };
  return {
    begin(visit, headers, end, still) {
      const who = whoOf(visit);
      const subscribe: ServerEventBus['subscribe'] = (listener) => {
        count(who, 1);
        const stop = watch(visit, headers, (kind) => listener({ kind }), end, still);
        return () => {
          stop();
          count(who, -1);
        };
      };
      return { bus: { publish: () => {}, subscribe }, maxSubscriptions: (open.get(who) ?? 0) < mostStreams ? 1 : 0 };
    },
  };
}

function watch(first: Visit, headers: Headers, changed: (news: News) => void, end: () => void, still?: (visit: Visit) => Promise<boolean>): () => void {
  const tenant = first.caller?.tenant ?? first.connection?.tenant ?? '';
  let session = first.caller?.session ?? null;
  let before = listsOf(first);
  const look = async (): Promise<void> => {
    const visit = await lookAgain(first, headers);
    if (isRefusal(visit) || (still && !(await still(visit)))) return end();
    session = visit.caller?.session ?? null;
    const now = listsOf(visit);
    const [is, was] = await Promise.all([now, before]);
    before = now;
    for (const news of allNews) if (is[news] !== was[news]) changed(news);
  };
  const watch = watchSession(first.ports.store, { tenant, session: () => session }, lookAtMostEvery, () => look().catch(end));
  const timer = setInterval(watch.ask, lookEvery);
  timer.unref();
  return () => {
    clearInterval(timer);
    watch.stop();
  };
}

/** Who opened a stream, let in anew: what they may ask now. The proof of a bound token's key was for the request that opened it. */
export async function lookAgain(first: Visit, headers: Headers): Promise<Visit | Refusal> {
  const who = isPast(first) ? await renewed(first) : first.caller?.bound ? first.caller : await identify(first.ports, first.parts, first.door, headers);
  return isRefusal(who) ? who : admit(first.ports, first.parts, first.door, who);
}

/**
 * Who opened the stream, as long as a later token of the same session is good: a stream cannot be shown the new one, and closing it
 * at each renewal would only have it opened again. The session is read as ever.
 */
async function renewed({ ports, caller }: Visit): Promise<Caller | Refusal> {
  const until = caller && (await ports.store.renewedUntil(caller.tenant, caller.session));
  if (!caller || !until || until <= ports.clock()) return refuse('token.expired', 'This token has expired; renew it.');
  return { ...caller, tokenExpires: Math.floor(until / 1000) };
}

/** The task token that opened the stream is not good any more; a connection token has no session of its own to renew. */
const isPast = ({ ports, caller, connection }: Visit): boolean => caller !== null && connection === null && caller.tokenExpires * 1000 <= ports.clock();

/** Names, schemas and addresses, by what a change of them is told as. */
async function listsOf(visit: Visit): Promise<Readonly<Record<News, string>>> {
  const { resources, prompts } = capabilitiesOf(visit);
  const list = async (key: ListKey): Promise<unknown> => {
    const answer = await answerList(visit, key, undefined);
    return answer.kind === 'result' ? answer.result.items : [];
  };
  return {
    tools_list_changed: JSON.stringify(await list('tools')),
    resources_list_changed: resources ? JSON.stringify([await list('resources'), await list('resourceTemplates')]) : '',
    prompts_list_changed: prompts ? JSON.stringify(await list('prompts')) : '',
  };
}
