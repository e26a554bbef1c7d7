import { z } from 'zod';
import type { Standing } from '../approvals/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person, Role } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { Problem } from './problem.ts';

/** Who asks, as the tenant's document has them at the revision this request is answered under. */
export interface Asker {
  readonly person: Person;
  readonly standing: Standing;
  readonly snapshot: TenantSnapshot;
}

/** `anyone`: every authenticated person of the tenant, the endpoint itself shows each only what is theirs. `named`: those the tenant document names. */
export type Access = 'anyone' | 'named' | readonly Role[];

/** One operation of `/v1`: its shapes are what is checked and what `openapi.json` says. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Below `/v1`, placeholders in braces. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly query: z.ZodType;
  readonly body: z.ZodType | null;
  readonly answer: z.ZodType;
  readonly status: 200 | 201;
  run(ports: Ports, asker: Asker, input: Input<unknown, unknown>): Promise<object>;
}

export interface Input<Q, B> {
  param(name: string): string;
  readonly query: Q;
  readonly body: B;
  /** `Idempotency-Key`, when the client sent one. */
  readonly idempotencyKey: string | null;
}

interface Spec<Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType> {
  readonly method: Endpoint['method'];
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  readonly status?: 201;
  run(ports: Ports, asker: Asker, input: Input<z.output<Q>, z.output<B>>): Promise<z.output<A> | Problem>;
}

const none = z.strictObject({});

export function endpoint<A extends z.ZodType, Q extends z.ZodType = typeof none, B extends z.ZodType = typeof none>(spec: Spec<Q, B, A>): Endpoint {
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    access: spec.access,
    query: spec.query ?? none,
    body: spec.body ?? null,
    answer: spec.answer,
    status: spec.status ?? 200,
    // The door has parsed query and body with these very schemas.
    run: (ports, asker, input) => spec.run(ports, asker, input as Input<z.output<Q>, z.output<B>>) as Promise<object>,
  };
}

export const paging = {
  cursor: z.string().min(1).max(200).optional().describe('`next` of the page before'),
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(50),
};
export const paged = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable().describe('Cursor of the next page; null on the last') });

/** A list that fits one page. */
export const whole = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), next: z.null() });

/** Times on the wire are whole seconds. */
export const seconds = (ms: number): number => Math.floor(ms / 1000);
