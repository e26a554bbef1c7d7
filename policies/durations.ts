const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Whole seconds of `90s`, `30m`, `4h` or `7d`; null for anything else. */
export function secondsOf(duration: string): number | null {
  const [, count, unit] = /^([1-9][0-9]{0,5})([smhd])$/.exec(duration) ?? [];
  return count && unit ? Number(count) * units[unit as keyof typeof units] : null;
}
