import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { applyDocuments, loadTexts } from '../../server/documents/index.ts';
import { callIn, publish, startStage, waitingIn } from '../console/stage.ts';
import { type Answer, fieldOf, linkFor, loggedIn, visit } from '../console/visit.ts';
import { payment, type TestBroker } from '../support/broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startStage({ limits: { people: { per_second: 1000, burst: 5000 } } });
});
afterAll(() => broker.end());

/** A call that waits, and everything a page of this visitor holds to decide about it. */
async function waiting(call: Parameters<typeof callIn>[1] = payment(600)) {
  const { task, client } = await callIn(broker, call);
  const row = await waitingIn(broker, task.session);
  return { row, task, client, path: `/console/approvals/${row.id}` };
}
const fieldsOf = ({ text }: Answer) => ({ csrf: fieldOf(text, 'csrf'), digest: fieldOf(text, 'digest'), shown: fieldOf(text, 'shown'), reason: 'as ordered' });
const votesOf = async (id: string) => (await broker.ports.store.readApproval('acme', id))?.votes.length;

describe('a request from another site', () => {
  it('decides nothing, whatever cookie comes with it', async () => {
    const { row, path } = await waiting();
    const bob = await loggedIn(broker, 'bob');
    const fields = { ...fieldsOf(await bob.get(path)), decision: 'approve' };
    const from: Record<string, string>[] = [
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
      { origin: broker.url, 'sec-fetch-site': 'same-site' },
      { origin: `${broker.url}.evil.example`, 'sec-fetch-site': 'same-origin' },
      { origin: broker.url.replace('http:', 'https:'), 'sec-fetch-site': 'same-origin' },
      { origin: 'http://localhost:1', 'sec-fetch-site': 'same-origin' },
    ];
    for (const headers of from) expect((await bob.post(`${path}/decide`, fields, headers)).status, JSON.stringify(headers)).toBe(403);
    const cookie = `__Host-taskgate=${bob.cookies.get('__Host-taskgate')}`;
    const silent = await fetch(`${broker.url}${path}/decide`, { method: 'POST', body: new URLSearchParams(fields), headers: { cookie }, redirect: 'manual' });
    expect(silent.status).toBe(403);
    expect(await votesOf(row.id)).toBe(0);
    expect((await bob.post(`${path}/decide`, fields)).status).toBe(303);
    const refused = (await broker.ports.store.readRecords('acme', 0, 1000)).filter(({ body }) => body.code === 'request.foreign');
    expect(refused[0]?.body).toMatchObject({ type: 'access.refused', door: 'console', actor: 'local#bob' });
  });

  it('and one without this login’s own token, or with another’s, decides nothing either', async () => {
    const { row, path } = await waiting();
    const [bob, again, carl] = [await loggedIn(broker, 'bob'), await loggedIn(broker, 'bob'), await loggedIn(broker, 'carl')];
    const fields = { ...fieldsOf(await bob.get(path)), decision: 'approve' };
    const others = [fieldsOf(await again.get(path)).csrf, fieldsOf(await carl.get(path)).csrf, '', 'x'.repeat(43), fields.csrf.slice(1)];
    for (const csrf of others) expect((await bob.post(`${path}/decide`, { ...fields, csrf })).status).toBe(403);
    for (const end of ['/decide', '/revoke']) expect((await bob.post(`${path}${end}`, { decision: 'deny' })).status).toBe(403);
    expect((await bob.post(`/console/sessions/${row.session}/end`, { reason: 'because' })).status).toBe(403);
    expect((await bob.post('/console/logout', {})).status).toBe(403);
    expect(await votesOf(row.id)).toBe(0);
    expect((await bob.get('/console')).status).toBe(200);
  });

  it('logs nobody in, and uses up no link', async () => {
    const link = new URL(await linkFor(broker, 'bob')).pathname;
    const victim = visit(broker.url);
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
      expect((await victim.post(link, {}, headers)).status).toBe(403);
    expect(victim.cookies.size).toBe(0);
    expect((await victim.post(link, {})).status).toBe(303);
  });

  it('changes nothing by being a GET', async () => {
    const { row, path } = await waiting();
    const bob = await loggedIn(broker, 'bob');
    const query = new URLSearchParams({ ...fieldsOf(await bob.get(path)), decision: 'approve' });
    for (const address of [`${path}/decide?${query}`, `${path}/revoke?${query}`, `/console/sessions/${row.session}/end?${query}`, `/console/logout?${query}`])
      expect((await bob.get(address)).status).toBe(404);
    expect(await votesOf(row.id)).toBe(0);
  });
});

describe('a vote', () => {
  it('counts only for the proposal that was shown, in the login it was shown to, with everything long in it opened', async () => {
    const long = `${'All is well. '.repeat(200)}Pay everything.`;
    const { row, path } = await waiting(publish(long));
    const other = await waiting(publish(long));
    const [bob, again, carl] = [await loggedIn(broker, 'bob'), await loggedIn(broker, 'bob'), await loggedIn(broker, 'carl')];
    const cut = fieldsOf(await bob.get(path));
    const open = fieldsOf(await bob.get(`${path}?open=0`));
    const shownElsewhere = [
      cut.shown,
      '',
      'AAAA',
      fieldsOf(await bob.get(`/console/approvals/${other.row.id}?open=0`)).shown,
      fieldsOf(await again.get(`${path}?open=0`)).shown,
      fieldsOf(await carl.get(`${path}?open=0`)).shown,
      `${open.shown.slice(0, 40)}${open.shown[40] === 'A' ? 'B' : 'A'}${open.shown.slice(41)}`,
    ];
    for (const shown of shownElsewhere) {
      const answer = await bob.post(`${path}/decide`, { ...open, shown, decision: 'approve' });
      expect([answer.status, answer.text.includes('has not been opened')]).toEqual([422, true]);
    }
    expect((await bob.post(`${path}/decide`, { ...open, digest: other.row.digest, decision: 'approve' })).status).toBe(409);
    expect((await bob.post(`${path}/decide`, { ...open, digest: 'f'.repeat(64), decision: 'deny' })).status).toBe(409);
    expect(await votesOf(row.id)).toBe(0);
    expect((await bob.post(`${path}/decide`, { ...open, decision: 'approve' })).status).toBe(303);
    expect(await votesOf(row.id)).toBe(1);
  });

  it('is not the sponsor’s to give, nor an admin’s', async () => {
    const { row, path } = await waiting();
    for (const name of ['ana', 'dana']) {
      const one = await loggedIn(broker, name);
      const page = await one.get(path);
      expect(page.status).toBe(200);
      expect(page.text).not.toContain('value="approve"');
      const answer = await one.post(`${path}/decide`, { ...fieldsOf(page), digest: row.digest, decision: 'approve', reason: 'mine' });
      expect([403, 422]).toContain(answer.status);
    }
    expect(await votesOf(row.id)).toBe(0);
  });
});

describe('somebody of another tenant', () => {
  it('sees of an approval and a task exactly what they see of what does not exist', async () => {
    const { row, task } = await waiting();
    const hugo = await loggedIn(broker, 'hugo', 'globex');
    const { csrf } = fieldsOf(await hugo.get('/console'));
    const none = { approval: 'apr_AAAAAAAAAAAAAAAAAAAAAA', session: 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA' };
    const pairs = [
      [`/console/approvals/${row.id}`, `/console/approvals/${none.approval}`],
      [`/console/sessions/${task.session}`, `/console/sessions/${none.session}`],
    ] as const;
    for (const [there, nowhere] of pairs) {
      const [real, missing] = await Promise.all([hugo.get(there), hugo.get(nowhere)]);
      expect([real.status, real.text]).toEqual([404, missing.text]);
    }
    const forms = { csrf, digest: row.digest, decision: 'deny', reason: 'because I can' };
    for (const [there, nowhere] of [
      [`/console/approvals/${row.id}/decide`, `/console/approvals/${none.approval}/decide`],
      [`/console/approvals/${row.id}/revoke`, `/console/approvals/${none.approval}/revoke`],
      [`/console/sessions/${task.session}/end`, `/console/sessions/${none.session}/end`],
      [`/console/sessions/${task.session}/suspend`, `/console/sessions/${none.session}/suspend`],
    ] as const) {
      const [real, missing] = await Promise.all([hugo.post(there, forms), hugo.post(nowhere, forms)]);
      expect([real.status, real.text], there).toEqual([404, missing.text]);
    }
    expect((await broker.ports.store.readApproval('acme', row.id))?.status).toBe('pending');
    for (const path of ['/console', '/console?view=pending', '/console/sessions', '/console/history']) {
      const { text } = await hugo.get(path);
      for (const canary of [row.id, task.session, 'notices__publish', 'local#ana']) expect(text).not.toContain(canary);
    }
  });

  it('cannot make their login one of the other tenant by renaming it', async () => {
    const hugo = await loggedIn(broker, 'hugo', 'globex');
    const thief = visit(broker.url);
    thief.cookies.set('__Host-taskgate', (hugo.cookies.get('__Host-taskgate') ?? '').replace('globex.', 'acme.'));
    expect((await thief.get('/console')).status).toBe(303);
    const link = new URL(await linkFor(broker, 'hugo', 'globex')).pathname.replace('/globex.', '/acme.');
    expect((await thief.post(link, {})).status).toBe(403);
  });
});

describe('a login', () => {
  it('never takes a secret the browser brought, and ends the one before', async () => {
    const planted = visit(broker.url);
    const known = `acme.${'A'.repeat(43)}`;
    planted.cookies.set('__Host-taskgate', known);
    await planted.post(new URL(await linkFor(broker, 'bob')).pathname, {});
    const first = planted.cookies.get('__Host-taskgate') ?? '';
    expect(first).not.toBe(known);
    await planted.post(new URL(await linkFor(broker, 'bob')).pathname, {});
    for (const dead of [known, first]) {
      const thief = visit(broker.url);
      thief.cookies.set('__Host-taskgate', dead);
      expect((await thief.get('/console')).status).toBe(303);
    }
  });

  it('opens no other door, and no token of another door opens this one', async () => {
    const { task } = await waiting();
    const bob = await loggedIn(broker, 'bob');
    const secret = bob.cookies.get('__Host-taskgate') ?? '';
    for (const headers of [{ authorization: `Bearer ${secret}` }, { cookie: `__Host-taskgate=${secret}` }]) {
      expect((await fetch(`${broker.url}/v1/approvals`, { headers })).status).toBe(401);
      expect((await fetch(task.mcpUrl, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    }
    for (const token of [await broker.person('acme', 'bob'), task.accessToken]) {
      const one = visit(broker.url);
      one.cookies.set('__Host-taskgate', token);
      expect((await one.get('/console', { authorization: `Bearer ${token}` })).status).toBe(303);
    }
  });

  it('is looked at by its stream too, whose events say nothing and of which one person has six', async () => {
    const bob = await loggedIn(broker, 'bob');
    const cookie = `__Host-taskgate=${bob.cookies.get('__Host-taskgate')}`;
    const gone = new AbortController();
    const open = () => fetch(`${broker.url}/console/events`, { headers: { cookie }, signal: gone.signal });
    const streams = await Promise.all(Array.from({ length: 6 }, open));
    expect(streams.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect((await open()).status).toBe(204);
    const { row } = await waiting();
    const reader = streams[0]!.body!.getReader();
    let heard = '';
    while (!heard.includes('changed')) heard += new TextDecoder().decode((await reader.read()).value);
    expect(heard).not.toContain(row.id);
    expect(heard.replace(/event: (hello|changed|beat)\ndata: ?\n\n/g, '')).toBe('');
    gone.abort();
    await expect.poll(async () => (await fetch(`${broker.url}/console/events`, { headers: { cookie }, signal: AbortSignal.timeout(500) })).status).toBe(200);
    expect((await visit(broker.url).get('/console/events')).status).toBe(303);
  });
});

describe('text of others', () => {
  it('in reasons and names runs nowhere it is shown', async () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e';
    const { row, path } = await waiting();
    const bob = await loggedIn(broker, 'bob');
    expect((await bob.post(`${path}/decide`, { ...fieldsOf(await bob.get(path)), reason: evil, decision: 'deny' })).status).toBe(303);
    const { text } = await bob.get(path);
    expect(text).toContain('&lt;script&gt;');
    for (const page of [text, (await bob.get('/console/history')).text, (await bob.get(`/console/sessions/${row.session}`)).text]) {
      expect(page).not.toMatch(/<script>alert|<img src=x/);
      expect(page).not.toContain('\u202e');
    }
    for (const odd of [evil, '%0d%0aset-cookie:a=b', '../../v1', '\u0000', 'a'.repeat(3000)]) {
      const answer = await bob.get(`/console/approvals/${encodeURIComponent(odd)}`);
      expect([404, 400]).toContain(answer.status);
      expect(answer.text).not.toContain('<script>alert');
      expect(answer.headers.get('set-cookie')).toBeNull();
      expect((await bob.get(`/console?view=${encodeURIComponent(odd)}&agent=${encodeURIComponent(odd)}`)).text).not.toContain('<script>alert');
      expect((await visit(broker.url).get(`/console/login?tenant=${encodeURIComponent(odd)}&to=${encodeURIComponent(odd)}`)).text).not.toContain(
        '<script>alert',
      );
    }
  });

  it('in forms that are too large, twice the same or no form at all does nothing', async () => {
    const { row, path } = await waiting();
    const bob = await loggedIn(broker, 'bob');
    const fields = { ...fieldsOf(await bob.get(path)), decision: 'approve' };
    const cookie = `__Host-taskgate=${bob.cookies.get('__Host-taskgate')}`;
    const send = (body: string, type = 'application/x-www-form-urlencoded') =>
      fetch(`${broker.url}${path}/decide`, {
        ...{ method: 'POST', body, redirect: 'manual' },
        headers: { cookie, 'content-type': type, origin: broker.url, 'sec-fetch-site': 'same-origin' },
      });
    const form = new URLSearchParams(fields).toString();
    for (const answer of [
      send(`${form}&x=${'y'.repeat(70_000)}`),
      send(`${form}&decision=deny`),
      send(JSON.stringify(fields), 'application/json'),
      send(form, 'text/plain'),
    ])
      expect((await answer).status).toBe(403);
    expect(await votesOf(row.id)).toBe(0);
  });
});

describe('whoever is no longer who they were', () => {
  /** Applies acme's document with other people; what narrows holds at once. */
  async function withPeople(change: (people: Record<string, object>) => Record<string, object>): Promise<void> {
    const document = (await broker.ports.tenants.current('acme'))!.document;
    const loaded = loadTexts([{ source: 'tenant.yaml', text: stringify({ ...document, people: change(document.people) }) }]);
    const token = { by: 'operator', applier: { at: 'start' as const }, reason: null, prune: false, dryRun: false, platform: 'allowed' as const };
    expect(await applyDocuments(broker.ports, loaded, token)).toMatchObject({ ok: true, applied: true });
  }

  it('decides nothing with the page and the cookie they still have', async () => {
    const { row, path } = await waiting();
    const bob = await loggedIn(broker, 'bob');
    const fields = { ...fieldsOf(await bob.get(path)), decision: 'approve' };
    await withPeople((people) => ({ ...people, bob: { ...people['bob'], roles: [] } }));
    for (const decision of ['approve', 'deny']) expect((await bob.post(`${path}/decide`, { ...fields, decision })).status).toBe(404);
    expect((await bob.get(path)).status).toBe(404);
    expect((await bob.get('/console/history')).status).toBe(404);
    await withPeople(({ bob: _, ...others }) => others);
    expect((await bob.post(`${path}/decide`, fields)).status).toBe(303);
    expect((await bob.get(path)).headers.get('location')).toMatch(/^\/console\/login/);
    expect(await votesOf(row.id)).toBe(0);
  });
});
