import { z } from 'zod';
import { didYouMean } from '../../policies/index.ts';
import { documentKinds, type Kind, type TaskgateDocument } from './kinds.ts';
import type { YamlDocument } from './parse-yaml.ts';
import { type DocumentProblem, formatPath, type Path } from './problems.ts';

type Issue = z.core.$ZodIssue;
type Schema = Readonly<Record<string, unknown>>;

export const kinds = Object.keys(documentKinds) as Kind[];

/** Checks one document against the schema of its kind; every problem says what the schema would take. */
export function checkShape(file: string, document: YamlDocument): { body: TaskgateDocument } | { problems: readonly DocumentProblem[] } {
  const at = (path: Path, cause: string, remedy: string): DocumentProblem => ({ file, line: document.lineOf(path), path: formatPath(path), cause, remedy });
  const { value } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problems: [at([], 'Not a document', 'Write a map with `kind` and its fields')] };
  if (!Object.hasOwn(value, 'kind')) return { problems: [at([], 'No `kind`', `Add \`kind\`: one of ${kinds.join(', ')}`)] };
  const kind: unknown = 'kind' in value ? value.kind : null;
  if (!isKind(kind)) {
    return { problems: [at(['kind'], 'Not a kind of document', `Use one of ${kinds.join(', ')}.${typeof kind === 'string' ? didYouMean(kind, kinds) : ''}`)] };
  }
  const checked = documentKinds[kind].safeParse(value);
  if (checked.success) return { body: checked.data };
  // A mistyped field is told before the one that is missed for it.
  const issues = [...checked.error.issues].sort((a, b) => Number(b.code === 'unrecognized_keys') - Number(a.code === 'unrecognized_keys'));
  return { problems: issues.flatMap((issue) => explain(kind, issue, [], at)) };
}

function isKind(value: unknown): value is Kind {
  return typeof value === 'string' && Object.hasOwn(documentKinds, value);
}

function explain(kind: Kind, issue: Issue, prefix: Path, at: (path: Path, cause: string, remedy: string) => DocumentProblem): DocumentProblem[] {
  const path = [...prefix, ...issue.path];
  const [cause, remedy] = words(kind, issue, path);
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt(kind, path);
    return issue.keys.map((key) =>
      at([...path, key], `Unknown field \`${key.slice(0, 64)}\``, `Remove it, or use one of ${known.join(', ')}.${didYouMean(key, known)}`),
    );
  }
  if (issue.code === 'invalid_union') {
    const nearestBranch = issue.errors.map((branch) => ({ branch, distance: distanceOf(branch) })).sort((a, b) => a.distance - b.distance)[0]?.branch ?? [];
    const told = nearestBranch.flatMap((inner) => explain(kind, inner, path, at));
    if (told.length > 0) return told;
  }
  return [at(path, cause, remedy)];
}

/** How far a value is from one branch of a union: what the author wrote counts more than what is missing. */
function distanceOf(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.path.length > 0) return sum + (issue.code === 'invalid_type' ? 2 : 1);
    return sum + (issue.code === 'unrecognized_keys' ? 3 * issue.keys.length : issue.code === 'custom' ? 1 : 10);
  }, 0);
}

function words(kind: Kind, issue: Issue, path: Path): readonly [string, string] {
  const field = path.length === 0 ? 'the document' : `\`${formatPath(path)}\``;
  switch (issue.code) {
    case 'invalid_type':
      return [`${field} is missing or not what it should be`, `Give ${article(issue.expected)}`];
    case 'invalid_value':
      return [`${field} is not a value it can have`, `Use one of ${issue.values.map(String).join(', ')}`];
    case 'too_small':
      return [`${field} is too small`, `At least ${issue.minimum}${issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : ''}`];
    case 'too_big':
      return [`${field} is too large`, `At most ${issue.maximum}${issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : ''}`];
    case 'invalid_format':
      return [`${field} is not written as it should be`, issue.message.startsWith('Invalid') ? `Give a ${issue.format}` : `Give ${issue.message}`];
    case 'invalid_key':
      return [`${field} is not a name that can stand here`, issue.issues[0]?.message ?? 'Rename it'];
    case 'invalid_union':
      return [`${field} fits none of the forms it can have`, `Fields that can stand here: ${fieldsAt(kind, path).join(', ') || 'see the schema'}`];
    case 'custom':
      return [`${field} does not fit together`, issue.message];
    default:
      return [`${field} is wrong`, issue.message];
  }
}

function article(expected: string): string {
  const named: Record<string, string> = {
    record: 'a map',
    object: 'a map',
    array: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: '`true` or `false`',
  };
  return named[expected] ?? `a ${expected}`;
}

const schemas = new Map<Kind, Schema>();

/** Names of the fields that may stand at `path`, in any form of the kind's schema. */
function fieldsAt(kind: Kind, path: Path): string[] {
  let schema = schemas.get(kind);
  if (!schema) {
    schema = z.toJSONSchema(documentKinds[kind], { io: 'input' }) as Schema;
    schemas.set(kind, schema);
  }
  let nodes = forms(schema);
  for (const step of path) {
    nodes = nodes.flatMap((node) => {
      if (typeof step === 'number') return forms(node['items']);
      const own = isSchema(node['properties']) ? node['properties'] : {};
      return forms(Object.hasOwn(own, String(step)) ? own[String(step)] : node['additionalProperties']);
    });
  }
  return [...new Set(nodes.flatMap((node) => (isSchema(node['properties']) ? Object.keys(node['properties']) : [])))].sort();
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function forms(schema: unknown): Schema[] {
  if (!isSchema(schema)) return [];
  const branches = [schema['anyOf'], schema['oneOf']].filter(Array.isArray).flat();
  return branches.length > 0 ? branches.flatMap(forms) : [schema];
}
