/** The body of a request or an answer, read no further than `most` bytes; empty when there is none, null when it is longer, or a request's breaks off. */
export async function readCapped(from: Request | Response, most: number): Promise<Uint8Array | null>;
/** `take` is asked for room for each piece as it comes; where it has none, nothing more is read and the answer is `too much`. */
export async function readCapped(from: Request | Response, most: number, take: (bytes: number) => boolean): Promise<Uint8Array | null | 'too much'>;
export async function readCapped(
  message: Request | Response,
  most: number,
  take: (bytes: number) => boolean = () => true,
): Promise<Uint8Array | null | 'too much'> {
  const length = message.headers.get('content-length');
  if (Number(length ?? 0) > most) return null;
  if (message instanceof Response) return readPieces(message.body, most, take);
  // A request whose length is told has no more than that; a server hands it over whole, without a stream in between.
  const read = async (): Promise<Uint8Array | null | 'too much'> =>
    length === null ? readPieces(message.body, most, take) : new Uint8Array(await message.arrayBuffer());
  if (length !== null && !take(Number(length))) return 'too much';
  // A request that breaks off is none: whoever sent it has gone, and there is nothing to tell.
  return read().catch(() => null);
}

async function readPieces(body: ReadableStream<Uint8Array> | null, most: number, take: (bytes: number) => boolean): Promise<Uint8Array | null | 'too much'> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > most) return null;
    if (!take(chunk.byteLength)) return 'too much';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What is asked of headers; the name in lower case. */
export type ReadHeaders = Pick<Headers, 'get'>;

/** A body that is compressed, or says so (RFC 9110 §8.4), is read nowhere: small on the wire, it may be anything in memory. */
export const isEncoded = (headers: ReadHeaders): boolean => !/^(identity)?$/i.test(headers.get('content-encoding')?.trim() ?? '');
