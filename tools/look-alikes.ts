/** Names that are taken for one another: the same shapes from other alphabets, digits for letters, other separators. */

export interface OtherTool {
  /** The upstream it belongs to; null for a tool of the same one. */
  readonly upstream: string | null;
  /** `<upstream>__<tool>`. */
  readonly name: string;
  /** Its upstream's own name of it. */
  readonly tool: string;
}

/** Letters of other alphabets in the shape of a Latin one (Unicode TR39, the part that stands in identifiers). */
const shapes: Readonly<Record<string, string>> = {
  ...{
    а: 'a',
    с: 'c',
    е: 'e',
    о: 'o',
    р: 'p',
    х: 'x',
    у: 'y',
    і: 'i',
    ј: 'j',
    ѕ: 's',
    һ: 'h',
    ԁ: 'd',
    ԛ: 'q',
    ԝ: 'w',
    к: 'k',
    м: 'm',
    т: 't',
    в: 'b',
    н: 'h',
    г: 'r',
    п: 'n',
  },
  ...{ α: 'a', ο: 'o', ν: 'v', ρ: 'p', τ: 't', υ: 'u', ι: 'i', κ: 'k', χ: 'x', ε: 'e', η: 'n', ω: 'w', γ: 'y' },
  ...{ օ: 'o', ս: 'u', ց: 'g', հ: 'h', ո: 'n', ı: 'i', ɡ: 'g', ɑ: 'a' },
  ...{ '0': 'o', '1': 'l', i: 'l', '|': 'l' },
};

const shapeOf = (name: string): string =>
  [...name.normalize('NFKC').toLowerCase()]
    .map((letter) => shapes[letter] ?? letter)
    .map((letter) => (letter === 'i' ? 'l' : letter))
    .join('')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w');

/** Another name in the same shape; names that are the same are told apart by their upstreams. */
export function resembles(tool: string, as: string | undefined, other: OtherTool): boolean {
  const own = as ?? tool;
  return own !== other.tool && shapeOf(own) === shapeOf(other.tool);
}

/** By what names a text would speak of it: short ones are words like any other. */
export const namesOf = ({ name, tool }: OtherTool): string[] => [name, ...(tool.length >= 8 && /[_-]/.test(tool) ? [tool] : [])];

const alphabets = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u, /\p{Script=Cherokee}/u, /[\uff21-\uff5a]/u];

/** Whether a name takes letters from more than one of the alphabets whose letters look alike. */
export const isMixed = (name: string): boolean => alphabets.filter((alphabet) => alphabet.test(name)).length > 1;
