/** The words of the law: labels, effects, requirements, decisions. Everything else builds on these. */

export const sensitivities = ['public', 'internal', 'confidential', 'restricted'] as const;
export type Sensitivity = (typeof sensitivities)[number];

/** Lowest first: a higher level is more trusted. */
export const integrities = ['external', 'tenant', 'trusted'] as const;
export type Integrity = (typeof integrities)[number];

export const builtInCategories = ['pii', 'phi', 'pci', 'secret'] as const;

export const effects = ['read', 'write', 'destructive'] as const;
export type Effect = (typeof effects)[number];

export const reaches = ['tenant', 'external'] as const;
export type Reaches = (typeof reaches)[number];

export const targetTypes = ['email', 'iban', 'url', 'id', 'amount', 'date', 'text'] as const;
export type TargetType = (typeof targetTypes)[number];

export const origins = ['objective', 'trusted', 'external', 'unknown'] as const;
export type Origin = (typeof origins)[number];

export const attesters = ['sponsor', 'orchestrator', 'agent'] as const;
export type AttestedBy = (typeof attesters)[number];

/** How much protection a value needs and how far it may be believed. */
export interface Label {
  readonly sensitivity: Sensitivity;
  /** Sorted, without duplicates. */
  readonly categories: readonly string[];
  readonly integrity: Integrity;
}

/** What must be satisfied before a call may run, as it stands in policy text. */
export type Requirement =
  | { readonly kind: 'approval'; readonly group: string; readonly count: number; readonly passkey: boolean; readonly literal: string }
  | { readonly kind: 'confirm'; readonly passkey: boolean; readonly literal: string }
  | { readonly kind: 'redact'; readonly category: string; readonly literal: string };

/** A policy that determined a decision, with the words its author gave for it. */
export interface DeterminingPolicy {
  readonly id: string;
  readonly reason: string | null;
}

/** The answer of the law to one call, with why. Evaluation errors are always `deny` with `cause: 'error'`. */
export type Decision =
  | { readonly decision: 'allow'; readonly policies: readonly DeterminingPolicy[] }
  | {
      readonly decision: 'require';
      readonly requirements: readonly Requirement[];
      readonly policies: readonly DeterminingPolicy[];
      /** Shortest `@expires` of the policies that ask, in seconds; null when none says so. */
      readonly expiresIn: number | null;
      /** What break-glass may satisfy in place of people: each literal whose every forbid that bit is marked `@break_glass`; absent when there is none. */
      readonly breakGlass?: readonly string[];
      /** Literals that a standing approval cannot satisfy for this call: the tool is destructive and a policy that asks does not accept one. */
      readonly exactOnly: readonly string[];
    }
  | {
      readonly decision: 'deny';
      readonly cause: 'forbidden' | 'no_permit' | 'unrepresentable' | 'error';
      readonly policies: readonly DeterminingPolicy[];
      /** For the record; never shown to the agent. */
      readonly detail: string | null;
    };
