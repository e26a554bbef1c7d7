import { authorizations } from './steps/authorizations.ts';
import { cancelledCalls } from './steps/cancelled-calls.ts';
import { channelRouting } from './steps/channel-routing.ts';
import { delegations } from './steps/delegations.ts';
import { inFlight } from './steps/in-flight.ts';
import { protocolSessions } from './steps/protocol-sessions.ts';
import { standingApprovals } from './steps/standing-approvals.ts';
import { tasks } from './steps/tasks.ts';

/**
 * The schema, oldest step first; a store's version is how many it has taken. A step that was ever released is never edited, and a
 * new one keeps the Taskgate before it running, so that replicas can be replaced one after the other. Column for column it is
 * SQLite's; keys compare byte by byte, as there.
 */
export interface Schema {
  readonly steps: readonly string[];
  /** The oldest schema whose Taskgate can go on working here; a step that breaks what came before raises it to its own number. */
  readonly oldest: number;
}

const steps: readonly string[] = [
  `
  CREATE DOMAIN term AS TEXT COLLATE "C";

  CREATE TABLE tenants (
    tenant term PRIMARY KEY CHECK (tenant <> ''),
    revision BIGINT NOT NULL,
    configuration TEXT NOT NULL
  );
  CREATE TABLE platform (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);

  CREATE TABLE agents (
    tenant term NOT NULL,
    agent term NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    PRIMARY KEY (tenant, agent)
  );

  CREATE TABLE lineages (
    tenant term NOT NULL,
    id term NOT NULL,
    sensitivity TEXT NOT NULL CHECK (sensitivity IN ('public', 'internal', 'confidential', 'restricted')),
    categories TEXT NOT NULL,
    integrity TEXT NOT NULL CHECK (integrity IN ('external', 'tenant', 'trusted')),
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
  );

  CREATE TABLE sessions (
    tenant term NOT NULL REFERENCES tenants (tenant),
    id term NOT NULL,
    agent term NOT NULL,
    use_case term NOT NULL,
    workflow TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('delegated', 'autonomous')),
    sponsor TEXT NOT NULL,
    sponsor_groups TEXT NOT NULL,
    requester TEXT NOT NULL,
    parent term,
    root term NOT NULL,
    lineage term NOT NULL,
    objective TEXT NOT NULL,
    inputs TEXT NOT NULL,
    attested_by TEXT NOT NULL CHECK (attested_by IN ('sponsor', 'orchestrator', 'agent')),
    grants TEXT NOT NULL,
    ceiling TEXT NOT NULL CHECK (ceiling IN ('public', 'internal', 'confidential', 'restricted')),
    budget TEXT NOT NULL,
    task_sha256 TEXT NOT NULL,
    cnf TEXT,
    connection term,
    opened_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'ended', 'revoked')),
    end_reason TEXT,
    ended_at BIGINT,
    fence BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, parent) REFERENCES sessions (tenant, id),
    FOREIGN KEY (tenant, lineage) REFERENCES lineages (tenant, id)
  );
  CREATE INDEX sessions_by_parent ON sessions (tenant, parent);
  CREATE INDEX sessions_by_lineage ON sessions (tenant, lineage);
  CREATE INDEX sessions_by_agent ON sessions (tenant, agent, expires_at);
  CREATE INDEX sessions_by_connection ON sessions (tenant, connection);
  CREATE INDEX sessions_by_age ON sessions (tenant, opened_at, id);
  CREATE INDEX sessions_by_end ON sessions (status, expires_at);

  CREATE TABLE counters (
    tenant term NOT NULL,
    scope term NOT NULL,
    name term NOT NULL,
    used BIGINT NOT NULL CHECK (used >= 0),
    PRIMARY KEY (tenant, scope, name)
  );

  CREATE TABLE dispatches (
    tenant term NOT NULL,
    id term NOT NULL,
    session term NOT NULL,
    tool TEXT NOT NULL,
    fence BIGINT NOT NULL,
    approval term,
    status TEXT NOT NULL CHECK (status IN ('dispatched', 'completed', 'failed', 'unknown')),
    lease_until BIGINT NOT NULL,
    dispatched_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );
  CREATE INDEX dispatches_by_lease ON dispatches (status, lease_until);

  CREATE TABLE approvals (
    tenant term NOT NULL,
    id term NOT NULL,
    session term NOT NULL,
    agent term NOT NULL,
    tool TEXT NOT NULL,
    call_key term NOT NULL,
    digest TEXT NOT NULL,
    proposal BYTEA NOT NULL,
    requirements TEXT NOT NULL,
    excluded TEXT NOT NULL,
    status TEXT NOT NULL
      CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'cancelled', 'superseded', 'revoked', 'used')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_at BIGINT,
    dispatch term,
    outcome TEXT CHECK (outcome IN ('completed', 'failed', 'unknown')),
    sealed_outcome BYTEA,
    /* 1 once what was sealed has been deleted at the expiry */
    wiped INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );
  CREATE INDEX approvals_by_call ON approvals (tenant, call_key);
  CREATE INDEX approvals_by_session ON approvals (tenant, session, status);
  CREATE INDEX approvals_by_agent ON approvals (tenant, agent, status);
  CREATE INDEX approvals_by_age ON approvals (tenant, created_at, id);
  CREATE INDEX approvals_by_expiry ON approvals (wiped, expires_at);

  CREATE TABLE votes (
    tenant term NOT NULL,
    approval term NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    requirement TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
    reason TEXT,
    at BIGINT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, approval, person),
    FOREIGN KEY (tenant, approval) REFERENCES approvals (tenant, id)
  );

  CREATE TABLE secrets (
    tenant term NOT NULL,
    name term NOT NULL,
    sealed BYTEA NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
  );

  CREATE TABLE agent_tokens (
    hash term PRIMARY KEY CHECK (hash <> ''),
    tenant term NOT NULL,
    agent term NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
  );

  CREATE TABLE used_once (
    scope term NOT NULL,
    key term NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
  );
  CREATE INDEX used_once_by_expiry ON used_once (expires_at);

  CREATE TABLE chain_heads (
    tenant term PRIMARY KEY,
    next BIGINT NOT NULL,
    hash TEXT NOT NULL
  );
  CREATE TABLE records (
    tenant term NOT NULL,
    position BIGINT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, position)
  );
  `,
  `
  ALTER TABLE meta ADD COLUMN epoch BIGINT NOT NULL DEFAULT 1, ADD COLUMN epoch_at BIGINT NOT NULL DEFAULT 0;
  `,
  `
  CREATE INDEX approvals_by_status ON approvals (tenant, status, expires_at);
  `,
  `
  ALTER TABLE approvals
    ADD COLUMN terms TEXT,
    /* how often people were told that it waits, and when they are told next */
    ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN remind_at BIGINT,
    /* what it was edited from, and what it was edited to */
    ADD COLUMN edited_from term,
    ADD COLUMN superseded_by term;
  CREATE INDEX approvals_by_reminder ON approvals (status, remind_at);
  CREATE INDEX votes_by_person ON votes (tenant, person, at);
  `,
  `
  CREATE TABLE channels (
    tenant term NOT NULL REFERENCES tenants (tenant),
    name term NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
  );
  CREATE TABLE notifications (
    tenant term NOT NULL REFERENCES tenants (tenant),
    id term NOT NULL,
    type TEXT NOT NULL,
    facts TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX notifications_by_age ON notifications (tenant, at);
  CREATE TABLE deliveries (
    tenant term NOT NULL,
    notification term NOT NULL,
    channel term NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'given_up')),
    attempts BIGINT NOT NULL,
    /* while it is leased, when the lease ends */
    next_at BIGINT NOT NULL,
    lease TEXT,
    error TEXT,
    at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (tenant, notification, channel),
    FOREIGN KEY (tenant, notification) REFERENCES notifications (tenant, id)
  );
  CREATE INDEX deliveries_by_turn ON deliveries (status, next_at);
  CREATE INDEX deliveries_by_channel ON deliveries (tenant, channel, status, at);
  CREATE INDEX deliveries_by_age ON deliveries (tenant, at, notification, channel);
  `,
  `
  CREATE TABLE console_sessions (
    tenant term NOT NULL,
    /* SHA-256 of what the browser holds, hex */
    hash term NOT NULL,
    person TEXT NOT NULL,
    logged_in_at BIGINT NOT NULL,
    /* when the issuer last asked who they are; null when it does not say */
    proved_at BIGINT,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, hash)
  );
  CREATE TABLE console_links (
    tenant term NOT NULL,
    hash term NOT NULL,
    person TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, hash)
  );
  CREATE TABLE approval_views (
    tenant term NOT NULL,
    approval term NOT NULL,
    person TEXT NOT NULL,
    shown_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, approval, person),
    FOREIGN KEY (tenant, approval) REFERENCES approvals (tenant, id)
  );
  CREATE INDEX dispatches_by_session ON dispatches (tenant, session);
  `,
  `
  CREATE TABLE passkeys (
    tenant term NOT NULL REFERENCES tenants (tenant),
    id term NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    credential term NOT NULL,
    public_key TEXT NOT NULL,
    algorithm INTEGER NOT NULL,
    counter BIGINT NOT NULL,
    transports TEXT NOT NULL,
    rp_id TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    record BIGINT NOT NULL,
    confirmed_by TEXT,
    effective_at BIGINT,
    removed_at BIGINT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, credential)
  );
  CREATE INDEX passkeys_by_person ON passkeys (tenant, person);
  CREATE TABLE passkey_challenges (
    tenant term NOT NULL REFERENCES tenants (tenant),
    challenge term NOT NULL,
    person TEXT NOT NULL,
    purpose TEXT NOT NULL,
    about TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, challenge)
  );
  CREATE INDEX passkey_challenges_by_person ON passkey_challenges (tenant, person);
  ALTER TABLE votes ADD COLUMN passkey term;
  `,
  `
  CREATE TABLE break_glass (
    tenant term NOT NULL,
    id term NOT NULL,
    session term NOT NULL,
    agent term NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requested', 'lapsed', 'active', 'ended')),
    /* what does not change once it was asked for */
    terms TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    confirm_by BIGINT NOT NULL,
    confirmer TEXT,
    activated_at BIGINT,
    not_after BIGINT,
    first_used_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    /* credentials it may have touched, with their version when it ended */
    rotate TEXT,
    review_due BIGINT,
    review TEXT,
    reviewed_at BIGINT,
    overdue_told BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  );
  CREATE INDEX break_glass_by_session ON break_glass (tenant, session, status);
  CREATE INDEX break_glass_by_status ON break_glass (status, reviewed_at);
  CREATE INDEX break_glass_by_age ON break_glass (tenant, requested_at, id);
  `,
  `
  CREATE TABLE changes (
    tenant term NOT NULL REFERENCES tenants (tenant),
    id term NOT NULL,
    author TEXT NOT NULL,
    reason TEXT,
    needs TEXT NOT NULL CHECK (needs IN ('admin', 'operator')),
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    revision BIGINT NOT NULL,
    items TEXT NOT NULL,
    touches TEXT NOT NULL,
    adds TEXT NOT NULL,
    payload BYTEA NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'applied', 'rejected', 'withdrawn', 'expired', 'superseded')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    decision_reason TEXT,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX changes_by_age ON changes (tenant, created_at, id);
  CREATE INDEX changes_by_decision ON changes (tenant, status, decided_at);
  CREATE INDEX changes_by_expiry ON changes (status, expires_at);
  `,
  standingApprovals,
  authorizations,
  protocolSessions,
  delegations,
  tasks,
  inFlight,
  channelRouting,
  cancelledCalls,
];

export const schema: Schema = { steps, oldest: 1 };
