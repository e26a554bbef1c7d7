import type { AttestedBy, Effect, Label, Reaches, Sensitivity } from './vocabulary.ts';

/** Everything a decision may read: the facts of one call, at one moment. Times are epoch seconds. */
export interface CallFacts {
  readonly tenant: string;
  readonly agent: {
    readonly name: string;
    readonly tenant: string;
    readonly owner: string;
    readonly workflow: string;
    readonly clearance: Sensitivity;
    readonly status: 'active' | 'suspended';
  };
  readonly sponsor: { readonly person: string; readonly groups: readonly string[]; readonly standing: 'active' | 'none' };
  readonly tool: ToolFacts;
  readonly session: {
    readonly id: string;
    readonly tenant: string;
    readonly useCase: string;
    readonly mode: 'delegated' | 'autonomous';
    readonly attestedBy: AttestedBy;
    readonly live: boolean;
    readonly granted: boolean;
    readonly ceiling: Sensitivity;
    /** Seconds since it was opened. */
    readonly age: number;
    readonly calls: number;
    readonly label: Label;
  };
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The arguments as they will be sent. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly token: { readonly bound: boolean };
  readonly now: number;
  readonly satisfied: readonly string[];
}

export interface ToolFacts {
  /** Brokered name, `<upstream>__<tool>`. */
  readonly name: string;
  readonly upstream: string;
  readonly tenant: string;
  readonly effect: Effect;
  readonly reaches: Reaches;
  /** Highest sensitivity that may be sent to it. */
  readonly accepts: Sensitivity;
  /** What its results carry. */
  readonly returns: Label;
  /** The live definition is the pinned one. */
  readonly pinned: boolean;
}

/** A tool as policy sees it at load: its facts and the JSON Schema of its arguments. */
export interface PolicyTool {
  readonly name: string;
  readonly upstream: string;
  readonly effect: Effect;
  readonly reaches: Reaches;
  readonly accepts: Sensitivity;
  readonly returns: Label;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** All that compiling a tenant's law needs. */
export interface PolicySource {
  readonly tenant: string;
  readonly files: readonly { readonly file: string; readonly text: string; readonly cases: string | null }[];
  readonly tools: readonly PolicyTool[];
  /** Input schemas of every use case, by name: `context.inputs` is typed from their union, all optional. */
  readonly useCases: readonly {
    readonly name: string;
    readonly workflow: string;
    readonly inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  }[];
  readonly agents: readonly { readonly name: string; readonly workflow: string }[];
}

export interface PolicyProblem {
  readonly file: string;
  readonly line: number | null;
  /** The policy's `@id`, when it has one. */
  readonly policy: string | null;
  readonly cause: string;
  readonly remedy: string;
}
