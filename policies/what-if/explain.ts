import { decide } from '../engine/decide.ts';
import type { Law } from '../engine/law.ts';
import type { ParsedPolicy } from '../engine/parse-policies.ts';
import type { CallFacts } from '../facts.ts';
import type { Decision } from '../vocabulary.ts';
import type { Explanation } from './explanation.ts';
import { factAt } from './fact.ts';
import { nearestPermits } from './nearest-permits.ts';
import { findChanges, written } from './search.ts';

/** Judges a call and looks for what it rested on and what would turn it: at most some two hundred decisions. */
export function explain(law: Law, facts: CallFacts): Explanation {
  const decision = decide(law, facts);
  const tool = law.tools.get(facts.tool.name);
  const unpermitted = decision.decision === 'deny' && decision.cause === 'no_permit';
  if (!tool || (decision.decision === 'deny' && decision.cause !== 'forbidden' && !unpermitted))
    return { decision, facts: [], nearest: [], changes: [], tried: 0 };

  const nearest = unpermitted ? nearestPermits(law, tool, facts) : [];
  const asked = unpermitted ? permitsOf(tool.policies, nearest) : determining(law, decision);
  const reads = new Map<string, { path: readonly string[]; policies: string[] }>();
  for (const { id, reads: some } of asked) {
    for (const { path } of some) {
      const read = reads.get(path.join('.')) ?? { path, policies: [] };
      reads.set(path.join('.'), read);
      if (!read.policies.includes(id)) read.policies.push(id);
    }
  }
  return {
    decision,
    facts: [...reads].flatMap(([fact, { path, policies }]) => {
      const found = factAt(tool, facts, path);
      return found ? [{ fact, value: written(found.value), policies }] : [];
    }),
    nearest,
    ...findChanges(law, facts, decision, asked),
  };
}

const determining = (law: Law, { policies }: Decision): ParsedPolicy[] => policies.flatMap(({ id }) => law.policies.get(id) ?? []);

/** Permits that can concern the tool, those with the least missing first. */
function permitsOf(policies: readonly ParsedPolicy[], nearest: Explanation['nearest']): ParsedPolicy[] {
  const rank = (id: string): number => (nearest.findIndex((one) => one.id === id) + nearest.length + 1) % (nearest.length + 1);
  return policies.filter(({ json }) => json.effect === 'permit').sort((a, b) => rank(a.id) - rank(b.id));
}
