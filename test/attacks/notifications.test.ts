import type { LookupFunction } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ChannelDocument } from '../../server/documents/index.ts';
import { composeMessage, webhookBody } from '../../server/notifications/compose.ts';
import { type EventFacts, eventTypes } from '../../server/notifications/event.ts';
import { send } from '../../server/notifications/send.ts';
import type { Delivery } from '../../server/store/index.ts';
import { newSecret } from '../notifications/channels.ts';
import { startHook } from '../notifications/receivers.ts';

const secret = newSecret();
const channel = (transport: ChannelDocument['transport']): ChannelDocument => ({
  apiVersion: 'taskgate/v1',
  kind: 'Channel',
  tenant: 'acme',
  name: 'hook',
  transport,
  credential: 'hook-secret',
  events: [],
});
const delivery: Delivery = {
  tenant: 'acme',
  notification: 'ntf_1',
  channel: 'hook',
  type: 'approval.requested',
  facts: { approval: 'apr_1', agent: 'matcher', tool: 'ledger__post_payment' },
  at: 1_800_000_000_000,
  status: 'pending',
  attempts: 1,
  nextAt: 0,
  error: null,
  settledAt: null,
};
const answers =
  (...addresses: string[]): LookupFunction =>
  (_, options, callback) => {
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all) callback(null, all);
    else callback(null, all[0]?.address ?? '', 4);
  };
const sent = (transport: ChannelDocument['transport'], reach: { egress?: string[]; resolve?: LookupFunction } = {}, value = secret) =>
  send({
    delivery,
    channel: channel(transport),
    secret: value,
    publicUrl: 'http://localhost:7411',
    reach: { egress: reach.egress ?? [], resolve: reach.resolve },
    now: Date.now(),
    signal: AbortSignal.timeout(5_000),
  }).then(
    () => 'sent',
    (error: unknown) => String(error instanceof Error && error.cause instanceof Error ? error.cause.message : error),
  );
const webhook = (url: string): ChannelDocument['transport'] => ({ type: 'webhook', url });
const email = (server: string, security: 'tls' | 'starttls' | 'none' = 'starttls'): ChannelDocument['transport'] => ({
  type: 'email',
  server,
  security,
  from: 'a@acme.example',
  to: ['b@acme.example'],
});

/** An admin of a tenant says where messages go: what would they reach through the broker that they cannot reach themselves? */
describe('a channel', () => {
  it.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '192.168.0.1', '100.64.0.1', '0.0.0.0', '[::1]', '[fe80::1]', '[::ffff:10.0.0.1]', '[fd00::1]'])(
    'reaches no address like %s that the operator has not named, be it written or resolved',
    async (address) => {
      expect(await sent(webhook(`https://${address}/hook`))).toMatch(/address that `egress` does not name|may be reached/);
      const resolved = address.replace(/[[\]]/g, '');
      expect(await sent(webhook('https://hooks.acme.example/hook'), { resolve: answers(resolved) })).toMatch(/address that `egress` does not name/);
      expect(await sent(webhook('https://hooks.acme.example/hook'), { resolve: answers('93.184.216.34', resolved) })).toMatch(
        /address that `egress` does not name/,
      );
      expect(await sent(email('mail.acme.example:587'), { resolve: answers(resolved) })).toMatch(/address that `egress` does not name/);
    },
  );

  it('speaks no plain http or plain mail to a place the operator has not named', async () => {
    expect(await sent(webhook('http://hooks.acme.example/'), { resolve: answers('93.184.216.34') })).toMatch(/plain http/);
    expect(await sent(email('mail.acme.example:25', 'none'), { resolve: answers('93.184.216.34') })).toMatch(/plain http/);
  });

  it('reaches nothing but what the operator named, once they named anything', async () => {
    expect(await sent(webhook('https://elsewhere.example/'), { egress: ['hooks.acme.example'] })).toMatch(/does not name/);
    expect(await sent(email('elsewhere.example:587'), { egress: ['hooks.acme.example'] })).toMatch(/does not name/);
  });

  it('whose secret is an address of Slack’s is held to the same', async () => {
    expect(await sent({ type: 'slack' }, {}, 'https://169.254.169.254/latest/meta-data')).toMatch(/address that `egress` does not name/);
    expect(await sent({ type: 'slack' }, {}, 'file:///etc/passwd')).toMatch(/does not fit/);
  });

  it('is not led on by a redirect, and its answer is not read', async () => {
    const [inner, outer] = [await startHook(), await startHook()];
    outer.answers.set('/hook', { redirect: `${inner.url}/inside` });
    expect(await sent(webhook(`${outer.url}/hook`), { egress: [outer.place, inner.place] })).toMatch(/redirect/);
    expect(inner.received).toEqual([]);
    await Promise.all([inner.close(), outer.close()]);
  });

  it('of a server that floods or trickles costs no more than its time', async () => {
    const flood = Buffer.alloc(1024 * 1024, 'x');
    let written = 0;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n');
      const more = (): void => {
        if (socket.destroyed || written > 512) return;
        written += 1;
        socket.write(`100000\r\n${flood.toString()}\r\n`, more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const place = `127.0.0.1:${(server.address() as { port: number }).port}`;
    const before = process.memoryUsage().rss;
    expect(await sent(webhook(`http://${place}/`), { egress: [place] })).toBe('sent');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    expect(written).toBeLessThan(512);
    server.close();
  });

  it('is sent nothing unsigned', async () => {
    const hook = await startHook();
    expect(await sent(webhook(`${hook.url}/`), { egress: [hook.place] }, '')).toMatch(/does not fit/);
    expect(await sent(webhook(`${hook.url}/`), { egress: [hook.place] }, 'whsec_c2hvcnQ=')).toMatch(/does not fit/);
    expect(hook.received).toEqual([]);
    await hook.close();
  });
});

describe('a message', () => {
  it.each(eventTypes)('of %s holds no way to decide, and nothing that is no name or time', (type) => {
    const smuggled = { arguments: { iban: 'DE02' }, objective: 'Pay it', reason: 'because' } as unknown as EventFacts;
    const one = { ...delivery, type, facts: { ...delivery.facts, incident: 'INC-1' } };
    const { link, lines } = composeMessage({ ...one, facts: { ...one.facts, ...smuggled } }, 'http://localhost:7411');
    expect(link).toMatch(/^http:\/\/localhost:7411\/console(\/[a-z-]+\/[a-z]+_\w+)?$/);
    expect(lines.join()).not.toMatch(/DE02|Pay it|because:? because/);
    expect(webhookBody(one, 'http://localhost:7411')).not.toMatch(/token|digest|approve_url|button/);
  });

  it('in Slack has no markup that a name could bring', async () => {
    const hook = await startHook();
    const hostile = { ...delivery, facts: { ...delivery.facts, agent: '<!channel> <https://evil.example|click>' } };
    await send({
      delivery: hostile,
      channel: channel({ type: 'slack' }),
      secret: `${hook.url}/services/x`,
      publicUrl: 'http://localhost:7411',
      reach: { egress: [hook.place] },
      now: Date.now(),
      signal: AbortSignal.timeout(5_000),
    });
    const { text } = JSON.parse(hook.received[0]?.body ?? '{}') as { text: string };
    expect(text).not.toContain('<!channel>');
    expect(text.match(/<[^>]*>/g)).toEqual(['<http://localhost:7411/console/approvals/apr_1|Look at it in Taskgate>']);
    await hook.close();
  });
});
