import { Client, DpopSession, extractWWWAuthenticateParams, StreamableHTTPClientTransport, withDpop } from '@modelcontextprotocol/client';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/client/validators/cf-worker';
import type { HeldTask } from './hold-task.ts';

/** The broker's side of the bridge: MCP clients on the session's own URL, made when first needed. */
export interface SessionClients {
  /** Speaks the newest revision: calls that wait for a human come back in rounds. */
  modern(): Promise<Client>;
  /** Speaks the 2025 era: a call that waits is answered at once with its handle. */
  plain(): Promise<Client>;
  close(): Promise<void>;
}

/** What a session has lists of. */
export const listNames = ['tools', 'resources', 'prompts'] as const;
export type ListName = (typeof listNames)[number];

/** A key pair that never leaves this process, not even to be written down: what is bound to it ends with it. */
export const newHolder = (): Promise<DpopSession> => DpopSession.create();

export function reachSession(task: HeldTask, holder: DpopSession, version: string, onChanged: (what: ListName) => void): SessionClients {
  const open = new Map<'auto' | 'legacy', Promise<Client>>();

  const connect = async (mode: 'auto' | 'legacy'): Promise<Client> => {
    const { mcpUrl } = await task.current();
    const client = new Client(
      { name: 'taskgate-connect', version },
      {
        versionNegotiation: { mode },
        inputRequired: { autoFulfill: false },
        jsonSchemaValidator: new CfWorkerJsonSchemaValidator(),
        ...(mode === 'auto'
          ? { listChanged: Object.fromEntries(listNames.map((what) => [what, { autoRefresh: false, onChanged: () => onChanged(what) }])) }
          : {}),
      },
    );
    const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), {
      fetch: withDpop(holder, () => task.token())(fetch),
      authProvider: {
        token: () => task.token(),
        onUnauthorized: ({ response }) => task.refused(extractWWWAuthenticateParams(response).errorDescription ?? null),
      },
    });
    await client.connect(transport);
    return client;
  };

  const once = (mode: 'auto' | 'legacy'): Promise<Client> => {
    const made =
      open.get(mode) ??
      connect(mode).catch((error: unknown) => {
        open.delete(mode);
        throw error;
      });
    open.set(mode, made);
    return made;
  };

  return {
    modern: () => once('auto'),
    plain: () => once('legacy'),
    async close() {
      const clients = await Promise.allSettled(open.values());
      await Promise.allSettled(clients.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : [])));
    },
  };
}
