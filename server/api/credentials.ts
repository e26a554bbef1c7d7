import { z } from 'zod';
import type { CredentialDocument } from '../../tools/index.ts';
import { isExempt, requestChange } from '../changes/index.ts';
import { sealSecret, setSecret } from '../credentials/index.ts';
import { secretProblem } from '../notifications/index.ts';
import { changeProblem, waiting, waitingChange } from './changes.ts';
import { reason } from './documents.ts';
import { type Endpoint, endpoint, seconds, whole } from './endpoint.ts';
import { notFound, problem } from './problem.ts';

const credential = z.strictObject({
  name: z.string(),
  type: z.string(),
  version: z.int().nullable().describe('Null until a value was set'),
  updated_at: z.int().nullable(),
});

/** Fits a header and an environment variable: visible characters and inner spaces or tabs (RFC 9110 §5.5), no NUL, no line end. */
const value = z
  .string()
  .min(1)
  .max(16_384)
  .regex(/^[\x21-\x7e\u0080-\uffff](?:[\t\x20-\x7e\u0080-\uffff]*[\x21-\x7e\u0080-\uffff])?$/, 'no control characters, no space at either end');

const credentialView = (
  { name, type }: CredentialDocument,
  stored: { readonly version: number; readonly updatedAt: number } | undefined,
): z.infer<typeof credential> => ({ name, type, version: stored?.version ?? null, updated_at: stored ? seconds(stored.updatedAt) : null });

export const credentialEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/credentials',
    summary: 'Names and versions of the credentials; a value never comes back',
    access: ['admin'],
    answer: whole(credential),
    async run(ports, { person, snapshot }) {
      const stored = new Map((await ports.store.listSecrets(person.tenant)).map((secret) => [secret.name, secret]));
      return { items: [...snapshot.credentials.values()].map((document) => credentialView(document, stored.get(document.name))), next: null };
    },
  }),
  endpoint({
    method: 'put',
    path: '/credentials/{name}',
    summary: 'Set the value of a credential the documents declare, stored encrypted, once another admin approves; the first value of a founding at once',
    access: ['admin'],
    body: z.strictObject({ value, reason }),
    answer: credential.extend({ waiting: waitingChange }),
    async run(ports, { person, snapshot }, { param, body }) {
      const document = snapshot.credentials.get(param('name'));
      if (!document) return notFound();
      const channel = 'channel' in document.inject ? snapshot.channels.get(document.inject.channel) : undefined;
      const wrong = channel ? secretProblem(channel.transport.type, body.value) : null;
      if (wrong !== null)
        return problem(
          422,
          'credential.unfit',
          'The value does not fit the channel it is for; nothing was set.',
          `For a ${channel?.transport.type} channel ${wrong}.`,
        );
      const { tenant } = snapshot;
      const { name } = document;
      const storedNow = async () => (await ports.store.listSecrets(tenant)).find((secret) => secret.name === name);
      // Until its documents are first changed a tenant is being founded: its credentials have no value yet.
      const founding = snapshot.revision === 1 && (await storedNow()) === undefined;
      if (founding || isExempt(snapshot)) {
        await setSecret(ports, tenant, name, body.value, person.id, founding ? { founding } : { personal: true });
        return { ...credentialView(document, await storedNow()), waiting: null };
      }
      const payload = { kind: 'credential', name, sealed: Buffer.from(sealSecret(ports, tenant, name, body.value)).toString('base64') } as const;
      const asked = await requestChange(ports, snapshot, person.id, payload, body.reason || null);
      if (!asked.ok) return changeProblem(asked);
      return { ...credentialView(document, await storedNow()), waiting: await waiting(ports, snapshot, asked.change) };
    },
  }),
];
