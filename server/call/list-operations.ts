import { listableObserved } from '../../policies/index.ts';
import { type BrokeredTool, type ResourceDefinition, soberHints, type TemplateDefinition } from '../../tools/index.ts';
import type { ListedPrompt, ListedResource, ListedTemplate, ListedTool } from './call.ts';
import type { Session } from './enter-session.ts';
import { atAddress } from './find-operation.ts';
import { gatherFacts } from './gather-facts.ts';
import { isRefusal } from './refusals.ts';
import { currentGrant } from './resolve-tool.ts';

type Of<K extends BrokeredTool['kind']> = Extract<BrokeredTool, { readonly kind: K }>;

/** The granted operations of one kind that policy does not deny whatever the arguments, by name: what is callable is always listed. */
function granted<K extends BrokeredTool['kind']>(session: Session, kind: K): readonly Of<K>[] {
  const found: Of<K>[] = [];
  for (const grant of session.row.grants) {
    const tool = session.tenant.tools.get(grant.tool);
    if (!isOf(tool, kind) || tool.digest !== grant.digest || session.tenant.quarantined.has(tool.name)) continue;
    if (currentGrant(session, grant.tool)?.digest === grant.digest && mayList(session, tool)) found.push(tool);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const isOf = <K extends BrokeredTool['kind']>(tool: BrokeredTool | undefined, kind: K): tool is Of<K> => tool?.kind === kind;

function mayList(session: Session, tool: BrokeredTool): boolean {
  const { policy } = session.tenant;
  const facts = gatherFacts(session, tool, true);
  return session.observedUntil === null ? policy.listable(facts) : listableObserved(policy, facts);
}

export const listTools = (session: Session): readonly ListedTool[] =>
  granted(session, 'tool').map(({ name, inputSchema, manifest, definition }) => {
    const { title, description, outputSchema, annotations } = definition;
    return {
      name,
      inputSchema,
      ...present({ title, description, outputSchema, annotations: annotations && soberHints(manifest, annotations) }),
    };
  });

/** What two upstreams have at one address cannot be read, and so is not listed either. */
export const listResources = (session: Session): readonly ListedResource[] =>
  granted(session, 'resource')
    .filter(({ definition }) => !isRefusal(atAddress(session, definition.uri)))
    .map(({ name, definition }) => ({ uri: definition.uri, name, ...described(definition) }));

export function listTemplates(session: Session): readonly ListedTemplate[] {
  const all = session.row.grants.flatMap(({ tool }) => session.tenant.tools.get(tool) ?? []);
  return granted(session, 'template')
    .filter(({ address }) => all.filter((other) => other.kind === 'template' && other.address === address).length === 1)
    .map(({ name, definition }) => ({ uriTemplate: definition.uriTemplate, name, ...described(definition) }));
}

export const listPrompts = (session: Session): readonly ListedPrompt[] =>
  granted(session, 'prompt').map(({ name, definition }) => {
    const { title, description, arguments: takes } = definition;
    return { name, ...present({ title, description, arguments: takes?.map((one) => ({ name: one.name, ...present({ ...one }) })) }) };
  });

/** Which kinds but tools the session's use case has any of: what it was opened without may still be added to it. */
export function kindsOf({ row, tenant }: Session): { readonly resources: boolean; readonly prompts: boolean } {
  const grants = [...row.grants, ...(tenant.useCases.get(row.useCase)?.grants ?? [])];
  const kinds = new Set(grants.map(({ tool }) => tenant.tools.get(tool)?.kind));
  return { resources: kinds.has('resource') || kinds.has('template'), prompts: kinds.has('prompt') };
}

/** The upstream's own name is for people to read: what is granted and refused is called by its brokered one. */
function described({ name, title = name, description, mimeType, annotations }: ResourceDefinition | TemplateDefinition) {
  return { title, ...present({ description, mimeType, annotations }) };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
/** Without what is not there. */
function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Present<T>;
}
