export { type Asker, askerOf, connectionId } from './asker.ts';
export { type Aside, createLimits, type Limits } from './limits.ts';
