import type { Refusal, Session } from '../call/index.ts';
import { invalidParams } from './answers.ts';
import { lackedScope } from './check-scope.ts';
import { type Answer, guarded } from './in-turn.ts';
import { ownTools } from './own-tools.ts';
import type { Parts, Visit } from './parts.ts';

/** Longest a client may keep a list, in milliseconds; authority may narrow at any moment. */
const listLife = 30_000;

/** What is listed, each by the key under which MCP has it. */
const lists = {
  tools: (parts: Parts, session: Session) => parts.listTools(session),
  resources: (parts: Parts, session: Session) => parts.listResources(session),
  resourceTemplates: (parts: Parts, session: Session) => parts.listTemplates(session),
  prompts: (parts: Parts, session: Session) => parts.listPrompts(session),
};
export type ListKey = keyof typeof lists;
type Items<K extends ListKey> = ReturnType<(typeof lists)[K]>;

export interface Listed<K extends ListKey> {
  readonly items: Items<K>;
  readonly ttlMs: number;
  readonly cacheScope: 'private';
}

export function answerList<K extends ListKey>(entered: Visit, key: K, cursor: unknown): Promise<Answer<Listed<K>>> {
  return guarded<Answer<Listed<K>>>(entered, null, listRefused, async (visit) => {
    if (cursor !== undefined) return { kind: 'error', code: invalidParams, message: 'Unknown cursor' };
    const all: readonly { readonly name: string }[] = visit.session ? lists[key](visit.parts, visit.session) : [];
    const brokered = all.filter(({ name }) => lackedScope(visit, name) === null);
    const items = (key === 'tools' ? [...brokered, ...ownTools(visit)] : brokered) as unknown as Items<K>;
    // Whoever holds a connection token changes the lists by opening and ending tasks, so none of them may be kept.
    const ttlMs = visit.connection ? 0 : Math.max(0, Math.min(listLife, visit.until - visit.ports.clock()));
    return { kind: 'result', result: { items, ttlMs, cacheScope: 'private' } };
  });
}

const listRefused = (refusal: Refusal): Answer<never> => ({ kind: 'turned_away', refusal });
