import { Document, isMap, isSeq, stringify } from 'yaml';
import type { Proposal } from './propose.ts';

/** A proposal as files a person reads, corrects and applies: each entry with its reasons above it. */
export function renderProposal({ upstream, credential, command, tools, resources, refused, notes }: Proposal): string {
  const document = new Document(upstream);
  const common = [
    ...comment(document, 'tools', tools).map((reason) => `Every tool: ${reason}`),
    ...comment(document, 'resources', resources).map((reason) => `Every resource: ${reason}`),
  ];
  const head = [
    'Proposed, not trusted: read each entry, set its labels to what it really does, then `npx taskgate apply` this file.',
    ...common,
    ...notes,
    ...refused.map(({ tool, reasons }) => `Left out: ${tool}: ${reasons.join('; ')}`),
    ...(command === null
      ? []
      : [
          'The operator adds to `commands` of the Platform document:',
          ...stringify({ [command.name]: { run: command.run } }, { flowCollectionPadding: true })
            .trimEnd()
            .split('\n')
            .map((line) => `  ${line}`),
        ]),
  ];
  const comments = head.flatMap((line) => line.split('\n')).map((line) => `# ${line}`);
  return `${comments.join('\n')}\n${document.toString({ lineWidth: 0 })}${credential === null ? '' : `---\n${stringify(credential)}`}`;
}

type Entry = Pick<Proposal['resources'][number], 'reasons' | 'words' | 'warnings'> & Partial<Pick<Proposal['tools'][number], 'looks'>>;

/** Writes above each entry of a list what is to be said of it; what is so of all of them comes back, to be said once. */
function comment(document: Document, list: 'tools' | 'resources', entries: readonly Entry[]): string[] {
  const common = (entries[0]?.reasons ?? []).filter((reason) => entries.every(({ reasons }) => reasons.includes(reason)));
  const nodes = document.get(list);
  if (!isSeq(nodes)) return common;
  nodes.items.forEach((item, index) => {
    const one = entries[index];
    if (!isMap(item) || one === undefined) return;
    const { looks = null } = one;
    const lines = [
      ...(one.words === '' ? [] : [`its own words: ${one.words}`]),
      ...one.reasons.filter((reason) => !common.includes(reason)),
      ...(looks === null ? [] : [`looks like ${looks.effect}: ${looks.because}. Once you have checked it, write that, and where it reaches`]),
      ...one.warnings.map((warning) => `! ${warning}`),
    ];
    item.commentBefore = lines.map((line) => ` ${line}`).join('\n');
  });
  return common;
}
