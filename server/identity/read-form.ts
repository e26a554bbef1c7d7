import type { Context } from 'hono';
import { readCapped } from './read-capped.ts';

export type Form = Readonly<Partial<Record<string, string>>>;

const maxBytes = 65_536;

/**
 * A form-encoded body (RFC 6749 §3.2): at most 64 KiB, UTF-8, no parameter twice; an empty value counts as left out.
 * Answers what is wrong, in words, otherwise.
 */
export async function readForm(c: Context): Promise<{ readonly form: Form } | { readonly problem: string }> {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return { problem: 'The body must be form-encoded.' };
  const bytes = await readCapped(c.req.raw, maxBytes);
  if (!bytes) return { problem: 'The body is too large.' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { problem: 'The body is not UTF-8.' };
  }
  const form: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in form) return { problem: 'A parameter is given twice.' };
    form[name] = value;
  }
  return { form: Object.fromEntries(Object.entries(form).filter(([, value]) => value !== '')) };
}
