import { readFile } from 'node:fs/promises';
import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** An agent at work: an ordinary MCP client with a task token. `argv`: the file `taskgate session open --json` wrote. */
const [file = 'task.json'] = process.argv.slice(2);
const task = JSON.parse(await readFile(file, 'utf8')) as { access_token: string; mcp_url: string };

const client = new Client({ name: 'pay-invoice', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
const headers = { authorization: `Bearer ${task.access_token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(task.mcp_url), { requestInit: { headers } }));

const { tools } = await client.listTools();
process.stdout.write(`granted: ${tools.map(({ name }) => name).join(', ')}\n`);

const found = await client.callTool({ name: 'mail__search', arguments: { query: 'INV-7' } });
process.stdout.write(`mail: ${words(found)}\n`);

process.stdout.write('paying 600: waiting for two people of finance\n');
const paid = await client.callTool({ name: 'ledger__post_payment', arguments: { invoice: 'INV-7', iban: 'DE02120300000000202051', amount: 600 } });
process.stdout.write(`${paid.isError ? 'refused' : 'paid'}: ${words(paid)}\n`);
await client.close();
process.exitCode = paid.isError ? 1 : 0;

function words({ content }: CallToolResult): string {
  return content.map((part) => (part.type === 'text' ? part.text : `(${part.type})`)).join('\n');
}
