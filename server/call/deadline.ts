import type { BrokeredTool } from '../../tools/index.ts';
import { seconds } from '../documents/durations.ts';
import type { Session } from './enter-session.ts';

/** The upstream's deadline for one call, in milliseconds. */
export function deadlineOf(session: Session, tool: BrokeredTool): number {
  return seconds(session.tenant.upstreams.get(tool.upstream)?.document.deadline ?? '30s') * 1000;
}

/** Only a read that stays in the tenant may start while its claim is still being flushed. */
export const mayRunWhileFlushing = (tool: BrokeredTool): boolean => tool.manifest.effect === 'read' && tool.manifest.reaches === 'tenant';
