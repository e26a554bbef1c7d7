import { html } from 'hono/html';
import { z } from 'zod';
import type { Standing } from '../approvals/index.ts';
import type { TenantSnapshot } from '../documents/snapshot.ts';
import type { Person, Role } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import type { Notice } from './notices.ts';

/*
 * How to add a page: one file below `pages/` that makes it with `page` and what can be done on it with `action`, and a line for
 * each in `pages.ts`. The door has checked login, role, query and form, and for actions the CSRF token and where the request
 * came from, before either runs. A page is written with `html` of this folder's libraries, which escapes what is put into it;
 * text of an agent or an upstream goes through `visibly` (`parts/visible.ts`). No inline script or style is allowed to run; what
 * a page needs of them goes into `assets/`. It must work without script.
 */

export type Html = ReturnType<typeof html>;

/** Somebody at the console, as the tenant's document has them at the revision this request is answered under. */
export interface Visitor {
  readonly person: Person;
  readonly standing: Standing;
  readonly snapshot: TenantSnapshot;
  /** Tells one login of theirs from another; no secret. How fresh it is stands in `person`. */
  readonly login: string;
  /** Groups their issuer stated at this login, where a trust root goes by that. */
  readonly claimedGroups: readonly string[];
  /** What each form of theirs must carry; `form` puts it there. */
  readonly csrf: string;
}

export interface Input<T> {
  param(name: string): string;
  readonly values: T;
}

export interface Shown {
  readonly title: string;
  readonly body: Html;
  /** What changes it: where script runs, it is fetched anew when one of these does. */
  readonly live?: 'approvals' | 'changes';
  /** Where its form sends the browser on to, beyond the console. */
  readonly sendsTo?: string;
}
export interface Refused {
  readonly refused: 403 | 404 | 409 | 422 | 429;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}
export interface Done {
  /** A path of the console. */
  readonly to: string;
  readonly say: Notice | null;
}

/** For the console's own script, which asked for it. */
export interface Answered {
  readonly json: object;
}

/** The address of another site that a sponsor's browser is sent on to. */
export interface Away {
  readonly away: string;
}

/** `named`: everybody the tenant document names; else those with one of these roles. `anyone`: also whom the tenant knows by their issuer's groups alone. */
export type Access = 'anyone' | 'named' | readonly Role[];

export interface Page {
  /** Below `/console`; Hono's placeholders. */
  readonly path: string;
  /** Its entry in the navigation; null for one that others lead to. */
  readonly nav: string | null;
  readonly access: Access;
  readonly query: z.ZodType;
  show(ports: Ports, visitor: Visitor, input: Input<unknown>): Promise<Shown | Refused>;
}
export interface Action {
  readonly path: string;
  readonly access: Access;
  readonly fields: z.ZodType;
  run(ports: Ports, visitor: Visitor, input: Input<unknown>): Promise<Done | Answered | Away | Shown | Refused>;
}

const none = z.object({});

export function page<Q extends z.ZodType = typeof none>(spec: {
  readonly path: string;
  readonly nav?: string;
  readonly access: Access;
  readonly query?: Q;
  show(ports: Ports, visitor: Visitor, input: Input<z.output<Q>>): Promise<Shown | Refused>;
}): Page {
  return {
    path: spec.path,
    nav: spec.nav ?? null,
    access: spec.access,
    query: spec.query ?? none,
    show: (ports, visitor, input) => spec.show(ports, visitor, input as Input<z.output<Q>>),
  };
}

export function action<F extends z.ZodType>(spec: {
  readonly path: string;
  readonly access: Access;
  readonly fields: F;
  run(ports: Ports, visitor: Visitor, input: Input<z.output<F>>): Promise<Done | Answered | Away | Shown | Refused>;
}): Action {
  return { ...spec, run: (ports, visitor, input) => spec.run(ports, visitor, input as Input<z.output<F>>) };
}

/** A form that posts to a path of the console. */
export const form = (
  visitor: Visitor,
  path: string,
  body: Html,
  kind = 'plain',
): Html => html`<form method="post" action="/console${path}" class="form-${kind}">
<input type="hidden" name="csrf" value="${visitor.csrf}">${body}</form>`;

/** The one answer for what is not there and what is not the visitor's. */
export const notHere = (): Refused => ({
  refused: 404,
  code: 'not_found',
  message: 'There is nothing here for you.',
  remedy: 'It may be over, or belong to somebody else. Go on from the queue.',
});

export const isRefused = (answer: Shown | Done | Answered | Away | Refused): answer is Refused => 'refused' in answer;

export function mayUse(access: Access, { roles, name }: Standing): boolean {
  if (access === 'anyone') return true;
  return access === 'named' ? name !== null : access.some((role) => roles.has(role));
}
