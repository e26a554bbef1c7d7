/** Where a sponsor's browser may be sent back to (RFC 6749 §3.1.2, RFC 8252, RFC 9700 §4.1). */

const loopback = ['localhost', '127.0.0.1', '[::1]'];
/** Schemes a browser does something with itself. */
const browsers =
  /^(about|blob|chrome|data|file|filesystem|ftp|intent|javascript|mailto|ms-[a-z-]*|resource|search-ms|shell|tel|urn|vbscript|view-source|wss?):$/;

/** Written as it is parsed, so that what is compared as text is what a browser goes to. */
export function isRedirect(text: string): boolean {
  if (!/^[!-~]+$/.test(text) || /[\\*#<>"]/.test(text)) return false;
  const url = URL.parse(text);
  if (!url || (url.href !== text && url.href !== `${text}/`) || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  if (url.protocol === 'http:') return loopback.includes(url.hostname);
  return !browsers.test(url.protocol) && /^[a-z][a-z0-9+.-]+:\/\/?[^/]/.test(text);
}

export const isOfThisMachine = (text: string): boolean => {
  const url = URL.parse(text);
  return url?.protocol === 'http:' && loopback.includes(url.hostname);
};

/**
 * Equal as text; on this machine with any port (RFC 8252 §7.3), which the program only learns when it listens: the host, the path
 * and the query stay what was registered.
 */
export function matchesRedirect(registered: string, asked: string): boolean {
  if (registered === asked) return true;
  if (!isRedirect(asked) || !isOfThisMachine(registered) || !isOfThisMachine(asked)) return false;
  const [a, b] = [new URL(registered), new URL(asked)];
  return a.hostname === b.hostname && a.pathname === b.pathname && a.search === b.search;
}
