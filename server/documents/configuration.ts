import type { CredentialDocument, UpstreamDocument } from '../../tools/index.ts';
import type { StoredDocument } from '../store/store.ts';
import type { ChannelDocument } from './channel.ts';
import type { AgentDocument, OperatorCommand, PlatformDocument, TenantDocument, UseCaseDocument } from './kinds.ts';

/** The documents of one tenant, by kind and name. */
export interface TenantDocuments {
  readonly tenant: TenantDocument | null;
  readonly agents: ReadonlyMap<string, AgentDocument>;
  readonly useCases: ReadonlyMap<string, UseCaseDocument>;
  readonly upstreams: ReadonlyMap<string, UpstreamDocument>;
  readonly credentials: ReadonlyMap<string, CredentialDocument>;
  readonly channels: ReadonlyMap<string, ChannelDocument>;
}

export function documentsOf(documents: readonly Pick<StoredDocument, 'body'>[]): TenantDocuments {
  const agents = new Map<string, AgentDocument>();
  const useCases = new Map<string, UseCaseDocument>();
  const upstreams = new Map<string, UpstreamDocument>();
  const credentials = new Map<string, CredentialDocument>();
  const channels = new Map<string, ChannelDocument>();
  let tenant: TenantDocument | null = null;
  for (const { body } of documents) {
    switch (body.kind) {
      case 'Tenant':
        tenant = body;
        break;
      case 'Agent':
        agents.set(body.name, body);
        break;
      case 'UseCase':
        useCases.set(body.name, body);
        break;
      case 'Upstream':
        upstreams.set(body.name, body);
        break;
      case 'Credential':
        credentials.set(body.name, body);
        break;
      case 'Channel':
        channels.set(body.name, body);
        break;
      case 'Platform':
        break;
    }
  }
  return { tenant, agents, useCases, upstreams, credentials, channels };
}

/** The operator's command of a stdio upstream, when this tenant may use it as one. */
export function commandFor(platform: PlatformDocument | null, tenant: string, upstream: UpstreamDocument): OperatorCommand | null {
  if (upstream.transport.type !== 'stdio' || platform === null) return null;
  const name = upstream.transport.command;
  const command = Object.hasOwn(platform.commands, name) ? platform.commands[name] : undefined;
  if (command === undefined || command.background || (command.tenants !== undefined && !command.tenants.includes(tenant))) return null;
  const { run, allow_read, allow_write, background } = command;
  return { run, allow_read, allow_write, background };
}
