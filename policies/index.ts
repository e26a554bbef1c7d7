export type { TenantPolicy } from './engine/tenant-policy.ts';
export * from './facts.ts';
export { bottom, dominates, join, rank, trust } from './labels.ts';
export { covers, parseRequirement, satisfiedBy } from './requirements.ts';
export * from './vocabulary.ts';
