import { z } from 'zod';
import { effects, integrities, reaches, sensitivities, targetTypes } from '../policies/index.ts';
import { isKeyOfAnother, longestAddress } from './definition.ts';

/** Shapes of the documents that say what may be brokered: `Upstream` and `Credential`. */

export const apiVersion = z.literal('taskgate/v1').default('taskgate/v1').describe('The version of the document format');
export const slug = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 64');
export const upstreamName = z
  .string()
  .regex(/^[a-z0-9-]{1,20}$/, 'lower-case letters, digits and hyphens, at most 20')
  .refine((name) => !name.includes('__'), 'no double underscore');
const pointer = z.string().regex(/^(\/([^~/]|~0|~1)*)+$/, 'a JSON Pointer (RFC 6901)');

const fieldLabel = z.strictObject({
  sensitivity: z.enum(sensitivities).optional(),
  categories: z.array(slug).optional(),
  integrity: z.enum(integrities).optional(),
});

const as = z.string().regex(/^[A-Za-z0-9_-]{1,42}$/);
const says = z.string().min(1).max(500).optional();
const targets = z.record(z.string(), z.enum(targetTypes)).default({});

/** What labels any operation has, whatever its kind. */
const labels = {
  reaches: z.enum(reaches).describe('Where arguments may go'),
  accepts: z.enum(sensitivities).optional().describe('Highest sensitivity that may be sent; `public` when it reaches outside, else `restricted`'),
  returns: z.strictObject({
    sensitivity: z.enum(sensitivities),
    categories: z.array(slug).default([]),
    integrity: z.enum(integrities).default('external'),
    fields: z.record(pointer, fieldLabel).default({}),
  }),
};

export const toolManifest = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(longestAddress.tool)
    .refine((name) => !isKeyOfAnother(name), 'a name that does not start with `resource:`, `template:` or `prompt:`')
    .describe("The upstream's own name of the tool"),
  as: as.optional().describe('The part after `<upstream>__`, when the own name does not fit'),
  says: says.describe('What the tool does, in words for reviewers'),
  effect: z.enum(effects),
  ...labels,
  targets: targets.describe('Arguments that decide on whom or what an effect lands'),
  idempotency: z
    .string()
    .regex(/^(none|(argument|header):[A-Za-z0-9_-]{1,64})$/, '`none`, `argument:<name>` or `header:<name>`')
    .default('none'),
  additional_arguments: z.boolean().default(false).describe('Let undeclared argument properties through'),
});
export type ToolManifest = z.infer<typeof toolManifest>;

const resourceAs = as.describe('The part after `<upstream>__`, by which it is granted');
const resourceSays = says.describe('What it holds, in words for reviewers');

const resourceManifest = z.union([
  z.strictObject({
    uri: z.string().min(1).max(longestAddress.resource).describe('The address, exactly as the upstream lists it'),
    as: resourceAs,
    says: resourceSays,
    ...labels,
  }),
  z.strictObject({
    template: z.string().min(1).max(longestAddress.template).describe('The URI template (RFC 6570), exactly as the upstream lists it'),
    as: resourceAs,
    says: resourceSays,
    ...labels,
    targets: targets.describe('Variables that decide on what is read'),
  }),
]);

const promptManifest = z.strictObject({
  name: z.string().min(1).max(longestAddress.prompt).describe("The upstream's own name of the prompt"),
  as: as.optional().describe('The part after `<upstream>__`, when the own name does not fit'),
  says: says.describe('What it asks of a model, in words for reviewers'),
  ...labels,
  targets: targets.describe('Arguments that decide on what is answered'),
});

const transport = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('stdio'),
    command: slug.describe("One of the operator's commands"),
    env: z
      .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string())
      .default({})
      .describe("The child's whole environment; `{folder}/…` lies in its own working folder"),
  }),
  z.strictObject({ type: z.literal('http'), url: z.url({ protocol: /^https?$/ }) }),
  z.strictObject({ type: z.literal('openapi'), document: z.string() }),
]);

export const duration = z.string().regex(/^[1-9][0-9]{0,5}[smhd]$/, 'a duration: 90s, 30m, 4h, 7d');

/** All that an upstream's document registers. */
export const upstreamLists = z.strictObject({
  tools: z.array(toolManifest).default([]),
  resources: z.array(resourceManifest).optional().describe('Resources and resource templates that may be read'),
  prompts: z.array(promptManifest).optional().describe('Prompts that may be taken, each answered for by somebody'),
});

export const upstreamDocument = z
  .strictObject({
    apiVersion,
    kind: z.literal('Upstream'),
    tenant: slug,
    name: upstreamName,
    transport,
    credential: slug.optional(),
    principal: z.enum(['shared', 'agent', 'sponsor']).default('shared').describe('Whom the upstream sees'),
    egress: z.array(z.string().min(1)).default([]).describe('Hosts that may be reached, `host` or `host:port`; the only way to a private address'),
    deadline: duration.default('30s'),
    max_concurrent: z.int().min(1).max(1024).optional().describe('Calls at once; 64 over HTTP and 16 over stdio when left out'),
    max_result_bytes: z.int().min(1024).max(16_777_216).default(1_048_576),
    ...upstreamLists.shape,
  })
  .refine(
    ({ tools, resources = [], prompts = [] }) => tools.length + resources.length + prompts.length > 0,
    'at least one of `tools`, `resources` and `prompts`',
  );
export type UpstreamDocument = z.infer<typeof upstreamDocument>;

export const credentialDocument = z.strictObject({
  apiVersion,
  kind: z.literal('Credential'),
  tenant: slug,
  name: slug,
  type: z.literal('static'),
  inject: z.union([
    z.strictObject({ env: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/) }),
    z.strictObject({ channel: slug }).describe('The channel that signs or logs in with it'),
    z.strictObject({ header: z.string().regex(/^[A-Za-z0-9-]{1,64}$/), prefix: z.string().max(32).default('') }),
  ]),
});
export type CredentialDocument = z.infer<typeof credentialDocument>;
