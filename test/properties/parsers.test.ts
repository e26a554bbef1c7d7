import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { parseCases } from '../../policies/cases/parse.ts';
import { readText } from '../../policies/engine/read-text.ts';
import { parseRequirement, secondsOf } from '../../policies/index.ts';
import { readClientData } from '../../server/approvals/passkeys/verify-assertion.ts';
import { parseLine } from '../../server/audit/export.ts';
import { BadBackup, parseRow, rowLine } from '../../server/backup/format.ts';
import { withEntry } from '../../server/cli/host-entries.ts';
import { filledIn, readServers } from '../../server/cli/import/read-servers.ts';
import { readInputs } from '../../server/cli/task-options.ts';
import { Failure } from '../../server/connect/failure.ts';
import { readCookie } from '../../server/console/cookies.ts';
import type { SecretKey } from '../../server/credentials/keys.ts';
import { seal, unseal } from '../../server/credentials/seal.ts';
import { endOfDay } from '../../server/documents/durations.ts';
import { isRedirect, matchesRedirect } from '../../server/documents/redirects.ts';
import { connectionKey, readConnectionKey } from '../../server/documents/upstream-target.ts';
import { checkNames } from '../../server/identity/check-names.ts';
import { headerProblem, readJwt } from '../../server/identity/jwt.ts';
import { parseForm } from '../../server/identity/read-form.ts';
import { readScopes, scopes } from '../../server/identity/scopes.ts';
import { readBundle } from '../../server/identity/spiffe.ts';
import { vetKeySet } from '../../server/identity/vet-keys.ts';
import { openTask, sealTask } from '../../server/mcp/tasks/names.ts';
import { secretProblem, signingSecrets } from '../../server/notifications/secrets.ts';
import { tenantOfSession } from '../../server/sessions/session-id.ts';
import { readNotice, writeNotice } from '../../server/store/postgres/notices.ts';
import { tenThousandths } from '../../tools/targets.ts';

/** Every parser of the broker that reads text of others by itself; JSON, YAML documents, schemas and patterns have files of their own. */

const key: SecretKey = { id: 'k1', createdAt: 0, retiresAt: null, bytes: randomBytes(32) };
const holder = JSON.stringify(['acme', 'ses_acme_AAAAAAAAAAAAAAAAAAAAAA', 'invoice-matcher']);
const b64 = (text: string): string => Buffer.from(text).toString('base64url');
const jwt = `${b64('{"alg":"ES256","kid":"k"}')}.${b64('{"sub":"spiffe://acme.example/a"}')}.${b64('signature')}`;
const state = Buffer.from(seal([key], '{"a":1}', 'context')).toString('base64url');
const names = { public_url: 'http://localhost:7411', listen: { port: 7411, hosts: ['127.0.0.1'] }, allowed_origins: [] };
const rules = { algorithms: ['ES256'], types: [undefined, 'jwt'] } as const;

/** Of each: how it reads, what it reads well, and which errors are its own refusals. */
const parsers: readonly {
  readonly name: string;
  readonly read: (text: string) => unknown;
  readonly good: readonly string[];
  readonly own?: (error: unknown) => boolean;
}[] = [
  { name: 'requirements', read: parseRequirement, good: ['approval:finance:2:passkey', 'confirm:sponsor', 'redact:pii'] },
  { name: 'durations', read: secondsOf, good: ['90s', '30m', '4h', '7d'] },
  { name: 'amounts', read: tenThousandths, good: ['12.5', '0.0001', '999999999999'] },
  { name: 'scopes', read: readScopes, good: ['tools:read tools:write', 'tools:destructive'] },
  { name: 'session ids', read: tenantOfSession, good: ['ses_acme_AAAAAAAAAAAAAAAAAAAAAA'] },
  { name: 'connection keys', read: readConnectionKey, good: [connectionKey('acme', 'ledger', 'a/b', 'f'.repeat(64))] },
  { name: 'redirects', read: isRedirect, good: ['https://app.example/cb?x=1', 'http://127.0.0.1:9/cb', 'com.example.app:/cb'] },
  { name: 'two redirects', read: (text) => matchesRedirect('http://127.0.0.1/cb', text), good: ['http://127.0.0.1:9/cb'] },
  { name: 'tokens', read: (text) => readJwt(text) && headerProblem(readJwt(text) ?? { text, header: {}, claims: {} }, rules), good: [jwt] },
  { name: 'forms', read: (text) => parseForm(Buffer.from(text)), good: ['grant_type=client_credentials&a=%C3%A9+b', 'a=&b=1'] },
  {
    name: 'cookies',
    read: (text) => headersWith('cookie', text) && readCookie(new Headers({ cookie: text }), '__Host-taskgate'),
    good: ['a=b; __Host-taskgate=abc'],
  },
  { name: 'hosts', read: (text) => headersWith('host', text) && checkNames(names, new Headers({ host: text })), good: ['localhost:7411', '127.0.0.1:7411'] },
  { name: 'notices', read: (text) => readNotice(text, 'here'), good: [writeNotice({ kind: 'session', tenant: 'acme', id: 'ses_1' }, 'there')[1]] },
  { name: 'client data', read: readClientData, good: [b64('{"type":"webauthn.get","challenge":"a","origin":"https://x.example"}')] },
  { name: 'task ids', read: (text) => openTask([key], holder, text, 0), good: [sealTask([key], holder, { kind: 'approval', id: 'apr_acme_1' }, 0)] },
  {
    name: 'webhook secrets',
    read: (text) => secretProblem('webhook', text),
    good: [`whsec_${'A'.repeat(32)}`, `whsec_${'b'.repeat(32)} whsec_${'c'.repeat(32)}`],
  },
  { name: 'webhook addresses', read: (text) => secretProblem('slack', text), good: ['https://hooks.example/x'] },
  {
    name: 'policy text',
    read: (text) => readText('a.cedar', text),
    good: ['@id("acme/x")\npermit (principal, action, resource) when { 1 < 2 && "a" like "b*" };'],
  },
  {
    name: 'policy cases',
    read: (text) => parseCases('a.cases.yaml', text),
    good: ['- case: a\n  tool: a__b\n  facts: { args: { x: 1 } }\n  expect: { decision: allow }\n'],
  },
  {
    name: 'lines of a record',
    read: parseLine,
    good: ['{"tenant":null,"index":0,"prev":"","hash":"","body":{"type":"a","at":1}}'],
    own: (error) => error instanceof Error && ['ZodError', 'BadJson'].includes(error.name),
  },
  {
    name: 'inputs of a command',
    read: (text) => readInputs([text]),
    good: ['invoice=INV-7', 'limit=500', 'tags=["a"]', 'n=9007199254740993'],
    own: (error) => error instanceof Failure,
  },
  {
    name: 'files of hosts',
    read: (text) => readServers(text, 'mcp.json'),
    good: ['{"mcpServers":{"a":{"command":"node","args":["x"]}}}', '{"servers":{"b":{"url":"https://x.example/mcp"},}} // as VS Code has it', '/* a */ {}'],
    own: (error) => error instanceof Failure,
  },
  { name: 'values of hosts', read: (text) => filledIn(text, { HOME: '/home/x' }), good: ['\u0024{env:HOME}/x', '\u0024{HOME}', 'plain', '\u0024{input:key}'] },
  {
    name: 'files an entry is written into',
    read: (text) => withEntry(text, 'claude', 'taskgate', { command: 'npx', args: [] }, { where: 'mcp.json', replace: false }),
    good: ['{"mcpServers":{"a":{"command":"node"}},"other":1}', '{\n\t"mcpServers": {}\n}', ''],
    own: (error) => error instanceof Failure,
  },
  {
    name: 'sealed states',
    read: (text) => unseal([key], Buffer.from(text, 'base64url'), 'context', 0),
    good: [state],
    own: (error) => error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError),
  },
];

function headersWith(name: string, value: string): boolean {
  try {
    return new Headers({ [name]: value }).has(name);
  } catch {
    return false;
  }
}

/** Good texts with a few things put in, taken out, doubled or turned round; and anything else. */
const near = (good: readonly string[]): fc.Arbitrary<string> => {
  const bit = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constantFrom('\0', ' ', '\n', '%', '%zz', '=', '&', ';', ':', '/', '.', '-1', '0', '9'.repeat(20), '__proto__', '\u202e', '\ufeff', '{', '[', '"', '\\'),
  );
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), take: fc.nat(4), put: bit });
  const edited = fc.tuple(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((now, { at, take, put }) => {
      const place = Math.floor(at * now.length);
      return now.slice(0, place) + put + now.slice(place + take);
    }, text),
  );
  return fc.oneof(
    { weight: 4, arbitrary: edited },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
    { weight: 1, arbitrary: fc.constantFrom(...good) },
  );
};

describe.each(parsers)('$name', ({ read, good, own }) => {
  const attempt = (text: string): unknown => {
    try {
      return read(text);
    } catch (error) {
      if (!own?.(error)) throw error;
      return null;
    }
  };

  it('of any text are read or refused, never anything else', () => {
    fc.assert(
      fc.property(near(good), (text) => void attempt(text)),
      { numRuns: 300 },
    );
  });

  it('take time that grows no faster than the text', () => {
    const long = [
      ...good.flatMap((text) => [text.repeat(2_000), text + text.slice(-1).repeat(100_000), text.slice(0, 1).repeat(100_000)]),
      ' '.repeat(100_000),
      '-'.repeat(100_000),
      '=;'.repeat(50_000),
      '/*'.repeat(50_000),
      '\u0024{'.repeat(50_000),
      '"\\'.repeat(50_000),
      ',\t'.repeat(50_000),
      `${'a.'.repeat(50_000)}!`,
    ];
    const began = performance.now();
    for (const text of long) attempt(text);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe('what is read is what was written', () => {
  const slug = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);

  it('a requirement is its literal, with nothing left over', () => {
    fc.assert(
      fc.property(near(parsers[0]?.good ?? []), (text) => {
        const read = parseRequirement(text);
        if (read === null) return;
        const key = 'passkey' in read && read.passkey ? ':passkey' : '';
        const again =
          read.kind === 'approval'
            ? `approval:${read.group}${read.count > 1 ? `:${read.count}` : ''}${key}`
            : read.kind === 'confirm'
              ? `confirm:sponsor${key}`
              : `redact:${read.category}`;
        expect([again, read.literal]).toEqual([text, text]);
      }),
    );
  });

  it('an amount is exactly the decimal it was written as, or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat().map(String),
          fc.tuple(fc.maxSafeNat(), fc.stringMatching(/^\d{0,7}$/)).map(([a, b]) => `${a}.${b}`),
          near(['12.5', '0.0001']),
        ),
        (text) => {
          const read = tenThousandths(text);
          if (read === null) return;
          const [whole = '', part = ''] = text.split('.');
          expect(BigInt(read)).toBe(BigInt(`${whole}${part.padEnd(4, '0')}`));
        },
      ),
    );
  });

  it('a duration and the end of a date come out as they went in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), fc.constantFrom('s', 'm', 'h', 'd'), (count, unit) => {
        expect(secondsOf(`${count}${unit}`)).toBe(count * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's']);
      }),
    );
    fc.assert(
      fc.property(fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-30'), noInvalidDate: true }), (date) => {
        const day = date.toISOString().slice(0, 10);
        expect(new Date(endOfDay(day) - 1).toISOString().slice(0, 10)).toBe(day);
      }),
    );
  });

  it('a form is what a browser encodes', () => {
    const pairs = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 })), {
      selector: ([name]) => name,
      maxLength: 6,
    });
    fc.assert(
      fc.property(pairs, (given) => {
        expect(parseForm(Buffer.from(new URLSearchParams(given as [string, string][]).toString()))).toEqual({ form: Object.fromEntries(given) });
      }),
    );
  });

  it('a form with a parameter twice, or bytes that are no UTF-8, is none', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(name, (text) => {
        const every = [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        expect(parseForm(Buffer.from(`${new URLSearchParams([[text, '1']])}&${every}=2`))).toHaveProperty('problem');
      }),
    );
    for (const bad of ['a=%ff', 'a=%c3', 'a=%', '%zz=1', 'a=%ed%a0%80']) expect(parseForm(Buffer.from(bad)), bad).toHaveProperty('problem');
  });

  it('connection keys, notices and rows of a backup come back', () => {
    const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(slug, slug, fc.string({ unit: 'binary' }), hash, (tenant, upstream, principal, target) => {
        expect(readConnectionKey(connectionKey(tenant, upstream, principal, target))).toEqual({ tenant, upstream, target });
      }),
    );
    fc.assert(
      fc.property(slug, fc.string({ unit: 'binary' }), (tenant, id) => {
        const change = { kind: 'approval' as const, tenant, id };
        expect(readNotice(writeNotice(change, 'there')[1], 'here')).toEqual(change);
      }),
    );
    const value = fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.uint8Array());
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), (row) => {
        expect(parseRow(JSON.parse(rowLine(row)) as unknown[], row.length)).toEqual(row.map((one) => (Object.is(one, -0) ? 0 : one)));
        expect(() => parseRow(JSON.parse(rowLine(row)) as unknown[], row.length + 1)).toThrow(BadBackup);
      }),
    );
  });

  it('scopes are the same whatever their order, and none of another', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...scopes], { minLength: 1 }), (some) => {
        expect(new Set(readScopes(some.join(' ')))).toEqual(new Set(some));
        expect(readScopes([...some, 'tools:all'].join(' '))).toBeNull();
      }),
    );
  });

  it('a webhook secret that is accepted signs', () => {
    fc.assert(
      fc.property(near(parsers.find(({ name }) => name === 'webhook secrets')?.good ?? []), (text) => {
        if (secretProblem('webhook', text) !== null) return;
        for (const one of signingSecrets(text)) expect(new Webhook(one).sign('msg_1', new Date(0), '{}')).toMatch(/^v1,/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is sealed', () => {
  const edits = (text: string) =>
    fc
      .tuple(fc.nat(text.length - 1), fc.constantFrom(...'AZaz09-_.=~+/ '), fc.constantFrom('replace', 'insert', 'delete'))
      .map(([at, char, how]) => text.slice(0, at) + (how === 'delete' ? '' : char) + text.slice(how === 'insert' ? at : at + 1))
      .filter((changed) => changed !== text);

  it('a task id opens as it was sealed, for nobody else, and with no character changed', () => {
    const id = sealTask([key], holder, { kind: 'dispatch', id: 'dsp_1' }, 0);
    expect(openTask([key], holder, id, 0)).toEqual({ kind: 'dispatch', id: 'dsp_1' });
    expect(openTask([key], `${holder} `, id, 0)).toBeNull();
    fc.assert(
      fc.property(edits(id), (changed) => {
        expect(openTask([key], holder, changed, 0)).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it('a state opens in its own context alone, and not one bit of it is another', () => {
    const sealed = seal([key], 'content', 'one');
    expect(unseal([key], sealed, 'one', 0).toString()).toBe('content');
    expect(() => unseal([key], sealed, 'other', 0)).toThrow();
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => unseal([key], changed, 'one', 0)).toThrow();
      }),
    );
  });
});

describe('keys of others', () => {
  const member = fc.record(
    {
      kty: fc.oneof(fc.constantFrom('RSA', 'EC', 'OKP', 'oct'), fc.anything()),
      n: fc.anything(),
      e: fc.anything(),
      crv: fc.oneof(fc.constantFrom('P-256', 'Ed25519'), fc.anything()),
      x: fc.oneof(fc.base64String(), fc.anything()),
      y: fc.oneof(fc.base64String(), fc.anything()),
      use: fc.oneof(fc.constantFrom('sig', 'jwt-svid'), fc.anything()),
      kid: fc.anything(),
      alg: fc.anything(),
      d: fc.option(fc.string(), { nil: undefined }),
    },
    { requiredKeys: [] },
  );

  it('are vetted or left out, whatever a key set holds, and none is private or symmetric', () => {
    fc.assert(
      fc.property(fc.oneof(fc.record({ keys: fc.array(member, { maxLength: 4 }) }), fc.anything()), (set) => {
        for (const one of vetKeySet(set, 'sig') ?? []) {
          expect(['RSA', 'EC', 'OKP']).toContain(one.kty);
          expect(one).not.toHaveProperty('d');
        }
        try {
          readBundle(set);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
