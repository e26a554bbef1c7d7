import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    const { host } = new URL(broker.url);
    const ask = (headers: Record<string, string>): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        const asked = request(new URL(path, broker.url), { method, headers }, (answer) => {
          text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
        });
        asked.on('error', reject).end(method === 'POST' ? '{}' : undefined);
      });
    expect((await ask({ host: 'attacker.example' })).status).toBe(403);
    for (const origin of ['https://attacker.example', 'null', `${broker.url}.attacker.example`]) expect((await ask({ host, origin })).status, origin).toBe(403);
    const turnedAway = (await ask({ host: 'attacker.example' })).body;
    expect((await ask({ host })).body).not.toBe(turnedAway);
    expect((await ask({ host, origin: broker.url })).body).not.toBe(turnedAway);
  });

  it('an allowed extension does not let every sandbox in: `null` stays out', () => {
    const config = { ...broker.ports.config, allowed_origins: ['moz-extension://6b1c3a52'] };
    const { host } = new URL(broker.url);
    expect(checkNames(config, new Headers({ host, origin: 'null' }))).toBe('origin');
    expect(checkNames(config, new Headers({ host, origin: 'moz-extension://6b1c3a52' }))).toBeNull();
  });
});
