import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';

/** What answers a request; `bindings` are Node's own request and response behind it. */
export type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on every host with one port; port 0 takes a free one. A loopback address the machine does not have (no IPv6)
 * is left out as long as one is there. Rejects with the system's error, such as EADDRINUSE.
 */
export async function listen(fetch: Fetch, hosts: readonly string[], port: number): Promise<Listening> {
  const servers: Server[] = [];
  let bound = port;
  for (const host of hosts) {
    try {
      const server = await open(fetch, host, bound);
      servers.push(server);
      const address = server.address();
      if (typeof address === 'object' && address) bound = address.port;
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
      if (missing && hosts.length > 1) continue;
      await Promise.all(servers.map(close));
      throw error;
    }
  }
  if (servers.length === 0) throw new Error(`none of ${hosts.join(', ')} can be listened on`);
  return { port: bound, close: async () => void (await Promise.all(servers.map(close))) };
}

function open(fetch: Fetch, host: string, port: number): Promise<Server> {
  const server = createAdaptorServer({
    fetch: (request, bindings) => fetch(request, bindings as HttpBindings),
    serverOptions: { maxHeaderSize: 32_768 },
  }) as Server;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
