import { basename } from 'node:path';
import { platformRules } from '../../policies/index.ts';
import { absolutePaths } from './absolute-paths.ts';
import { checkShape } from './check-shape.ts';
import type { TaskgateDocument } from './kinds.ts';
import { parseYaml } from './parse-yaml.ts';
import { type DocumentProblem, formatPath, type Loaded, type LoadedDocument, type LoadedPolicy } from './problems.ts';
import { maxFileBytes, maxFiles, readFiles, type SourceFile } from './read-files.ts';

/** Reads and checks every `*.yaml`, `*.yml`, `*.cedar` and `*.cases.yaml` at `paths`, folders with all below them. */
export async function loadPaths(paths: readonly string[]): Promise<Loaded> {
  const { files, problems } = await readFiles(paths);
  const loaded = loadTexts(files);
  return { ...loaded, problems: [...problems, ...loaded.problems] };
}

/** The same for texts that are already in memory; `source` is the path they go by. */
export function loadTexts(files: readonly SourceFile[]): Loaded {
  const oversize = files.filter((file) => Buffer.byteLength(file.text) > maxFileBytes);
  if (files.length > maxFiles || oversize.length > 0) {
    const file = oversize[0]?.source ?? '';
    return {
      documents: [],
      policies: [],
      problems: [{ file, line: null, path: '', cause: 'Too much at once', remedy: `Apply at most ${maxFiles} files of at most 1 MiB` }],
    };
  }
  const read = files.filter((file) => /\.ya?ml$/.test(file.source) && !isCases(file.source)).map(loadYaml);
  const { policies, problems } = pairPolicies(files);
  const documents = read.flatMap((one) => one.documents);
  return { documents, policies, problems: [...read.flatMap((one) => one.problems), ...repeated(documents), ...problems] };
}

function loadYaml({ source, text }: SourceFile): { documents: LoadedDocument[]; problems: DocumentProblem[] } {
  const parsed = parseYaml(source, text);
  const documents: LoadedDocument[] = [];
  const problems = [...parsed.problems];
  for (const document of parsed.documents) {
    const checked = checkShape(source, document);
    if ('problems' in checked) problems.push(...checked.problems);
    else {
      const body = absolutePaths(checked.body, source);
      documents.push({
        kind: body.kind,
        tenant: tenantOf(body),
        name: nameOf(body),
        body,
        source,
        line: document.line,
        lineOf: (path) => document.lineOf(path),
      });
    }
  }
  return { documents, problems };
}

export function tenantOf(body: TaskgateDocument): string | null {
  return body.kind === 'Platform' ? null : body.kind === 'Tenant' ? body.name : body.tenant;
}

function nameOf(body: TaskgateDocument): string {
  return body.kind === 'Platform' ? 'platform' : body.name;
}

function repeated(documents: readonly LoadedDocument[]): DocumentProblem[] {
  const first = new Map<string, LoadedDocument>();
  return documents.flatMap((document) => {
    const key = JSON.stringify([document.kind, document.tenant, document.name]);
    const before = first.get(key);
    if (!before) {
      first.set(key, document);
      return [];
    }
    const cause = document.kind === 'Platform' ? 'A second Platform document' : `A second ${document.kind} named ${document.name}`;
    return [
      { file: document.source, line: document.line, path: formatPath(['name']), cause, remedy: `Keep one; the first is at ${before.source}:${before.line}` },
    ];
  });
}

let shippedTexts: ReadonlySet<string> | null = null;
const shipped = (): ReadonlySet<string> => {
  shippedTexts ??= new Set(platformRules().map(({ text }) => text));
  return shippedTexts;
};
const isCases = (source: string): boolean => /\.cases\.ya?ml$/.test(source);
const stem = (source: string): string => source.replace(/\.cedar$|\.cases\.ya?ml$/, '');

/** Each `*.cedar` with the `*.cases.yaml` beside it and the tenant it belongs to: by its folder, else by its first `@id`. */
function pairPolicies(files: readonly SourceFile[]): { policies: LoadedPolicy[]; problems: DocumentProblem[] } {
  const cases = new Map(files.filter((file) => isCases(file.source)).map((file) => [stem(file.source), file]));
  const policies: LoadedPolicy[] = [];
  const problems: DocumentProblem[] = [];
  const at = (file: string, line: number | null, cause: string, remedy: string): void => void problems.push({ file, line, path: '', cause, remedy });
  const seen = new Map<string, string>();
  for (const { source, text } of files.filter((file) => file.source.endsWith('.cedar'))) {
    const beside = cases.get(stem(source));
    cases.delete(stem(source));
    // The operator's rules are part of the product: they hold whether or not their folder is named.
    if (shipped().has(text)) continue;
    const place = /(?:^|\/)tenants\/([a-z0-9-]+)\/(.+)$/.exec(source);
    const id = /@id\s*\(\s*"([a-z0-9-]+)\//.exec(text);
    const tenant = place?.[1] ?? id?.[1];
    if (id?.[1] === 'platform') {
      at(source, 1, 'A rule of the platform that Taskgate does not ship', "Give its ids the tenant's prefix; the platform's rules come with Taskgate");
      continue;
    }
    if (tenant === undefined) {
      at(source, 1, 'No telling whose policy this is', 'Put it under tenants/<tenant>/, or begin its ids with the tenant: @id("acme/…")');
      continue;
    }
    const file = place?.[2] ?? basename(source);
    const twin = seen.get(`${tenant}/${file}`);
    if (twin !== undefined) at(source, 1, `A second policy file named ${file} of tenant ${tenant}`, `Rename it; the first is ${twin}`);
    seen.set(`${tenant}/${file}`, source);
    policies.push({ tenant, file, text, cases: beside?.text ?? null, source });
  }
  for (const orphan of cases.values()) {
    at(orphan.source, 1, 'Cases without a policy file', `Put ${basename(stem(orphan.source))}.cedar beside them`);
  }
  return { policies, problems };
}
