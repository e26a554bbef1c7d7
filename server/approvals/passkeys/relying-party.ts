import { isIP } from 'node:net';
import type { Config } from '../../config.ts';

/** Where passkeys of this broker are good: a name, by the public URL. Browsers give none to an address of numbers, nor without TLS but on this machine. */
export interface RelyingParty {
  readonly id: string;
  readonly origin: string;
}

export function relyingParty({ public_url: url }: Pick<Config, 'public_url'>): RelyingParty | null {
  const { hostname, origin, protocol } = new URL(url);
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost');
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || (protocol !== 'https:' && !isLocal)) return null;
  return { id: hostname, origin };
}
