import { randomBytes } from 'node:crypto';

/** `<prefix>_<128 random bits, base64url>`: unguessable, so an id tells nothing and reveals nothing. */
export function newId(prefix: string): string {
  if (used + size > drawn.length) {
    drawn = randomBytes(64 * size);
    used = 0;
  }
  used += size;
  return `${prefix}_${drawn.toString('base64url', used - size, used)}`;
}

const size = 16;
/** Drawn for many ids at once, because each draw asks the system. */
let drawn = Buffer.alloc(0);
let used = 0;
