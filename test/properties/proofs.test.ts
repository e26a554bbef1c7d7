import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyProof } from '../../server/identity/index.ts';
import { type Holder, newHolder, proofOf } from '../support/proofs.ts';

/** Whatever a proof says beside the truth, and however it is written, it is no proof. */

const url = 'http://localhost:7411/mcp';
const token = 'a.b.c';
let holder: Holder;
let good: string;
beforeAll(async () => {
  holder = await newHolder('EdDSA');
  good = await proofOf(holder, 'POST', url, token);
});
const verify = (proof: string) => verifyProof({ proof, method: 'POST', url, token: { text: token, jkt: holder.jkt }, now: Date.now() });

const anything = fc.oneof(
  fc.anything({ maxDepth: 2 }).filter((value) => JSON.stringify(value) !== undefined),
  fc.constantFrom('', 'POST', url, 0, -1, 1e308, Date.now() / 1000 + 1_000, Date.now(), null, true, [], {}, '__proto__'),
);
const claim = fc.constantFrom('htm', 'htu', 'iat', 'ath');
const parameter = fc.constantFrom('typ', 'jwk');

describe('a proof', () => {
  it('of any text is verified or refused with a reason, never anything else', async () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      take: fc.nat(4),
      put: fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('.', ',', '=', '\0', 'A')),
    });
    const text = fc.oneof(
      fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) =>
        edits.reduce((now, { at, take, put }) => {
          const place = Math.floor(at * now.length);
          return now.slice(0, place) + put + now.slice(place + take);
        }, good),
      ),
      fc.string({ unit: 'binary', maxLength: 80 }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (proof) => {
        const answer = await verify(proof);
        // An Ed25519 signature and this encoding have one spelling: only the very text is a proof.
        expect('problem' in answer).toBe(proof !== good);
        if ('problem' in answer) expect(answer.problem).toMatch(/^(it|its|alg|typ|kid|critical) /);
      }),
      { numRuns: 300 },
    );
  });

  it('signed over any other value of what it must name is refused', async () => {
    const now = Math.floor(Date.now() / 1000);
    const right: Record<string, (value: unknown) => boolean> = {
      htm: (value) => value === 'POST',
      htu: (value) => typeof value === 'string' && URL.parse(value)?.href.replace(/[?#].*$/, '') === url,
      iat: (value) => typeof value === 'number' && Math.abs(value - now) <= 310,
      ath: () => false,
    };
    await fc.assert(
      fc.asyncProperty(claim, anything, async (name, value) => {
        fc.pre(!right[name]?.(value));
        expect(await verify(await proofOf(holder, 'POST', url, token, { claims: { [name]: value } }))).toHaveProperty('problem');
      }),
      { numRuns: 200 },
    );
  });

  it('with any other header is refused, whatever key that is said to be', async () => {
    await fc.assert(
      fc.asyncProperty(parameter, anything, async (name, value) => {
        expect(await verify(await proofOf(holder, 'POST', url, token, { header: { [name]: value } }))).toHaveProperty('problem');
      }),
      { numRuns: 200 },
    );
  });

  it('for one request is none for any other', async () => {
    const request = fc.record({
      method: fc.constantFrom('POST', 'GET', 'DELETE'),
      url: fc.constantFrom(
        url,
        'http://localhost:7411/t/acme/mcp',
        'http://localhost:7411/sessions/ses_acme_AAAAAAAAAAAAAAAAAAAAAA/mcp',
        'https://localhost:7411/mcp',
      ),
      text: fc.constantFrom('a.b.c', 'a.b.d'),
      off: fc.constantFrom(0, -1_000, 1_000),
    });
    await fc.assert(
      fc.asyncProperty(request, request, async (made, shown) => {
        const claims = { iat: Math.floor(Date.now() / 1000) + made.off };
        const proof = await proofOf(holder, made.method, made.url, made.text, { claims });
        const now = Date.now() + shown.off * 1000;
        const answer = await verifyProof({ proof, method: shown.method, url: shown.url, token: { text: shown.text, jkt: holder.jkt }, now });
        const same = made.method === shown.method && made.url === shown.url && made.text === shown.text && made.off === shown.off;
        expect('problem' in answer).toBe(!same);
      }),
      { numRuns: 200 },
    );
  });
});
