import { z } from 'zod';

const rate = (per_second: number, burst: number) =>
  z.strictObject({ per_second: z.number().positive().max(1_000_000).default(per_second), burst: z.int().min(1).max(10_000_000).default(burst) }).prefault({});
const count = (most: number) => z.int().min(1).max(1_000_000).default(most);
const bytes = (most: number) => z.int().min(1_048_576).default(most);

/** What one may take from the others; all of it counted in this process, so several brokers give several times as much. */
const limits = z.strictObject({
  /** MCP requests; one with a body of more than 16 KiB counts as many as there are such pieces in it. */
  requests: z.strictObject({ session: rate(20, 60), agent: rate(60, 180), tenant: rate(120, 360) }).prefault({}),
  /** Calls that were refused inside the call path, each of which is on the record. */
  refusals: z.strictObject({ session: rate(2, 60), agent: rate(10, 200) }).prefault({}),
  /** Tokens asked for by whoever has proven to be an agent, an orchestrator or a person. */
  tokens: z.strictObject({ client: rate(5, 50), tenant: rate(50, 200) }).prefault({}),
  /** Requests of a person at `/v1`. */
  people: rate(20, 100),
  /** MCP requests begun and not answered, those held for a human and those that wait for an upstream included. */
  in_flight: z.strictObject({ session: count(32), agent: count(128), tenant: count(256) }).prefault({}),
  /** Of these, how many the broker works on at once: in all, of one tenant, of one session, and of a tenant that has most of them beside others. */
  working: z.strictObject({ all: count(8), tenant: count(4), session: count(4), greedy: count(2) }).prefault({}),
  /** Longest a call waits for its turn, at the broker and again at an upstream, in milliseconds. */
  wait_ms: z.int().min(0).max(60_000).default(5_000),
  /** Of one tenant: bodies being read or of calls under way, the largest answers these may bring back, and answers given but not read. */
  bytes: z.strictObject({ bodies: bytes(33_554_432), results: bytes(268_435_456), answers: bytes(67_108_864) }).prefault({}),
  /** Calls that wait for a human. */
  approvals: z.strictObject({ session: count(5), agent: count(20), tenant: count(100) }).prefault({}),
  /** Child processes of one tenant, and how long one nobody uses is kept, in milliseconds. */
  children: z.strictObject({ tenant: count(16), idle_ms: z.int().min(1_000).default(600_000) }).prefault({}),
});
export type LimitSettings = z.infer<typeof limits>;

/** Settings of one broker process; every value has a default that works on one machine. */
export const config = z.strictObject({
  listen: z.strictObject({ port: z.int().min(0).max(65_535).default(7411), hosts: z.array(z.string()).min(1).default(['127.0.0.1', '::1']) }).prefault({}),
  /** No trailing slash; what tokens, metadata and `htu` are compared with. Derived from the port when left out. */
  public_url: z.url().optional(),
  /** Extra values of `Origin` that browsers may send; the public URL's own is always allowed. */
  allowed_origins: z.array(z.url()).default([]),
  store: z
    .string()
    .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)/, 'sqlite:FILE, such as sqlite:./data/taskgate.db, or postgres://USER@HOST/DATABASE')
    .default('sqlite:./data/taskgate.db'),
  data: z.string().default('./data'),
  documents: z.array(z.string()).default([]),
  log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Longest one request is held for a human, in milliseconds. */
  hold_ms: z.int().min(0).max(45_000).default(45_000),
  /** What a client that can wait for tasks is not kept waiting for any longer in one request, in milliseconds. */
  task_after_ms: z.int().min(1).max(45_000).default(1_000),
  /** How long a login at the console is good for without use, and at most, in milliseconds. */
  console: z
    .strictObject({
      idle_ms: z.int().min(60_000).max(86_400_000).default(1_800_000),
      longest_ms: z.int().min(60_000).max(86_400_000).default(43_200_000),
    })
    .prefault({}),
  limits: limits.prefault({}),
});
export type ConfigFile = z.infer<typeof config>;
export type Config = ConfigFile & { readonly public_url: string };
