import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loggedIn, type Visit } from '../console/visit.ts';
import { ask, consent, redeem, refresh, sessionOf, startHostBroker, token } from '../oauth/host.ts';
import type { TestBroker } from '../support/broker.ts';

let broker: TestBroker;
let ana: Visit;

beforeAll(async () => {
  broker = await startHostBroker();
  ana = await loggedIn(broker, 'ana');
});
afterAll(() => broker.end());

const statusOf = async (session: string) => (await broker.ports.store.readSession('acme', session))?.session.status;
const open = async () => {
  const request = ask();
  return { answer: await redeem(broker, await consent(broker, ana, request), request) };
};

describe('a stolen refresh token', () => {
  it('ends the session as soon as both holders have used it, whoever was first', async () => {
    const { answer } = await open();
    const stolen = answer.body.refresh_token ?? '';
    const thief = await refresh(broker, stolen);
    expect(thief.status).toBe(200);
    expect((await refresh(broker, stolen)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await statusOf(sessionOf(answer))).toBe('revoked');
    expect((await refresh(broker, thief.body.refresh_token ?? '')).body).toMatchObject({ error: 'invalid_grant' });
    const door = await fetch(`${broker.url}/t/acme/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${thief.body.access_token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(door.status).toBe(401);
  });

  it('is good for no other client, tenant or resource, and does not end it for its own', async () => {
    const { answer } = await open();
    const held = answer.body.refresh_token ?? '';
    for (const over of [{ client_id: 'shelf' }, { resource: 'https://evil.example/mcp' }])
      expect((await refresh(broker, held, over)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await token(broker, { grant_type: 'refresh_token', refresh_token: held, client_id: 'desk' }, 'globex')).status).toBe(401);
    expect((await refresh(broker, held)).status).toBe(200);
  });

  it('is no access token, and a token of one door opens no other', async () => {
    const { answer } = await open();
    for (const [path, bearer] of [
      ['/t/acme/mcp', answer.body.refresh_token],
      ['/mcp', answer.body.access_token],
      ['/t/globex/mcp', answer.body.access_token],
      [`/sessions/${sessionOf(answer)}/mcp`, answer.body.access_token],
      ['/v1/me', answer.body.access_token],
    ])
      expect(
        (await fetch(`${broker.url}${path}`, { method: path === '/v1/me' ? 'GET' : 'POST', headers: { authorization: `Bearer ${bearer}` } })).status,
        path,
      ).toBe(401);
  });
});
