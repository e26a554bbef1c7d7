import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** An OpenID issuer as far as a broker looks at one: discovery, keys, and ID tokens for whoever is named. */
export interface Issuer {
  readonly url: string;
  idToken(person: string): Promise<string>;
  close(): void;
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'chaos', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys: [key] },
    };
    const found = documents[request.url ?? ''];
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    idToken: (person) =>
      new SignJWT({ sub: person, nonce: crypto.randomUUID(), auth_time: Math.floor(Date.now() / 1000) })
        .setProtectedHeader({ alg: 'ES256', kid: 'chaos' })
        .setIssuer(url)
        .setAudience('taskgate')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
