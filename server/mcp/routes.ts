import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { isRefusal, refuse } from '../call/index.ts';
import { type Caller, type Connection, checkNames } from '../identity/index.ts';
import { askerOf, heldFor } from '../limits/index.ts';
import type { Ports } from '../ports.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Address, admit, countAt, doorOf, identify } from './admit.ts';
import { createAnswerLate } from './answer-late.ts';
import { internalError, invalidRequest, rpcError, rpcIdOf, turnAway, unavailable } from './answers.ts';
import { createCancellations } from './cancellations.ts';
import { checkScope } from './check-scope.ts';
import { countUnread } from './count-unread.ts';
import { answerLegacy, answerNamed, namedBy } from './legacy-door.ts';
import { answerModern, serveModern } from './modern.ts';
import type { Door, Parts, Visit } from './parts.ts';
import { answerPlainly, type PlainCall, routeOf } from './plain-call.ts';
import { readMessage } from './read-message.ts';
import { createListWatches } from './watch-list.ts';

/** The MCP door: `POST /mcp`, `POST /t/:tenant/mcp` and `POST /sessions/:id/mcp`, modern and 2025-era clients on the same URLs. */
export function createRoutes(ports: Ports, parts: Parts): Hono {
  const cancellations = createCancellations();
  const watches = createListWatches();
  const answerLate = createAnswerLate();

  const serve = async (context: Context, address: Address): Promise<Response> => {
    const request = context.req.raw;
    const misnamed = checkNames(ports.config, request.headers);
    if (misnamed) return rpcError(403, invalidRequest, misnamed === 'host' ? 'This Host is not served here' : 'This Origin is not allowed');
    const named = namedBy(request);
    const methods = named === null ? ['POST'] : ['POST', 'GET', 'DELETE'];
    if (!methods.includes(request.method)) return rpcError(405, invalidRequest, 'Only POST is served here', null, { allow: methods.join(', ') });
    const door = doorOf(ports.config, address, request.headers);
    // Nothing is read from whoever shows nothing, or shows what is not good here, or has asked too much.
    if (!door.presented) return turnAway(refuse('token.missing', 'This door needs a token.'), door, null);
    const told = request.headers.get('content-length');
    const who = await identify(ports, parts, door, request.headers, request.method);
    if (isRefusal(who)) return hungUpOn(turnAway(who, door, null), told);
    const tooMuch = await countAt(ports, door, who, Number(told ?? 0));
    if (tooMuch) {
      if (isMuch(told)) await answerLate(who.tenant, goneOf(context));
      return hungUpOn(turnAway(tooMuch, door, null), told);
    }
    await ports.limits.atDoor(askerOf(who));
    const unread = countUnread(ports.limits, who.tenant, (context.env as HttpBindings).outgoing);
    return serveKnown(context, door, who, named).finally(unread);
  };

  const serveKnown = async (context: Context, door: Door, who: Caller | Connection, named: string | null): Promise<Response> => {
    const request = context.req.raw;
    if (request.method !== 'POST') {
      const visit = await admit(ports, parts, door, who);
      return isRefusal(visit) ? turnAway(visit, door) : notStored(await answerNamed(visit, request, named ?? '', watches, goneOf(context)));
    }
    const read = await readMessage(request, heldFor(ports.limits, who.tenant));
    if ('refused' in read) return read.refused;
    if (!request.headers.has('content-length')) ports.limits.countBytes(askerOf(who), read.bytes);
    const visit = await admit(ports, parts, door, who, read.bytes);
    if (isRefusal(visit)) return turnAway(visit, door, rpcIdOf(read.message));
    const beyond = await checkScope(visit, read.message);
    if (beyond) return turnAway(beyond, door, rpcIdOf(read.message));
    const route = routeOf(request.headers, read.message);
    switch (route) {
      case 'legacy':
        return notStored(await answerLegacy(visit, request, read.message, cancellations));
      case 'modern':
        return notStored(await serveModern(visit, request, read.message, watches));
      default:
        return servePlain(visit, route, request, read.message, goneOf(context));
    }
  };

  const servePlain = async (
    visit: Visit,
    call: PlainCall,
    request: Request,
    message: Readonly<Record<string, unknown>>,
    gone: AbortSignal,
  ): Promise<Response> => {
    const answered = await answerModern(visit, call, { signal: gone, gone, onProgress: null, rounds: { resumed: null } });
    const plainly = answered.kind === 'result' ? answerPlainly(call, answered.result) : null;
    return plainly ?? notStored(await serveModern(visit, request, message, watches, answered));
  };

  const answer = (context: Context, named: Partial<Address>): Promise<Response> => {
    const address = { session: null, tenant: null, ...named };
    return serve(context, address).catch((error: unknown) => {
      if (error instanceof StoreUnavailable) return turnAway(unavailable(), doorOf(ports.config, address, context.req.raw.headers));
      ports.log.error({ err: error }, 'an mcp request failed unexpectedly');
      return rpcError(500, internalError, 'Internal error');
    });
  };

  return new Hono()
    .all('/mcp', (context) => answer(context, {}))
    .all('/t/:tenant/mcp', (context) => answer(context, { tenant: context.req.param('tenant') }))
    .all('/sessions/:id/mcp', (context) => answer(context, { session: context.req.param('id') }));
}

function notStored(response: Response): Response {
  response.headers.set('cache-control', 'no-store');
  return response;
}

/** Aborts when the client goes away before its answer. A request's own signal would cost the making of a whole `Request`. */
function goneOf({ env }: Context): AbortSignal {
  const { outgoing } = env as HttpBindings;
  const gone = new AbortController();
  outgoing.once('close', () => outgoing.writableFinished || gone.abort());
  return gone.signal;
}

/** Whoever is turned away with much to send is hung up on: receiving it only to throw it away would cost as much as reading it. */
function hungUpOn(response: Response, told: string | null): Response {
  if (isMuch(told)) response.headers.set('connection', 'close');
  return response;
}

/** More than is worth receiving from whoever is turned away; who did not say may send anything. */
const isMuch = (told: string | null): boolean => told === null || Number(told) > mostDrained;
const mostDrained = 65_536;
