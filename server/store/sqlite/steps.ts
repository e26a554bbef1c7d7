import { authorizations } from './steps/authorizations.ts';
import { cancelledCalls } from './steps/cancelled-calls.ts';
import { channelRouting } from './steps/channel-routing.ts';
import { delegations } from './steps/delegations.ts';
import { inFlight } from './steps/in-flight.ts';
import { protocolSessions } from './steps/protocol-sessions.ts';
import { standingApprovals } from './steps/standing-approvals.ts';
import { tasks } from './steps/tasks.ts';

/**
 * The schema, oldest step first; a store's version is how many it has taken. A step that was ever released is never edited.
 * Times are epoch milliseconds, structures JSON text, the platform log's tenant the empty string.
 */
export const steps: readonly string[] = [
  `
  CREATE TABLE tenants (
    tenant TEXT PRIMARY KEY CHECK (tenant <> ''),
    revision INTEGER NOT NULL,
    configuration TEXT NOT NULL
  ) STRICT;
  CREATE TABLE platform (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL) STRICT;

  CREATE TABLE agents (
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    PRIMARY KEY (tenant, agent)
  ) STRICT;

  CREATE TABLE lineages (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    sensitivity TEXT NOT NULL CHECK (sensitivity IN ('public', 'internal', 'confidential', 'restricted')),
    categories TEXT NOT NULL,
    integrity TEXT NOT NULL CHECK (integrity IN ('external', 'tenant', 'trusted')),
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
  ) STRICT;

  CREATE TABLE sessions (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    id TEXT NOT NULL,
    agent TEXT NOT NULL,
    use_case TEXT NOT NULL,
    workflow TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('delegated', 'autonomous')),
    sponsor TEXT NOT NULL,
    sponsor_groups TEXT NOT NULL,
    requester TEXT NOT NULL,
    parent TEXT,
    root TEXT NOT NULL,
    lineage TEXT NOT NULL,
    objective TEXT NOT NULL,
    inputs TEXT NOT NULL,
    attested_by TEXT NOT NULL CHECK (attested_by IN ('sponsor', 'orchestrator', 'agent')),
    grants TEXT NOT NULL,
    ceiling TEXT NOT NULL CHECK (ceiling IN ('public', 'internal', 'confidential', 'restricted')),
    budget TEXT NOT NULL,
    task_sha256 TEXT NOT NULL,
    cnf TEXT,
    connection TEXT,
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'ended', 'revoked')),
    end_reason TEXT,
    ended_at INTEGER,
    fence INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, parent) REFERENCES sessions (tenant, id),
    FOREIGN KEY (tenant, lineage) REFERENCES lineages (tenant, id)
  ) STRICT;
  CREATE INDEX sessions_by_parent ON sessions (tenant, parent);
  CREATE INDEX sessions_by_lineage ON sessions (tenant, lineage);
  CREATE INDEX sessions_by_agent ON sessions (tenant, agent, expires_at);
  CREATE INDEX sessions_by_connection ON sessions (tenant, connection);
  CREATE INDEX sessions_by_end ON sessions (status, expires_at);
  CREATE INDEX sessions_by_age ON sessions (tenant, opened_at, id);

  CREATE TABLE counters (
    tenant TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (tenant, scope, name)
  ) STRICT;

  CREATE TABLE dispatches (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    session TEXT NOT NULL,
    tool TEXT NOT NULL,
    fence INTEGER NOT NULL,
    approval TEXT,
    status TEXT NOT NULL CHECK (status IN ('dispatched', 'completed', 'failed', 'unknown')),
    lease_until INTEGER NOT NULL,
    dispatched_at INTEGER NOT NULL,
    settled_at INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;
  CREATE INDEX dispatches_by_lease ON dispatches (status, lease_until);

  CREATE TABLE approvals (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    session TEXT NOT NULL,
    agent TEXT NOT NULL,
    tool TEXT NOT NULL,
    call_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    proposal BLOB NOT NULL,
    requirements TEXT NOT NULL,
    excluded TEXT NOT NULL,
    status TEXT NOT NULL
      CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'cancelled', 'superseded', 'revoked', 'used')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    dispatch TEXT,
    outcome TEXT CHECK (outcome IN ('completed', 'failed', 'unknown')),
    sealed_outcome BLOB,
    /* 1 once what was sealed has been deleted at the expiry */
    wiped INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;
  CREATE INDEX approvals_by_call ON approvals (tenant, call_key);
  CREATE INDEX approvals_by_session ON approvals (tenant, session, status);
  CREATE INDEX approvals_by_agent ON approvals (tenant, agent, status);
  CREATE INDEX approvals_by_age ON approvals (tenant, created_at, id);
  CREATE INDEX approvals_by_expiry ON approvals (wiped, expires_at);

  CREATE TABLE votes (
    tenant TEXT NOT NULL,
    approval TEXT NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    requirement TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
    reason TEXT,
    at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, approval, person),
    FOREIGN KEY (tenant, approval) REFERENCES approvals (tenant, id)
  ) STRICT;

  CREATE TABLE secrets (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT;

  CREATE TABLE agent_tokens (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE used_once (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
  ) STRICT;
  CREATE INDEX used_once_by_expiry ON used_once (expires_at);

  CREATE TABLE chain_heads (
    tenant TEXT PRIMARY KEY,
    next INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE records (
    tenant TEXT NOT NULL,
    position INTEGER NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER records_stay BEFORE DELETE ON records
    BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
  CREATE TRIGGER records_keep_their_text BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
  /* INSERT OR REPLACE deletes without asking the trigger on DELETE */
  CREATE TRIGGER records_are_not_replaced BEFORE INSERT ON records
    WHEN EXISTS (SELECT 1 FROM records WHERE tenant = NEW.tenant AND position = NEW.position)
    BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
  `,
  `
  ALTER TABLE meta ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE meta ADD COLUMN epoch_at INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE INDEX approvals_by_status ON approvals (tenant, status, expires_at);
  `,
  `
  ALTER TABLE approvals ADD COLUMN terms TEXT;
  /* how often people were told that it waits, and when they are told next */
  ALTER TABLE approvals ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE approvals ADD COLUMN remind_at INTEGER;
  /* what it was edited from, and what it was edited to */
  ALTER TABLE approvals ADD COLUMN edited_from TEXT;
  ALTER TABLE approvals ADD COLUMN superseded_by TEXT;
  CREATE INDEX approvals_by_reminder ON approvals (status, remind_at);
  CREATE INDEX votes_by_person ON votes (tenant, person, at);
  `,
  `
  CREATE TABLE channels (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    name TEXT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT;
  CREATE TABLE notifications (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    facts TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
  ) STRICT;
  CREATE INDEX notifications_by_age ON notifications (tenant, at);
  CREATE TABLE deliveries (
    tenant TEXT NOT NULL,
    notification TEXT NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL,
    /* while it is leased, when the lease ends */
    next_at INTEGER NOT NULL,
    lease TEXT,
    error TEXT,
    at INTEGER NOT NULL,
    settled_at INTEGER,
    PRIMARY KEY (tenant, notification, channel),
    FOREIGN KEY (tenant, notification) REFERENCES notifications (tenant, id)
  ) STRICT;
  CREATE INDEX deliveries_by_turn ON deliveries (status, next_at);
  CREATE INDEX deliveries_by_channel ON deliveries (tenant, channel, status, at);
  CREATE INDEX deliveries_by_age ON deliveries (tenant, at, notification, channel);
  `,
  `
  CREATE TABLE console_sessions (
    tenant TEXT NOT NULL,
    /* SHA-256 of what the browser holds, hex */
    hash TEXT NOT NULL,
    person TEXT NOT NULL,
    logged_in_at INTEGER NOT NULL,
    /* when the issuer last asked who they are; null when it does not say */
    proved_at INTEGER,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT;
  CREATE TABLE console_links (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    person TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT;
  CREATE TABLE approval_views (
    tenant TEXT NOT NULL,
    approval TEXT NOT NULL,
    person TEXT NOT NULL,
    shown_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, approval, person),
    FOREIGN KEY (tenant, approval) REFERENCES approvals (tenant, id)
  ) STRICT;
  CREATE INDEX dispatches_by_session ON dispatches (tenant, session);
  `,
  `
  CREATE TABLE passkeys (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    id TEXT NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    credential TEXT NOT NULL,
    public_key TEXT NOT NULL,
    algorithm INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    transports TEXT NOT NULL,
    rp_id TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    record INTEGER NOT NULL,
    confirmed_by TEXT,
    effective_at INTEGER,
    removed_at INTEGER,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, credential)
  ) STRICT;
  CREATE INDEX passkeys_by_person ON passkeys (tenant, person);
  CREATE TABLE passkey_challenges (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    challenge TEXT NOT NULL,
    person TEXT NOT NULL,
    purpose TEXT NOT NULL,
    about TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, challenge)
  ) STRICT;
  CREATE INDEX passkey_challenges_by_person ON passkey_challenges (tenant, person);
  ALTER TABLE votes ADD COLUMN passkey TEXT;
  `,
  `
  CREATE TABLE break_glass (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    session TEXT NOT NULL,
    agent TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requested', 'lapsed', 'active', 'ended')),
    /* what does not change once it was asked for */
    terms TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    confirm_by INTEGER NOT NULL,
    confirmer TEXT,
    activated_at INTEGER,
    not_after INTEGER,
    first_used_at INTEGER,
    ended_at INTEGER,
    end_reason TEXT,
    /* credentials it may have touched, with their version when it ended */
    rotate TEXT,
    review_due INTEGER,
    review TEXT,
    reviewed_at INTEGER,
    overdue_told INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, id)
  ) STRICT;
  CREATE INDEX break_glass_by_session ON break_glass (tenant, session, status);
  CREATE INDEX break_glass_by_status ON break_glass (status, reviewed_at);
  CREATE INDEX break_glass_by_age ON break_glass (tenant, requested_at, id);
  `,
  `
  CREATE TABLE changes (
    tenant TEXT NOT NULL REFERENCES tenants (tenant),
    id TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT,
    needs TEXT NOT NULL CHECK (needs IN ('admin', 'operator')),
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    revision INTEGER NOT NULL,
    items TEXT NOT NULL,
    touches TEXT NOT NULL,
    adds TEXT NOT NULL,
    payload BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'applied', 'rejected', 'withdrawn', 'expired', 'superseded')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    decision_reason TEXT,
    PRIMARY KEY (tenant, id)
  ) STRICT;
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
