export type { Keys, SecretKey, SigningKey } from './keys.ts';
export { openKeys } from './open-keys.ts';
export { seal, unseal } from './seal.ts';
export { readSecretValue, sealSecret, setSecret } from './secrets.ts';
