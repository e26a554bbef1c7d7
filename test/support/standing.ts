import { payment, type TestBroker } from './broker.ts';
import { mayListPayments } from './ledger.ts';

/** Documents under which tests may pay as often as they must. */
export function generous(document: Record<string, unknown>): Record<string, unknown> {
  const listing = mayListPayments(document);
  if (listing['name'] !== 'match-invoices') return listing;
  const grants = (listing['grants'] as Record<string, unknown>[]).map(({ max_calls: _, ...grant }) => grant);
  return { ...listing, grants, budget: { calls: 1000 } };
}

export const lawThatAccepts = `
@id("acme/matcher-may-use-its-grants")
@reason("Invoice matching may use what its session was granted")
permit (principal, action in Taskgate::Action::"call", resource)
when { principal.workflow == "invoice-matching" };

@id("acme/payments-need-finance")
@reason("Payments above 500 need two people from finance")
@accepts("standing")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when   { context.args.amount.greaterThan(decimal("500.0")) }
unless { context.satisfied.contains("approval:finance:2") };

@id("acme/large-payments-need-finance-each-time")
@reason("Payments above 4000 need two people from finance who see them")
forbid (principal, action == Taskgate::Action::"ledger__post_payment", resource)
when   { context.args.amount.greaterThan(decimal("4000.0")) }
unless { context.satisfied.contains("approval:finance:2") };
`;

const { iban } = payment(1).arguments;

export const standingRequest = (more: Record<string, unknown> = {}) => ({
  requirement: 'approval:finance:2',
  tool: 'ledger__post_payment',
  use_case: 'match-invoices',
  arguments: { invoice: { from: 'inputs.invoice' }, iban: { const: iban }, amount: { maximum: 5000 } },
  max_calls: 2,
  max_amount: 10_000,
  // What the ledger answers holds a memo from outside.
  max_label: { sensitivity: 'internal', categories: [], integrity: 'external' },
  ends: new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10),
  reason: 'the yearly contract',
  ...more,
});

export interface Proposed {
  readonly id: string;
  readonly digest: string;
  readonly status: string;
}

export async function propose(broker: TestBroker, name: string, more: Record<string, unknown> = {}) {
  const answer = await broker.v1(await broker.person('acme', name), 'POST', '/standing-approvals', standingRequest(more));
  return { status: answer.status, body: answer.body as unknown as Proposed & { code?: string; detail?: string } };
}

export async function give(broker: TestBroker, name: string, { id, digest }: Proposed, decision: 'approve' | 'deny' = 'approve') {
  const answer = await broker.v1(await broker.person('acme', name), 'POST', `/standing-approvals/${id}/decisions`, {
    decision,
    digest,
    reason: 'as contracted',
  });
  return { status: answer.status, body: answer.body as unknown as Proposed & { code?: string } };
}

/** Proposed by the admin and given by bob and carl. */
export async function givenByTwo(broker: TestBroker, more: Record<string, unknown> = {}): Promise<Proposed> {
  const { body, status } = await propose(broker, 'dana', more);
  if (status !== 201) throw new Error(JSON.stringify(body));
  for (const name of ['bob', 'carl']) await give(broker, name, body);
  return body;
}
