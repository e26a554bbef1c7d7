import { randomFillSync } from 'node:crypto';

/** `<prefix>_<128 random bits, base64url>`: unguessable, so an id tells nothing and reveals nothing. */
export function newId(prefix: string): string {
  if (used + size > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += size;
  return `${prefix}_${drawn.toString('base64url', used - size, used)}`;
}

const size = 16;
/** Drawn for many ids at once, because each draw asks the system. */
const drawn = Buffer.alloc(1024 * size);
let used = drawn.length;
