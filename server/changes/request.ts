import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import type { ChangeRow } from '../store/store.ts';
import { newChange, waitsMs } from './new-change.ts';
import type { Payload } from './payload.ts';
import { planActivation, planCredential, planToken, planTools } from './plan-payload.ts';
import { type ChangeRefusal, refuseChange } from './refusals.ts';

type Single = Exclude<Payload, { kind: 'documents' }>;
type RequestPorts = Pick<Ports, 'store' | 'clock' | 'keys' | 'newId' | 'upstreams'>;

/** Whether this tenant's widenings take effect at once: it is of one person. */
export const isExempt = ({ document }: Pick<TenantSnapshot, 'document'>): boolean => document.personal;

/** Keeps what one person asked for until another admin approves it. */
export async function requestChange(
  ports: RequestPorts,
  snapshot: TenantSnapshot,
  author: string,
  payload: Single,
  reason: string | null,
): Promise<{ readonly ok: true; readonly change: ChangeRow } | ChangeRefusal> {
  const { tenant } = snapshot;
  const plan = await planOf(ports, snapshot, { tenant, id: '', author }, payload);
  if ('problems' in plan) return refuseChange('change.does_not_hold', plan.problems);
  const { planned } = plan;
  if (planned.items.length === 0) return refuseChange('change.nothing_left');
  const answer = await ports.store.requestChange(
    newChange(ports, { tenant, author, needs: 'admin', reason, payload, planned, waits: waitsMs(snapshot.document) }),
  );
  if ('change' in answer) return { ok: true, change: answer.change };
  return refuseChange(answer.refused === 'stale' ? 'stale' : 'change.too_many');
}

function planOf(ports: RequestPorts, snapshot: TenantSnapshot, change: Pick<ChangeRow, 'tenant' | 'id' | 'author'>, payload: Single) {
  switch (payload.kind) {
    case 'credential':
      return planCredential(ports, snapshot, change, payload);
    case 'activation':
      return planActivation(ports, snapshot, change, payload);
    case 'tools':
      return planTools(ports, change, payload);
    case 'token':
      return planToken(ports, snapshot, change, payload);
  }
}
