import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { sha256Hex } from '../../../tools/index.ts';
import { isRefusal, type Refusal, refuse } from '../../call/refusals.ts';
import type { AgentDocument, UseCaseDocument } from '../../documents/kinds.ts';
import type { TenantSnapshot } from '../../documents/snapshot.ts';
import type { Ports } from '../../ports.ts';
import { boundsNow, checkTemplate, longestObjective, readInputs, sponsorStanding } from '../../sessions/index.ts';
import { agentsOf, clientLabel } from '../clients/client.ts';
import type { AuthorizationAsked } from './request.ts';

/** Seconds a code is good for: the program takes it at once, or not at all. */
export const codeSeconds = 120;

/** What a code stands for, as it was shown and pressed for; under another configuration it stands for nothing. */
export const codeContent = z.strictObject({
  client: z.string(),
  redirect: z.string(),
  challenge: z.string(),
  jkt: z.string().nullable().default(null),
  resource: z.string(),
  agent: z.string(),
  use_case: z.string(),
  objective: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  person: z.string(),
  claimed_groups: z.array(z.string()),
  revision: z.int(),
});
export type CodeContent = z.infer<typeof codeContent>;

/** Whoever sits at the page. */
export interface Sponsor {
  readonly person: string;
  readonly claimedGroups: readonly string[];
}
export interface Choice {
  readonly agent: AgentDocument;
  readonly useCase: UseCaseDocument;
}

/** What this person may let this client do: use cases they may sponsor, of agents whose documents name the client. Nothing else is on offer. */
export async function choicesFor(
  ports: Pick<Ports, 'store' | 'clock'>,
  snapshot: TenantSnapshot,
  { client }: Pick<AuthorizationAsked, 'client'>,
  { person, claimedGroups }: Sponsor,
): Promise<readonly Choice[]> {
  const at = ports.clock();
  const pairs = agentsOf(snapshot, client).flatMap((agent) => [...snapshot.useCases.values()].map(({ document }) => ({ agent, useCase: document })));
  const choices: Choice[] = [];
  for (const { agent, useCase } of pairs) {
    if (useCase.accountable !== undefined || useCase.workflow !== agent.workflow) continue;
    if (!sponsorStanding(snapshot, useCase, person, claimedGroups).stands) continue;
    const template = await checkTemplate(ports, snapshot, { agent: agent.name, useCase: useCase.name }, at);
    if (!isRefusal(template)) choices.push({ agent, useCase });
  }
  return choices;
}

/** What the page says the task will be bounded by. */
export const boundsOf = (ports: Pick<Ports, 'clock'>, { agent, useCase }: Choice) => boundsNow({ agent, useCase }, ports.clock());

export interface Consented {
  readonly agent: string;
  readonly useCase: string;
  readonly objective: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The configuration whose bounds were shown. */
  readonly revision: number;
}

/** Makes the code that stands for what the sponsor just consented to. Nothing is open until the client takes it. */
export async function consentTo(
  ports: Pick<Ports, 'store' | 'clock'>,
  snapshot: TenantSnapshot,
  asked: AuthorizationAsked,
  sponsor: Sponsor,
  to: Consented,
): Promise<{ readonly code: string } | Refusal> {
  const choice = (await choicesFor(ports, snapshot, asked, sponsor)).find(({ agent, useCase }) => agent.name === to.agent && useCase.name === to.useCase);
  if (!choice) return refuse('session.refused', 'This is not on offer.');
  if (to.revision !== snapshot.revision) return refuse('stale', 'What this task may do has changed since the page was made. Read it again.');
  if (to.objective.trim() === '' || to.objective.length > longestObjective) {
    return refuse('session.refused', `The objective must be text of at most ${longestObjective} characters.`);
  }
  const read = readInputs(choice.useCase, to.inputs);
  if (isRefusal(read)) return read;
  const at = ports.clock();
  const code = `tga_${randomBytes(32).toString('base64url')}`;
  const content: CodeContent = {
    client: asked.client.id,
    redirect: asked.redirect,
    challenge: asked.challenge,
    jkt: asked.jkt,
    resource: asked.resource,
    agent: choice.agent.name,
    use_case: choice.useCase.name,
    objective: to.objective,
    inputs: read.inputs,
    person: sponsor.person,
    claimed_groups: [...sponsor.claimedGroups],
    revision: snapshot.revision,
  };
  await ports.store.putAuthorizationCode(
    { tenant: snapshot.tenant, hash: sha256Hex(code), content: JSON.stringify(content), madeAt: at, expiresAt: at + codeSeconds * 1000 },
    {
      type: 'session.consented',
      at,
      tenant: snapshot.tenant,
      actor: sponsor.person,
      sponsor: sponsor.person,
      agent: content.agent,
      use_case: content.use_case,
      revision: content.revision,
      detail: clientLabel(asked.client),
      door: 'console',
    },
  );
  return { code };
}
