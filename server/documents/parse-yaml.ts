import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { type DocumentProblem, formatPath, type Path } from './problems.ts';

/** One document of a YAML stream, as plain JSON values, with where everything stands. */
export interface YamlDocument {
  readonly value: unknown;
  readonly line: number;
  lineOf(path: Path): number;
}

const maxDepth = 64;
const maxKeys = 20_000;
const maxAliases = 32;
const mostProblems = 20;
const plainTag = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;
/** Invisible characters and bidirectional controls: what a reviewer reads must be what stands there (Unicode TR 36). */
const hidden = /\p{Cf}|(?![\t\n\r])\p{Cc}/u;

/** Reads YAML 1.2 (core schema) as JSON data: no tags, no directives, no repeated keys, few aliases, bounded depth. */
export function parseYaml(file: string, text: string): { documents: readonly YamlDocument[]; problems: readonly DocumentProblem[] } {
  const lines = new LineCounter();
  const tooDeep = depthProblem(text);
  if (tooDeep !== null)
    return { documents: [], problems: [{ file, line: tooDeep, path: '', cause: 'Nested too deeply', remedy: `Nest at most ${maxDepth} levels` }] };

  // The library's own check for repeated keys takes quadratic time (60,000 keys: 99 s); `inspect` does it with a set.
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, stringKeys: true, merge: false });
  const documents: YamlDocument[] = [];
  const problems: DocumentProblem[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const start = document.contents?.range?.[0] ?? document.range?.[0] ?? 0;
    const line = lineAt(lines, start);
    const found = syntaxProblems(file, document, lines);
    if (found.length === 0) found.push(...inspect(file, document.contents, lines));
    if (found.length > 0) {
      problems.push(...found);
      continue;
    }
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue;
    try {
      documents.push({ value: document.toJS({ maxAliasCount: maxAliases }), line, lineOf: (path) => lineOf(document.contents, path, lines) ?? line });
    } catch {
      problems.push({ file, line, path: '', cause: 'Aliases that repeat too much', remedy: 'Write the values out' });
    }
  }
  return { documents, problems };
}

function syntaxProblems(file: string, document: Document.Parsed, lines: LineCounter): DocumentProblem[] {
  const wrong = [...document.errors, ...document.warnings].slice(0, 5).map((error) => ({
    file,
    line: lineAt(lines, error.pos[0]),
    path: '',
    cause: `Not the YAML that is read here: ${error.message}`,
    remedy: 'Write plain YAML 1.2: maps, lists, text, numbers, true and false; no tags or directives',
  }));
  if (document.directives.yaml.version !== '1.2') {
    wrong.push({
      file,
      line: lineAt(lines, document.range[0]),
      path: '',
      cause: 'A YAML version directive',
      remedy: 'Remove the %YAML line; documents are read as YAML 1.2',
    });
  }
  return wrong;
}

/** Walks the nodes before they become values: repeated keys, tags, numbers that JSON cannot carry, text nobody can see. */
function inspect(file: string, root: Node | null, lines: LineCounter): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  let keys = 0;
  const report = (node: unknown, path: Path, cause: string, remedy: string): void => {
    problems.push({ file, line: lineAt(lines, rangeOf(node)), path: formatPath(path), cause, remedy });
  };
  const visit = (node: unknown, path: Path): void => {
    if (problems.length >= mostProblems) return;
    if (path.length > maxDepth) report(node, [], 'Nested too deeply', `Nest at most ${maxDepth} levels`);
    else if (isMap(node)) visitMap(node, path);
    else if (isSeq(node)) for (const [index, item] of node.items.entries()) visit(item, [...path, index]);
    else if (isScalar(node)) visitScalar(node, path);
    if ((isScalar(node) || isCollection(node)) && node.tag !== undefined && !plainTag.test(node.tag)) {
      report(node, path, 'A tag', 'Remove the tag; values are plain YAML');
    }
  };
  const visitMap = (map: YAMLMap, path: Path): void => {
    const seen = new Set<string>();
    for (const pair of map.items) {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
      if (++keys > maxKeys) {
        report(pair.key, path, 'Too many fields', `Keep a file under ${maxKeys} fields`);
        return;
      }
      if (seen.has(key)) report(pair.key, [...path, key], 'This field stands twice', 'Keep one of them');
      if (key === '__proto__') report(pair.key, path, 'A field that cannot be named so', 'Rename the field');
      if (hidden.test(key) || !key.isWellFormed()) report(pair.key, path, 'A field name with invisible characters', 'Type the name again');
      seen.add(key);
      visit(pair.value, [...path, key]);
    }
  };
  const visitScalar = (node: Scalar, path: Path): void => {
    const { value } = node;
    if (typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))) {
      report(node, path, 'A number that cannot be kept exactly', 'Use a number below 2^53, or text');
    } else if (typeof value === 'string' && (hidden.test(value) || !value.isWellFormed())) {
      report(node, path, 'Text with invisible or control characters', 'Type the text again without them');
    } else if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) {
      report(node, path, 'A value that JSON does not have', 'Write it as text');
    }
  };
  visit(root, []);
  return problems;
}

function rangeOf(node: unknown): number {
  return (isScalar(node) || isCollection(node) || isAlias(node)) && node.range ? node.range[0] : 0;
}

function lineAt(lines: LineCounter, offset: number): number {
  return Math.max(1, lines.linePos(offset).line);
}

/** The line of the deepest part of `path` that exists: of the key where there is one, else of the item. */
function lineOf(root: Node | null, path: Path, lines: LineCounter): number | null {
  let node: unknown = root;
  let offset: number | null = null;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((one) => isPair(one) && isScalar(one.key) && String(one.key.value) === String(step));
      if (!pair) break;
      offset = rangeOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step];
      offset = rangeOf(node);
    } else break;
  }
  return offset === null ? null : lineAt(lines, offset);
}

/** A cheap bound before the recursive parser sees the text: open brackets, and markers of nested blocks on one line. */
function depthProblem(text: string): number | null {
  let depth = 0;
  let line = 1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x0a) line++;
    else if (char === 0x5b || char === 0x7b) depth++;
    else if ((char === 0x5d || char === 0x7d) && depth > 0) depth--;
    if (depth > maxDepth * 4) return line;
  }
  const block = new RegExp(`(?:[-?:][ \\t]+){${maxDepth}}`).exec(text);
  return block ? text.slice(0, block.index).split('\n').length : null;
}
