import { isLegacyRequest } from '@modelcontextprotocol/server';
import { type Context, Hono } from 'hono';
import { isRefusal, refuse } from '../call/index.ts';
import { checkNames } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { admit, doorOf } from './admit.ts';
import { internalError, invalidRequest, rpcError, rpcIdOf, turnAway } from './answers.ts';
import { createCancellations } from './cancellations.ts';
import { serveLegacy } from './legacy.ts';
import { serveModern } from './modern.ts';
import type { Parts } from './parts.ts';
import { readMessage } from './read-message.ts';
import { createListWatches } from './watch-list.ts';

/** The MCP door: `POST /mcp` and `POST /sessions/:id/mcp`, modern and 2025-era clients on the same URLs, no protocol session kept. */
export function createRoutes(ports: Ports, parts: Parts): Hono {
  const cancellations = createCancellations();
  const watches = createListWatches();

  const serve = async (request: Request, session: string | null): Promise<Response> => {
    const misnamed = checkNames(ports.config, request.headers);
    if (misnamed) return rpcError(403, invalidRequest, misnamed === 'host' ? 'This Host is not served here' : 'This Origin is not allowed');
    if (request.method !== 'POST') return rpcError(405, invalidRequest, 'Only POST is served here', null, { allow: 'POST' });
    const door = doorOf(ports.config, session, request.headers);
    // Nothing is read from whoever shows nothing.
    if (!door.presented) return turnAway(refuse('token.missing', 'This door needs a token.'), door, null);
    const read = await readMessage(request);
    if ('refused' in read) return read.refused;
    const visit = await admit(ports, parts, door, request.headers);
    if (isRefusal(visit)) return turnAway(visit, door, rpcIdOf(read.message));
    return (await isLegacyRequest(request, read.message))
      ? serveLegacy(visit, request, read.message, cancellations)
      : serveModern(visit, request, read.message, watches);
  };

  const answer = async (context: Context, session: string | null): Promise<Response> => {
    const response = await serve(context.req.raw, session).catch((error: unknown) => {
      ports.log.error({ err: error }, 'an mcp request failed unexpectedly');
      return rpcError(500, internalError, 'Internal error');
    });
    response.headers.set('cache-control', 'no-store');
    return response;
  };

  return new Hono().all('/mcp', (context) => answer(context, null)).all('/sessions/:id/mcp', (context) => answer(context, context.req.param('id')));
}
