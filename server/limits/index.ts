export { type Aside, type Asker, createLimits, type Limits } from './limits.ts';
