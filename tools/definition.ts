/** What an upstream offers, as it lists it: kept verbatim, and nothing in it trusted. */

export const operationKinds = ['tool', 'resource', 'template', 'prompt'] as const;
/** What of an upstream an operation is: something to call, to read at one address or at many, or to be prompted with. */
export type OperationKind = (typeof operationKinds)[number];

type Json = Readonly<Record<string, unknown>>;

/** MCP `Tool`. */
export interface ToolDefinition extends Described {
  /** Tools came first: their definitions name no kind, and are pinned as they are. */
  readonly kind?: undefined;
  readonly inputSchema: Json;
  readonly outputSchema?: Json | undefined;
  readonly annotations?: Json | undefined;
}

interface Described {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
}

interface Readable extends Described {
  readonly mimeType?: string | undefined;
  readonly annotations?: Json | undefined;
}

/** MCP `Resource`, without what changes whenever its content does. */
export interface ResourceDefinition extends Readable {
  readonly kind: 'resource';
  readonly uri: string;
}

/** MCP `ResourceTemplate`. */
export interface TemplateDefinition extends Readable {
  readonly kind: 'template';
  readonly uriTemplate: string;
}

interface PromptArgument {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required?: boolean | undefined;
}

/** MCP `Prompt`. */
export interface PromptDefinition extends Described {
  readonly kind: 'prompt';
  readonly arguments?: readonly PromptArgument[] | undefined;
}

export type Definition = ToolDefinition | ResourceDefinition | TemplateDefinition | PromptDefinition;

export const kindOf = (definition: Definition): OperationKind => definition.kind ?? 'tool';

/** The longest that a document can register, and so that is listed. */
export const longestAddress = { tool: 128, resource: 2_048, template: 2_048, prompt: 128 } as const satisfies Record<OperationKind, number>;

/** How the upstream itself calls it: a name, a URI, a URI template. */
export function addressOf(definition: Definition): string {
  switch (definition.kind) {
    case 'resource':
      return definition.uri;
    case 'template':
      return definition.uriTemplate;
    default:
      return definition.name;
  }
}

/**
 * Names an operation among all of its upstream: in pins, in what is held, in what is accepted. A tool's is its own name, and none whose
 * name reads like the key of another kind is listed or registered.
 */
export const operationKey = (kind: OperationKind, address: string): string => (kind === 'tool' ? address : `${kind}:${address}`);

export const keyOf = (definition: Definition): string => operationKey(kindOf(definition), addressOf(definition));

export const isKeyOfAnother = (toolName: string): boolean => /^(resource|template|prompt):/.test(toolName);
