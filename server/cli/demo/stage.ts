import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { findDoors, logInLocally, openSession, type Task } from '../../connect/index.ts';
import { launcher, packageFolder } from '../package-file.ts';
import { openV1, type V1 } from '../v1.ts';
import { copyDocuments, freePort } from './documents.ts';
import { Surprise } from './transcript.ts';

/** A broker of its own, in its own process and folder, and everyone the story needs. */
export interface Stage {
  readonly url: string;
  readonly data: string;
  /** A folder for the story's own files. */
  readonly folder: string;
  /** `/v1` as a person of a tenant, logged in as `taskgate login` does. */
  as(tenant: string, person: string): Promise<V1>;
  /** Opens a session as an agent, for the person last logged in unless the use case names who is accountable. */
  open(tenant: string, agent: string, useCase: string, inputs: Readonly<Record<string, string>>): Promise<Task>;
  /** Runs a `taskgate` command, as in a terminal. */
  run(args: readonly string[]): Promise<{ exit: number; stdout: string; stderr: string }>;
  /** What a host started here needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const ready = z.union([z.object({ url: z.url() }), z.object({ error: z.object({ message: z.string() }) })]);

export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'taskgate-demo-'));
  const data = join(folder, 'data');
  const documents = await copyDocuments(packageFolder, join(folder, 'documents'), await freePort());
  const args = [launcher, 'serve', '--port', '0', '--data', data, '--log-level', 'warn', '--json', ...documents.flatMap((path) => ['--documents', path])];
  const broker = spawn(process.execPath, args, { cwd: folder, env: bareEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const close = async (): Promise<void> => {
    if (broker.exitCode === null && broker.signalCode === null) {
      broker.kill('SIGTERM');
      await once(broker, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const url = await untilReady(broker);
    const environment = { ...bareEnvironment(), TASKGATE_URL: url, TASKGATE_DATA: data };
    return {
      url,
      data,
      folder,
      environment,
      async as(tenant, person) {
        await logInLocally(await findDoors(url, tenant), data, person, null);
        return openV1({ url, tenant, data }, person);
      },
      open: (tenant, agent, use_case, inputs) =>
        openSession({
          url,
          tenant,
          data,
          agent,
          key: null,
          svidFile: null,
          sponsorToken: null,
          task: { use_case, inputs },
        }),
      run: (words) => run(words, environment, folder),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first line says where it is; a broker that ends before has said on stderr why. */
async function untilReady(broker: ChildProcess): Promise<string> {
  const { stdout, stderr } = broker;
  if (stdout === null || stderr === null) throw new Error('the broker has no pipes');
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const gone = once(broker, 'exit').then(([code]) => {
    throw new Surprise('a broker that starts', `exit ${String(code)}: ${said}`);
  });
  const lines = createInterface({ input: stdout });
  const [line] = await Promise.race([once(lines, 'line'), gone]);
  gone.catch(() => undefined);
  const told = ready.parse(JSON.parse(String(line)));
  if ('error' in told) throw new Surprise('a broker that starts', told.error.message);
  return told.url;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Promise<{ exit: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [launcher, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const collect = async (stream: NodeJS.ReadableStream): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  };
  const [stdout, stderr, [code]] = await Promise.all([collect(child.stdout), collect(child.stderr), once(child, 'exit')]);
  return { exit: Number(code), stdout, stderr };
}

/** This process's environment without what would steer Taskgate elsewhere. */
function bareEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined || name.startsWith('TASKGATE_') ? [] : [[name, value] as const])),
  );
}
