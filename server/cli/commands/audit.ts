import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { z } from 'zod';
import type { Verification } from '../../audit/index.ts';
import { exits, Failure } from '../../connect/index.ts';
import { loadConfig } from '../config.ts';
import { paint, plain, table } from '../print.ts';
import { answer, type Settings, settingsOf, wholeNumber } from '../settings.ts';
import { openV1, type V1 } from '../v1.ts';

const record = z.looseObject({
  tenant: z.string().nullable(),
  index: z.int(),
  prev: z.string(),
  hash: z.string(),
  body: z.looseObject({ type: z.string(), at: z.int() }),
});
type StoredRecord = z.infer<typeof record>;

/** A log and what became of walking it. */
type Verified = Verification & { readonly log: string };

export function auditCommand(): Command {
  const group = new Command('audit').description('The tenant’s record: is it whole, what does it say, what is happening');

  group
    .command('verify [file]')
    .description('Walk the chain of an export, or of every log in the store below --data (stopped or running), and check what reviewers signed')
    .addHelpText(
      'after',
      '\nA chain shows any change inside it. That its end was cut off, only the count and head noted elsewhere can show.\nA vote signed by a passkey is checked against the record of the key’s enrolment; `signatures` counts them.\n\nExamples:\n  $ npx taskgate audit verify\n  $ npx taskgate audit export --tenant acme > acme.jsonl && npx taskgate audit verify acme.jsonl\n',
    )
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      const settings = settingsOf(command);
      const logs = file === undefined ? await verifyStore(settings) : [await verifyFile(file)];
      const broken = logs.filter((log) => !log.ok);
      answer(settings, { ok: broken.length === 0, logs }, () => table(['log', 'records', 'signatures', 'head', ''], logs.map(row)));
      if (broken.length > 0)
        throw new Failure(broken.map((log) => `${log.log} is broken${log.ok ? '' : ` at record ${log.index}: ${log.why}`}`).join('; '), { exit: exits.check });
    });

  group
    .command('export')
    .description('The tenant’s record as JSONL, from the first record on')
    .option('--from <index>', 'from this record on', wholeNumber, 0)
    .action(async (options: { from: number }, command: Command) => {
      const v1 = await openV1(settingsOf(command));
      for await (const one of read(v1, options.from)) process.stdout.write(`${JSON.stringify(one)}\n`);
    });

  group
    .command('tail')
    .description('The newest records, and each new one as it comes')
    .option('--lines <count>', 'how many to begin with', wholeNumber, 10)
    .option('--once', 'do not wait for more')
    .action(async (options: { lines: number; once?: true }, command: Command) => tail(settingsOf(command), options.lines, options.once === true));
  return group;
}

const row = (log: Verified): Parameters<typeof table>[1][number] =>
  log.ok
    ? [log.log, log.count, log.signatures, log.head.slice(0, 16), { style: 'green', text: 'whole' }]
    : [log.log, log.index, null, null, { style: 'red', text: 'broken' }];

async function verifyFile(file: string): Promise<Verified> {
  const { verifyExport } = await import('../../audit/index.ts');
  await stat(file).catch((error: unknown) => {
    throw new Failure(`cannot read ${file}`, { remedy: 'name a file that `npx taskgate audit export` wrote', cause: error });
  });
  return { ...(await verifyExport(createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY }))), log: file };
}

async function verifyStore(settings: Settings): Promise<Verified[]> {
  const [{ fileOf, openStore }, { recordsOf, verifyChain }] = await Promise.all([import('../../store/index.ts'), import('../../audit/index.ts')]);
  const { store: address } = await loadConfig({ file: null, env: process.env, flags: { data: settings.data } });
  const file = fileOf(address);
  await (file === null ? null : stat(file))?.catch((error: unknown) => {
    throw new Failure(`there is no store at ${file}`, {
      remedy: 'name its folder with --data, or verify an export: `npx taskgate audit verify FILE`',
      cause: error,
    });
  });
  const store = await openStore(address, Date.now);
  try {
    const tenants = (await store.listTenants()).map(({ tenant }) => tenant).filter((tenant) => settings.tenant === null || tenant === settings.tenant);
    if (settings.tenant !== null && tenants.length === 0) throw new Failure(`the store has no tenant '${settings.tenant}'`);
    const logs: (string | null)[] = settings.tenant === null ? [...tenants, null] : tenants;
    const verified: Verified[] = [];
    for (const log of logs) verified.push({ ...(await verifyChain(recordsOf(store, log))), log: log ?? '(platform)' });
    return verified;
  } finally {
    await store.close();
  }
}

async function* read(v1: V1, from: number): AsyncGenerator<StoredRecord> {
  for (let next = from; ; ) {
    const page = await v1.get('/audit/records', z.looseObject({ items: z.array(record) }), { from: next, limit: 500 });
    yield* page.items;
    const last = page.items.at(-1);
    if (last === undefined) return;
    next = last.index + 1;
  }
}

async function tail(settings: Settings, lines: number, once: boolean): Promise<void> {
  let v1 = await openV1(settings);
  const shown: StoredRecord[] = [];
  let next = 0;
  for await (const one of read(v1, 0)) {
    shown.push(one);
    if (shown.length > lines) shown.shift();
    next = one.index + 1;
  }
  const say = (one: StoredRecord): void => void process.stdout.write(`${settings.json ? JSON.stringify(one) : describe(one)}\n`);
  shown.forEach(say);
  while (!once) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // Opened anew each time, so that a token that ran out meanwhile is renewed.
    v1 = await openV1(settings);
    for await (const one of read(v1, next)) {
      say(one);
      next = one.index + 1;
    }
  }
}

function describe({ index, body }: StoredRecord): string {
  const told = ['agent', 'sponsor', 'actor', 'tool', 'decision', 'code', 'approval', 'session', 'detail'].flatMap((name) =>
    body[name] === undefined ? [] : [`${name}=${plain(body[name])}`],
  );
  return `${paint('dim', String(index).padStart(6))} ${new Date(body.at).toISOString()} ${body.type} ${told.join(' ')}`;
}
