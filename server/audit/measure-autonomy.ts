import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Store } from '../store/store.ts';
import { recordsOf } from './export.ts';
import { firstSince } from './first-since.ts';
import type { RecordBody, StoredRecord } from './record.ts';

/** How often people were asked, as the record tells it. */
export interface Autonomy {
  /** Calls that changed something, by what let them run: nobody was asked; what had been given before; people, for exactly this call; an emergency. */
  readonly effects: { readonly alone: number; readonly standing: number; readonly remembered: number; readonly votes: number; readonly break_glass: number };
  /** Effects that ran without a human deciding about exactly them, of all effects; null when there were none. */
  readonly autonomy: number | null;
  readonly tasks: number;
  readonly approvals: number;
  readonly approvals_per_task: number | null;
}

/**
 * Reads a tenant's records, in their order, once. `since`: epoch milliseconds. `isRead` says of a tool whose record does not, being
 * older, whether it only reads.
 */
export async function measureAutonomy(records: AsyncIterable<StoredRecord>, since: number, isRead: (tool: string) => boolean): Promise<Autonomy> {
  const effects = { alone: 0, standing: 0, remembered: 0, votes: 0, break_glass: 0 };
  let [tasks, approvals] = [0, 0];
  for await (const { body } of records) {
    if (body.at < since) continue;
    if (body.type === 'session.opened') tasks += 1;
    if (body.type === 'approval.requested') approvals += 1;
    if (body.type !== 'call.dispatched') continue;
    if (body.effect === undefined ? isRead(body.tool ?? '') : body.effect === 'read') continue;
    effects[whatLet(body)] += 1;
  }
  const all = Object.values(effects).reduce((sum, one) => sum + one, 0);
  const asked = effects.votes + effects.break_glass;
  return {
    effects,
    autonomy: all === 0 ? null : (all - asked) / all,
    ...{ tasks, approvals, approvals_per_task: tasks === 0 ? null : approvals / tasks },
  };
}

/** A call that rests on several rests on people when one of them is people. */
function whatLet({ satisfied = [], break_glass }: RecordBody): keyof Autonomy['effects'] {
  if (break_glass !== undefined) return 'break_glass';
  const from = (source: string): boolean => satisfied.some((one) => one.source === source);
  if (from('votes')) return 'votes';
  if (from('standing')) return 'standing';
  return from('remembered') ? 'remembered' : 'alone';
}

/** The same for a tenant's last days, by its tools as they are now. */
export async function autonomyOf(
  store: Pick<Store, 'readRecords'>,
  { tenant, tools }: Pick<TenantSnapshot, 'tenant' | 'tools'>,
  since: number,
): Promise<Autonomy> {
  const records = recordsOf(store, tenant, await firstSince(store, tenant, since));
  return measureAutonomy(records, since, (tool) => tools.get(tool)?.manifest.effect === 'read');
}
