import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** One request a receiver got. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
/** `hang`: never answers. */
export type Answer = number | 'hang' | { readonly redirect: string } | { readonly status: number; readonly headers: Record<string, string> };

export interface Hook {
  readonly place: string;
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on, by path; 204 for any other. */
  readonly answers: Map<string, Answer>;
  /** Resolves with the first request that fits, also one that came already. */
  until(fits: (received: Received) => boolean): Promise<Received>;
  close(): Promise<void>;
}

const listening = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

export async function startHook(port = 0): Promise<Hook> {
  const received: Received[] = [];
  const answers = new Map<string, Answer>();
  const waiting = new Set<() => void>();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      for (const wake of waiting) wake();
      const answer = answers.get(path) ?? 204;
      if (answer === 'hang') return;
      if (typeof answer === 'number') response.writeHead(answer).end();
      else if ('status' in answer) response.writeHead(answer.status, answer.headers).end();
      else response.writeHead(302, { location: answer.redirect }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const place = `127.0.0.1:${listening(server)}`;
  return {
    place,
    url: `http://${place}`,
    received,
    answers,
    async until(fits) {
      for (;;) {
        const found = received.find(fits);
        if (found) return found;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export interface Mailbox {
  readonly place: string;
  readonly mails: { readonly from: string; readonly to: readonly string[]; readonly user: string; readonly text: string }[];
  /** Resolves with the next letter that is not yet in `mails`. */
  next(): Promise<void>;
  close(): Promise<void>;
}

/** A real mail server that asks for a login, without TLS. */
export async function startMailbox(user: string, password: string): Promise<Mailbox> {
  const mails: Mailbox['mails'] = [];
  let arrived = Promise.withResolvers<void>();
  const server = new SMTPServer({
    authMethods: ['PLAIN'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: (auth, _session, done) => (auth.username === user && auth.password === password ? done(null, { user }) : done(new Error('wrong login'))),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: String(session.user),
          text: Buffer.concat(chunks).toString('utf8'),
        });
        done();
        arrived.resolve();
        arrived = Promise.withResolvers();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    place: `127.0.0.1:${listening(server.server)}`,
    mails,
    next: () => arrived.promise,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
