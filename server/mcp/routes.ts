import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { checkNames } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { Address } from './admit.ts';
import { invalidRequest, plainHeaders, rpcError } from './answers.ts';
import { hear } from './heard.ts';
import { namedBy } from './legacy-door.ts';
import type { Parts } from './parts.ts';
import { createServe } from './serve.ts';

/** The MCP door: `POST /mcp`, `POST /t/:tenant/mcp` and `POST /sessions/:id/mcp`, modern and 2025-era clients on the same URLs. */
export interface McpDoor {
  /** Every request to them, however its address is written and whoever it is meant for. */
  readonly routes: Hono;
  /**
   * Serves what comes as nearly all does, past everything that stands before the routes: a POST that names this broker and writes the
   * address as it is. Null for any other. It resolves to null once it has answered itself.
   */
  take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response | null> | null;
}

export function createDoor(ports: Ports, parts: Parts): McpDoor {
  const serve = createServe(ports, parts);

  const answer = async ({ req, env }: Context, named: Partial<Address>): Promise<Response> => {
    const { incoming, outgoing } = env as HttpBindings;
    const heard = hear(incoming, outgoing, req.url, (body) => new Response(body, { headers: plainHeaders }));
    const misnamed = checkNames(ports.config, heard.headers);
    if (misnamed) return rpcError(403, invalidRequest, misnamed === 'host' ? 'This Host is not served here' : 'This Origin is not allowed');
    const methods = namedBy(heard.headers) === null ? ['POST'] : ['POST', 'GET', 'DELETE'];
    if (!methods.includes(incoming.method ?? '')) return rpcError(405, invalidRequest, 'Only POST is served here', null, { allow: methods.join(', ') });
    return serve(heard, { session: null, tenant: null, ...named });
  };

  return {
    routes: new Hono()
      .all('/mcp', (context) => answer(context, {}))
      .all('/t/:tenant/mcp', (context) => answer(context, { tenant: context.req.param('tenant') }))
      .all('/sessions/:id/mcp', (context) => answer(context, { session: context.req.param('id') })),
    take(incoming, outgoing) {
      const { method, url = '' } = incoming;
      const address = method === 'POST' ? addressIn(url) : null;
      if (address === null) return null;
      const heard = hear(incoming, outgoing, `http://${incoming.headers.host}${url}`, (body) => tellStraight(outgoing, body));
      return checkNames(ports.config, heard.headers) === null ? serve(heard, address) : null;
    },
  };
}

const plainAddress = /^\/(?:mcp|(t|sessions)\/([A-Za-z0-9_-]+)\/mcp)$/;

/** Which of the three a path is, when nothing in it could be read in another way. */
function addressIn(path: string): Address | null {
  const [found, kind, name = null] = plainAddress.exec(path) ?? [];
  return found === undefined ? null : { session: kind === 'sessions' ? name : null, tenant: kind === 't' ? name : null };
}

function tellStraight(outgoing: ServerResponse, body: string): null {
  for (const [name, value] of Object.entries(plainHeaders)) outgoing.setHeader(name, value);
  outgoing.end(body);
  return null;
}
