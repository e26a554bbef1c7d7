import { createRequire } from 'node:module';
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';

type Engine = typeof Cedar;

/** The engine threw: what it held is lost and this call cannot be answered. The next call gets a fresh instance. */
export class EngineTrap extends Error {
  override readonly name = 'EngineTrap';
}

const require = createRequire(import.meta.url);
const file = require.resolve('@cedar-policy/cedar-wasm/nodejs');
const listeners = new Set<() => void>();
let instance: Engine | null = null;

/** Called after an instance was thrown away, so that whoever keeps something in it knows that it is gone. */
export const onLoss = (listener: () => void): void => void listeners.add(listener);

/**
 * Uses the one instance of the engine. It answers what it refuses as a value: whatever it throws is a trap, after which
 * every call would throw, or a conversion that failed, which leaves the instance's stack short until it traps (1,500
 * of them do). Either way the instance is thrown away and made again on the next use (some 20 ms). Throws {@link EngineTrap}.
 */
export function withEngine<T>(use: (engine: Engine) => T): T {
  instance ??= require(file) as Engine;
  try {
    return use(instance);
  } catch (error) {
    instance = null;
    delete require.cache[file];
    for (const lost of listeners) lost();
    throw new EngineTrap(error instanceof Error ? error.message : 'the engine stopped', { cause: error });
  }
}
