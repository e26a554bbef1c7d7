import { type Query, remembers, type Verb } from '../verb.ts';
import { type Lineage, type LineageColumns, lineageFrom } from './lineages.ts';
import { genesisHead, type Head, headOf } from './records.ts';
import { behind, lineQuery, type Standing, standing } from './session-rows.ts';

/** All that a step of a call looks at before it writes. */
export interface TaskState {
  /** The session and all it draws on, itself first. */
  readonly line: readonly [Standing, ...Standing[]];
  readonly lineage: Lineage;
  /** The tenant's; null when it was never applied. */
  readonly revision: number | null;
  readonly head: Head;
}

export const besideSession = {
  columns: 'l.sensitivity, l.categories, l.integrity, l.version, t.revision',
  joins: 'JOIN lineages l ON l.tenant = s.tenant AND l.id = s.lineage LEFT JOIN tenants t ON t.tenant = s.tenant',
} as const;

export interface BesideSession extends LineageColumns {
  readonly revision: number | null;
}

type Own = Standing & BesideSession;

const state = lineQuery(standing, besideSession);

/** In one step, for most sessions; null when there is no such session. `besides` are asked with it, and answered behind it. */
export function* taskState(tenant: string, session: string, ...besides: readonly Query[]): Verb<readonly [TaskState | null, ...unknown[]]> {
  const asked = [remembers(state.start, tenant, session), headOf(tenant), ...besides];
  const [own, head, ...answers] = (yield asked) as [Own | undefined, Head | undefined, ...unknown[]];
  if (!own) return [null, ...answers];
  const ancestors = own.parent === null ? none : yield* behind<Standing>(state, tenant, own.parent);
  return [{ line: [own, ...ancestors], lineage: lineageFrom(own.lineage, own), revision: own.revision, head: head ?? genesisHead }, ...answers];
}
const none: readonly Standing[] = [];
