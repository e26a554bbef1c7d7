import { resolve } from 'node:path';
import process from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import { currentLogin, usage } from '../connect/index.ts';
import { write } from './print.ts';

/** What every command knows: where the broker is, for which tenant, where this machine's state lies, how to answer. */
export interface Settings {
  readonly url: string;
  /** As given; null lets the last login decide. */
  readonly tenant: string | null;
  readonly data: string;
  readonly json: boolean;
}

export function settingsOf(command: Command): Settings {
  const options: Record<string, unknown> = command.optsWithGlobals();
  const url = String(options['url']).replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) throw usage(`--url ${url} is no URL`, 'for example http://localhost:7411 (also TASKGATE_URL)');
  return {
    url,
    tenant: typeof options['tenant'] === 'string' ? options['tenant'] : null,
    data: resolve(String(options['data'])),
    json: options['json'] === true,
  };
}

/** The tenant given, else that of the last login. */
export async function tenantOf(settings: Settings): Promise<string> {
  const tenant = settings.tenant ?? (await currentLogin(settings.data, null))?.tenant;
  if (tenant === undefined) throw usage('which tenant?', 'give --tenant NAME (TASKGATE_TENANT); the samples are acme and globex');
  return tenant;
}

/** Answers machines with one JSON value, people with words; nothing when there is nothing to say. */
export function answer(settings: Settings, value: unknown, human: () => string): void {
  write(settings.json ? JSON.stringify(value) : human());
}

/** Reads all of stdin; refuses a terminal, so that a secret is not typed where it shows. */
export async function readStdin(what: string): Promise<string> {
  if (process.stdin.isTTY) throw usage(`${what} comes from stdin`, 'pipe it in: `npx taskgate … < file`, or `pass show x | npx taskgate …`');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Parses an option that counts: a whole number from 0 on. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number, 0 or more');
  return Number(text);
}
