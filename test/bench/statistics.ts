/** The smallest value that at least the share `q` of the sorted values does not exceed (nearest rank). */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new RangeError('no values, no percentile');
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? percentile(sorted, 0.5) : (percentile(sorted, 0.5) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function spread(values: Iterable<number>): { readonly p50: number; readonly p95: number; readonly p99: number } {
  const sorted = Float64Array.from(values).sort();
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99) };
}
