import type { ToolDefinition } from './definition.ts';
import type { ToolManifest } from './manifest.ts';

/**
 * The annotations a client is shown. Hosts decide by them whether to ask their user, so a hint that makes less of the tool than its labels
 * do is set right; everything else is passed on as the upstream wrote it.
 */
export function soberHints({ effect, reaches }: ToolManifest, annotations: NonNullable<ToolDefinition['annotations']>): Readonly<Record<string, unknown>> {
  return {
    ...annotations,
    ...(annotations['readOnlyHint'] === true && effect !== 'read' ? { readOnlyHint: false } : {}),
    ...(annotations['destructiveHint'] === false && effect === 'destructive' ? { destructiveHint: true } : {}),
    ...(annotations['openWorldHint'] === false && reaches === 'external' ? { openWorldHint: true } : {}),
  };
}
