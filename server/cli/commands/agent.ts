import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { Failure } from '../../connect/index.ts';
import { changeDetail, tellWaiting } from '../changes.ts';
import { fields, moment, table } from '../print.ts';
import { answer, settingsOf, wholeNumber } from '../settings.ts';
import { openV1 } from '../v1.ts';

const agent = z.looseObject({
  name: z.string(),
  owner: z.string(),
  workflow: z.string(),
  clearance: z.string(),
  status: z.string(),
  expires: z.string(),
  review_by: z.string(),
});
const anything = z.looseObject({});
const connection = z.looseObject({ id: z.string(), created_by: z.string(), expires_at: z.int() });
const waiting = z.looseObject({ waiting: changeDetail.nullish() });

export function agentCommand(): Command {
  const group = new Command('agent').description('Agents: identities of a tenant, each with an owner, a purpose and an end');

  group
    .command('list')
    .description('Agents of the tenant')
    .action(async (_options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list('/agents', agent);
      answer(settings, { items }, () =>
        table(
          ['agent', 'owner', 'workflow', 'clearance', 'status', 'expires', 'review by'],
          items.map((one) => [one.name, one.owner, one.workflow, one.clearance, one.status, one.expires, one.review_by]),
        ),
      );
    });

  group
    .command('show <agent>')
    .description('One agent, whole')
    .action(async (name: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const shown = await (await openV1(settings)).get(`/agents/${encodeURIComponent(name)}`, anything);
      answer(settings, shown, () => fields(Object.entries(shown)));
    });

  group
    .command('suspend <agent>')
    .description('Stop an agent: it opens nothing more, and its sessions’ next calls are refused')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(setStatus('suspend'));

  group
    .command('activate <agent>')
    .description('Let a suspended agent act again, once another admin approves (exit 5); one that its document suspends stays so')
    .option('--reason <text>', 'why, for the record')
    .action(setStatus('activate'));

  group
    .command('keygen')
    .description('Make a workload key: the private JWK into a new file (0600), the public one on stdout for `identity: { jwk }`')
    .requiredOption('--out <file>', 'where the private JWK goes; must not exist')
    .addHelpText('after', '\nExample:\n  $ npx taskgate agent keygen --out ./matcher-key.json > matcher-public.json\n')
    .action(keygen);

  group
    .command('tokens <agent>')
    .description('Its connection tokens that can still be used, by the id that revokes them')
    .action(async (name: string, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const items = await (await openV1(settings)).list(`/agents/${encodeURIComponent(name)}/tokens`, connection);
      const rows = items.map((one) => [one.id, one.created_by, moment(one.expires_at)]);
      answer(settings, { items }, () => (items.length === 0 ? `${name} has no connection token.` : table(['token', 'made by', 'until'], rows)));
    });
  group
    .command('token <agent>')
    .description('Make a connection token for a host that can hold one static credential, shown once, good once another admin approves (exit 5); or revoke one')
    .option('--lifetime <days>', 'days until it ends, 1 to 365', days, 30)
    .addOption(new Option('--revoke <id>', 'revoke this one instead, by the id it was shown with').conflicts('lifetime'))
    .addHelpText(
      'after',
      '\nGood only at /mcp, and only for use cases that name their accountable person.\n\nExamples:\n  $ npx taskgate agent token explorer --lifetime 7\n  $ npx taskgate agent token explorer --revoke 5f1d…\n',
    )
    .action(async (name: string, options: { lifetime: number; revoke?: string }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const tokens = `/agents/${encodeURIComponent(name)}/tokens`;
      if (options.revoke !== undefined) {
        const revoked = await v1.delete(`${tokens}/${encodeURIComponent(options.revoke)}`, anything);
        return answer(settings, revoked, () => '');
      }
      const made = await v1.post(tokens, { expires_in: options.lifetime * 86_400 }, waiting.extend({ id: z.string(), token: z.string(), expires_at: z.int() }));
      const told = tellWaiting(made.waiting ? [made.waiting] : []);
      return answer(settings, made, () =>
        fields([
          ['token', `${made.token} (shown this once)`],
          ['id', `${made.id} (revokes it)`],
          ['ends', moment(made.expires_at)],
          ['use at', `${settings.url}/mcp`],
        ]).concat(told === '' ? '' : `\nIt opens nothing yet. ${told}`),
      );
    });
  return group;
}

const setStatus =
  (verb: 'suspend' | 'activate') =>
  async (name: string, options: { reason?: string }, command: Command): Promise<void> => {
    const settings = settingsOf(command);
    const body = options.reason === undefined ? {} : { reason: options.reason };
    const done = await (await openV1(settings)).post(`/agents/${encodeURIComponent(name)}/${verb}`, body, waiting);
    const told = tellWaiting(done.waiting ? [done.waiting] : []);
    answer(settings, done, () => told);
  };

const days = (text: string): number => {
  const number = wholeNumber(text);
  if (number < 1 || number > 365) throw new InvalidArgumentError('whole days, 1 to 365');
  return number;
};

async function keygen(options: { out: string }): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = crypto.randomUUID();
  const secret = { ...(await exportJWK(privateKey)), alg: 'ES256', kid };
  try {
    await writeFile(options.out, `${JSON.stringify(secret, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new Failure(`cannot make ${options.out}`, { remedy: 'name a file that does not exist yet, in a folder that does', cause: error });
  }
  process.stdout.write(`${JSON.stringify({ ...(await exportJWK(publicKey)), alg: 'ES256', kid })}\n`);
}
