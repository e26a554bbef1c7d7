import { BadJson, parseJsonStrict } from '../../tools/index.ts';
import { isEncoded, readCapped } from '../identity/index.ts';
import type { Held } from '../limits/index.ts';
import { type Problem, problem } from './problem.ts';

const most = 1_048_576;

/** The JSON body of a request, read once and strictly; an absent body is an empty object. `held` is the share it takes from. */
export async function readBody(request: Request, held: Held): Promise<{ readonly value: unknown } | Problem> {
  if (isEncoded(request.headers)) return problem(415, 'body.encoded', 'The body must not be compressed.', 'Send it as it is.');
  const bytes = await readCapped(request, most, held.take).finally(held.giveBack);
  if (bytes === 'too much') return problem(429, 'limit.exceeded', 'Too many bodies of this tenant are being read.', 'Send fewer at once.');
  if (bytes === null) return problem(413, 'body.too_large', `A body has at most ${most} bytes.`, 'Send less at once.');
  if (bytes.byteLength === 0) return { value: {} };
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    return problem(415, 'body.not_json', 'The body must be `application/json`.', 'Set the content type and send JSON.');
  }
  try {
    return { value: parseJsonStrict(bytes, { bytes: most, depth: 64 }) };
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    return problem(400, 'body.bad_json', `The body is not acceptable JSON: ${error.message}.`, 'Send well-formed JSON without duplicate keys.');
  }
}
