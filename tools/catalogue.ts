import { join, type Label, type PolicyTool, type Sensitivity } from '../policies/index.ts';
import { compileSchema } from './arguments.ts';
import { closed, withoutHeaderMirrors } from './closing.ts';
import { type Definition, keyOf, kindOf, type PromptDefinition, type ResourceDefinition, type TemplateDefinition, type ToolDefinition } from './definition.ts';
import { definitionDigest } from './digest.ts';
import type { ToolManifest, UpstreamDocument } from './manifest.ts';
import { type OperationManifest, operationsOf } from './operations.ts';
import type { ArgumentProblem } from './problems.ts';
import { isObject } from './schema.ts';
import { checkAddress, noArguments, promptSchema, variablesSchema } from './synthesised.ts';
import { parseTemplate, type UriTemplate } from './uri-template.ts';

interface Operation {
  /** `<upstream>__<tool>`, `[A-Za-z0-9_-]`, at most 64. */
  readonly name: string;
  readonly upstream: string;
  /** As its upstream has it: a tool's or prompt's name, a URI, a URI template. */
  readonly address: string;
  readonly manifest: OperationManifest;
  /** SHA-256 of the definition's canonical form, hex. */
  readonly digest: string;
  /** What every result carries: the join of the tool's own label and all its fields'. */
  readonly label: Label;
  /** The schema as agents see it: closed unless the manifest opens it, `x-mcp-header` stripped; what has none gets one of ours. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  validate(args: unknown): readonly ArgumentProblem[];
}

/** One registered, pinned, labelled operation of a tenant; its definition is as pinned. */
export type BrokeredTool = Operation &
  (
    | { readonly kind: 'tool'; readonly definition: ToolDefinition }
    | { readonly kind: 'resource'; readonly definition: ResourceDefinition }
    | { readonly kind: 'template'; readonly definition: TemplateDefinition; readonly template: UriTemplate }
    | { readonly kind: 'prompt'; readonly definition: PromptDefinition }
  );

export interface CatalogueProblem {
  readonly manifest: OperationManifest;
  readonly cause: string;
  readonly remedy: string;
}
interface Why {
  readonly cause: string;
  readonly remedy: string;
}

const longestName = 64;

/** `<upstream>__<tool>`; null when it does not fit `[A-Za-z0-9_-]{1,64}`. */
export function brokeredName(upstream: string, manifest: Pick<ToolManifest, 'as' | 'name'>): string | null {
  const name = `${upstream}__${manifest.as ?? manifest.name}`;
  return name.length <= longestName && /^[A-Za-z0-9_-]+$/.test(name) ? name : null;
}

/** Why a manifest cannot be taken, whatever the upstream lists. */
export function manifestProblem(upstream: string, manifest: OperationManifest): Why | null {
  if (brokeredName(upstream, manifest) === null)
    return { cause: 'its brokered name does not fit [A-Za-z0-9_-], at most 64', remedy: 'give it a shorter name with `as:`' };
  if (manifest.kind === 'template') {
    const template = parseTemplate(manifest.name);
    if ('cause' in template) return template;
  }
  // A host puts its words where it puts its user's, and nothing marks them there.
  if (manifest.kind === 'prompt' && labelOf(manifest).integrity === 'external')
    return {
      cause: 'a prompt of external integrity would speak to the model as its user, and nobody answers for what it says',
      remedy: 'have somebody read it and give `returns.integrity` `tenant` or `trusted`, or leave it out',
    };
  return null;
}

/** The operations an upstream may broker: each labelled by the document and pinned in the store, or a problem that says why not. */
export function makeCatalogue(
  upstream: UpstreamDocument,
  pins: readonly { readonly tool: string; readonly definition: Definition; readonly digest: string }[],
): { readonly tools: readonly BrokeredTool[]; readonly problems: readonly CatalogueProblem[] } {
  const tools: BrokeredTool[] = [];
  const problems: CatalogueProblem[] = [];
  const pinned = new Map(pins.map((pin) => [pin.tool, pin]));
  const taken = new Set<string>();
  for (const manifest of operationsOf(upstream)) {
    const problem = ({ cause, remedy }: Why): void => void problems.push({ manifest, cause, remedy });
    const name = brokeredName(upstream.name, manifest) ?? '';
    const pin = pinned.get(manifest.key);
    const unfit = manifestProblem(upstream.name, manifest);
    if (unfit !== null) problem(unfit);
    else if (taken.has(name)) problem({ cause: `another tool of this upstream is already called ${name}`, remedy: 'give one of them another name with `as:`' });
    else if (pin === undefined) problem({ cause: 'the upstream does not list it', remedy: 'take it out of the document, or correct its name' });
    else if (keyOf(pin.definition) !== manifest.key) problem({ cause: 'its pinned definition is of something else', remedy: 'apply the upstream again' });
    else if (pin.digest !== definitionDigest(pin.definition))
      problem({ cause: 'its pinned definition does not have the pinned digest', remedy: 'apply the upstream again' });
    else {
      const made = makeTool(upstream.name, name, manifest, pin.definition, pin.digest);
      if ('cause' in made) problem(made);
      else {
        tools.push(made);
        taken.add(name);
      }
    }
  }
  return { tools: tools.sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

function makeTool(upstream: string, name: string, manifest: OperationManifest, definition: Definition, digest: string): BrokeredTool | Why {
  const made = takes(manifest, definition);
  if ('cause' in made) return made;
  const { inputSchema, template } = made;
  const compiled = compileSchema(inputSchema);
  if ('unsupported' in compiled) return { cause: `its input schema cannot be checked: ${compiled.unsupported}`, remedy: `${compiled.remedy}, at the upstream` };
  const declared = isObject(inputSchema['properties']) ? inputSchema['properties'] : {};
  const named = [...Object.keys(manifest.targets), ...(manifest.idempotency.startsWith('argument:') ? [manifest.idempotency.slice('argument:'.length)] : [])];
  const missing = named.find((argument) => !Object.hasOwn(declared, argument));
  if (missing !== undefined) return { cause: `its schema has no argument \`${missing}\``, remedy: 'correct `targets` or `idempotency`' };
  const validate = (args: unknown): readonly ArgumentProblem[] => {
    const problems = compiled.check(args);
    return problems.length === 0 && template && isObject(args) ? checkAddress(template, args) : problems;
  };
  const of = { kind: kindOf(definition), definition, ...(template ? { template } : {}) };
  return { name, upstream, ...of, address: manifest.name, manifest, digest, label: labelOf(manifest), inputSchema, validate } as BrokeredTool;
}

/** What arguments an operation takes, as a closed schema; of a template also what they fill in. */
function takes(
  manifest: OperationManifest,
  definition: Definition,
): { readonly inputSchema: Readonly<Record<string, unknown>>; readonly template?: UriTemplate } | Why {
  switch (definition.kind) {
    case undefined: {
      if (definition.inputSchema['type'] !== 'object') return { cause: 'its input schema is not of type object', remedy: 'have the upstream corrected' };
      const plain = withoutHeaderMirrors(definition.inputSchema);
      return { inputSchema: manifest.additional_arguments ? plain : closed(plain) };
    }
    case 'resource':
      return { inputSchema: noArguments };
    case 'template': {
      const template = parseTemplate(definition.uriTemplate);
      return 'cause' in template ? template : { inputSchema: variablesSchema(template), template };
    }
    case 'prompt': {
      const inputSchema = promptSchema(definition);
      return inputSchema === null
        ? { cause: 'it has two arguments of one name, or one whose name starts with `__`', remedy: 'have the upstream corrected' }
        : { inputSchema };
    }
  }
}

/** A result is as sensitive as its most sensitive field and as doubtful as its most doubtful one. */
function labelOf(manifest: Pick<ToolManifest, 'returns'>): Label {
  const { sensitivity, categories, integrity, fields } = manifest.returns;
  const own: Label = { sensitivity, categories: [...new Set(categories)].sort(), integrity };
  return Object.values(fields).reduce<Label>(
    (label, field) =>
      join(label, {
        sensitivity: field.sensitivity ?? 'public',
        categories: field.categories ?? [],
        integrity: field.integrity ?? 'trusted',
      }),
    own,
  );
}

/** Highest sensitivity that may be sent: what the document says, else nothing that is not public when it leaves the tenant. */
export function acceptsOf(manifest: Pick<ToolManifest, 'accepts' | 'reaches'>): Sensitivity {
  return manifest.accepts ?? (manifest.reaches === 'external' ? 'public' : 'restricted');
}

export function toPolicyTool(tool: BrokeredTool): PolicyTool {
  const { effect, reaches } = tool.manifest;
  return { name: tool.name, upstream: tool.upstream, effect, reaches, accepts: acceptsOf(tool.manifest), returns: tool.label, inputSchema: tool.inputSchema };
}
