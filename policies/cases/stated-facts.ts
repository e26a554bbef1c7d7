import { z } from 'zod';
import type { CallFacts } from '../facts.ts';
import { attesters, effects, integrities, reaches, sensitivities } from '../vocabulary.ts';

const label = z.strictObject({ sensitivity: z.enum(sensitivities), categories: z.array(z.string()), integrity: z.enum(integrities) }).partial();
const time = z.int().min(0);

/** Facts as a case or a question states them, by the names that policies read; the rest is that of a valid session. */
export const statedFacts = z.strictObject({
  args: z.record(z.string(), z.unknown()).optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  agent: z
    .strictObject({
      name: z.string(),
      tenant: z.string(),
      owner: z.string(),
      workflow: z.string(),
      clearance: z.enum(sensitivities),
      status: z.enum(['active', 'suspended']),
    })
    .partial()
    .optional(),
  sponsor: z
    .strictObject({ person: z.string(), groups: z.array(z.string()), standing: z.enum(['active', 'none']) })
    .partial()
    .optional(),
  session: z
    .strictObject({
      id: z.string(),
      tenant: z.string(),
      use_case: z.string(),
      mode: z.enum(['delegated', 'autonomous']),
      attested_by: z.enum(attesters),
      live: z.boolean(),
      granted: z.boolean(),
      ceiling: z.enum(sensitivities),
      age: time,
      calls: time,
      label,
    })
    .partial()
    .optional(),
  tool: z
    .strictObject({
      tenant: z.string(),
      effect: z.enum(effects),
      reaches: z.enum(reaches),
      accepts: z.enum(sensitivities),
      returns: label,
      pinned: z.boolean(),
    })
    .partial()
    .optional(),
  token: z.strictObject({ bound: z.boolean() }).optional(),
  now: time.optional(),
  satisfied: z.array(z.string()).optional(),
});
export type StatedFacts = z.infer<typeof statedFacts>;

/** The facts, with what is stated in place of theirs. */
export function withStated(facts: CallFacts, stated: StatedFacts): CallFacts {
  const { agent, sponsor, session: { label, use_case: useCase, attested_by: attestedBy, ...session } = {}, tool: { returns, ...tool } = {}, ...call } = stated;
  return {
    ...laid(facts, call),
    agent: laid(facts.agent, agent),
    sponsor: laid(facts.sponsor, sponsor),
    session: { ...laid(facts.session, { ...session, useCase, attestedBy }), label: laid(facts.session.label, label) },
    tool: { ...laid(facts.tool, tool), returns: laid(facts.tool.returns, returns) },
  };
}

/** `over` upon `under`; what is undefined hides nothing. */
function laid<T extends object>(under: T, over: { readonly [K in keyof T]?: T[K] | undefined } = {}): T {
  return { ...under, ...Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined)) };
}
