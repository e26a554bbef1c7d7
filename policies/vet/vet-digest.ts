import { createHash } from 'node:crypto';
import { withEngine } from '../engine/instance.ts';
import type { PolicySource } from '../facts.ts';
import { platformRules } from '../platform-rules.ts';

let surroundings: string | null = null;

/**
 * Names all that decides whether texts compile and their cases hold: the engine's version, the platform's rules, the
 * texts with their cases, and the tools, use cases and agents they are compiled against. Equal digests need no second look.
 */
export function vetDigest(source: PolicySource): string {
  surroundings ??= JSON.stringify([withEngine((engine) => engine.getCedarSDKVersion()), platformRules()]);
  return createHash('sha256').update(surroundings).update('\n').update(JSON.stringify(source)).digest('base64url');
}
