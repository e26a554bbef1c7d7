import type { Heard } from './heard.ts';

/**
 * The body of a request, read no further than `most` bytes; null when it is longer, or breaks off. `take` is asked for room, at once
 * where the length is told and else for each piece as it comes; where it has none, nothing more is read and the answer is `too much`.
 */
export async function readBody({ incoming, headers }: Heard, most: number, take: (bytes: number) => boolean): Promise<Uint8Array | null | 'too much'> {
  const told = headers.get('content-length');
  if (Number(told ?? 0) > most) return null;
  if (told !== null && !take(Number(told))) return 'too much';
  const pieces: Buffer[] = [];
  let size = 0;
  /** What there is now; undefined while there may be more. */
  const look = (): Uint8Array | null | 'too much' | undefined => {
    for (let piece = incoming.read() as Buffer | null; piece !== null; piece = incoming.read() as Buffer | null) {
      size += piece.byteLength;
      if (size > most) return null;
      if (told === null && !take(piece.byteLength)) return 'too much';
      pieces.push(piece);
    }
    if (incoming.complete) return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    // A request that breaks off is none: whoever sent it has gone, and there is nothing to tell.
    return incoming.destroyed ? null : undefined;
  };
  // A small one has come with its headers.
  const read = look();
  if (read !== undefined) return read;
  return new Promise((resolve) => {
    const again = (): void => {
      const now = look();
      if (now === undefined) return;
      incoming.off('readable', again);
      incoming.off('close', again);
      resolve(now);
    };
    incoming.on('readable', again);
    incoming.on('close', again);
  });
}
