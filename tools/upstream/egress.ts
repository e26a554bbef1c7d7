import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where the broker may connect to on an upstream's behalf, judged on the address dialled, not the name asked for. */

export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code = 'EGRESS_REFUSED';
}

export interface Egress {
  /** Throws `EgressRefused`. Judges the URL itself, and its host when that is an address (no look-up follows for one). */
  check(url: URL): void;
  /** For the socket: answers only addresses that may be dialled, so a name cannot change its mind after the check. */
  readonly lookup: LookupFunction;
}

/**
 * `allowed` holds `host` or `host:port`. With an empty list, only the upstream's own host at public addresses; with any,
 * only what it names. Private, loopback and plain-http places must be named; link-local and other special ranges (cloud
 * metadata lives there) by the address itself.
 */
export function egress(upstream: URL, allowed: readonly string[], resolve: LookupFunction = systemLookup): Egress {
  const port = portOf(upstream);
  const own = hostOf(upstream);
  const named = (host: string): boolean => allowed.some((entry) => sameHost(entry, host, port));

  const checkAddress = (address: string, host: string): void => {
    if (!ipaddr.isValid(address)) throw new EgressRefused(`${host} is not an address that may be reached`);
    const parsed = ipaddr.process(address);
    const range = metadata.has(parsed.toString()) ? 'cloud metadata' : isGlobal(parsed) ? parsed.range() : 'reserved';
    if (range === 'unicast') return;
    const namable = range === 'private' || range === 'loopback' || range === 'uniqueLocal' || range === 'carrierGradeNat';
    if (named(parsed.toString()) || (namable && named(host))) return;
    throw new EgressRefused(`${host} is at a ${range} address that \`egress\` does not name`);
  };

  return {
    check(url) {
      const host = hostOf(url);
      if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new EgressRefused('only http and https are spoken');
      if (url.username !== '' || url.password !== '') throw new EgressRefused('a URL with credentials in it is not used');
      if (host !== own || portOf(url) !== port) throw new EgressRefused(`${host} is not the host of this upstream`);
      if (allowed.length > 0 && !named(host)) throw new EgressRefused(`\`egress\` does not name ${host}:${port}`);
      if (url.protocol === 'http:' && !named(host)) throw new EgressRefused(`plain http to ${host} needs \`egress\` to name it`);
      if (ipaddr.isValid(host)) checkAddress(host, host);
    },
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, '', 4);
        const addresses = Array.isArray(found) ? found : [];
        try {
          // One bad address spoils the name: a mixed answer is how rebinding looks.
          for (const { address } of addresses) checkAddress(address, hostname.toLowerCase());
        } catch (refused) {
          return callback(refused as EgressRefused, '', 4);
        }
        const first = addresses[0];
        if (first === undefined) return callback(new EgressRefused(`${hostname} has no address`), '', 4);
        if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}

/** Where clouds serve credentials to whoever asks, in ranges that are otherwise public or may be named by a host. */
const metadata = new Set(['168.63.129.16', '100.100.100.200', 'fd00:ec2::254']);

/** Of what counts as unicast in IPv6, only 2000::/3 is given out (RFC 4291 §2.4): the rest holds IPv4 addresses in disguise. */
const isGlobal = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.kind() === 'ipv4' || address.range() !== 'unicast' || (address.toByteArray()[0] ?? 0) >> 5 === 1;

const hostOf = (url: URL): string =>
  url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

function sameHost(entry: string, host: string, port: string): boolean {
  const plain = entry.toLowerCase();
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return plain === host || plain === bracketed || plain === `${bracketed}:${port}`;
}
