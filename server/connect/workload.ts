import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { BrokerDoors } from './broker.ts';
import { Failure } from './failure.ts';
import { askSvid, readPrivateJwk, signAssertion } from './local.ts';

/** Proves, each time afresh, that this process is the agent's workload. */
export interface Workload {
  /** A JWT whose only audience is the tenant's issuer. */
  prove(): Promise<string>;
}

export interface WorkloadSource {
  readonly agent: string;
  readonly data: string;
  readonly svidFile: string | null;
  readonly key: string | null;
}

/**
 * From a file that something else keeps fresh (SPIRE's agent, say), or from a private key: one below `<data>/local` is
 * known to the `local` provider and gets an SVID from it, any other signs the client assertion itself.
 */
export function findWorkload(doors: BrokerDoors, source: WorkloadSource): Workload {
  const { svidFile } = source;
  if (svidFile !== null) return { prove: () => readToken(svidFile, 'check --svid-file; whatever issues your SVIDs must keep it fresh') };

  const local = resolve(source.data, 'local');
  const file = resolve(source.key ?? join(local, doors.tenant, 'agents', `${source.agent}.json`));
  const ofLocal = isBelow(local, file);
  const remedy =
    source.key === null
      ? 'name a credential with --key or --svid-file; on the embedded default run from the folder that holds ./data, or give --data'
      : 'check --key';
  return {
    async prove() {
      const key = await readPrivateJwk(file, remedy);
      return ofLocal ? askSvid(doors, key, source.agent) : signAssertion(key, { iss: source.agent, sub: source.agent, aud: doors.issuer });
    },
  };
}

/** Reads a token from a file, each time: what renews it may have replaced it. */
export async function readToken(file: string, remedy: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(`cannot read ${file}`, { remedy, cause: error });
  });
  const token = text.trim();
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Failure(`${file} does not hold a JWT`, { remedy });
  return token;
}

function isBelow(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}
