import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';

const root = join(import.meta.dirname, '../..');
const kept = new Set(['ledger', 'mail']);

export interface ExtraCommand {
  readonly run: readonly string[];
  readonly allow_read?: readonly string[];
  readonly allow_write?: readonly string[];
}
export interface Extras {
  /** Further operator's commands, by name. */
  readonly commands?: Readonly<Record<string, ExtraCommand>>;
  /** Further files below `tenants/<tenant>`, by path: YAML or Cedar. */
  readonly files?: Readonly<Record<string, string>>;
  /** Changes the operator's document. */
  readonly platform?: (document: Record<string, unknown>) => Record<string, unknown>;
  /** Changes one parsed sample document before it is written. */
  readonly change?: (document: Record<string, unknown>) => Record<string, unknown>;
}

/** The sample tenants with ledger and mail alone, as files below `dir`: small enough to start a broker for a test. */
export async function writeDocuments(dir: string, extras: Extras = {}): Promise<string> {
  const out = join(dir, 'documents');
  for (const tenant of ['acme', 'globex']) {
    const folder = join(out, 'tenants', tenant);
    await mkdir(folder, { recursive: true });
    for (const source of [join(root, 'policies/tenants', tenant), join(root, 'tools/registry', tenant)]) {
      for (const file of await readdir(source)) {
        if (basename(file).startsWith('samples')) continue;
        const text = await readFile(join(source, file), 'utf8');
        const ours = /\.cases\.ya?ml$|\.cedar$/.test(file) ? withoutExplorer(text, file) : rewrite(text, extras);
        if (ours.trim() !== '') await writeFile(join(folder, file), ours);
      }
    }
  }
  const platform = parseAllDocuments(await readFile(join(root, 'policies/platform.yaml'), 'utf8'))[0]?.toJS() as Record<string, unknown>;
  const commands = platform['commands'] as Record<string, ExtraCommand>;
  const absolute = (paths: readonly string[] = []): string[] => paths.map((path) => (path.startsWith('..') ? join(root, 'policies', path) : path));
  const both = Object.fromEntries(
    Object.entries(commands)
      .filter(([name]) => ['sample-ledger', 'sample-mail'].includes(name))
      .map(([name, command]) => [name, { ...command, run: absolute(command.run), allow_read: absolute(command.allow_read) }]),
  );
  const operators = { ...platform, commands: { ...both, ...extras.commands } };
  await writeFile(join(out, 'platform.yaml'), stringify(extras.platform?.(operators) ?? operators));
  for (const [path, text] of Object.entries(extras.files ?? {})) await writeFile(join(out, 'tenants', path), text);
  return out;
}

function rewrite(text: string, extras: Extras): string {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>);
  return documents
    .filter(({ kind, name }) => (kind === 'Upstream' ? kept.has(String(name)) : !['explorer', 'browse-samples'].includes(String(name))))
    .map((document) => stringify(extras.change?.(document) ?? document))
    .join('---\n');
}

/** The cases of the sample exploration go with its agent. */
function withoutExplorer(text: string, file: string): string {
  if (!/\.cases\.ya?ml$/.test(file)) return text;
  const cases = parseAllDocuments(text)[0]?.toJS() as { facts?: { agent?: { name?: string } } }[];
  return stringify(cases.filter((one) => one.facts?.agent?.name !== 'explorer'));
}
