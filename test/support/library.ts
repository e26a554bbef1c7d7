import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Extras } from './documents.ts';

const root = join(import.meta.dirname, '../..');
const fixture = join(root, 'test/support/fixtures/library.ts');

const open = { reaches: 'tenant', returns: { sensitivity: 'public', integrity: 'tenant' } };
const returning = (sensitivity: string) => ({ reaches: 'tenant', returns: { sensitivity, integrity: 'tenant' } });
const resource = (name: string, sensitivity = 'public') => ({
  uri: `library://${name.replace('_', '/')}`,
  as: name,
  says: `The ${name}`,
  ...returning(sensitivity),
});

/** What match-invoices is granted of it; `book_hidden` is registered and not granted. */
const granted = ['handbook', 'contract', 'sealed', 'minutes', 'twice', 'huge', 'book', 'shelf', 'summarise', 'audit', 'settle', 'search'];

const constrained: Readonly<Record<string, object>> = {
  shelf: { room: { enum: ['reading', 'cellar'] } },
  settle: { invoice: { from: 'inputs.invoice' } },
};

const upstreams = [
  {
    kind: 'Upstream',
    tenant: 'acme',
    name: 'library',
    transport: { type: 'stdio', command: 'library' },
    tools: [{ name: 'search', says: 'Searches', effect: 'read', ...open }],
    resources: [
      ...['handbook', 'minutes', 'twice', 'huge'].map((name) => resource(name)),
      resource('contract', 'confidential'),
      resource('sealed', 'restricted'),
      resource('book_hidden', 'confidential'),
      { template: 'library://book/{id}', as: 'book', says: 'A book', targets: { id: 'id' }, ...open },
      { template: 'library://shelf/{room}/{+place}', as: 'shelf', says: 'A shelf', ...open },
    ],
    prompts: [
      { name: 'summarise', says: 'Asks for a summary', ...open },
      { name: 'audit', says: 'Asks for an audit', ...open },
      { name: 'settle', says: 'Asks to settle', ...open },
    ],
  },
  { kind: 'Upstream', tenant: 'acme', name: 'archive', transport: { type: 'stdio', command: 'library' }, resources: [resource('twice')] },
];

const rules = `@id("acme/minutes-and-audits-are-asked-for")
@reason("Somebody of finance looks first")
forbid (principal, action in [Taskgate::Action::"library__minutes", Taskgate::Action::"library__audit"], resource)
unless { context.satisfied.contains("approval:finance") };

@id("acme/book-nine-is-lent")
@reason("Book nine is lent")
forbid (principal, action == Taskgate::Action::"library__book", resource)
when { context.args.id == "9" };
`;
const cases = [
  { case: 'minutes are asked for', tool: 'library__minutes', facts: { args: {} }, expect: { decision: 'require', requirements: ['approval:finance'] } },
  { case: 'book nine is lent', tool: 'library__book', facts: { args: { id: '9' } }, expect: { decision: 'deny', policies: ['acme/book-nine-is-lent'] } },
];

/** The sample tenant with a library to read in. `asked` is what reached it. */
export function withLibrary(dir: string, more: Pick<Extras, 'change'> = {}): Extras & { asked(): string[] } {
  const log = join(dir, 'library.txt');
  const allow_read = [join(root, 'node_modules'), join(root, 'package.json')];
  return {
    commands: { library: { run: ['node', fixture, log], allow_read, allow_write: [log] } },
    files: {
      'acme/library.yaml': upstreams.map((one) => stringify(one)).join('---\n'),
      'acme/library.cedar': rules,
      'acme/library.cases.yaml': stringify(cases),
    },
    change(document) {
      const changed = document['name'] === 'match-invoices' && document['tenant'] === 'acme' ? withGrants(document) : document;
      return more.change?.(changed) ?? changed;
    },
    asked: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean) : []),
  };
}

const withGrants = (document: Record<string, unknown>): Record<string, unknown> => ({
  ...document,
  max_open_sessions: 100,
  grants: [
    ...(document['grants'] as object[]),
    ...granted.map((name) => ({ tool: `library__${name}`, arguments: constrained[name] ?? {} })),
    { tool: 'archive__twice' },
  ],
});
