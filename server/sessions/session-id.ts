import type { Ports } from '../ports.ts';

const form = /^ses_([a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)_[A-Za-z0-9_-]{22}$/;

/** `ses_<tenant>_<22 base64url characters>`: 128 random bits, and the tenant, so that metadata needs no look-up. */
export const newSessionId = (ports: Pick<Ports, 'newId'>, tenant: string): string => ports.newId(`ses_${tenant}`);

/** The tenant a session id names, whether or not there is such a session; null when it is no session id. */
export const tenantOfSession = (id: string): string | null => form.exec(id)?.[1] ?? null;
