import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import { type ChangeRow, type ChangeStatus, scanPages } from '../store/index.ts';
import { approversOf, nobodyElse, readBars } from './barred.ts';
import { textsOf } from './texts.ts';
import { type ChangeDetail, type ChangeSummary, summaryOf } from './view.ts';

type ShowPorts = Pick<Ports, 'store' | 'clock' | 'keys'>;

/** One change with who may approve it now; null when the tenant has no such change. */
export async function showChange(ports: ShowPorts, snapshot: TenantSnapshot, id: string): Promise<ChangeDetail | null> {
  const row = await ports.store.readChange(snapshot.tenant, id);
  return row && detailOf(ports, snapshot, row);
}

export async function detailOf(ports: ShowPorts, snapshot: TenantSnapshot, row: ChangeRow): Promise<ChangeDetail> {
  const summary = summaryOf(row, ports.clock());
  const waits = summary.status === 'pending';
  const texts = waits ? await textsOf(ports, row) : [];
  const approvers = waits ? approversOf(snapshot, await readBars(ports, snapshot.tenant), row) : [];
  return {
    ...summary,
    stale: waits && row.revision !== snapshot.revision,
    approvers,
    texts: texts.map(({ of, lines }) => ({ of, lines: lines.map((line) => ({ ...line })) })),
    remedy: waits && approvers.length === 0 ? nobodyElse(snapshot.tenant) : null,
  };
}

/** Changes of the tenant, newest first; null lists what waits. */
export function listChanges(
  ports: ShowPorts,
  tenant: string,
  { status, after, limit }: { readonly status: ChangeStatus | null; readonly after: string | null; readonly limit: number },
): Promise<{ items: ChangeSummary[]; next: string | null }> {
  return scanPages(
    (page) => ports.store.listChanges(tenant, { status: status ?? 'pending' }, page),
    { after, limit },
    (row) => summaryOf(row, ports.clock()),
  );
}
