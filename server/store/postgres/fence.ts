/**
 * The second fence: whatever a statement says, it reaches the rows of the tenant its transaction named and no other, and a record
 * once written stays. Set up anew with every step of the schema, so that it covers each table there is.
 */

/** What the broker's role may do with each table; nothing else, and nothing at all with a table not named here. */
const rights: Readonly<Record<string, string>> = {
  meta: 'SELECT, UPDATE (checked, epoch, epoch_at)',
  compatibility: 'SELECT',
  tenants: 'SELECT, INSERT, UPDATE',
  platform: 'SELECT, INSERT, UPDATE',
  agents: 'SELECT, INSERT, UPDATE',
  lineages: 'SELECT, INSERT, UPDATE, DELETE',
  sessions: 'SELECT, INSERT, UPDATE',
  counters: 'SELECT, INSERT, UPDATE, DELETE',
  dispatches: 'SELECT, INSERT, UPDATE',
  approvals: 'SELECT, INSERT, UPDATE',
  votes: 'SELECT, INSERT',
  passkeys: 'SELECT, INSERT, UPDATE',
  passkey_challenges: 'SELECT, INSERT, DELETE',
  standing_approvals: 'SELECT, INSERT, UPDATE',
  standing_votes: 'SELECT, INSERT',
  delegations: 'SELECT, INSERT, UPDATE',
  secrets: 'SELECT, INSERT, UPDATE',
  agent_tokens: 'SELECT, INSERT, UPDATE',
  console_sessions: 'SELECT, INSERT, UPDATE, DELETE',
  console_links: 'SELECT, INSERT, DELETE',
  approval_views: 'SELECT, INSERT',
  authorization_codes: 'SELECT, INSERT, UPDATE, DELETE',
  refresh_tokens: 'SELECT, INSERT, UPDATE, DELETE',
  changes: 'SELECT, INSERT, UPDATE',
  used_once: 'SELECT, INSERT, UPDATE, DELETE',
  break_glass: 'SELECT, INSERT, UPDATE',
  protocol_sessions: 'SELECT, INSERT, UPDATE, DELETE',
  renewals: 'SELECT, INSERT, UPDATE, DELETE',
  channels: 'SELECT, INSERT, UPDATE, DELETE',
  cancelled_calls: 'SELECT, INSERT, DELETE',
  notifications: 'SELECT, INSERT, DELETE',
  deliveries: 'SELECT, INSERT, UPDATE, DELETE',
  chain_heads: 'SELECT, INSERT, UPDATE',
  records: 'SELECT, INSERT',
};

const ofTenants = [
  'tenants',
  'agents',
  'lineages',
  'sessions',
  'counters',
  'dispatches',
  'approvals',
  'votes',
  'passkeys',
  'passkey_challenges',
  'standing_approvals',
  'standing_votes',
  'delegations',
  'secrets',
  'agent_tokens',
  'break_glass',
  'channels',
  'notifications',
  'deliveries',
  'console_sessions',
  'console_links',
  'approval_views',
  'authorization_codes',
  'refresh_tokens',
  'protocol_sessions',
  'renewals',
  'cancelled_calls',
  'changes',
];
const ofLogs = ['chain_heads', 'records'];
/** What a sweep and the store's anchor look at across tenants. */
const overseen = ['tenants', 'sessions', 'approvals', 'dispatches', 'changes', 'chain_heads', 'deliveries', 'break_glass', 'standing_approvals'];

const setting = (name: string): string => `current_setting('taskgate.${name}', true)`;
// An unset setting reads as the empty string once another transaction of the connection had set it; no tenant has that name.
const named = `tenant = ${setting('tenant')} AND tenant <> ''`;
const platform = `${setting('reach')} = 'platform'`;
const everyTenant = `${setting('reach')} = 'every tenant'`;
const backup = `${setting('reach')} = 'backup'`;

const policy = (table: string, name: string, condition: string, command = 'ALL'): string => `
  DROP POLICY IF EXISTS ${name} ON ${table};
  CREATE POLICY ${name} ON ${table} FOR ${command} USING (${condition});`;

/** The policy under which the owner's login copies a table whole; the broker's role is not the owner. */
export const wholeCopy = 'whole_copy';

const fenced = (table: string): string => `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY; ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;`;

export const fence: string = [
  ...[...ofTenants, ...ofLogs, 'platform'].map(fenced),
  ...[...ofTenants, ...ofLogs].map((table) => policy(table, 'one_tenant', named)),
  ...ofLogs.map((table) => policy(table, 'platform_log', `tenant = '' AND ${platform}`)),
  policy('platform', 'operator', platform),
  ...overseen.map((table) => policy(table, 'every_tenant', everyTenant, 'SELECT')),
  policy('agent_tokens', 'one_token', `hash = ${setting('token')}`, 'SELECT'),
  ...[...ofTenants, ...ofLogs, 'platform'].map((table) => policy(table, wholeCopy, backup, 'SELECT TO CURRENT_USER')),
  `
  CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'records are append-only'; END $$;
  DROP TRIGGER IF EXISTS records_stay ON records;
  CREATE TRIGGER records_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  ALTER TABLE records ENABLE ALWAYS TRIGGER records_stay;`,
].join('\n');

/** `role` is an identifier, already quoted. */
export const grants = (role: string): string =>
  [
    `REVOKE ALL ON ALL TABLES IN SCHEMA taskgate FROM ${role};`,
    `GRANT USAGE ON SCHEMA taskgate TO ${role};`,
    ...Object.entries(rights).map(([table, allowed]) => `GRANT ${allowed} ON ${table} TO ${role};`),
  ].join('\n');
