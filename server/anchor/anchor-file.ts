import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Keys } from '../credentials/index.ts';
import type { StoreState } from '../store/index.ts';

/** How the store was last seen, kept outside of it. */
export type Anchor = Pick<StoreState, 'store' | 'epoch' | 'heads'>;

/** `anchor` is JSON text, so that the MAC is over exactly what is read. */
const file = z.strictObject({ anchor: z.string(), key: z.string(), mac: z.string() });

const fileIn = (data: string): string => join(data, 'anchor.json');
const macOf = (bytes: Uint8Array, anchor: string): Buffer => createHmac('sha256', bytes).update('taskgate-anchor:').update(anchor).digest();

/** The anchor below the data folder; null when there is none, `damaged` when none of these keys vouches for what is there. */
export async function readAnchor(data: string, ring: Keys['anchor']): Promise<Anchor | 'damaged' | null> {
  let text: string;
  try {
    text = await readFile(fileIn(data), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { anchor, key, mac } = file.parse(JSON.parse(text));
    const held = ring.find(({ id }) => id === key);
    const [found, expected] = [Buffer.from(mac, 'hex'), held && macOf(held.bytes, anchor)];
    // Only a broker wrote what the key vouches for.
    return expected && found.length === expected.length && timingSafeEqual(found, expected) ? (JSON.parse(anchor) as Anchor) : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** Replaces the anchor (0600) in one step: a crash leaves the one before or this one, whole. */
export async function writeAnchor(data: string, ring: Keys['anchor'], { store, epoch, heads }: Anchor): Promise<void> {
  const [key] = ring;
  if (!key) throw new Error('there is no key to vouch for the anchor');
  const anchor = JSON.stringify({ store, epoch, heads });
  const draft = `${fileIn(data)}.${randomBytes(4).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ anchor, key: key.id, mac: macOf(key.bytes, anchor).toString('hex') })}\n`);
    await handle.sync();
    await handle.close();
    await rename(draft, fileIn(data));
  } catch (error) {
    await handle.close();
    await rm(draft, { force: true });
    throw error;
  }
}
