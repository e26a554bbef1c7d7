import { brokeredName, type OtherTool, type UpstreamDocument } from '../../tools/index.ts';

/** The tools beside one of an upstream: those it could be taken for, or speak of. */
export const othersOf = (upstreams: Iterable<UpstreamDocument>, upstream: string, tool: string): OtherTool[] =>
  [...upstreams].flatMap(({ name: home, tools }) =>
    tools
      .filter(({ name }) => home !== upstream || name !== tool)
      .map((manifest) => ({
        upstream: home === upstream ? null : home,
        name: brokeredName(home, manifest) ?? `${home}__${manifest.name}`,
        tool: manifest.as ?? manifest.name,
      })),
  );
