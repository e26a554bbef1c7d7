import type { Caller } from '../../server/identity/caller.ts';

export const forged: Caller = {
  tenant: 'acme',
  agent: 'invoice-matcher',
  session: 'ses_acme_x',
  sponsor: 'local#ana',
  taskSha256: '',
  bound: true,
  tokenId: '',
  tokenExpires: 0,
  door: 'mcp',
};
