import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalForm } from '../../tools/index.ts';
import type { SignedVote, VoteSignature } from './record.ts';

/** Longest binary value of an assertion as base64url; cut, it would verify no more, so what is longer is refused. */
export const longestBinary = 4_096;
const binary = z
  .string()
  .max(longestBinary)
  .regex(/^[A-Za-z0-9_-]+$/);
const hex = z.string().regex(/^[0-9a-f]{64}$/);

export const signedVote = z.strictObject({
  proposal: hex,
  approval: z.string().max(200),
  decision: z.enum(['approve', 'deny']),
  edits: z.string().max(200).nullable(),
  requirement: z.string().max(100),
  reviewer: z.string().max(2000),
  on_behalf_of: z.string().max(2000).optional(),
  nonce: binary,
  expiry: z.int(),
}) satisfies z.ZodType<SignedVote>;

export const voteSignature = z.strictObject({
  passkey: z.string().max(200),
  enrolment: z.int().nonnegative(),
  public_key: binary,
  signed: signedVote,
  authenticator_data: binary,
  client_data_json: binary,
  signature: binary,
}) satisfies z.ZodType<VoteSignature>;

/** What an authenticator is given to sign: SHA-256 of the canonical form (RFC 8785), base64url. */
export const challengeOf = (about: object): string => createHash('sha256').update(canonicalForm(about)).digest('base64url');
