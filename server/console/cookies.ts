/**
 * `__Host-`: only this host sets and gets them, over TLS (or on localhost, which browsers hold to be as safe). `Lax`, because a
 * link in a message must find the reviewer logged in; what changes something asks for more than a cookie.
 */
export const loginCookie = '__Host-taskgate';
export const pendingCookie = '__Host-taskgate-login';
/** Where somebody wanted to go who now looks for a link to log in with. */
export const wantedCookie = '__Host-taskgate-to';

export function readCookie(headers: Headers, name: string): string | null {
  for (const pair of (headers.get('cookie') ?? '').slice(0, 16_384).split(';')) {
    const cut = pair.indexOf('=');
    if (pair.slice(0, cut).trim() === name) return pair.slice(cut + 1).trim();
  }
  return null;
}

export const setCookie = (name: string, value: string, seconds: number): string =>
  `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
export const dropCookie = (name: string): string => setCookie(name, '', 0);
