import { constants, type Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentProblem } from './problems.ts';

export interface SourceFile {
  readonly source: string;
  readonly text: string;
}

export const maxFileBytes = 1_048_576;
export const maxFiles = 1_000;
const maxFolderDepth = 16;
const wanted = /\.(ya?ml|cedar)$/;

/** Reads every document and policy file at `paths`, folders with all below them, in a stable order. Links are followed only when named. */
export async function readFiles(paths: readonly string[]): Promise<{ files: readonly SourceFile[]; problems: readonly DocumentProblem[] }> {
  const problems: DocumentProblem[] = [];
  const found: string[] = [];
  for (const path of paths) {
    try {
      const info = await stat(path);
      if (info.isDirectory()) await list(path, 0, found);
      else if (wanted.test(path)) found.push(path);
      else problems.push(at(path, 'Not a file that is applied', 'Name *.yaml, *.yml or *.cedar files, or folders of them'));
    } catch (error) {
      problems.push(at(path, `Cannot be read: ${codeOf(error)}`, 'Check that the path exists and may be read'));
    }
  }
  const names = [...new Set(found)];
  if (names.length > maxFiles) return { files: [], problems: [at(paths.join(', '), `${names.length} files`, `Apply at most ${maxFiles} files at once`)] };
  const read = await Promise.all(names.map(readOne));
  return { files: read.flatMap((one) => ('text' in one ? [one] : [])), problems: [...problems, ...read.flatMap((one) => ('cause' in one ? [one] : []))] };
}

async function list(folder: string, depth: number, found: string[]): Promise<void> {
  if (depth > maxFolderDepth || found.length > maxFiles) return;
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await list(path, depth + 1, found);
    else if (entry.isFile() && wanted.test(entry.name)) found.push(path);
  }
}

async function readOne(source: string): Promise<SourceFile | DocumentProblem> {
  try {
    // Non-blocking, so that a named pipe in a folder cannot hold the start.
    const handle = await open(source, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const info = await handle.stat();
      if (!info.isFile()) return at(source, 'Not a regular file', 'Name a file');
      if (info.size > maxFileBytes) return at(source, 'Larger than 1 MiB', 'Split the file');
      const bytes = await handle.readFile();
      if (bytes.length > maxFileBytes) return at(source, 'Larger than 1 MiB', 'Split the file');
      return { source, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return at(source, error instanceof TypeError ? 'Not UTF-8 text' : `Cannot be read: ${codeOf(error)}`, 'Save the file as UTF-8 text that may be read');
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function at(file: string, cause: string, remedy: string): DocumentProblem {
  return { file, line: null, path: '', cause, remedy };
}
