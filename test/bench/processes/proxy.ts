import { createServer } from 'node:http';
import process from 'node:process';
import { Pool } from 'undici';

/** The floor: a reverse proxy that judges, checks and records nothing. `argv`: the upstream's port. */

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 64 });
const server = createServer(async (request, response) => {
  const { host: _, connection: __, ...headers } = request.headers;
  try {
    const answer = await pool.request({ path: request.url ?? '/', method: 'POST', headers, body: request });
    response.writeHead(answer.statusCode, answer.headers as Record<string, string>);
    answer.body.pipe(response);
  } catch {
    response.writeHead(502, { 'content-length': 0 }).end();
  }
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
process.on('disconnect', () => process.exit());
