import { z } from 'zod';
import { definitionDigest } from '../../tools/index.ts';

/** What a session may ask for beside what it has. Nothing else of it can be asked: another ceiling or purpose is another use case. */
export const extensionAsked = z.strictObject({
  minutes: z.int().min(1).max(44_640).optional().describe('How much longer than it would last now'),
  calls: z.int().min(1).max(1_000_000).optional().describe('How many calls more'),
  amount: z.number().positive().max(1e11).optional().describe('How much more in amounts'),
  tools: z.array(z.string().min(1).max(64)).min(1).max(200).optional().describe('Tools of the use case that the task was opened without'),
  reason: z.string().trim().min(3).max(500).describe('Why, in a sentence; people read it as your words'),
});
export type ExtensionAsked = z.infer<typeof extensionAsked>;

/** The name under which it stands in approvals and records: Taskgate's own tool, which carries no `__`. */
export const extensionTool = 'request_access';

const { $schema: _, ...schema } = z.toJSONSchema(extensionAsked);
export const extensionSchema: Readonly<Record<string, unknown>> = schema;
export const extensionDigest = definitionDigest({ name: extensionTool, description: 'More of what the use case grants', inputSchema: schema });

/** What is decided, as it will stand: absolute, so that what was asked twice is one thing. */
export const extensionContent = z.strictObject({
  /** ISO 8601, whole seconds. */
  ends_at: z.iso.datetime().optional(),
  /** In all. */
  calls: z.int().optional(),
  amount: z.number().optional(),
  tools: z.array(z.string()).optional(),
  reason: z.string(),
});
export type ExtensionContent = z.infer<typeof extensionContent>;
