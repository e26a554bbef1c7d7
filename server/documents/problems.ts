import type { StoredDocument } from '../store/store.ts';
import type { Kind, TaskgateDocument } from './kinds.ts';

/** What is wrong with a document, where, and what to do about it. Never a value: documents may hold a secret by mistake. */
export interface DocumentProblem {
  readonly file: string;
  /** From 1; null when the document comes from the store. */
  readonly line: number | null;
  /** Such as `grants[1].arguments.amount`; empty for the document as a whole. */
  readonly path: string;
  readonly cause: string;
  readonly remedy: string;
}

export type Path = readonly PropertyKey[];

/** A document as it stands in a file: valid in itself, not yet against the others. */
export interface LoadedDocument {
  readonly kind: Kind;
  /** Null for the operator's `Platform`. */
  readonly tenant: string | null;
  readonly name: string;
  readonly body: TaskgateDocument;
  readonly source: string;
  readonly line: number;
  /** The line where `path` stands, or its nearest ancestor that is there. */
  lineOf(path: Path): number;
}

export interface LoadedPolicy {
  readonly tenant: string;
  /** The name it is stored under: its path below the tenant's folder, the same from wherever it is applied. */
  readonly file: string;
  readonly text: string;
  readonly cases: string | null;
  /** The file as it was read; for messages. */
  readonly source: string;
}

export interface Loaded {
  readonly documents: readonly LoadedDocument[];
  readonly policies: readonly LoadedPolicy[];
  readonly problems: readonly DocumentProblem[];
}

/** A place to point at: a file, and where in it when it was read just now. */
export interface Place {
  readonly source: string;
  readonly lineOf?: (path: Path) => number;
}
export type Located = StoredDocument & Place;

export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = /^[A-Za-z0-9_/-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key));
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

export function problemAt(place: Place, path: Path, cause: string, remedy: string): DocumentProblem {
  return { file: place.source, line: place.lineOf?.(path) ?? null, path: formatPath(path), cause, remedy };
}
