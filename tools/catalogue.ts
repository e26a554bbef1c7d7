import { join, type Label, type PolicyTool, type Sensitivity } from '../policies/index.ts';
import { compileSchema } from './arguments.ts';
import { closed, withoutHeaderMirrors } from './closing.ts';
import { definitionDigest } from './digest.ts';
import type { ToolDefinition, ToolManifest, UpstreamDocument } from './manifest.ts';
import type { ArgumentProblem } from './problems.ts';
import { isObject } from './schema.ts';

/** One registered, pinned, labelled operation of a tenant. */
export interface BrokeredTool {
  /** `<upstream>__<tool>`, `[A-Za-z0-9_-]`, at most 64. */
  readonly name: string;
  readonly upstream: string;
  readonly manifest: ToolManifest;
  /** As pinned. */
  readonly definition: ToolDefinition;
  /** SHA-256 of the definition's canonical form, hex. */
  readonly digest: string;
  /** What every result carries: the join of the tool's own label and all its fields'. */
  readonly label: Label;
  /** The schema as agents see it: closed unless the manifest opens it, `x-mcp-header` stripped. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  validate(args: unknown): readonly ArgumentProblem[];
}

export interface CatalogueProblem {
  /** The upstream's own name of the tool. */
  readonly tool: string;
  readonly cause: string;
  readonly remedy: string;
}

const longestName = 64;

/** `<upstream>__<tool>`; null when it does not fit `[A-Za-z0-9_-]{1,64}`. */
export function brokeredName(upstream: string, manifest: ToolManifest): string | null {
  const name = `${upstream}__${manifest.as ?? manifest.name}`;
  return name.length <= longestName && /^[A-Za-z0-9_-]+$/.test(name) ? name : null;
}

/** The tools an upstream may broker: each labelled by the document and pinned in the store, or a problem that says why not. */
export function makeCatalogue(
  upstream: UpstreamDocument,
  pins: readonly { readonly tool: string; readonly definition: ToolDefinition; readonly digest: string }[],
): { readonly tools: readonly BrokeredTool[]; readonly problems: readonly CatalogueProblem[] } {
  const tools: BrokeredTool[] = [];
  const problems: CatalogueProblem[] = [];
  const pinned = new Map(pins.map((pin) => [pin.tool, pin]));
  const taken = new Set<string>();
  for (const manifest of upstream.tools) {
    const problem = (cause: string, remedy: string): void => void problems.push({ tool: manifest.name, cause, remedy });
    const name = brokeredName(upstream.name, manifest);
    const pin = pinned.get(manifest.name);
    if (name === null) problem('its brokered name does not fit [A-Za-z0-9_-], at most 64', 'give it a shorter name with `as:`');
    else if (taken.has(name)) problem(`another tool of this upstream is already called ${name}`, 'give one of them another name with `as:`');
    else if (pin === undefined) problem('the upstream does not list it', 'take it out of the document, or correct its name');
    else if (pin.digest !== definitionDigest(pin.definition)) problem('its pinned definition does not have the pinned digest', 'apply the upstream again');
    else {
      const made = makeTool(upstream.name, name, manifest, pin.definition, pin.digest);
      if ('cause' in made) problem(made.cause, made.remedy);
      else {
        tools.push(made);
        taken.add(name);
      }
    }
  }
  return { tools: tools.sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

function makeTool(
  upstream: string,
  name: string,
  manifest: ToolManifest,
  definition: ToolDefinition,
  digest: string,
): BrokeredTool | { readonly cause: string; readonly remedy: string } {
  if (definition.inputSchema['type'] !== 'object') return { cause: 'its input schema is not of type object', remedy: 'have the upstream corrected' };
  const plain = withoutHeaderMirrors(definition.inputSchema);
  const inputSchema = manifest.additional_arguments ? plain : closed(plain);
  const compiled = compileSchema(inputSchema);
  if ('unsupported' in compiled) return { cause: `its input schema cannot be checked: ${compiled.unsupported}`, remedy: `${compiled.remedy}, at the upstream` };
  const declared = isObject(inputSchema['properties']) ? inputSchema['properties'] : {};
  const named = [...Object.keys(manifest.targets), ...(manifest.idempotency.startsWith('argument:') ? [manifest.idempotency.slice('argument:'.length)] : [])];
  const missing = named.find((argument) => !Object.hasOwn(declared, argument));
  if (missing !== undefined) return { cause: `its schema has no argument \`${missing}\``, remedy: 'correct `targets` or `idempotency`' };
  return { name, upstream, manifest, definition, digest, label: labelOf(manifest), inputSchema, validate: (args) => compiled.check(args) };
}

/** A result is as sensitive as its most sensitive field and as doubtful as its most doubtful one. */
function labelOf(manifest: ToolManifest): Label {
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
export function acceptsOf(manifest: ToolManifest): Sensitivity {
  return manifest.accepts ?? (manifest.reaches === 'external' ? 'public' : 'restricted');
}

export function toPolicyTool(tool: BrokeredTool): PolicyTool {
  const { effect, reaches } = tool.manifest;
  return { name: tool.name, upstream: tool.upstream, effect, reaches, accepts: acceptsOf(tool.manifest), returns: tool.label, inputSchema: tool.inputSchema };
}
