import type { MiddlewareHandler } from 'hono';

/** Nothing but the console's own two files may run or style, nothing goes to another origin, nobody frames it. */
const policyOf = (sendsTo: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    `form-action 'self'${sendsTo}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types taskgate',
  ].join('; ');

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': policyOf(''),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // `no-referrer` would make browsers send `Origin: null` with the console's own forms.
  'referrer-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** The same for a page whose form ends at one other place: browsers hold a redirect after a form to `form-action` too (CSP3 §6.4.1). */
export function policyWith(sendsTo: string): string {
  const { protocol, origin } = new URL(sendsTo);
  return policyOf(` ${protocol === 'http:' || protocol === 'https:' ? origin : protocol}`);
}

export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(headers)) if (name !== 'content-security-policy' || !c.res.headers.has(name)) c.res.headers.set(name, value);
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
};
