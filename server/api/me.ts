import { z } from 'zod';
import { type Endpoint, endpoint } from './endpoint.ts';

export const meEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/me',
    summary: 'Who you are here, and what you may do',
    access: 'anyone',
    answer: z.strictObject({
      tenant: z.string(),
      person: z.string().describe('`<issuer>#<subject>`'),
      name: z.string().nullable().describe('In the tenant document; null when it does not name you'),
      roles: z.array(z.enum(['reviewer', 'admin', 'auditor'])),
      groups: z.array(z.string()),
    }),
    async run(_ports, { person, standing }) {
      return { tenant: person.tenant, person: person.id, name: standing.name, roles: [...standing.roles].sort(), groups: [...standing.groups].sort() };
    },
  }),
];
