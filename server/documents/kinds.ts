import { z } from 'zod';
import { effects, origins, secondsOf, sensitivities } from '../../policies/index.ts';
import { apiVersion, credentialDocument, duration, slug, tenThousandths, upstreamDocument } from '../../tools/index.ts';

import { channelDocument } from './channel.ts';
import { isRedirect } from './redirects.ts';

/** Shapes of every document kind (DESIGN: apiVersion taskgate/v1); one schema gives the check, the editor's JSON Schema and the types. */

const day = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a date, YYYY-MM-DD; it ends at the end of that day, UTC')
  .refine((date) => new Date(`${date}T00:00:00Z`).getUTCDate() === Number(date.slice(8)), 'a day that the month has');
export const spiffeId = z
  .string()
  .max(2048)
  .regex(
    /^spiffe:\/\/[a-z0-9._-]{1,255}(\/([A-Za-z0-9_-][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*|\.\.[A-Za-z0-9._-]+))+$/,
    'a SPIFFE ID with a path, such as spiffe://acme.example/agent/name',
  );
const jwk = z.record(z.string(), z.unknown()).refine((key) => !('d' in key) && !('k' in key), 'a public key: no private member');
/** `<issuer>#<subject>`. */
const subject = z.string().regex(/^[^#\s]+#\S+$/, '<issuer>#<subject>, such as local#ana');

const trustRoot = z.union([
  z
    .strictObject({
      spiffe: z.string().regex(/^[a-z0-9._-]{1,255}$/, 'a trust domain'),
      bundle: z.string().optional().describe('`local`, or a file beside the document'),
      bundle_url: z.url({ protocol: /^https?$/ }).optional(),
      for: z.literal('workloads'),
    })
    .refine((root) => (root.bundle === undefined) !== (root.bundle_url === undefined), 'either `bundle` or `bundle_url`'),
  z.strictObject({
    oidc: z.union([z.literal('local'), z.url({ protocol: /^https?$/ })]),
    audience: z.string().optional(),
    for: z.enum(['people', 'workloads']),
    groups_claim: z.string().optional().describe('Claim of the ID token that lists groups'),
    client_id: z.string().min(1).max(256).optional().describe("The console's client at this issuer; `audience` when left out"),
    client_secret_file: z.string().optional().describe("Holds the client's secret, beside the document; a public client has none"),
  }),
]);
export type TrustRoot = z.infer<typeof trustRoot>;

const command = z.strictObject({
  run: z.array(z.string()).min(1),
  allow_read: z.array(z.string()).default([]),
  allow_write: z.array(z.string()).default([]),
  background: z.boolean().default(false).describe('Started and stopped with the broker; not an upstream itself'),
  listens: z
    .string()
    .regex(/^[^\s:]+:[0-9]{1,5}$/, '<host>:<port>')
    .optional()
    .describe('Where a background command will listen; the broker waits for it'),
});
export type OperatorCommand = z.infer<typeof command>;

export const platformDocument = z.strictObject({
  apiVersion,
  kind: z.literal('Platform'),
  operators: z.array(subject).default([]),
  tenants: z.record(
    slug,
    z.strictObject({
      trust: z.array(trustRoot).min(1),
      notifications: z
        .strictObject({
          egress: z.array(z.string().min(1)).default([]).describe('Hosts its channels may reach, `host` or `host:port`; the only way to a private address'),
        })
        .optional(),
      client_documents: z
        .strictObject({
          egress: z
            .array(z.string().min(1))
            .default([])
            .describe('Hosts that documents of clients may be fetched from, `host` or `host:port`; the only way to a private address or without TLS'),
        })
        .optional(),
    }),
  ),
  commands: z.record(slug, command.extend({ tenants: z.array(slug).optional().describe('Who may use it; everyone when left out') })).default({}),
});
export type PlatformDocument = z.infer<typeof platformDocument>;

const person = z.strictObject({
  subject,
  groups: z.array(slug).default([]),
  roles: z.array(z.enum(['reviewer', 'admin', 'auditor'])).default([]),
});
/** Where a sponsor's browser is sent back to with a code. */
const redirect = z.string().max(512).refine(isRedirect, 'https, http on this machine, or a scheme of a program; no user, no fragment, no wildcard');
const approvals = z
  .strictObject({
    stages: z
      .array(slug)
      .max(10)
      .refine((stages) => new Set(stages).size === stages.length, 'each once')
      .default([])
      .describe('Groups, or `sponsor`, in the order in which they are asked; whoever is not among them is asked from the start'),
    vetoes: z.record(slug, z.int().min(1).max(99)).default({}).describe('By group: how many denials deny; 1 where left out'),
    escalate_to: z.array(slug).max(10).default([]).describe('Groups told as well when three quarters of the time have passed; the admins when left out'),
    delegable: z
      .record(slug, duration)
      .refine((longest) => Object.values(longest).every((one) => (secondsOf(one) ?? 0) <= 30 * 86_400), 'at most 30d')
      .optional()
      .describe('By group: for how long at most a reviewer of it may lend their place to another reviewer; not at all where left out'),
    passkey_for: z
      .literal('destructive')
      .optional()
      .describe('Calls of tools of this effect are approved by votes alone that a passkey signed, whether or not policy says `:passkey`'),
  })
  .describe('How approvals are decided');

export const tenantDocument = z.strictObject({
  apiVersion,
  kind: z.literal('Tenant'),
  name: slug,
  domains: z.array(slug).default([]),
  people: z.record(slug, person).default({}),
  orchestrators: z.record(slug, z.strictObject({ jwk })).default({}).describe('Registered clients, not agents, that open sessions'),
  clients: z
    .record(slug, z.strictObject({ name: z.string().min(1).max(100), redirects: z.array(redirect).min(1).max(10), jwk: jwk.optional() }))
    .default({})
    .describe('Hosts whose people log in through a browser, registered here; an agent whose `clients` names one is who it acts as'),
  registration: z
    .strictObject({
      agents: z.array(slug).min(1).describe('Who a host may act as that registered itself'),
      redirects: z.array(redirect).max(20).default([]).describe('Addresses a sponsor may be sent back to besides those of their own machine'),
    })
    .optional()
    .describe('Lets hosts register themselves (RFC 7591); nobody knows who they are. Off when left out'),
  personal: z.boolean().default(false),
  require_proof: z.boolean().default(false),
  release_approval: slug.optional(),
  approvals: approvals.optional(),
  pause: z
    .array(z.enum(['task', 'rounds', 'hold']))
    .max(3)
    .default(['task', 'rounds', 'hold'])
    .describe('Ways in which a call may wait for a human; where none is left that the client can take, it gets a handle at once'),
  changes: z
    .strictObject({
      wait: duration
        .refine((wait) => (secondsOf(wait) ?? 0) >= 3_600 && (secondsOf(wait) ?? 0) <= 30 * 86_400, 'between 1h and 30d')
        .describe('How long a change that widens waits for a second admin before it expires; 7d when left out'),
    })
    .optional(),
  break_glass: z
    .strictObject({ group: slug.describe('Two distinct people of it activate break-glass') })
    .optional()
    .describe('Without it, there is none in this tenant'),
});
export type TenantDocument = z.infer<typeof tenantDocument>;

const agentIdentity = z.union([spiffeId, z.strictObject({ issuer: z.url(), subject: z.string().min(1) }), z.strictObject({ jwk })]);
export const agentDocument = z.strictObject({
  apiVersion,
  kind: z.literal('Agent'),
  tenant: slug,
  name: slug,
  owner: slug,
  purpose: z.string().min(1).max(500),
  workflow: slug,
  identity: agentIdentity,
  clients: z.array(z.string()).default([]),
  clearance: z.enum(sensitivities),
  memory: z.enum(['none', 'shared']).default('shared'),
  status: z.enum(['active', 'suspended']).default('active'),
  expires: day,
  review_by: day,
});
export type AgentDocument = z.infer<typeof agentDocument>;

/** `{ from: inputs.x }` means equal after canonical form; a constraint implies presence and type. */
const argumentConstraint = z.union([
  z.strictObject({ from: z.string().regex(/^inputs\.[A-Za-z_][A-Za-z0-9_]*$/, 'inputs.<name>') }),
  z.record(z.string(), z.unknown()).refine((schema) => !('from' in schema), '`from` stands alone'),
]);
export type ArgumentConstraint = z.infer<typeof argumentConstraint>;

const grant = z.union([
  z.strictObject({ tools: z.array(z.string().min(1)).min(1), effect: z.enum(effects).optional(), max_calls: z.int().positive().optional() }),
  z.strictObject({
    tool: z.string().min(1),
    arguments: z.record(z.string(), argumentConstraint).default({}),
    origins: z.record(z.string(), z.array(z.enum(origins)).min(1)).default({}),
    max_calls: z.int().positive().optional(),
  }),
]);
export type GrantDocument = z.infer<typeof grant>;

/** Counted in whole ten-thousandths, so that sums are exact. */
const amount = z
  .number()
  .positive()
  .refine((value) => tenThousandths(value) !== null, 'at most four decimals, and no more than nine hundred billion');

export const useCaseDocument = z
  .strictObject({
    apiVersion,
    kind: z.literal('UseCase'),
    tenant: slug,
    name: slug,
    workflow: slug,
    owner: slug,
    purpose: z.string().min(1).max(500),
    sponsors: z.strictObject({ groups: z.array(slug).min(1) }).optional(),
    accountable: slug.optional().describe('The person answerable for autonomous runs; stands instead of sponsors'),
    inputs: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), z.record(z.string(), z.unknown())).default({}),
    grants: z.array(grant).min(1),
    ceiling: z.enum(sensitivities),
    lifetime: z.strictObject({ default: duration, longest: duration }),
    budget: z.strictObject({
      calls: z.int().positive(),
      amount: amount.optional(),
      per_day: z.strictObject({ calls: z.int().positive().optional(), amount: amount.optional() }).optional(),
    }),
    extensions: z
      .strictObject({
        requires: z
          .array(
            z
              .string()
              .regex(/^(approval:[a-z0-9-]+(:[2-9]|:[1-9][0-9])?|confirm:sponsor)(:passkey)?$/, '`approval:<group>[:n]` or `confirm:sponsor`, as in policy'),
          )
          .min(1)
          .describe('Who gives a running task more of what this use case allows; all of them'),
      })
      .optional()
      .describe('Left out, no task of it is ever extended'),
    max_open_sessions: z.int().positive().optional(),
    require_proof: z.boolean().default(false),
    observe_until: day.optional().describe('Last day, UTC, at most 30 days ahead, on which policy of the tenant is recorded for its sessions and not enforced'),
    expires: day,
    review_by: day,
  })
  .refine((useCase) => (useCase.sponsors === undefined) !== (useCase.accountable === undefined), 'either `sponsors` or, for autonomous runs, `accountable`');
export type UseCaseDocument = z.infer<typeof useCaseDocument>;

export const documentKinds = {
  Platform: platformDocument,
  Tenant: tenantDocument,
  Agent: agentDocument,
  UseCase: useCaseDocument,
  Upstream: upstreamDocument,
  Credential: credentialDocument,
  Channel: channelDocument,
} as const;
export type Kind = keyof typeof documentKinds;
export type TaskgateDocument = z.infer<(typeof documentKinds)[Kind]>;
