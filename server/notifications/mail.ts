import { EgressRefused, egress } from '../../tools/index.ts';
import type { ChannelDocument } from '../documents/channel.ts';
import type { Message } from './compose.ts';
import { NotDelivered, type Reach, tryMs } from './post.ts';

type Mail = Extract<ChannelDocument['transport'], { type: 'email' }>;

interface Letter {
  readonly id: string;
  readonly password: string | null;
  /** Of the broker, for the message's id. */
  readonly host: string;
}

/** One letter of plain text to all of the channel's addresses. The server is dialled at the address that was judged, under its own name. */
export async function mail(
  { server, security, user, from, to }: Mail,
  { title, lines, link }: Message,
  letter: Letter,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const [host = '', port = ''] = server.split(':');
  const address = await dialled(host, port, security === 'none', reach);
  // Loaded by the first letter: most brokers send none.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: address,
    port: Number(port),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { servername: host },
    ...(user === undefined ? {} : { auth: { user, pass: letter.password ?? '' } }),
    connectionTimeout: tryMs,
    greetingTimeout: tryMs,
    socketTimeout: tryMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  const stop = (): void => {
    transport.close();
    stopped.reject(new NotDelivered('it did not answer in time'));
  };
  signal.addEventListener('abort', stop);
  try {
    const text = [title, '', ...lines, '', `Look at it in Taskgate: ${link}`].join('\n');
    const sent = transport.sendMail({
      from,
      to: [...to],
      subject: title,
      text,
      messageId: `<${letter.id}@${letter.host}>`,
      headers: { 'auto-submitted': 'auto-generated' },
    });
    await Promise.race([sent, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    transport.close();
  }
}

/** The guard is that of upstreams; plain text needs the operator to name the host, as plain http does there. */
async function dialled(host: string, port: string, plain: boolean, reach: Reach): Promise<string> {
  const url = new URL(`${plain ? 'http' : 'https'}://${host}:${port}`);
  const guard = egress(url, reach.egress, reach.resolve);
  guard.check(url);
  return new Promise((resolve, reject) => {
    guard.lookup(host, {}, (error, address) => {
      if (error !== null) reject(error);
      else if (typeof address === 'string') resolve(address);
      else reject(new EgressRefused(`${host} has no address`));
    });
  });
}
