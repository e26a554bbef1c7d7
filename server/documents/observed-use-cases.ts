import type { BrokeredTool } from '../../tools/index.ts';
import type { ExpandedUseCase, Store } from '../store/store.ts';
import { documentsOf } from './configuration.ts';
import { endOfDay } from './durations.ts';
import type { UseCaseDocument } from './kinds.ts';

/** A use case for whose sessions the tenant's policy is recorded and not enforced. */
export interface ObservedUseCase {
  readonly tenant: string;
  readonly useCase: string;
  readonly owner: string;
  /** The last day of it, `YYYY-MM-DD`, UTC. */
  readonly until: string;
}

const mostDays = 30;

/** The latest day, `YYYY-MM-DD`, that an observation may be given at `now`, epoch milliseconds. */
export const lastObservable = (now: number): string => new Date(now + mostDays * 86_400_000).toISOString().slice(0, 10);

/** Those observed at `now`, epoch milliseconds. */
export function observedUseCases(useCases: Iterable<UseCaseDocument>, now: number): ObservedUseCase[] {
  return [...useCases].flatMap(({ tenant, name, owner, observe_until: until }) =>
    until !== undefined && now < endOfDay(until) ? [{ tenant, useCase: name, owner, until }] : [],
  );
}

/** Those of every tenant of a store, as configured now. */
export async function readObserved(store: Pick<Store, 'listTenants' | 'readConfiguration'>, now: number): Promise<ObservedUseCase[]> {
  const tenants = await store.listTenants();
  const configurations = await Promise.all(tenants.map(({ tenant }) => store.readConfiguration(tenant)));
  return configurations.flatMap((one) => observedUseCases(documentsOf(one?.documents ?? []).useCases.values(), now));
}

/** What an apply says of observation: which use cases, until when, and each destructive tool that policy no longer holds back. */
export function observationWarnings(
  useCases: Iterable<UseCaseDocument>,
  expanded: readonly ExpandedUseCase[],
  tools: readonly BrokeredTool[],
  now: number,
): string[] {
  const destructive = new Set(tools.filter(({ manifest }) => manifest.effect === 'destructive').map(({ name }) => name));
  return [...useCases].flatMap(({ tenant, name, observe_until: until }) => {
    if (until === undefined) return [];
    if (endOfDay(until) <= now) return [`${tenant}: UseCase ${name}: observe_until ${until} has passed and has no effect`];
    const loosened = (expanded.find((one) => one.name === name)?.grants ?? []).map(({ tool }) => tool).filter((tool) => destructive.has(tool));
    const list = loosened.length === 0 ? '' : `; that lets DESTRUCTIVE tools run unchecked by it: ${loosened.join(', ')}`;
    return [`${tenant}: UseCase ${name} is observed until ${until}: policy of the tenant is recorded and NOT enforced${list}`];
  });
}
