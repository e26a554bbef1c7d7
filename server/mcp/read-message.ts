import { isJsonContentType } from '@modelcontextprotocol/server';
import { parseJsonStrict } from '../../tools/index.ts';
import { refuse } from '../call/index.ts';
import { isEncoded } from '../identity/index.ts';
import type { Held } from '../limits/index.ts';
import { invalidRequest, parseError, rpcError, tooManyRequests } from './answers.ts';
import type { Heard } from './heard.ts';
import { readBody } from './read-body.ts';

const bodyCaps = { bytes: 1_048_576, depth: 64, values: 10_000 };

/** The one message of a POST, read once and strictly before any SDK sees it; or the answer that refuses it. */
export async function readMessage(
  heard: Heard,
  held: Held,
): Promise<{ readonly message: Readonly<Record<string, unknown>>; readonly bytes: number } | { readonly refused: Response }> {
  if (!isJsonContentType(heard.headers.get('content-type'))) {
    return { refused: rpcError(415, invalidRequest, 'The content type must be application/json') };
  }
  if (isEncoded(heard.headers)) return { refused: rpcError(415, invalidRequest, 'The body must not be compressed', null, { 'accept-encoding': 'identity' }) };
  const bytes = await readBody(heard, bodyCaps.bytes, held.take);
  // From here on it is the call that is counted with it.
  held.giveBack();
  if (bytes === 'too much')
    return { refused: tooManyRequests(refuse('limit.exceeded', 'Too many bodies are being read; nothing was done. Wait 1 s, then try again.'), null) };
  if (bytes === null) return { refused: rpcError(413, invalidRequest, `A request has at most ${bodyCaps.bytes} bytes`, null, { connection: 'close' }) };
  let body: unknown;
  try {
    body = parseJsonStrict(bytes, bodyCaps);
  } catch (error) {
    // The reason is `BadJson`'s own short text and never quotes the body; anything else stays unsaid.
    const reason = error instanceof Error && error.name === 'BadJson' ? error.message : 'not readable';
    return { refused: rpcError(400, parseError, `Parse error: ${reason}`) };
  }
  if (Array.isArray(body)) return { refused: rpcError(400, invalidRequest, 'Send one message a request; batches are not accepted') };
  if (typeof body !== 'object' || body === null) return { refused: rpcError(400, invalidRequest, 'Not a JSON-RPC message') };
  return { message: body as Record<string, unknown>, bytes: bytes.byteLength };
}
