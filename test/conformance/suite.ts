import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** The official suite: what it asks of a revision, and what it found. */

const home = join(dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')));

export type Revision = '2025-11-25' | '2026-07-28';
export const revisions: readonly Revision[] = ['2025-11-25', '2026-07-28'];

const requirements = z.looseObject({
  server: z.array(z.string()),
  not_scored: z.array(z.looseObject({ scenario: z.string(), leg: z.string() })),
});

/** The scenarios of the frozen set, and those that run with it and decide nothing. */
export async function scenariosOf(revision: Revision): Promise<{ readonly required: readonly string[]; readonly further: readonly string[] }> {
  const set = requirements.parse(parse(await readFile(join(home, 'requirements', `${revision}.yaml`), 'utf8')));
  return { required: set.server, further: set.not_scored.filter(({ leg }) => leg === 'server').map(({ scenario }) => scenario) };
}

const check = z.looseObject({ id: z.string(), status: z.string(), errorMessage: z.string().optional() });
export type Check = z.infer<typeof check>;

/** Runs a revision's whole set against the server at `url`; what each scenario checked, by its name. */
export function runSuite(url: string, revision: Revision, results: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  return run(['server', '--url', url, '--requirements', revision, '--timeout', '20000'], results);
}

/** What can be looked at of an authorization server without a person's browser; no revision requires it. */
export const issuerScenario = 'authorization-server-metadata-endpoint';

export function runIssuer(issuer: string, results: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  return run(['authorization', '--url', issuer, '--scenario', issuerScenario], results);
}

async function run(args: readonly string[], results: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  const command = [join(home, 'dist/index.js'), ...args, '--output-dir', results];
  await once(spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'ignore'] }), 'exit');
  const found = new Map<string, readonly Check[]>();
  for (const folder of await readdir(results)) {
    // <command>-<scenario>-<time>, the time as ISO 8601 with hyphens.
    const scenario = /^(?:authorization-)?server-(.+)-\d{4}-\d{2}-\d{2}T/.exec(folder)?.[1];
    if (scenario === undefined) throw new Error(`the suite left ${folder}, which is not known`);
    const text = await readFile(join(results, folder, 'checks.json'), 'utf8').catch(() => null);
    // A scenario that broke off leaves its folder empty.
    found.set(scenario, text === null ? [] : z.array(check).parse(JSON.parse(text)));
  }
  return found;
}
