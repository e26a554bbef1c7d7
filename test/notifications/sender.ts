import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { config } from '../../server/config.ts';
import { openKeys, setSecret } from '../../server/credentials/index.ts';
import { channelDocument } from '../../server/documents/channel.ts';
import { createTenants } from '../../server/documents/index.ts';
import { platformDocument, tenantDocument } from '../../server/documents/kinds.ts';
import { type Delivering, startDelivering } from '../../server/notifications/index.ts';
import { openStore, type Store } from '../../server/store/index.ts';
import { credentialDocument } from '../../tools/index.ts';
import { newSecret } from './channels.ts';

const apiVersion = 'taskgate/v1';

export interface Sender {
  readonly store: Store;
  readonly delivering: Delivering;
  readonly clock: { ahead: number };
  close(): Promise<void>;
}

/** What of a broker carries messages out, on a store of any kind: its own connection, and the keys in `dir`. */
export async function openSender(address: string, dir: string, ahead = 0): Promise<Sender> {
  const clock = { ahead };
  const now = (): number => Date.now() + clock.ahead;
  const store = await openStore(address, now);
  const log = pino({ level: 'silent' });
  const settings = { ...config.parse({}), public_url: 'http://localhost:7411' };
  const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;
  const keys = await openKeys(join(dir, 'keys'), now);
  const delivering = startDelivering({ store, tenants: createTenants(store, log), keys, clock: now, newId, config: settings, log });
  let closing: Promise<void> | null = null;
  return {
    store,
    delivering,
    clock,
    close() {
      closing ??= delivering.close().then(() => store.close());
      return closing;
    },
  };
}

/** Acme with one webhook at `place`, and its secret. */
export async function foundChannel(address: string, dir: string, place: string): Promise<void> {
  const store = await openStore(address, Date.now);
  const keys = await openKeys(join(dir, 'keys'), Date.now);
  const bodies = [
    tenantDocument.parse({ apiVersion, kind: 'Tenant', name: 'acme' }),
    credentialDocument.parse({ apiVersion, kind: 'Credential', tenant: 'acme', name: 'hook-secret', type: 'static', inject: { channel: 'hook' } }),
    channelDocument.parse({
      ...{ apiVersion, kind: 'Channel', tenant: 'acme', name: 'hook', credential: 'hook-secret' },
      transport: { type: 'webhook', url: `http://${place}/hook` },
    }),
  ];
  const trust = [{ oidc: 'local', audience: 'taskgate', for: 'people' }];
  const platform = platformDocument.parse({ apiVersion, kind: 'Platform', tenants: { acme: { trust, notifications: { egress: [place] } } } });
  const documents = bodies.map((body) => ({ kind: body.kind, name: body.name, body, source: 'test.yaml' }));
  await store.applyConfiguration({
    platform: { kind: 'Platform', name: 'platform', body: platform, source: 'platform.yaml' },
    tenants: [{ expectedRevision: 0, next: { tenant: 'acme', documents, policies: [], pins: [], useCases: [] }, records: [] }],
  });
  await setSecret({ store, keys, clock: Date.now }, 'acme', 'hook-secret', newSecret(), 'local#dana', {});
  await store.close();
}
