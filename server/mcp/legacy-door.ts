import type { ReadHeaders } from '../identity/index.ts';
import { rpcError, rpcIdOf } from './answers.ts';
import type { Cancellations } from './cancellations.ts';
import type { Visit } from './parts.ts';
import { endProtocolSession, findProtocolSession, idHeader, openProtocolSession } from './protocol-session.ts';
import type { ListWatches } from './watch-list.ts';

/** What 2025-era clients ask. SDK v1 costs time and memory to load: only a broker that meets such a client pays. */

/** The protocol session that a GET or DELETE is about; null for whoever names none, or speaks a revision that has none. */
export function namedBy(headers: ReadHeaders): string | null {
  return headers.get('mcp-protocol-version') === '2026-07-28' ? null : headers.get(idHeader);
}

/** MCP has a client that reads 404 initialize anew (2025-11-25, Session Management). */
const notThere = (message: Readonly<Record<string, unknown>> | null): Response => rpcError(404, -32001, 'Session not found', rpcIdOf(message));

/** One message by POST. A client that names no protocol session is served as well: none is needed for anything. */
export async function answerLegacy(
  visit: Visit,
  request: Request,
  message: Readonly<Record<string, unknown>>,
  cancellations: Cancellations,
): Promise<Response> {
  const id = request.headers.get(idHeader);
  const opens = message['method'] === 'initialize';
  const named = id === null || opens ? null : await findProtocolSession(visit, id);
  if (id !== null && !opens && named === null) return notThere(message);
  const { serveLegacy } = await import('./legacy.ts');
  const response = await serveLegacy(visit, request, message, cancellations, named?.hash ?? null);
  if (opens && (await isResult(response))) response.headers.set(idHeader, await openProtocolSession(visit));
  return response;
}

async function isResult(response: Response): Promise<boolean> {
  if (response.status !== 200 || response.headers.get('content-type') !== 'application/json') return false;
  return 'result' in ((await response.clone().json()) as object);
}

/** GET, for the stream of list changes, or DELETE, with which a client says that it is done. */
export async function answerNamed(visit: Visit, request: Request, id: string, watches: ListWatches, gone: AbortSignal): Promise<Response> {
  const named = await findProtocolSession(visit, id);
  if (!named) return notThere(null);
  if (request.method === 'GET') return (await import('./legacy-stream.ts')).serveLegacyStream(visit, request, watches, named, gone);
  await endProtocolSession(visit, named);
  return new Response(null, { status: 204 });
}
