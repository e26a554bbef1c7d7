const blank = Buffer.from('\r\n\r\n');

/** Where one whole HTTP/1.1 answer ends in what has arrived so far; null while more must come. Throws on one without a length. */
export function answerEnd(bytes: Buffer): number | null {
  const headEnd = bytes.indexOf(blank);
  if (headEnd === -1) return null;
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  const body = headEnd + blank.length;
  if (length !== undefined) return bytes.length >= body + Number(length) ? body + Number(length) : null;
  if (!head.includes('\r\ntransfer-encoding: chunked')) throw new Error('an answer without a length');
  for (let at = body; ; ) {
    const line = bytes.indexOf('\r\n', at, 'latin1');
    if (line === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    at = line + 2 + size + 2;
    if (at > bytes.length) return null;
    if (size === 0) return at;
  }
}
