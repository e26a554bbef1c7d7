import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../server/app.ts';
import { checkNames } from '../../server/identity/index.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.end());

const doors = [
  ['POST', '/mcp'],
  ['POST', '/sessions/ses_acme_AAAAAAAAAAAAAAAAAAAAAA/mcp'],
  ['GET', '/v1/me'],
  ['POST', '/t/acme/oauth/token'],
  ['POST', '/t/acme/oauth/revoke'],
  ['POST', '/t/acme/local/svid'],
  ['GET', '/.well-known/oauth-authorization-server/t/acme'],
  ['GET', '/.well-known/oauth-protected-resource/mcp'],
] as const;

describe('a page elsewhere that resolves its own name to the loopback', () => {
  it.each(doors)('%s %s is not served under another Host, nor to another Origin', async (method, path) => {
    const app = createApp(broker.ports);
    const { host } = new URL(broker.url);
    const ask = (headers: Record<string, string>) => app.request(path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) });
    expect((await ask({ host: 'attacker.example' })).status).toBe(403);
    for (const origin of ['https://attacker.example', 'null', `${broker.url}.attacker.example`]) expect((await ask({ host, origin })).status, origin).toBe(403);
    const turnedAway = await (await ask({ host: 'attacker.example' })).text();
    expect(await (await ask({ host })).text()).not.toBe(turnedAway);
    expect(await (await ask({ host, origin: broker.url })).text()).not.toBe(turnedAway);
  });

  it('an allowed extension does not let every sandbox in: `null` stays out', () => {
    const config = { ...broker.ports.config, allowed_origins: ['moz-extension://6b1c3a52'] };
    const { host } = new URL(broker.url);
    expect(checkNames(config, new Headers({ host, origin: 'null' }))).toBe('origin');
    expect(checkNames(config, new Headers({ host, origin: 'moz-extension://6b1c3a52' }))).toBeNull();
  });
});
