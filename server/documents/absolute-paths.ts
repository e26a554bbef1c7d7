import { dirname, isAbsolute, resolve } from 'node:path';
import type { PlatformDocument, TaskgateDocument, TrustRoot } from './kinds.ts';

/** Makes the paths in a document absolute: they are relative to the file it stands in, wherever the broker is started. */
export function absolutePaths(document: TaskgateDocument, source: string): TaskgateDocument {
  const folder = dirname(resolve(source));
  const whole = (path: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  if (document.kind === 'Upstream' && document.transport.type === 'openapi' && !/^https?:/.test(document.transport.document)) {
    return { ...document, transport: { ...document.transport, document: whole(document.transport.document) } };
  }
  return document.kind === 'Platform' ? { ...document, commands: commandsOf(document, whole), tenants: tenantsOf(document, whole) } : document;
}

/** In `run` only what begins with `./` or `../` is a path: an argument may be any word. */
function commandsOf(platform: PlatformDocument, whole: (path: string) => string): PlatformDocument['commands'] {
  return Object.fromEntries(
    Object.entries(platform.commands).map(([name, command]) => [
      name,
      {
        ...command,
        run: command.run.map((word) => (/^\.{1,2}\//.test(word) ? whole(word) : word)),
        allow_read: command.allow_read.map(whole),
        allow_write: command.allow_write.map(whole),
      },
    ]),
  );
}

function tenantsOf(platform: PlatformDocument, whole: (path: string) => string): PlatformDocument['tenants'] {
  return Object.fromEntries(Object.entries(platform.tenants).map(([tenant, own]) => [tenant, { ...own, trust: own.trust.map((root) => rootOf(root, whole)) }]));
}

function rootOf(root: TrustRoot, whole: (path: string) => string): TrustRoot {
  if ('oidc' in root) return root.client_secret_file === undefined ? root : { ...root, client_secret_file: whole(root.client_secret_file) };
  return root.bundle === undefined || root.bundle === 'local' ? root : { ...root, bundle: whole(root.bundle) };
}
