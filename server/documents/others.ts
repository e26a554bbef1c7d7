import { brokeredName, type OtherTool, operationsOf, type UpstreamDocument } from '../../tools/index.ts';

/** The tools, resources and prompts beside one of an upstream, by its key: those it could be taken for, or speak of. */
export const othersOf = (upstreams: Iterable<UpstreamDocument>, upstream: string, tool: string): OtherTool[] =>
  [...upstreams].flatMap(({ name: home, ...document }) =>
    operationsOf(document)
      .filter(({ key }) => home !== upstream || key !== tool)
      .map((manifest) => ({
        upstream: home === upstream ? null : home,
        name: brokeredName(home, manifest) ?? `${home}__${manifest.name}`,
        tool: manifest.as ?? manifest.name,
      })),
  );
