import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { exits, Failure } from '../../connect/index.ts';
import { moment, table } from '../print.ts';
import { answer, settingsOf, wholeNumber } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';

const delivery = z.looseObject({
  id: z.string(),
  channel: z.string(),
  type: z.string(),
  status: z.string(),
  attempts: z.int(),
  at: z.int(),
  next_try_at: z.int().nullable(),
  settled_at: z.int().nullable(),
  error: z.string().nullable(),
  about: z.string().nullable(),
});
type Delivery = z.infer<typeof delivery>;
const lookAgainMs = 200;

export function notificationCommand(): Command {
  const group = new Command('notification').description('Messages to people, with a link and never a way to decide: webhooks, Slack, e-mail');

  group
    .command('list')
    .description('What was sent or waits to be, youngest first, and why a try failed')
    .addOption(new Option('--status <status>', 'only these').choices(['pending', 'delivered', 'given_up']))
    .option('--channel <name>', 'only of this channel')
    .option('--limit <number>', 'at most so many', wholeNumber, 50)
    .addHelpText('after', '\nExample:\n  $ npx taskgate notification list --status given_up\n')
    .action(async (options: { status?: string; channel?: string; limit: number }, command: Command) => {
      const settings = settingsOf(command);
      const { status, channel } = options;
      const page = z.looseObject({ items: z.array(delivery) });
      const { items } = await (await openV1(settings)).get('/notifications', page, { status, channel, limit: Math.min(100, Math.max(1, options.limit)) });
      answer(settings, { items }, () => (items.length === 0 ? 'No such messages.' : listing(items)));
    });

  group
    .command('test <channel>')
    .description('Send a test message to a channel and wait for what becomes of the first try')
    .option('--wait <seconds>', 'at most this long; then exit 5', wholeNumber, 15)
    .addHelpText('after', '\nExample:\n  $ npx taskgate notification test on-call --tenant acme\n')
    .action(async (channel: string, { wait }: { wait: number }, command: Command) => {
      const settings = settingsOf(command);
      const v1 = await openV1(settings);
      const before = new Set((await testsOf(v1, channel)).map(({ id }) => id));
      await v1.post(`/channels/${encodeURIComponent(channel)}/test`, {}, z.looseObject({}));
      const sent = await tried(v1, channel, before, Date.now() + wait * 1000);
      if (sent?.status !== 'delivered') {
        const why = sent?.error ?? 'nobody has tried to send it yet';
        throw new Failure(`the test did not arrive: ${why}`, {
          remedy: 'it is tried again by itself; `npx taskgate notification list` tells how it goes',
          exit: exits.pending,
        });
      }
      answer(settings, sent, () => `The test arrived at ${channel}.`);
    });
  return group;
}

const testsOf = async (v1: V1, channel: string): Promise<Delivery[]> => {
  const { items } = await v1.get('/notifications', z.looseObject({ items: z.array(delivery) }), { channel, limit: 100 });
  return items.filter(({ type }) => type === 'channel.test');
};

/** The new test, once it was tried; as it stands when that takes too long. */
async function tried(v1: V1, channel: string, before: ReadonlySet<string>, until: number): Promise<Delivery | undefined> {
  for (;;) {
    const mine = (await testsOf(v1, channel)).find(({ id }) => !before.has(id));
    if (mine && (mine.status !== 'pending' || mine.error !== null)) return mine;
    if (Date.now() >= until) return mine;
    await pause(lookAgainMs);
  }
}

const listing = (items: readonly Delivery[]): string =>
  table(
    ['message', 'channel', 'of', 'about', 'status', 'tries', 'happened', 'next try', 'last error'],
    items.map((one) => [one.id, one.channel, one.type, one.about, one.status, one.attempts, moment(one.at), moment(one.next_try_at), one.error]),
  );
