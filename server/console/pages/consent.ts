import { z } from 'zod';
import { isRefusal } from '../../call/refusals.ts';
import { choicesFor, consentTo, goBack, openRequest, refusal } from '../../oauth/index.ts';
import type { Ports } from '../../ports.ts';
import { readFields } from '../consent/inputs.ts';
import { type Consent, choosePage, consentPage, nothingPage } from '../consent/page.ts';
import { action, page, type Refused, type Visitor } from '../page.ts';

const over: Refused = {
  refused: 404,
  code: 'consent.over',
  message: 'This request cannot be answered any more.',
  remedy: 'Begin again at the program that sent you here.',
};
const foreign: Refused = {
  refused: 409,
  code: 'consent.other_tenant',
  message: 'This is asked of another tenant than the one you are logged in to.',
  remedy: 'Log out, and begin again at the program that sent you here.',
};

/** What was asked, for whoever is logged in to the tenant it was asked of. */
function read(ports: Ports, visitor: Visitor, sealed: string): Consent | Refused {
  const asked = openRequest(ports, sealed);
  if (!asked) return over;
  return asked.tenant === visitor.snapshot.tenant ? { asked, sealed } : foreign;
}
const sponsorOf = ({ person, claimedGroups }: Visitor) => ({ person: person.id, claimedGroups });

/** A program asks to act for whoever looks at this page. Nothing comes of looking. */
export const consent = page({
  path: '/consent/:request',
  access: 'anyone',
  query: z.object({ agent: z.string().optional(), use_case: z.string().optional() }),
  async show(ports, visitor, { param, values }) {
    const found = read(ports, visitor, param('request'));
    if ('refused' in found) return found;
    const choices = await choicesFor(ports, visitor.snapshot, found.asked, sponsorOf(visitor));
    const chosen = choices.filter(({ agent, useCase }) => (values.agent ?? agent.name) === agent.name && (values.use_case ?? useCase.name) === useCase.name);
    const [only] = chosen;
    if (!only) return nothingPage(visitor, found);
    return chosen.length > 1 ? choosePage(visitor, found, chosen) : consentPage(ports, visitor, found, only, {}, null);
  },
});

export const consentActions = [
  action({
    path: '/consent/:request',
    access: 'anyone',
    fields: z.object({ decision: z.string() }).catchall(z.string().optional()),
    async run(ports, visitor, { param, values }) {
      const found = read(ports, visitor, param('request'));
      if ('refused' in found) return found;
      const { asked } = found;
      if (values.decision !== 'approve') return { away: goBack(ports, asked, refusal('access_denied', 'The sponsor refused.')) };
      const { agent: agentName, use_case: useCaseName, objective = '', revision } = values;
      const choices = await choicesFor(ports, visitor.snapshot, asked, sponsorOf(visitor));
      const choice = choices.find(({ agent, useCase }) => agent.name === agentName && useCase.name === useCaseName);
      if (!choice) return over;
      const made = await consentTo(ports, visitor.snapshot, asked, sponsorOf(visitor), {
        agent: choice.agent.name,
        useCase: choice.useCase.name,
        objective: objective.replaceAll('\r\n', '\n'),
        inputs: readFields(choice.useCase.inputs, values),
        revision: Number(revision),
      });
      return isRefusal(made) ? consentPage(ports, visitor, found, choice, values, made.message) : { away: goBack(ports, asked, made) };
    },
  }),
];
