import type { Config } from '../config.ts';
import type { ReadHeaders } from './read-capped.ts';
import { isLoopbackHost } from './urls.ts';

type Named = Pick<Config, 'public_url' | 'listen' | 'allowed_origins'>;

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** Which header keeps a request out: `Host` must name this broker, and `Origin`, when a browser sends one, be allowed (DNS rebinding). */
export function checkNames(config: Named, headers: ReadHeaders): 'host' | 'origin' | null {
  const { homes, origins } = namesOf(config);
  const host = headers.get('host');
  if (host === null || !homes.some((one) => one.host === host || one.host === canonicalHost(one.protocol, host))) return 'host';
  const origin = headers.get('origin');
  return origin === null || origins.includes(origin) ? null : 'origin';
}

interface Names {
  readonly url: string;
  readonly homes: readonly URL[];
  readonly origins: readonly string[];
}
const known = new WeakMap<Named, Names>();

/** Worked out once a configuration. */
function namesOf(config: Named): Names {
  const before = known.get(config);
  if (before?.url === config.public_url) return before;
  const home = new URL(config.public_url);
  const own = config.listen.hosts.every(isLoopbackHost) ? loopback.map((host) => new URL(`http://${host}:${config.listen.port || home.port}`)) : [];
  const homes = [home, ...own];
  const names = { url: config.public_url, homes, origins: [...homes.map(({ origin }) => origin), ...config.allowed_origins.map(originOf)] };
  known.set(config, names);
  return names;
}

/** As a browser writes it. Schemes whose origin URL calls opaque, such as an extension's, stand as they are: never `null`, which any sandbox sends. */
function originOf(allowed: string): string {
  const { origin } = new URL(allowed);
  return origin === 'null' ? allowed.replace(/\/+$/, '') : origin;
}

/** Lower case, without the scheme's default port; empty when it is no host at all. */
function canonicalHost(protocol: string, host: string): string {
  return /[/?#@\\\s]/.test(host) ? '' : (URL.parse(`${protocol}//${host}`)?.host ?? '');
}
