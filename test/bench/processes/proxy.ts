import { createServer } from 'node:http';
import process from 'node:process';
import { Pool } from 'undici';
import { openJournal } from '../journal.ts';

/**
 * The floor: a reverse proxy that judges, checks and records nothing. `argv`: the upstream's port and, for one that does not lose what
 * it did, a folder for its journal. Of each call it then writes down, in as many bytes as the broker's records have, that it was sent,
 * flushed while the upstream works, and how it ended, durable before the answer goes out.
 */

const [, , upstream, folder] = process.argv;
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 64 });
const journal = folder === undefined ? null : openJournal(folder);
const [sent, ended] = ['s'.repeat(800), 'e'.repeat(500)];

const server = createServer(async (request, response) => {
  try {
    const lasting = journal?.write(sent);
    const { host: _, connection: __, ...headers } = request.headers;
    const answer = await pool.request({ path: request.url ?? '/', method: 'POST', headers, body: request });
    if (journal) await Promise.all([lasting, journal.write(ended)]);
    response.writeHead(answer.statusCode, answer.headers as Record<string, string>);
    answer.body.pipe(response);
  } catch {
    response.writeHead(502, { 'content-length': 0 }).end();
  }
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
process.on('disconnect', () => process.exit());
