export interface Line {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

/** Lines around a difference that are shown with it. */
const around = 3;
/** Texts whose differing middle is longer than this are shown one after the other. */
const mostCells = 4_000_000;

/** What turns one text into another, line by line, with what stands around it; `…` where lines are left out. */
export function lineDifference(before: string, after: string): Line[] {
  const whole = wholeDifference(before, after);
  if (!whole.some(({ sign }) => sign !== ' ')) return [];
  const near = whole.map((_, at) => whole.slice(Math.max(0, at - around), at + around + 1).some(({ sign }) => sign !== ' '));
  return whole.flatMap((line, at): Line[] => {
    if (near[at]) return [line];
    return at === 0 || near[at - 1] ? [same('…')] : [];
  });
}

const same = (text: string): Line => ({ sign: ' ', text });

/** The same with every line. */
export function wholeDifference(before: string, after: string): Line[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  return [...a.slice(0, head).map(same), ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)), ...a.slice(a.length - tail).map(same)];
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** By their longest common subsequence. */
function middle(a: readonly string[], b: readonly string[]): Line[] {
  const gone = (text: string): Line => ({ sign: '-', text });
  const come = (text: string): Line => ({ sign: '+', text });
  const width = b.length + 1;
  if (a.length * width > mostCells) return [...a.map(gone), ...b.map(come)];
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: Line[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length; ) {
    const [old, fresh] = [a[i], b[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ sign: ' ', text: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(gone(old));
      i += 1;
    } else {
      lines.push(come(fresh ?? ''));
      j += 1;
    }
  }
  return lines;
}
