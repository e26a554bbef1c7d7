import type { Config } from '../config.ts';
import { isLoopbackHost } from './urls.ts';

type Named = Pick<Config, 'public_url' | 'listen' | 'allowed_origins'>;

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** Which header keeps a request out: `Host` must name this broker, and `Origin`, when a browser sends one, be allowed (DNS rebinding). */
export function checkNames(config: Named, headers: Headers): 'host' | 'origin' | null {
  const home = new URL(config.public_url);
  const own = config.listen.hosts.every(isLoopbackHost) ? loopback.map((host) => new URL(`http://${host}:${config.listen.port || home.port}`)) : [];
  const homes = [home, ...own];
  const host = headers.get('host');
  if (host === null || !homes.some((one) => one.host === canonicalHost(one.protocol, host))) return 'host';
  const origins = [...homes.map(({ origin }) => origin), ...config.allowed_origins.map(originOf)];
  const origin = headers.get('origin');
  return origin === null || origins.includes(origin) ? null : 'origin';
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
