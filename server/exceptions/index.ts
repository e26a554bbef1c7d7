import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Ports } from '../ports.ts';
import { type Exception, type ExceptionSource, exceptionKinds } from './exception.ts';
import { bearers, breakGlass, connectionTokens, delegations, observed, standing, widenings } from './sources.ts';

export { type Exception, exception } from './exception.ts';

/** Whoever grants exceptions is listed here, or the register does not know of them. */
const sources: readonly ExceptionSource[] = [breakGlass, observed, standing, widenings, delegations, bearers, connectionTokens];

/** The register: everything in force now, what is overdue first, then what is to be reviewed soonest. */
export async function listExceptions(ports: Pick<Ports, 'store' | 'keys' | 'clock'>, snapshot: TenantSnapshot): Promise<Exception[]> {
  const now = ports.clock();
  const found = (await Promise.all(sources.map((source) => source(ports, snapshot, now)))).flat();
  const soon = (one: (typeof found)[number]): number => one.reviewBy ?? Number.POSITIVE_INFINITY;
  return found
    .toSorted((a, b) => soon(a) - soon(b) || exceptionKinds.indexOf(a.kind) - exceptionKinds.indexOf(b.kind) || (a.id < b.id ? -1 : 1))
    .map(({ reviewBy, since, ends, ...one }) => ({
      ...one,
      ...{ since: seconds(since), ends: seconds(ends), review_by: seconds(reviewBy), overdue: reviewBy !== null && reviewBy <= now },
    }));
}

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000));
