import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import type { Extras } from '../support/documents.ts';

export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Documents of acme's channels, each with its credential, and the operator's word that they may reach these places. */
export function withChannels(
  channels: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  egress: readonly string[],
): Pick<Extras, 'files' | 'platform'> {
  const documents = Object.entries(channels).flatMap(([name, more]) => [
    { kind: 'Channel', tenant: 'acme', name, credential: `${name}-secret`, ...more },
    { kind: 'Credential', tenant: 'acme', name: `${name}-secret`, type: 'static', inject: { channel: name } },
  ]);
  return {
    files: { 'acme/channels.yaml': documents.map((document) => stringify(document)).join('---\n') },
    platform(document) {
      const tenants = document['tenants'] as Record<string, object>;
      return { ...document, tenants: { ...tenants, acme: { ...tenants['acme'], notifications: { egress } } } };
    },
  };
}
