/** What a record may say: an allow-list. Values of arguments and results never stand in it, only keyed HMACs of them. */
export const recordTypes = [
  'call.refused',
  'call.dispatched',
  'call.completed',
  'call.failed',
  'call.unknown',
  'call.withheld',
  'call.replayed',
  'call.cancelled',
  'approval.requested',
  'approval.voted',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'approval.superseded',
  'approval.revoked',
  'approval.edited',
  'standing.proposed',
  'standing.voted',
  'standing.given',
  'standing.denied',
  'standing.revoked',
  'standing.expired',
  'delegation.given',
  'delegation.ended',
  'approval.reminded',
  'approval.escalated',
  'session.consented',
  'session.opened',
  'session.renewed',
  'session.extended',
  'session.refused',
  'session.suspended',
  'session.ended',
  'session.revoked',
  'agent.suspended',
  'agent.activated',
  'agent.token_created',
  'agent.token_revoked',
  'configuration.applied',
  'change.requested',
  'change.approved',
  'change.rejected',
  'change.withdrawn',
  'change.replanned',
  'change.superseded',
  'change.expired',
  'tools.listed',
  'tools.quarantined',
  'credential.set',
  'break_glass.requested',
  'break_glass.activated',
  'break_glass.lapsed',
  'break_glass.ended',
  'break_glass.reviewed',
  'break_glass.review_overdue',
  'notification.delivered',
  'notification.given_up',
  'channel.disabled',
  'channel.enabled',
  'passkey.enrolled',
  'passkey.confirmed',
  'passkey.removed',
  'passkey.unconfirmed',
  'person.login',
  'person.logout',
  'access.refused',
  'store.restored',
  'store.behind_anchor',
  'store.accepted',
] as const;
export type RecordType = (typeof recordTypes)[number];

/** Every field but `type` and `at` is optional; which stand depends on the type. JSON values only. */
export interface RecordBody {
  readonly type: RecordType;
  /** Epoch milliseconds, by the broker's clock. */
  readonly at: number;
  readonly tenant?: string;
  readonly session?: string;
  readonly agent?: string;
  readonly sponsor?: string;
  /** Who did it: `<issuer>#<subject>`, an agent identity, or `taskgate`. */
  readonly actor?: string;
  readonly use_case?: string;
  readonly tool?: string;
  readonly tool_digest?: string;
  /** What the tool does, as it was registered then. */
  readonly effect?: 'read' | 'write' | 'destructive';
  readonly decision_id?: string;
  readonly decision?: 'allow' | 'deny' | 'require';
  readonly policies?: readonly string[];
  readonly requirements?: readonly string[];
  readonly revision?: number;
  /** Last day, `YYYY-MM-DD`, on which the tenant's policy is not enforced for the session's calls: its use case is observed. */
  readonly observed_until?: string;
  /** What the tenant's policy would have answered to a call it was not enforced for. */
  readonly would?: {
    readonly decision: 'deny' | 'require';
    readonly policies: readonly string[];
    readonly requirements: readonly string[];
    readonly reasons: readonly string[];
  };
  /** Refusal code or end reason. */
  readonly code?: string;
  /** How many this one record stands for. */
  readonly count?: number;
  /** Precise, for people; never shown to an agent. No values. */
  readonly detail?: string;
  readonly approval?: string;
  readonly proposal_sha256?: string;
  /** Standing approvals and remembered answers it is about, or rests on. */
  readonly standing?: readonly string[];
  /** The approval that an edited one takes the place of. */
  readonly edited_from?: string;
  readonly vote?: 'approve' | 'deny';
  readonly reason?: string;
  /** The delegation it is about, or by which the vote was cast in the place of `on_behalf_of`: `<issuer>#<subject>`. */
  readonly delegation?: string;
  readonly on_behalf_of?: string;
  /** SHA-256 that names the proposals which were decided together, hex; the vote is about its own alone. */
  readonly batch_sha256?: string;
  /** How often in a row this person has now given this very reason, from the third time on. */
  readonly same_reason?: number;
  /** Who was to be told: `group:<name>`, `role:admin` or `sponsor`. */
  readonly to?: readonly string[];
  readonly satisfied?: readonly { readonly literal: string; readonly source: string; readonly persons: readonly string[] }[];
  readonly dispatch?: string;
  /** How the client had waited for the human: `task`, `rounds`, `hold` or `handle`. */
  readonly rung?: 'task' | 'rounds' | 'hold' | 'handle';
  readonly fence?: number;
  readonly arguments_hmac?: string;
  readonly result_hmac?: string;
  readonly result_bytes?: number;
  readonly label?: { readonly sensitivity: string; readonly categories: readonly string[]; readonly integrity: string };
  readonly task_sha256?: string;
  /** Of the key a task is bound to, its thumbprint (RFC 7638); absent where its tokens are bearers. */
  readonly jkt?: string;
  readonly attested_by?: string;
  readonly parent?: string;
  readonly expires_at?: number;
  readonly duration_ms?: number;
  readonly trace_id?: string;
  readonly door?: string;
  /** The break-glass it is about, or was done under. */
  readonly break_glass?: string;
  /** The tenant's own number of what made it necessary. */
  readonly incident?: string;
  readonly tools?: readonly string[];
  /** Of a message to people: its id, and the channel it was for. */
  readonly notification?: string;
  readonly channel?: string;
  readonly founding?: boolean;
  /** A tenant of one person: nobody else was asked. */
  readonly personal?: boolean;
  /** Of a passkey record: whose it is stands in `person`, and all but `id` only in that of its enrolment. Binary values are base64url. */
  readonly passkey?: {
    readonly id: string;
    readonly name?: string;
    readonly credential?: string;
    readonly public_key?: string;
    readonly algorithm?: number;
    readonly rp_id?: string;
  };
  /** `<issuer>#<subject>` whom the record is about, when that is not who did it. */
  readonly person?: string;
  /** From when on it holds, epoch milliseconds. */
  readonly effective_at?: number;
  /** What a reviewer's own key signed; base64url. `audit verify` checks it against the enrolment. */
  readonly signature?: VoteSignature;
  /** A change that waits, or waited, for a second admin. */
  readonly change?: string;
  /** SHA-256 of the difference it makes, hex: what was approved. */
  readonly change_sha256?: string;
  /** Who asked for the change: `<issuer>#<subject>`, or `operator`. */
  readonly author?: string;
  /** Of the store: grows whenever what may have run ahead of it is cut off. */
  readonly epoch?: number;
  /** SHA-256 of the backup the store was restored from, hex. */
  readonly backup_sha256?: string;
  /** Where the chain ended in the store as it was found; absent when it held none. */
  readonly found_head?: { readonly index: number; readonly hash: string };
  /** Where the chain had ended by what stands outside the store; absent when that names none. */
  readonly anchored_head?: { readonly index: number; readonly hash: string };
  readonly changes?: readonly {
    readonly change: 'added' | 'changed' | 'removed';
    readonly kind: string;
    readonly name: string;
    readonly effect: 'narrows' | 'widens' | 'neutral';
    readonly sha256: string;
  }[];
}

export interface VoteSignature {
  readonly passkey: string;
  /** Index of the record of the key's enrolment. */
  readonly enrolment: number;
  readonly public_key: string;
  /** The challenge is SHA-256 of the canonical form (RFC 8785) of this. */
  readonly signed: SignedVote;
  readonly authenticator_data: string;
  readonly client_data_json: string;
  readonly signature: string;
}

/** What a reviewer signs: this very vote. */
export interface SignedVote {
  /** Digest of the proposal, hex. */
  readonly proposal: string;
  readonly approval: string;
  readonly decision: 'approve' | 'deny';
  /** The approval that this one narrows by an edit; null when it is as the agent asked. */
  readonly edits: string | null;
  readonly requirement: string;
  /** `<issuer>#<subject>`. */
  readonly reviewer: string;
  /** In whose place, `<issuer>#<subject>`; absent for a vote of their own. */
  readonly on_behalf_of?: string | undefined;
  readonly nonce: string;
  /** Epoch milliseconds. */
  readonly expiry: number;
}

export interface StoredRecord {
  readonly tenant: string | null;
  /** From 0, without gaps. */
  readonly index: number;
  /** Hash of the record before, hex; 64 zeros for the first. */
  readonly prev: string;
  /** SHA-256(prev ‖ canonical form (RFC 8785) of {index, tenant, body}), hex. */
  readonly hash: string;
  readonly body: RecordBody;
}
