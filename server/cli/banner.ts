import { type ObservedUseCase, type Plan, waitingSentence } from '../documents/index.ts';
import type { ChangeRow } from '../store/store.ts';
import { paint } from './print.ts';
import { summarizePlan } from './summarize-plan.ts';

interface Started {
  readonly url: string;
  readonly data: string;
  readonly samples: boolean;
  readonly unconfined: readonly string[];
  readonly observed: readonly ObservedUseCase[];
  /** Null when nothing changed. */
  readonly plan: Plan | null;
  /** What of the documents waits for a second admin. */
  readonly waiting: readonly ChangeRow[];
}

/** What `serve` says once it is ready: where the doors are and what to try first. */
export function banner({ url, data, samples, unconfined, observed, plan, waiting }: Started): string {
  const say = (title: string, command: string): string => `  ${title}\n    ${paint('cyan', `npx taskgate ${command}${where}`)}\n`;
  const where = [url === 'http://localhost:7411' ? '' : ` --url ${url}`, data === './data' ? '' : ` --data ${data}`].join('');
  const lines = [
    `${paint('bold', 'Taskgate')} is ready at ${paint('bold', url)}`,
    `  MCP      ${url}/mcp and ${url}/sessions/<id>/mcp`,
    `  Tokens   ${url}/t/<tenant>/oauth/token`,
    `  People   ${url}/v1`,
    '',
  ];
  if (plan !== null) {
    lines.push(
      `Documents applied${samples ? ' (the samples, from policies/ and tools/registry/)' : ''}; the record holds each change:`,
      summarizePlan(plan),
      '',
    );
  }
  if (samples) {
    lines.push(
      'Try next, in another terminal:',
      say(
        'be ana of finance, and open a session as the sample agent',
        `login --tenant acme --as ana${where} && npx taskgate session open --agent invoice-matcher --use-case match-invoices --input invoice=INV-7`,
      ),
      say('see what waits for a human, as a reviewer', `login --tenant acme --as bob${where} && npx taskgate approval list`),
      say(
        'give an MCP host the tools of one task (see mcp.json)',
        'connect --tenant acme --agent invoice-matcher --use-case match-invoices --input invoice=INV-7',
      ),
      say('is the record whole?', 'audit verify'),
      '  or watch the whole story, checked at each step:',
      `    ${paint('cyan', 'npx taskgate demo')}`,
      '',
      `${paint('yellow', 'Note')} The people and agents here are the \`local\` provider's: whoever can read ${data}/local can act as any of them.`,
    );
  }
  if (unconfined.length > 0) lines.push(`${paint('yellow', 'Note')} Unconfined commands, which run without Node's permission model: ${unconfined.join(', ')}`);
  for (const { tenant, useCase, owner, until } of observed)
    lines.push(`${paint('red', 'OBSERVED')} ${tenant} ${useCase} (${owner}) until ${until}: policy of the tenant is recorded and NOT enforced`);
  for (const change of waiting) lines.push(`${paint('red', 'WAITS')} ${waitingSentence(change)}${where}`);
  return lines.join('\n');
}
