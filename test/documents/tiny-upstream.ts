/** A stdio MCP server (2025-11-25) of two tools, in plain JSON-RPC so that it starts fast; `--says` sets a description. */
const says = process.argv[process.argv.indexOf('--says') + 1] ?? '';
const tools = [
  { name: 'look', description: says, inputSchema: { type: 'object', properties: { what: { type: 'string' } } } },
  { name: 'touch', description: 'Touches', inputSchema: { type: 'object', properties: { what: { type: 'string' }, amount: { type: 'number' } } } },
];

function answer(method: string): object | null {
  if (method === 'initialize') return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tiny', version: '1' } };
  return method === 'tools/list' ? { tools } : method === 'ping' ? {} : null;
}

let rest = '';
process.stdin.on('data', (chunk) => {
  const lines = `${rest}${String(chunk)}`.split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const { id, method } = JSON.parse(line) as { id?: number | string; method: string };
    if (id === undefined) continue;
    const result = answer(method);
    const reply = result ? { jsonrpc: '2.0', id, result } : { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } };
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
});
