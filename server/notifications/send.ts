import { Webhook } from 'standardwebhooks';
import type { ChannelDocument } from '../documents/channel.ts';
import type { Delivery } from '../store/index.ts';
import { composeMessage, type Message, webhookBody } from './compose.ts';
import { mail } from './mail.ts';
import { NotDelivered, post, type Reach } from './post.ts';
import { secretProblem, signingSecrets } from './secrets.ts';

export interface Sending {
  readonly delivery: Delivery;
  readonly channel: ChannelDocument;
  /** Value of its credential; null when it has none, or none was set. */
  readonly secret: string | null;
  readonly publicUrl: string;
  readonly reach: Reach;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** One try. Rejects when nobody said that it has arrived. */
export async function send({ delivery, channel, secret, publicUrl, reach, now, signal }: Sending): Promise<void> {
  const { transport } = channel;
  if (channel.credential !== undefined) {
    if (secret === null) throw new NotDelivered(`its credential ${channel.credential} was never set`);
    const problem = secretProblem(transport.type, secret);
    if (problem !== null) throw new NotDelivered(`its credential ${channel.credential} does not fit: ${problem}`);
  }
  switch (transport.type) {
    case 'webhook': {
      const body = webhookBody(delivery, publicUrl);
      return post(transport.url, signed(delivery.notification, now, body, secret ?? ''), body, reach, signal);
    }
    case 'slack': {
      const text = slackText(composeMessage(delivery, publicUrl));
      return post(secret ?? '', {}, JSON.stringify({ text, unfurl_links: false, unfurl_media: false }), reach, signal);
    }
    case 'email':
      return mail(
        transport,
        composeMessage(delivery, publicUrl),
        { id: delivery.notification, password: secret, host: new URL(publicUrl).hostname },
        reach,
        signal,
      );
  }
}

/** While a secret is being replaced both sign, and a receiver that knows either one is content. */
function signed(id: string, now: number, body: string, secret: string): Record<string, string> {
  const at = new Date(now);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': signingSecrets(secret)
      .map((one) => new Webhook(one).sign(id, at, body))
      .join(' '),
  };
}

/** Plain words: what Slack reads as markup is escaped, and there is no button. */
function slackText({ title, lines, link }: Message): string {
  const plain = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return [plain(title), ...lines.map(plain), `<${link}|Look at it in Taskgate>`].join('\n');
}
