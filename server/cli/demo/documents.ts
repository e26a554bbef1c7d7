import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, relative, resolve } from 'node:path';
import { parseAllDocuments, visit } from 'yaml';

/** Lets the demo look into the ledger by the front door: a session of its own that may only list payments. */
const checkPayments = `kind: UseCase
tenant: acme
name: check-payments
workflow: exploration
owner: dana
purpose: See which payments the ledger holds
accountable: dana
grants:
  - { tools: [ledger__list_payments], effect: read }
ceiling: internal
lifetime: { default: 10m, longest: 1h }
budget: { calls: 50 }
expires: 2027-06-30
review_by: 2027-01-31
`;

/** The mailbox's port in the samples. */
const samplePort = '7413';

/**
 * Copies the sample documents to `target` with the mailbox on `port`, so that they run beside a broker that has theirs.
 * Relative paths of commands become absolute, since they hang on the document's place.
 */
export async function copyDocuments(packageFolder: string, target: string, port: number): Promise<string[]> {
  const roots = ['policies', join('tools', 'registry')];
  for (const root of roots) {
    const from = join(packageFolder, root);
    for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ya?ml|cedar)$/.test(entry.name)) continue;
      const file = join(entry.parentPath, entry.name);
      const copy = join(target, root, relative(from, file));
      await mkdir(dirname(copy), { recursive: true });
      if (/(?<!\.cases)\.ya?ml$/.test(entry.name)) await writeFile(copy, move(await readFile(file, 'utf8'), dirname(file), port));
      else await cp(file, copy);
    }
  }
  await writeFile(join(target, 'policies', 'check-payments.yaml'), checkPayments);
  return roots.map((root) => join(target, root));
}

function move(text: string, folder: string, port: number): string {
  const documents = parseAllDocuments(text);
  for (const document of documents) {
    visit(document, {
      Scalar(_key, node) {
        if (typeof node.value === 'string' && /^\.{1,2}\//.test(node.value)) node.value = resolve(folder, node.value);
        else if (typeof node.value === 'string') node.value = node.value.replace(new RegExp(`(^|:)${samplePort}\\b`), `$1${port}`);
      },
    });
  }
  return documents.map(String).join('---\n');
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready, failed) => server.once('error', failed).listen(0, '127.0.0.1', ready));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
  return address.port;
}
