import { readFile } from 'node:fs/promises';
import { importJWK, type JWK, SignJWT } from 'jose';
import { z } from 'zod';
import { type BrokerDoors, postJson } from './broker.ts';
import { Failure } from './failure.ts';

const privateJwk = z.looseObject({ kty: z.enum(['EC', 'OKP', 'RSA']), d: z.string().min(1), alg: z.string().optional(), kid: z.string().optional() });
export type PrivateJwk = z.infer<typeof privateJwk>;

/** Reads a private JWK. Rejects with `Failure` that names the file, never its content. */
export async function readPrivateJwk(file: string, remedy: string): Promise<PrivateJwk> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new Failure(`cannot read the key ${file}`, { remedy, cause: error });
  }
  try {
    return privateJwk.parse(JSON.parse(text));
  } catch {
    throw new Failure(`${file} is not a private JWK (RFC 7517)`, { remedy });
  }
}

/** A short JWT that proves possession of `key`: at most 60 s old, used once (RFC 7523 §3). */
export async function signAssertion(key: PrivateJwk, claims: { readonly iss: string; readonly sub: string; readonly aud: string }): Promise<string> {
  const alg = key.alg ?? defaultAlgorithm(key);
  const header = { alg, ...(key.kid === undefined ? {} : { kid: key.kid }) };
  return new SignJWT({ ...claims, jti: crypto.randomUUID() })
    .setProtectedHeader(header)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(key as JWK, alg));
}

/** Asks the `local` provider for a JWT-SVID of the agent that `key` belongs to. */
export async function askSvid(doors: BrokerDoors, key: PrivateJwk, agent: string): Promise<string> {
  const assertion = await signAssertion(key, { iss: agent, sub: agent, aud: `${doors.issuer}/local` });
  const issued = await postJson(
    `${doors.issuer}/local/svid`,
    { assertion },
    `is this the key of the agent '${agent}' of ${doors.tenant}? Check --agent, --key, --tenant`,
  );
  return z.object({ svid: z.string() }).parse(issued).svid;
}

/** What a person signs for when they log in for one task: the agent, and the task itself. */
export interface LoginTask {
  readonly agent: string;
  readonly authorization_details?: readonly Readonly<Record<string, unknown>>[];
}

/** Asks the `local` provider for an ID token of the person `as`; `key` is the machine's people key. */
export async function askIdToken(doors: BrokerDoors, key: PrivateJwk, as: string, task: LoginTask | null): Promise<string> {
  const assertion = await signAssertion(key, { iss: 'people', sub: as, aud: `${doors.issuer}/local` });
  const asked =
    task === null
      ? `does ${doors.tenant} have a person '${as}'? Check --as and --tenant`
      : `does ${doors.tenant} have an agent '${task.agent}' and a person '${as}'? Check --agent and --tenant`;
  return z.object({ id_token: z.string() }).parse(await postJson(`${doors.issuer}/local/id-token`, { assertion, as, ...task }, asked)).id_token;
}

/** Asks the `local` provider for a link that logs `as` in at the console, once. */
export async function askConsoleLink(doors: BrokerDoors, key: PrivateJwk, as: string): Promise<{ readonly url: string; readonly expires_in: number }> {
  const assertion = await signAssertion(key, { iss: 'people', sub: as, aud: `${doors.issuer}/local` });
  const issued = await postJson(`${doors.issuer}/local/console-link`, { assertion, as }, `does ${doors.tenant} have a person '${as}'? Check --as and --tenant`);
  return z.object({ url: z.url(), expires_in: z.int() }).parse(issued);
}

function defaultAlgorithm(key: PrivateJwk): string {
  if (key.kty === 'OKP') return 'EdDSA';
  if (key.kty === 'RSA') return 'RS256';
  return { 'P-384': 'ES384', 'P-521': 'ES512' }[String(key['crv'])] ?? 'ES256';
}
