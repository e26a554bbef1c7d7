import type { RecordBody } from '../../server/audit/index.ts';
import type { Evidence } from './evidence.ts';
import type { Entry } from './journal.ts';

/** What is changed by hand in a run, so that the checks of what people gave beyond one call can be seen to see it. */
export interface Hands {
  /** The store with these statements run on it. */
  doctored(...statements: readonly string[]): Promise<Evidence>;
  /** One more record, made of the last of its type that fits. */
  recorded(type: string, fits: (body: RecordBody) => boolean, more?: Partial<RecordBody>): Evidence;
  /** One more thing that somebody was told. */
  noted(entry: Entry): Evidence;
  whole(): Evidence;
}

/** The check; what was done; how; and what the check says of it. */
export type Doctoring = readonly [invariant: string, that: string, how: (hands: Hands) => Evidence | Promise<Evidence>, says: RegExp];

const inRecords = (type: string, from: string, to: string): string =>
  `UPDATE records SET body = replace(body, '${from}', '${to}') WHERE tenant = 'acme' AND body LIKE '%"${type}"%' AND body LIKE '%${from}%'`;
const one = (table: string, status: string): string => `(SELECT id FROM ${table} WHERE tenant = 'acme' AND status = '${status}' LIMIT 1)`;
const underGlass = ({ break_glass: glass }: RecordBody): boolean => glass !== undefined;
const onStanding = ({ standing }: RecordBody): boolean => standing !== undefined;
const after = ({ journal, ...rest }: Evidence, what: Entry['what']): Evidence => ({ ...rest, journal: journal.filter((entry) => entry.what !== what) });

const counters: readonly Doctoring[] = ['break-glass/', 'standing/', 'standing-day/'].flatMap((scope): Doctoring[] => [
  [
    'counters',
    `a draw from ${scope} was lost`,
    ({ doctored }) => doctored(`UPDATE counters SET used = used - 1 WHERE name = 'calls' AND scope LIKE '${scope}%'`),
    new RegExp(`^${scope}.*calls stands at`),
  ],
  [
    'counters',
    `an amount of ${scope} is gone`,
    ({ doctored }) => doctored(`DELETE FROM counters WHERE name = 'amount' AND scope LIKE '${scope}%'`),
    /stands at 0/,
  ],
]);

const warranted: readonly Doctoring[] = [
  [
    'warranted',
    'a payment rested on nothing',
    ({ doctored }) => doctored(inRecords('call.dispatched', '"approval":"apr_', '"detail":"apr_')),
    /rests on nothing/,
  ],
  ['warranted', 'one person gave it twice', ({ doctored }) => doctored(inRecords('call.dispatched', '#carl', '#bob')), /given by 1/],
];

const changes: readonly Doctoring[] = [
  ['changes', 'one that waits is gone', ({ doctored }) => doctored("DELETE FROM changes WHERE status = 'pending'"), /was shown to an admin and is not there/],
  ['changes', 'one that waits is empty', ({ doctored }) => doctored("UPDATE changes SET payload = x'' WHERE status = 'pending'"), /no longer holds/],
  [
    'changes',
    'one is another than was shown',
    ({ doctored }) => doctored(inRecords('change.requested', '"change_sha256":"', '"change_sha256":"0')),
    /no record has it/,
  ],
  ['changes', 'one is not as it was planned anew', ({ doctored }) => doctored("UPDATE changes SET digest = 'other'"), /last planned/],
  [
    'changes',
    'one that was confirmed waits',
    ({ doctored }) => doctored("UPDATE changes SET status = 'pending' WHERE status = 'applied'"),
    /confirmed to be in force/,
  ],
  [
    'changes',
    'one that was rejected is in force',
    ({ doctored }) => doctored("UPDATE changes SET status = 'applied' WHERE status = 'rejected'"),
    /to be rejected/,
  ],
  [
    'changes',
    'one is in force that was never put there',
    ({ doctored }) => doctored("UPDATE changes SET status = 'applied' WHERE status = 'rejected'"),
    /0 times/,
  ],
  ['changes', 'one took effect twice', ({ recorded }) => recorded('configuration.applied', ({ change }) => change !== undefined), /2 times/],
  [
    'changes',
    'more took effect than was approved',
    ({ doctored }) => doctored(inRecords('configuration.applied', '"name":"wide"', '"name":"daily"')),
    /what was not approved/,
  ],
  [
    'changes',
    'something widened by one person',
    ({ doctored }) => doctored("UPDATE changes SET decided_by = author WHERE status = 'applied'", inRecords('change.approved', '#erin', '#dana')),
    /no two admins/,
  ],
  [
    'changes',
    'something widened by no change',
    ({ doctored }) => doctored(inRecords('configuration.applied', '"change":"chg_', '"detail":"chg_')),
    /no two admins/,
  ],
  [
    'changes',
    'half of one is in force',
    ({ doctored }) => doctored(`UPDATE tenants SET configuration = replace(configuration, '@reason(\\"width', '@reason(\\"width 1') WHERE tenant = 'acme'`),
    /of width \d+ and \d+/,
  ],
];

const glasses: readonly Doctoring[] = [
  [
    'break-glass',
    'one is gone',
    ({ doctored }) => doctored(`DELETE FROM break_glass WHERE id = ${one('break_glass', 'ended')}`),
    /on the record and is not there/,
  ],
  [
    'break-glass',
    'one that was ended is open',
    ({ doctored }) => doctored("UPDATE break_glass SET status = 'active' WHERE status = 'ended'"),
    /told to be ended/,
  ],
  [
    'break-glass',
    'one that was confirmed is not',
    ({ noted, whole }) => noted({ what: 'glass confirmed', glass: whole().glasses.find(({ status }) => status === 'requested')?.id ?? '' }),
    /told to be confirmed/,
  ],
  [
    'break-glass',
    'a review is gone',
    ({ doctored }) => doctored('UPDATE break_glass SET reviewed_at = NULL WHERE reviewed_at IS NOT NULL'),
    /told to be reviewed/,
  ],
  ['break-glass', 'it was confirmed by who asked', ({ doctored }) => doctored(inRecords('break_glass.activated', '#carl', '#bob')), /no second person/],
  ['break-glass', 'it was reviewed by who took part', ({ doctored }) => doctored(inRecords('break_glass.reviewed', '#erin', '#bob')), /by who took part/],
  ['break-glass', 'it was confirmed twice', ({ recorded }) => recorded('break_glass.activated', () => true), /its records say/],
  [
    'break-glass',
    'more calls came than were given',
    ({ doctored }) => doctored(`UPDATE break_glass SET terms = replace(terms, '"calls":2', '"calls":1')`),
    /gave 2 calls/,
  ],
  [
    'break-glass',
    'more moved than was given',
    ({ doctored }) => doctored(`UPDATE break_glass SET terms = replace(terms, '"amount":40000', '"amount":1')`),
    /of 2 and 1$/,
  ],
  ['break-glass', 'a call came after the end', ({ recorded }) => recorded('call.dispatched', underGlass), /which was open from/],
  ['break-glass', 'another session drew from it', ({ recorded }) => recorded('call.dispatched', underGlass, { session: 'ses_acme_other' }), /not for it/],
  [
    'break-glass',
    'a use is not written down',
    ({ doctored }) => doctored('UPDATE break_glass SET first_used_at = NULL WHERE first_used_at IS NOT NULL'),
    /not used/,
  ],
  ['break-glass', 'its end counts other calls', ({ doctored }) => doctored(inRecords('break_glass.ended', '"count":1', '"count":7')), /ended with 7 calls/],
  [
    'break-glass',
    'nobody was told',
    ({ doctored }) => doctored("DELETE FROM deliveries WHERE notification IN (SELECT id FROM notifications WHERE type = 'break_glass.activated')"),
    /nobody is told that .* was activated/,
  ],
  ['break-glass', 'what is said to be delivered never came', ({ whole }) => after(whole(), 'letter'), /said to be delivered, and 0 letters/],
];

const given = one('standing_approvals', 'active');
const standings: readonly Doctoring[] = [
  ['standing', 'one is gone', ({ doctored }) => doctored(`DELETE FROM standing_approvals WHERE id = ${given}`), /was shown and is not there/],
  ['standing', 'one gives something else', ({ doctored }) => doctored(`UPDATE standing_approvals SET digest = 'other' WHERE id = ${given}`), /as it was shown/],
  [
    'standing',
    'a vote is gone',
    ({ doctored }) => doctored(`DELETE FROM standing_votes WHERE standing = ${given} AND position = 0`),
    /was confirmed and is not there/,
  ],
  ['standing', 'a vote was turned round', ({ doctored }) => doctored(`UPDATE standing_votes SET decision = 'deny' WHERE standing = ${given}`), /the votes on/],
  [
    'standing',
    'one that was given waits',
    ({ doctored }) => doctored("UPDATE standing_approvals SET status = 'pending' WHERE status = 'active'"),
    /told to be given/,
  ],
  [
    'standing',
    'one that was taken back holds',
    ({ doctored }) => doctored("UPDATE standing_approvals SET status = 'active' WHERE status = 'revoked'"),
    /was taken back/,
  ],
  ['standing', 'one was given twice', ({ recorded }) => recorded('standing.given', () => true), /its records say/],
  [
    'standing',
    'who proposed it gave it too',
    ({ doctored }) => doctored("UPDATE standing_approvals SET author = replace(author, '#dana', '#bob') WHERE status = 'active'"),
    /is active by 1/,
  ],
  ['standing', 'a call came after it was taken back', ({ recorded }) => recorded('call.dispatched', onStanding), /which held from/],
  [
    'standing',
    'more calls came than it gives',
    ({ recorded, whole }) => {
      const more = recorded('call.dispatched', onStanding);
      const log = more.logs.get('acme') ?? [];
      return { ...whole(), logs: new Map([['acme', [...log, ...log.slice(-1), ...log.slice(-1)]]]) };
    },
    /more than its caps/,
  ],
];

export const givenDoctorings: readonly Doctoring[] = [...counters, ...warranted, ...changes, ...glasses, ...standings];
