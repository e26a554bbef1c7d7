import { z } from 'zod';

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
});
export type ConfigFile = z.infer<typeof config>;
export type Config = ConfigFile & { readonly public_url: string };
