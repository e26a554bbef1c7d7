import type { Context } from 'hono';
import { isEncoded, readCapped } from './read-capped.ts';

export type Form = Readonly<Partial<Record<string, string>>>;

const maxBytes = 65_536;

/**
 * A form-encoded body (RFC 6749 §3.2): at most 64 KiB, UTF-8 also where it is escaped, no parameter twice; an empty value counts as
 * left out. Answers what is wrong, in words, otherwise.
 */
export async function readForm(c: Context): Promise<{ readonly form: Form } | { readonly problem: string }> {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return { problem: 'The body must be form-encoded.' };
  if (isEncoded(c.req.raw.headers)) return { problem: 'The body must not be compressed.' };
  const bytes = await readCapped(c.req.raw, maxBytes);
  return bytes ? parseForm(bytes) : { problem: 'The body is too large.' };
}

/** The same of bytes. */
export function parseForm(bytes: Uint8Array): { readonly form: Form } | { readonly problem: string } {
  const form = new Map<string, string>();
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    for (const pair of text.split('&').filter((one) => one !== '')) {
      const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
      const [name, value] = [unescaped(pair.slice(0, at)), unescaped(pair.slice(at + 1))];
      if (form.has(name)) return { problem: 'A parameter is given twice.' };
      form.set(name, value);
    }
  } catch {
    // A lenient reader would put U+FFFD in its place and see another value than the client meant.
    return { problem: 'The body is not form-encoded UTF-8.' };
  }
  return { form: Object.fromEntries([...form].filter(([, value]) => value !== '')) };
}

const unescaped = (part: string): string => decodeURIComponent(part.replaceAll('+', ' '));
