import { z } from 'zod';
import { seal, unseal } from '../../credentials/index.ts';
import type { Ports } from '../../ports.ts';

/** A login on its way through the issuer: sealed, kept by the browser that began it, so that nobody can finish another's. */
const pending = z.strictObject({
  tenant: z.string(),
  issuer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  to: z.string(),
  /** Epoch milliseconds. */
  until: z.int(),
});
export type Pending = z.infer<typeof pending>;

const context = 'console/login';
export const pendingSeconds = 600;

export const sealPending = (ports: Pick<Ports, 'keys'>, login: Pending): string =>
  Buffer.from(seal(ports.keys.state, JSON.stringify(login), context)).toString('base64url');

/** Null for what was not sealed here, was changed, or is too old. */
export function openPending(ports: Pick<Ports, 'keys' | 'clock'>, text: string | null): Pending | null {
  try {
    const opened = unseal(ports.keys.state, Buffer.from(text ?? '', 'base64url'), context, ports.clock());
    const login = pending.parse(JSON.parse(opened.toString('utf8')));
    return login.until > ports.clock() ? login : null;
  } catch {
    return null;
  }
}
