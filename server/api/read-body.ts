import { BadJson, parseJsonStrict } from '../../tools/index.ts';
import { isEncoded, readCapped } from '../identity/index.ts';
import { type Problem, problem } from './problem.ts';

const most = 1_048_576;

/** The JSON body of a request, read once and strictly; an absent body is an empty object. */
export async function readBody(request: Request): Promise<{ readonly value: unknown } | Problem> {
  if (isEncoded(request.headers)) return problem(415, 'body.encoded', 'The body must not be compressed.', 'Send it as it is.');
  const bytes = await readCapped(request, most);
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
