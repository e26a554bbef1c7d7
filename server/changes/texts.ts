import { stringify } from 'yaml';
import type { Ports } from '../ports.ts';
import type { ChangeRow } from '../store/store.ts';
import { type Line, lineDifference } from './line-difference.ts';
import { openPayload } from './payload.ts';

export interface ChangedText {
  /** Such as `UseCase match-invoices` or `invoices.cedar`. */
  readonly of: string;
  readonly lines: readonly Line[];
}

/** The documents and policies of a change that waits, as they would be, against those in force: nothing of it is cut or left to the imagination. */
export async function textsOf(ports: Pick<Ports, 'store' | 'keys' | 'clock'>, row: ChangeRow): Promise<ChangedText[]> {
  if (row.payload.length === 0) return [];
  const payload = openPayload(ports, row);
  if (payload.kind !== 'documents') return [];
  const [stored, platform] = await Promise.all([ports.store.readConfiguration(row.tenant), ports.store.readPlatform()]);
  const inForce = [...(platform ? [platform] : []), ...(stored?.documents ?? [])];
  const yamlOf = (of: { readonly kind: string; readonly name: string }): string => {
    const document = inForce.find(({ kind, name }) => kind === of.kind && name === of.name);
    return document ? stringify(document.body, yaml) : '';
  };
  const policyOf = (of: string) => stored?.policies.find(({ file }) => file === of);
  const cases = (file: string): string => file.replace(/\.cedar$/, '.cases.yaml');
  const compared = [
    ...payload.documents.map((one) => [`${one.kind} ${one.name}`, yamlOf(one), stringify(one.body, yaml)] as const),
    ...payload.removed.map((one) => [`${one.kind} ${one.name}`, yamlOf(one), ''] as const),
    ...payload.policies.flatMap((one) => [
      [one.file, policyOf(one.file)?.text ?? '', one.text] as const,
      [cases(one.file), policyOf(one.file)?.cases ?? '', one.cases ?? ''] as const,
    ]),
    ...payload.removed_policies.map((file) => [file, policyOf(file)?.text ?? '', ''] as const),
  ];
  return compared.map(([of, before, after]) => ({ of, lines: lineDifference(before, after) })).filter(({ lines }) => lines.length > 0);
}

const yaml = { lineWidth: 0, aliasDuplicateObjects: false } as const;
