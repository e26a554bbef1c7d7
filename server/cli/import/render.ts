import { Document, isMap, isSeq, stringify } from 'yaml';
import type { Proposal } from './propose.ts';

/** A proposal as files a person reads, corrects and applies: each tool with its reasons above it. */
export function renderProposal({ upstream, credential, command, tools, refused, notes }: Proposal): string {
  const document = new Document(upstream);
  // Said once, where it is so of all of them.
  const common = (tools[0]?.reasons ?? []).filter((reason) => tools.every(({ reasons }) => reasons.includes(reason)));
  const list = document.get('tools');
  if (isSeq(list)) {
    list.items.forEach((item, index) => {
      const tool = tools[index];
      if (!isMap(item) || tool === undefined) return;
      const lines = [
        ...(tool.words === '' ? [] : [`its own words: ${tool.words}`]),
        ...tool.reasons.filter((reason) => !common.includes(reason)),
        ...(tool.looks === null ? [] : [`looks like ${tool.looks.effect}: ${tool.looks.because}. Once you have checked it, write that, and where it reaches`]),
        ...tool.warnings.map((warning) => `! ${warning}`),
      ];
      item.commentBefore = lines.map((line) => ` ${line}`).join('\n');
    });
  }
  const head = [
    'Proposed, not trusted: read each tool, set its labels to what it really does, then `npx taskgate apply` this file.',
    ...common.map((reason) => `Every tool: ${reason}`),
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
