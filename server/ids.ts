import { randomBytes } from 'node:crypto';

/** `<prefix>_<128 random bits, base64url>`: unguessable, so an id tells nothing and reveals nothing. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;
