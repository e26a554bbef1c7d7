import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Emergency, startEmergency } from '../break-glass/fixture.ts';
import { type Ran, runCli } from './run-cli.ts';

let at: Emergency;
beforeAll(async () => {
  at = await startEmergency();
});
afterAll(() => at.end());

const cli = (...args: readonly string[]): Promise<Ran> =>
  runCli(args, { env: { TASKGATE_URL: at.broker.url, TASKGATE_DATA: join(at.broker.dir, 'data'), TASKGATE_TENANT: 'acme' }, cwd: at.broker.dir });
const as = async (name: string, ...args: readonly string[]): Promise<Ran> => {
  await cli('login', '--as', name);
  return cli(...args);
};
const activate = (session: string, ...more: readonly string[]): string[] => [
  'break-glass',
  'activate',
  ...['--session', session, '--tool', 'ledger__post_payment', '--incident', 'INC-4711', '--reason', 'Salaries are due tonight', ...more],
];

describe('break-glass on the command line', () => {
  it('goes from the first person to the second, to its end and its review, each told what comes next', { timeout: 120_000 }, async () => {
    const task = await at.broker.open({});
    const asked = await as('bob', ...activate(task.session, '--calls', '1', '--amount', '900', '--minutes', '30'));
    expect(asked).toMatchObject({ exit: 0, stderr: '' });
    expect(asked.stdout).toMatch(/open for +30 minutes, once confirmed/);
    const [, id = ''] = /break-glass confirm (bgl_\S+)/.exec(asked.stdout) ?? [];
    const self = await cli('break-glass', 'confirm', id);
    expect([self.exit, self.stderr]).toEqual([4, expect.stringContaining('second person')]);

    expect((await as('carl', 'break-glass', 'show', id)).stdout).toContain('requested, to be confirmed until');
    expect((await cli('break-glass', 'confirm', id)).stdout).toContain('Active until');
    expect(await at.pay(task, 800)).toBe('paid');
    const listed = JSON.parse((await cli('break-glass', 'list', '--status', 'active', '--json')).stdout) as { items: object[] };
    expect(listed.items).toMatchObject([{ id, calls: { used: 1, limit: 1 }, amount: { used: 800, limit: 900 } }]);
    expect(await cli('break-glass', 'end', id, '--reason', 'paid')).toMatchObject({ exit: 0, stdout: `${id} is ended.\n` });

    const early = await as('fay', 'break-glass', 'review', id, '--finding', 'One payment, as intended');
    expect([early.exit, early.stderr]).toEqual([expect.any(Number), expect.stringContaining('credential set')]);
    expect(early.exit).not.toBe(0);
    expect((await cli('break-glass', 'show', id)).stdout).toContain('set anew before the review: ledger-key');
  });

  it('is used rightly, or says how: help for every command, 2 for what is missing', { timeout: 60_000 }, async () => {
    expect((await cli('break-glass', '--help')).stdout).toMatch(/two people[\s\S]*@break_glass[\s\S]*72 hours/);
    for (const verb of ['activate', 'confirm', 'show', 'list', 'end', 'review']) expect((await cli('break-glass', verb, '--help')).exit, verb).toBe(0);
    expect((await cli('break-glass', 'activate', '--session', 'x')).exit).toBe(2);
    const { session } = await at.broker.open({});
    expect((await as('bob', ...activate(session, '--amount', 'much'))).exit).toBe(2);
  });
});

describe('notification on the command line', () => {
  it('tests a channel and tells what became of it', { timeout: 60_000 }, async () => {
    expect(await as('dana', 'notification', 'test', 'on-call')).toMatchObject({ exit: 0, stdout: 'The test arrived at on-call.\n' });
    at.hook.answers.set('/hook', 500);
    const failed = await cli('notification', 'test', 'on-call');
    expect([failed.exit, failed.stderr]).toEqual([5, expect.stringContaining('it answered HTTP 500')]);
    expect((await cli('notification', 'list', '--channel', 'on-call')).stdout).toMatch(/channel\.test.*pending.*it answered HTTP 500/);
    expect((await cli('notification', 'test', 'nothing')).exit).not.toBe(0);
  });
});
