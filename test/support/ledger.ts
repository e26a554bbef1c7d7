import type { Client } from '@modelcontextprotocol/client';

/** Lets every task of the sample use case look at what the ledger did, the witness of "once and only once", and many be open. */
export function mayListPayments(document: Record<string, unknown>): Record<string, unknown> {
  if (document['name'] !== 'match-invoices') return document;
  return { ...document, max_open_sessions: 100, grants: [...(document['grants'] as unknown[]), { tools: ['ledger__*'], effect: 'read' }] };
}

export async function paymentsOf(client: Client): Promise<readonly { amount: number }[]> {
  const answer = await client.callTool({ name: 'ledger__list_payments', arguments: {} });
  return (answer.structuredContent as { payments: { amount: number }[] }).payments;
}

export const textOf = (answer: Readonly<Record<string, unknown>>): string => JSON.stringify(answer['content'] ?? '');
