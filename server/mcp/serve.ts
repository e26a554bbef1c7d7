import { isRefusal, refuse } from '../call/index.ts';
import type { Caller, Connection } from '../identity/index.ts';
import { askerOf, heldFor } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Address, admit, doorOf, identify, recordLimit } from './admit.ts';
import { createAnswerLate } from './answer-late.ts';
import { internalError, rpcError, rpcIdOf, turnAway, unavailable } from './answers.ts';
import { createCancellations } from './cancellations.ts';
import { checkScope } from './check-scope.ts';
import { countUnread } from './count-unread.ts';
import type { Heard } from './heard.ts';
import { answerLegacy, answerNamed, namedBy } from './legacy-door.ts';
import { answerModern, serveModern } from './modern.ts';
import type { Door, Parts, Visit } from './parts.ts';
import { answerPlainly, type PlainCall, routeOf } from './plain-call.ts';
import { readMessage } from './read-message.ts';
import { createListWatches } from './watch-list.ts';

/** Answers whoever names this broker and asks by a method that is served. */
export type Serve = <Told>(heard: Heard<Told>, address: Address) => Promise<Response | Told>;

export function createServe(ports: Ports, parts: Parts): Serve {
  const cancellations = createCancellations();
  const watches = createListWatches();
  const answerLate = createAnswerLate();

  const serve = async <Told>(heard: Heard<Told>, address: Address): Promise<Response | Told> => {
    const { headers } = heard;
    const door = doorOf(ports.config, address, headers);
    // Nothing is read from whoever shows nothing, or shows what is not good here, or has asked too much.
    if (!door.presented) return turnAway(refuse('token.missing', 'This door needs a token.'), door, null);
    const told = headers.get('content-length');
    const who = await identify(ports, parts, door, headers, heard.incoming.method);
    if (isRefusal(who)) return hungUpOn(turnAway(who, door, null), told);
    const asker = askerOf(who);
    const tooMuch = ports.limits.countRequest(asker, Number(told ?? 0));
    if (tooMuch) {
      await recordLimit(ports, door, who, tooMuch);
      if (isMuch(told)) await answerLate(who.tenant, heard.incoming, heard.gone());
      return hungUpOn(turnAway(tooMuch, door, null), told);
    }
    const turn = ports.limits.atDoor(asker);
    if (turn) await turn;
    const unread = countUnread(ports.limits, who.tenant, heard.outgoing);
    try {
      return await serveKnown(heard, door, who);
    } finally {
      unread();
    }
  };

  const serveKnown = async <Told>(heard: Heard<Told>, door: Door, who: Caller | Connection): Promise<Response | Told> => {
    if (heard.incoming.method !== 'POST') {
      const visit = await admit(ports, parts, door, who);
      return isRefusal(visit)
        ? turnAway(visit, door)
        : notStored(await answerNamed(visit, heard.request(), namedBy(heard.headers) ?? '', watches, heard.gone()));
    }
    const read = await readMessage(heard, heldFor(ports.limits, who.tenant));
    if ('refused' in read) return read.refused;
    if (heard.headers.get('content-length') === null) ports.limits.countBytes(askerOf(who), read.bytes);
    const visit = await admit(ports, parts, door, who, read.bytes);
    if (isRefusal(visit)) return turnAway(visit, door, rpcIdOf(read.message));
    const beyond = await checkScope(visit, read.message);
    if (beyond) return turnAway(beyond, door, rpcIdOf(read.message));
    const route = routeOf(heard.headers, read.message);
    switch (route) {
      case 'legacy':
        return notStored(await answerLegacy(visit, heard.request(), read.message, cancellations));
      case 'modern':
        return notStored(await serveModern(visit, heard.request(), read.message, watches));
      default:
        return servePlain(visit, route, heard, read.message);
    }
  };

  const servePlain = async <Told>(visit: Visit, call: PlainCall, heard: Heard<Told>, message: Readonly<Record<string, unknown>>): Promise<Response | Told> => {
    const gone = heard.gone();
    const answered = await answerModern(visit, call, { signal: gone, gone, onProgress: null, rounds: { resumed: null } });
    const body = answered.kind === 'result' ? answerPlainly(call, answered.result) : null;
    return body === null ? notStored(await serveModern(visit, heard.request(), message, watches, answered)) : heard.tell(body);
  };

  return (heard, address) =>
    serve(heard, address).catch((error: unknown) => {
      if (error instanceof StoreUnavailable) return turnAway(unavailable(), doorOf(ports.config, address, heard.headers));
      ports.log.error({ err: error }, 'an mcp request failed unexpectedly');
      return rpcError(500, internalError, 'Internal error');
    });
}

function notStored(response: Response): Response {
  response.headers.set('cache-control', 'no-store');
  return response;
}

/** Whoever is turned away with much to send is hung up on: receiving it only to throw it away would cost as much as reading it. */
function hungUpOn(response: Response, told: string | null): Response {
  if (isMuch(told)) response.headers.set('connection', 'close');
  return response;
}

/** More than is worth receiving from whoever is turned away; who did not say may send anything. */
const isMuch = (told: string | null): boolean => told === null || Number(told) > mostDrained;
const mostDrained = 65_536;
