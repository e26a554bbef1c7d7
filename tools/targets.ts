import type { BrokeredTool } from './catalogue.ts';

/** Typed readings of the arguments that decide on whom or what an effect lands. */

/** At most four decimals, as policy's decimals have; no sign, no exponent. */
const decimal = /^(\d{1,15})(?:\.(\d{1,4}))?$/;

/**
 * What a call would move: the sum, in whole ten-thousandths, of the arguments whose target type is `amount`; 0 when it
 * has none. Null when one is there but does not convert exactly: negative, more than four decimals, not a number or a
 * decimal string, or a sum beyond 2^53.
 */
export function amountOf(tool: BrokeredTool, args: Readonly<Record<string, unknown>>): number | null {
  let sum = 0;
  for (const [name, type] of Object.entries(tool.manifest.targets)) {
    if (type !== 'amount' || !Object.hasOwn(args, name)) continue;
    const part = tenThousandths(args[name]);
    if (part === null) return null;
    sum += part;
  }
  return Number.isSafeInteger(sum) ? sum : null;
}

/**
 * A number or decimal text as whole ten-thousandths; null when it does not convert exactly. Read from the decimal text, so
 * that no binary fraction is multiplied.
 */
export function tenThousandths(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'string') return null;
  const parts = decimal.exec(String(value));
  if (parts === null) return null;
  const whole = Number(`${parts[1]}${(parts[2] ?? '').padEnd(4, '0')}`);
  return Number.isSafeInteger(whole) ? whole : null;
}
