import type { ListedTool, Refusal } from '../call/index.ts';
import { invalidParams } from './answers.ts';
import { lackedScope } from './check-scope.ts';
import { type Answer, guarded } from './in-turn.ts';
import { ownTools } from './own-tools.ts';
import type { Visit } from './parts.ts';

/** Longest a client may keep a list, in milliseconds; authority may narrow at any moment. */
const listLife = 30_000;

export interface ToolList {
  readonly tools: readonly ListedTool[];
  readonly ttlMs: number;
  readonly cacheScope: 'private';
}

export function answerList(entered: Visit, cursor: unknown): Promise<Answer<ToolList>> {
  return guarded<Answer<ToolList>>(entered, null, listRefused, async (visit) => {
    if (cursor !== undefined) return { kind: 'error', code: invalidParams, message: 'Unknown cursor' };
    const brokered = visit.session ? visit.parts.listTools(visit.session).filter(({ name }) => lackedScope(visit, name) === null) : [];
    // Whoever holds a connection token changes the list by opening and ending tasks, so none of it may be kept.
    const ttlMs = visit.connection ? 0 : Math.max(0, Math.min(listLife, visit.until - visit.ports.clock()));
    return { kind: 'result', result: { tools: [...brokered, ...ownTools(visit)], ttlMs, cacheScope: 'private' } };
  });
}

const listRefused = (refusal: Refusal): Answer<never> => ({ kind: 'turned_away', refusal });
