import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Entry } from './journal.ts';

/** The mail server at which a tenant is told of break-glass. Nobody kills it; every letter goes into the journal before it is taken. */
export interface Letters {
  /** `host:port` */
  readonly place: string;
  close(): void;
}

export async function startLetters(note: (entry: Entry) => void): Promise<Letters> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
      stream.on('end', () => {
        note({ what: 'letter', text: Buffer.concat(chunks).toString('utf8').replaceAll('=\r\n', '') });
        done();
      });
    },
  });
  // Whoever sends is killed at any moment.
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return { place: `127.0.0.1:${(listening.address() as AddressInfo).port}`, close: () => server.close() };
}
