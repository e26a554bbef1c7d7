import { vi } from 'vitest';
import type { Doors } from './broker.ts';

export interface PendingApproval {
  readonly id: string;
  readonly digest: string;
  readonly status: string;
  readonly tool: string;
}

export async function pendingApprovals(broker: Doors, token: string): Promise<readonly PendingApproval[]> {
  const { body } = await broker.v1(token, 'GET', '/approvals?status=pending');
  return (body as unknown as { items: PendingApproval[] }).items;
}

/** The approval that waits for bob of acme; looks until there is one. */
export async function nextPending(broker: Doors): Promise<PendingApproval> {
  const bob = await broker.person('acme', 'bob');
  return vi.waitUntil(async () => (await pendingApprovals(broker, bob))[0], { timeout: 10_000, interval: 20 });
}

export async function vote(broker: Doors, name: string, approval: { id: string; digest: string }, decision: 'approve' | 'deny', reason = 'as ordered') {
  const token = await broker.person('acme', name);
  return broker.v1(token, 'POST', `/approvals/${approval.id}/decisions`, { decision, digest: approval.digest, reason });
}

export async function approveByTwo(broker: Doors, approval: { id: string; digest: string }): Promise<void> {
  for (const name of ['bob', 'carl']) {
    const { status, text } = await vote(broker, name, approval, 'approve');
    if (status !== 200) throw new Error(`${name} could not approve: ${status} ${text}`);
  }
}
