/**
 * Takes the credential out of what came back with it: an upstream that echoes its key must not hand it to the agent.
 * The text itself is found wherever it stands, in values and in names, also as it is written inside JSON text; what was
 * otherwise encoded or cut up is not.
 */
export function scrubSecret<T>(value: T, secret: string): T {
  return scrub(value, secret) as T;
}

/** Anything shorter would take ordinary words out of results; a credential that short protects nothing. */
const shortest = 4;

function scrub(value: unknown, secret: string): unknown {
  if (secret.length < shortest) return value;
  if (typeof value === 'string') return clean(value, secret);
  if (Array.isArray(value)) return value.map((one) => scrub(one, secret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [clean(name, secret), scrub(one, secret)]));
}

const clean = (text: string, secret: string): string => text.replaceAll(secret, '[secret]').replaceAll(JSON.stringify(secret).slice(1, -1), '[secret]');
