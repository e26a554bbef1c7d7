import type { Label } from '../policies/index.ts';
import type { ToolDefinition, ToolManifest } from './manifest.ts';

/** What is wrong with arguments, in words a model can act on; never the values. */
export interface ArgumentProblem {
  /** JSON Pointer into the arguments. */
  readonly path: string;
  readonly problem: string;
}

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
