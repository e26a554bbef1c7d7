import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.ts';

it('the demo plays its whole story as told, beside whatever holds the sample mailbox’s port', { timeout: 180_000 }, async () => {
  const holder = createServer();
  await new Promise<void>((ready) => holder.once('error', () => ready()).listen(7413, '127.0.0.1', ready));
  try {
    const { exit, stdout, stderr } = await runCli(['demo', '--json'], { env: { HOME: process.env['HOME'] ?? '' } });
    const told = JSON.parse(stdout);
    expect({ exit, surprises: told.steps.filter((step: { ok: boolean }) => !step.ok), stderr }).toEqual({ exit: 0, surprises: [], stderr: '' });
    expect(told.steps.length).toBeGreaterThan(30);
  } finally {
    holder.close();
  }
});
