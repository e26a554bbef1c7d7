import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { Failure } from '../connect/index.ts';

/** One file as it goes to the broker: where it was read from, and its text. */
export interface DocumentFile {
  readonly source: string;
  readonly text: string;
}

const belongs = /\.(yaml|cedar)$/;

/** Every document and policy below the paths, in a fixed order. Rejects with `Failure` when a path is missing or holds none. */
export async function readDocuments(paths: readonly string[]): Promise<DocumentFile[]> {
  const files: DocumentFile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((error: unknown) => {
      throw new Failure(`there is no ${path}`, { remedy: 'name a file or a folder of *.yaml and *.cedar', cause: error });
    });
    const names = found.isDirectory() ? await below(path) : [path];
    if (names.length === 0) throw new Failure(`${path} holds no *.yaml or *.cedar`);
    for (const name of names) files.push({ source: relative('', name) || name, text: await readFile(name, 'utf8') });
  }
  return files;
}

async function below(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && belongs.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Policy files below the paths, by the name they go by, each with the cases beside it. */
export async function readPolicies(paths: readonly string[]): Promise<{ file: string; text: string; cases: string | null }[]> {
  const files = await readDocuments(paths);
  const textOf = new Map(files.map(({ source, text }) => [source, text]));
  return files
    .filter(({ source }) => source.endsWith('.cedar'))
    .map(({ source, text }) => ({ file: basename(source), text, cases: textOf.get(source.replace(/\.cedar$/, '.cases.yaml')) ?? null }));
}
