export { type Asker, askerOf, connectionId } from './asker.ts';
export { type Held, heldFor } from './held.ts';
export { type Aside, createLimits, type Limits } from './limits.ts';
export { createShares } from './shares.ts';
