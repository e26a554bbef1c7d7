/** Where two texts differ: what both begin and end with, and what stands between in each. Never inside a character. */
export function differenceOf(before: string, now: string): { readonly head: string; readonly was: string; readonly is: string; readonly tail: string } {
  const most = Math.min(before.length, now.length);
  let start = 0;
  while (start < most && before[start] === now[start]) start++;
  if (isHalf(now, start) || isHalf(before, start)) start--;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === now[now.length - 1 - end]) end++;
  if (isHalf(now, now.length - end) || isHalf(before, before.length - end)) end--;
  return {
    head: now.slice(0, start),
    was: before.slice(start, before.length - end),
    is: now.slice(start, now.length - end),
    tail: now.slice(now.length - end),
  };
}

/** The text's second half of a surrogate pair begins here. */
const isHalf = (text: string, at: number): boolean =>
  at > 0 && at < text.length && /[\udc00-\udfff]/.test(text[at] ?? '') && /[\ud800-\udbff]/.test(text[at - 1] ?? '');
