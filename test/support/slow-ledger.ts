import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Extras } from './documents.ts';

const root = join(import.meta.dirname, '../..');

/** The sample's ledger replaced by one that keeps its payments in a file and answers when told. */
export function slowLedger(dir: string): Extras & { payments(): string[]; release(): void; hold(): void } {
  const file = join(dir, 'payments.txt');
  const release = join(dir, 'release');
  const fixture = join(root, 'test/support/fixtures/slow-ledger.ts');
  return {
    commands: {
      'sample-ledger': {
        run: ['node', fixture, file, release],
        allow_read: [join(root, 'node_modules'), join(root, 'package.json'), release],
        allow_write: [file],
      },
    },
    change(document) {
      if (document['kind'] === 'Upstream' && document['name'] === 'ledger') {
        const [tool] = document['tools'] as Record<string, unknown>[];
        return { ...document, deadline: '30s', tools: [tool] };
      }
      return document['name'] === 'match-invoices' ? { ...document, max_open_sessions: 100 } : document;
    },
    payments: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean) : []),
    release: () => writeFileSync(release, ''),
    hold: () => rmSync(release, { force: true }),
  };
}
