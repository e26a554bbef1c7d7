import { html } from 'hono/html';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Choice } from '../../oauth/index.ts';
import type { SessionGrant } from '../../store/index.ts';
import type { Html } from '../page.ts';
import { visibly } from '../parts/visible.ts';
import { effectWords, reachWords, toolWords } from '../parts/words.ts';

/** What a task of this use case may do, in words. */

const named = {
  maximum: 'at most',
  minimum: 'at least',
  maxLength: 'at most this many characters:',
  pattern: 'of the form',
  const: 'only',
  enum: 'one of',
  exclusiveMaximum: 'below',
  exclusiveMinimum: 'above',
} as const;

/** One argument's constraint, as one says it; what has no words of its own stands as it is written. */
function constraintWords(constraint: SessionGrant['arguments'][string]): string {
  if ('from' in constraint) return `what you give as ${String(constraint['from']).replace(/^inputs\./, '')}`;
  const { type: _, ...rest } = constraint as Record<string, unknown>;
  return Object.entries(rest)
    .map(([name, value]) => {
      const text = Array.isArray(value)
        ? value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ')
        : typeof value === 'string'
          ? value
          : JSON.stringify(value);
      return `${Object.hasOwn(named, name) ? named[name as keyof typeof named] : name} ${text}`;
    })
    .join(', ');
}

const firstOfEach = (grants: readonly SessionGrant[]): SessionGrant[] =>
  grants.filter((grant, at) => grants.findIndex(({ tool }) => tool === grant.tool) === at);

export function grantsInWords(snapshot: TenantSnapshot, { useCase }: Choice): Html {
  const grants = firstOfEach(snapshot.useCases.get(useCase.name)?.grants ?? []);
  const order = ['destructive', 'write', 'read'];
  const effectOf = ({ tool }: SessionGrant): string => snapshot.tools.get(tool)?.manifest.effect ?? 'destructive';
  const sorted = [...grants].sort((a, b) => order.indexOf(effectOf(a)) - order.indexOf(effectOf(b)));
  return html`<ul class="plain grants">${sorted.map((grant) => {
    const manifest = snapshot.tools.get(grant.tool)?.manifest;
    const limits = Object.entries(grant.arguments);
    return html`<li><strong>${toolWords(snapshot, grant.tool)}</strong> <code>${grant.tool}</code>
<span class="quiet">${manifest ? `${effectWords[manifest.effect]}. ${reachWords[manifest.reaches]}.` : ''}${grant.maxCalls === null ? '' : ` At most ${grant.maxCalls} times.`}</span>
${limits.length === 0 ? '' : html`<ul class="quiet">${limits.map(([name, constraint]) => html`<li>${name}: ${visibly(constraintWords(constraint))}</li>`)}</ul>`}</li>`;
  })}</ul>`;
}
