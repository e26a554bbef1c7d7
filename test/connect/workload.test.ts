import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerDoors, findDoors } from '../../server/connect/broker.ts';
import { openTask } from '../../server/connect/session.ts';
import { findWorkload } from '../../server/connect/workload.ts';
import { type StandIn, standIn } from './stand-in.ts';

let broker: StandIn;
let doors: BrokerDoors;
beforeEach(async () => {
  broker = await standIn();
  doors = await findDoors(broker.url, 'acme');
});
afterEach(() => broker.close());

const source = (more: object) => ({ agent: 'invoice-matcher', data: broker.data, svidFile: null, key: null, ...more });

describe('a workload', () => {
  it('with a key of the local provider asks it for an SVID, proving the key anew each time', async () => {
    const workload = findWorkload(doors, source({}));
    expect(await workload.prove()).toBe('svid.of.agent');
    await workload.prove();
    expect(new Set(broker.assertions.map((claims) => claims['jti'])).size).toBe(2);
    expect(broker.assertions[0]).toMatchObject({ exp: Number(broker.assertions[0]?.['iat']) + 60 });
  });

  it.each(['ES256', 'ES384', 'EdDSA', 'RS256'])('with a key of its own (%s) signs an assertion for the tenant’s issuer alone, new each time', async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const file = join(broker.data, 'own.json');
    await writeFile(file, JSON.stringify(await exportJWK(privateKey)));
    const workload = findWorkload(doors, source({ key: file }));
    const keys = createLocalJWKSet({ keys: [await exportJWK(publicKey)] });
    const proven = await Promise.all([1, 2].map(async () => (await jwtVerify(await workload.prove(), keys, { audience: doors.issuer })).payload));
    expect(proven[0]).toMatchObject({ iss: 'invoice-matcher', sub: 'invoice-matcher', aud: doors.issuer });
    expect(proven[0]?.jti).not.toBe(proven[1]?.jti);
    expect(broker.assertions).toEqual([]);
  });

  it('with an SVID file reads it again each time, since something else keeps it fresh', async () => {
    const svidFile = join(broker.data, 'svid.jwt');
    const workload = findWorkload(doors, source({ svidFile }));
    await writeFile(svidFile, 'a.b.c\n');
    expect(await workload.prove()).toBe('a.b.c');
    await writeFile(svidFile, 'd.e.f');
    expect(await workload.prove()).toBe('d.e.f');
  });

  it('is told which file is missing or wrong, and what to do', async () => {
    await expect(findWorkload(doors, source({ agent: 'nobody' })).prove()).rejects.toMatchObject({
      message: expect.stringContaining('nobody.json'),
      remedy: expect.stringContaining('--key'),
    });
    const file = join(broker.data, 'public.json');
    await writeFile(file, JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }));
    await chmod(file, 0o600);
    await expect(findWorkload(doors, source({ key: file })).prove()).rejects.toThrow('not a private JWK');
  });
});

describe('a broker', () => {
  let other: Server;
  let answer: (url: string) => { status?: number; location?: string; body?: object };
  let url: string;
  beforeEach(async () => {
    other = createServer((request, response) => {
      const { status = 200, location, body } = answer(request.url ?? '');
      response.writeHead(status, { 'content-type': 'application/json', ...(location === undefined ? {} : { location }) }).end(JSON.stringify(body ?? {}));
    });
    await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready));
    url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((closed) => other.close(closed)));

  it('cannot send credentials outside its own issuer by its metadata', async () => {
    answer = () => ({ body: { issuer: `${url}/t/acme`, token_endpoint: 'http://evil.example/token', revocation_endpoint: `${url}/t/acme/oauth/revoke` } });
    await expect(findDoors(url, 'acme')).rejects.toThrow('outside its own issuer');
    answer = () => ({ body: { issuer: `${url}/t/acme`, token_endpoint: `${url}/t/acme.evil/token`, revocation_endpoint: `${url}/t/acme/oauth/revoke` } });
    await expect(findDoors(url, 'acme')).rejects.toThrow('outside its own issuer');
  });

  it('cannot send them elsewhere by a redirect', async () => {
    answer = () => ({ status: 307, location: doors.tokenEndpoint });
    await expect(openTask({ ...doors, tokenEndpoint: `${url}/token` }, { prove: async () => 'x' }, null, { use_case: 'u', inputs: {} })).rejects.toThrow();
    expect(broker.asked).toEqual([]);
  });

  it('cannot name another host as the session’s door', async () => {
    const granted = { type: 'taskgate-task', session_id: 's', mcp_url: 'http://evil.example/mcp', expires_at: 1 };
    answer = () => ({ body: { access_token: 't', expires_in: 60, authorization_details: [granted] } });
    await expect(openTask({ ...doors, tokenEndpoint: `${url}/token` }, { prove: async () => 'x' }, null, { use_case: 'u', inputs: {} })).rejects.toThrow(
      'something else than a task',
    );
  });

  it('that does not know the tenant, or is none, is told apart in words', async () => {
    answer = () => ({ status: 404 });
    await expect(findDoors(url, 'acme')).rejects.toThrow("no tenant 'acme'");
    answer = () => ({ body: { hello: 'world' } });
    await expect(findDoors(url, 'acme')).rejects.toThrow('not a Taskgate broker');
  });
});
