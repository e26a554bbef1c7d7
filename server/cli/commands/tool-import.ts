import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { createUpstreamPool, operationKinds, reservedEnv, type UpstreamTarget, visible } from '../../../tools/index.ts';
import { exits, Failure, usage } from '../../connect/index.ts';
import { listTarget } from '../../documents/index.ts';
import { type Proposal, propose } from '../import/propose.ts';
import { filledIn, readServers, type ServerEntry } from '../import/read-servers.ts';
import { renderProposal } from '../import/render.ts';
import { write } from '../print.ts';
import { settingsOf, tenantOf } from '../settings.ts';

interface Options {
  readonly from?: string;
  readonly server?: readonly string[];
  readonly address?: string;
  readonly name?: string;
  readonly out?: string;
}

export function toolImportCommand(): Command {
  return new Command('import')
    .description('Ask an MCP server what it offers and propose an Upstream document for it, entry by entry; applies nothing')
    .argument('[command...]', 'of a server over stdio, after `--`')
    .option('--from <file>', "a host's own file, such as .mcp.json or .vscode/mcp.json")
    .option('--server <name...>', 'which of its servers: each is started or reached as its host would, and asked for what it offers')
    .option('--address <url>', 'of a server over Streamable HTTP')
    .option('--name <name>', 'what to call the upstream')
    .option('--out <file>', 'write there instead of to the terminal; never over a file that is there')
    .addHelpText(
      'after',
      '\nNothing is trusted: every tool is proposed as destructive, and all as reaching outside, until you say otherwise. No value of the file is shown.\n\nExamples:\n  $ npx taskgate tool import --from .mcp.json\n  $ npx taskgate tool import --from .mcp.json --server github --out registry/github.yaml\n  $ npx taskgate tool import --address https://crm.acme.example/mcp --name crm\n  $ npx taskgate tool import --name files -- npx -y @modelcontextprotocol/server-filesystem .\n',
    )
    .action(importTools);
}

async function importTools(run: readonly string[], options: Options, command: Command): Promise<void> {
  const settings = settingsOf(command);
  const tenant = await tenantOf(settings);
  const servers = await serversOf(run, options);
  const pool = createUpstreamPool({ log: { debug: () => undefined, warn: () => undefined }, clock: Date.now, connectMs: 60_000 });
  const proposals: Proposal[] = [];
  try {
    for (const [name, server] of servers) {
      const listed = await listTarget(pool, tenant, name, { ...targetOf(server), lists: operationKinds });
      if (!('definitions' in listed))
        throw new Failure(`${visible(name)} ${listed.cause}`, { remedy: `${listed.remedy[0]?.toLowerCase()}${listed.remedy.slice(1)}` });
      proposals.push(propose(options.name ?? name, tenant, server, listed.definitions));
    }
  } finally {
    await pool.close();
  }
  const text = settings.json ? JSON.stringify({ proposals }) : proposals.map(renderProposal).join('---\n').trimEnd();
  if (options.out === undefined) return write(text);
  await writeFile(options.out, `${text}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new Failure(`${options.out} is there already`, { remedy: 'give another --out, or move it away' });
  });
}

async function serversOf(run: readonly string[], { from, server, address: url, name }: Options): Promise<ReadonlyMap<string, ServerEntry>> {
  if ([from, url, run[0]].filter((one) => one !== undefined).length !== 1) throw usage('give one of --from FILE, --address URL and a command after `--`');
  const [program, ...args] = run;
  if (program !== undefined) return new Map([[name ?? basename(program), { type: 'stdio', command: program, args, env: {} }]]);
  if (url !== undefined) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw usage('--address is no http address');
    return new Map([[name ?? new URL(url).hostname, { type: 'http', url: new URL(url), headers: {} }]]);
  }
  const where = from ?? '';
  const text = await readFile(where, 'utf8').catch(() => {
    throw new Failure(`${where} cannot be read`, { remedy: 'check its path', exit: exits.usage });
  });
  const all = readServers(text, where);
  const known = [...all.keys()].map(visible).join(', ') || 'none';
  // A file may come with a project: that it is there is no reason to run what it names.
  if (server === undefined) throw usage(`which server? ${where} has: ${known}`, 'name it with --server: it is then started or reached, as its host would');
  if (name !== undefined && server.length > 1) throw usage('--name is for one server');
  return new Map(
    server.map((one) => {
      const found = all.get(one);
      if (!found) throw usage(`${where} has no server ${visible(one)}; it has: ${known}`);
      return [one, found];
    }),
  );
}

/** As its host would start or reach it: with the person's own path and home, and what its entry names. */
function targetOf(server: ServerEntry): UpstreamTarget {
  const filled = (values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) => {
        const known = filledIn(value, process.env);
        return known === null ? [] : [[key, known]];
      }),
    );
  if (server.type === 'http') return { type: 'http', url: server.url.href, headers: filled(server.headers), egress: [server.url.host] };
  const given = filled(server.env);
  const path = (value: string): string => (/^\.{1,2}(\/|$)/.test(value) || (value.includes('/') && existsSync(value)) ? resolve(value) : value);
  const own = ['PATH', 'HOME'].flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`]));
  return {
    type: 'stdio',
    run: ['/usr/bin/env', ...own, path(server.command), ...server.args.map((one) => path(filledIn(one, process.env) ?? one))],
    allowRead: [],
    allowWrite: [],
    env: Object.fromEntries(Object.entries(given).filter(([name]) => !reservedEnv.test(name))),
  };
}
