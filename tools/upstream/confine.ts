import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UpstreamUnavailable } from './upstream.ts';

/** What a child process may see: its command line under Node's permission model, and its environment. */

export interface Confinement {
  readonly file: string;
  readonly args: readonly string[];
  /** False when the command is not Node: it then runs with the broker's own rights to files. */
  readonly confined: boolean;
}

export interface ConfineOptions {
  readonly run: readonly string[];
  readonly allowRead: readonly string[];
  readonly allowWrite: readonly string[];
  /** The child's own working folder. */
  readonly folder: string;
  /** Paths that no child may read, such as the broker's data folder. */
  readonly forbidden: readonly string[];
}

/** Throws `UpstreamUnavailable` when what the command may read or write would cover a forbidden path. */
export function confine(options: ConfineOptions): Confinement {
  const [program, ...rest] = options.run;
  if (program === undefined) throw new UpstreamUnavailable('the command is empty');
  if (program !== 'node') return { file: program, args: rest, confined: false };
  const script = rest.find((argument) => !argument.startsWith('-'));
  const own = [options.folder, ...(script === undefined ? [] : ownCode(realPath(resolve(script))))];
  for (const path of own) assertApart(path, options.forbidden, true);
  for (const path of [...options.allowRead, ...options.allowWrite]) assertApart(path, options.forbidden, false);
  const read = [...own, ...options.allowRead];
  const write = [options.folder, ...options.allowWrite];
  const flags = [...new Set(read)].map((path) => `--allow-fs-read=${path}`).concat([...new Set(write)].map((path) => `--allow-fs-write=${path}`));
  return { file: process.execPath, args: ['--permission', ...flags, ...rest], confined: true };
}

/**
 * A script's own code: the folder of its package when it is installed, else its own folder only (the folder of a project
 * also holds its data); every `node_modules` on the way up, and the package.json files that say how to read modules.
 */
function ownCode(script: string): readonly string[] {
  const folder = dirname(script);
  const paths = [script, folder];
  const installed = folder.split(sep).includes('node_modules');
  for (let at = folder; ; at = dirname(at)) {
    const modules = join(at, 'node_modules');
    // By both names where it is a link: modules are found by one and read by the other.
    if (basename(at) !== 'node_modules' && existsSync(modules)) paths.push(modules, realPath(modules));
    if (basename(at) === 'node_modules') paths.push(at);
    const manifest = join(at, 'package.json');
    if (existsSync(manifest)) {
      paths.push(manifest);
      if (installed && at.split(sep).includes('node_modules')) paths.push(at);
    }
    if (dirname(at) === at) return paths;
  }
}

/** Within a forbidden folder, only what the operator's document names itself may be granted. */
function assertApart(granted: string, forbidden: readonly string[], withinToo: boolean): void {
  // A wildcard grants whatever starts with the text before it.
  const star = granted.indexOf('*');
  const real = star === -1 ? realPath(resolve(granted)) : resolve(granted.slice(0, star) || sep);
  for (const path of forbidden) {
    const secret = realPath(resolve(path));
    const covers = star === -1 ? under(secret, real) : secret.startsWith(real);
    if (covers || (withinToo && under(real, secret))) throw new UpstreamUnavailable("the command would be allowed to read the broker's own data");
  }
}

function under(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Environment names that steer the runtime instead of the program: nobody but the operator's command decides those. */
export const reservedEnv =
  /^(NODE_.*|LD_.*|DYLD_.*|PATH|HOME|USER|SHELL|IFS|BASH_ENV|ENV|PYTHON.*|RUBY.*|PERL.*|JAVA_TOOL_OPTIONS|GLIBC_TUNABLES|SSLKEYLOGFILE|NPM_CONFIG_.*)$/;

/** The child's whole environment: what the document names. Throws `UpstreamUnavailable` on a reserved name, whoever let it come this far. */
export function childEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const refused = Object.keys(env).find((name) => reservedEnv.test(name));
  if (refused !== undefined) throw new UpstreamUnavailable(`the environment variable ${refused} may not be set for an upstream`);
  return { ...env };
}
