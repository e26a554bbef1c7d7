import { beforeEach, describe } from 'vitest';
import type { Store } from '../../server/store/index.ts';
import { approvalRules } from './approvals.contract.ts';
import { authorizationRules } from './authorizations.contract.ts';
import { breakGlassRules } from './break-glass.contract.ts';
import { changeRules } from './changes.contract.ts';
import { claimRules } from './claims.contract.ts';
import { configurationRules } from './configuration.contract.ts';
import { consoleRules } from './console.contract.ts';
import { delegationRules } from './delegations.contract.ts';
import { extensionRules } from './extensions.contract.ts';
import { notificationRules } from './notifications.contract.ts';
import { passkeyRules } from './passkeys.contract.ts';
import { protocolSessionRules } from './protocol-sessions.contract.ts';
import { recordRules } from './records.contract.ts';
import { applyTenant, start } from './samples.ts';
import { sessionRules } from './sessions.contract.ts';
import { settlementRules } from './settlements.contract.ts';
import { signalRules } from './signals.contract.ts';
import { standingRules } from './standing.contract.ts';
import { sweepRules } from './sweep.contract.ts';
import { taskRules } from './tasks.contract.ts';

/** One store under test, and others that see the same data as another process would. */
export interface OpenedStore {
  readonly store: Store;
  another(): Promise<Store>;
  close(): Promise<void>;
}
export type OpenStore = (clock: () => number) => Promise<OpenedStore>;

/** What a rule is given: a store with the tenants `acme` and `globex` at revision 1, fresh for each test, and its clock. */
export interface Bench {
  readonly store: Store;
  readonly clock: { now: number };
  another(): Promise<Store>;
}

/** The rules every store keeps, whatever it is made of. */
export function describeStore(name: string, openStore: OpenStore): void {
  describe(`the store on ${name}`, () => {
    const clock = { now: start };
    let opened: OpenedStore;
    const bench: Bench = {
      get store() {
        return opened.store;
      },
      clock,
      another: () => opened.another(),
    };
    beforeEach(async () => {
      clock.now = start;
      opened = await openStore(() => clock.now);
      await applyTenant(opened.store, 'acme');
      await applyTenant(opened.store, 'globex');
      return () => opened.close();
    });

    configurationRules(bench);
    changeRules(bench);
    sessionRules(bench);
    protocolSessionRules(bench);
    claimRules(bench);
    settlementRules(bench);
    taskRules(bench);
    approvalRules(bench);
    standingRules(bench);
    delegationRules(bench);
    notificationRules(bench);
    passkeyRules(bench);
    breakGlassRules(bench);
    sweepRules(bench);
    recordRules(bench);
    signalRules(bench);
    consoleRules(bench);
    authorizationRules(bench);
    extensionRules(bench);
  });
}
