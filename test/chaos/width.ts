import { type File, inOneFile, numbersIn } from './world.ts';

/**
 * What only two admins widen, apart from all generations: a wider one allows its use case more and forbids less, and its number stands
 * in both. No task is opened there.
 */
export function filesOfWidth(width: number): File[] {
  const w = `width ${width}`;
  const useCase = {
    ...{ kind: 'UseCase', tenant: 'acme', name: 'wide', workflow: 'chaos', owner: 'dana', purpose: w, accountable: 'dana' },
    ...{ grants: [{ tools: ['books__note'] }], ceiling: 'internal', lifetime: { default: '1h', longest: '2h' }, budget: { calls: 1 + width } },
    ...{ expires: '2099-12-31', review_by: '2099-12-31' },
  };
  const policy = `@id("acme/not-for-ever")
@reason("${w}")
forbid (principal, action == Taskgate::Action::"books__note", resource)
when { context.args.wait > ${1_000_000 + width} };
`;
  const cases = `- case: what waits for ever is forbidden
  tool: books__note
  facts: { args: { call: a, wait: 9000000 }, agent: { name: worker, workflow: chaos } }
  expect: { decision: deny }
`;
  return [
    { source: 'tenants/acme/wide.yaml', text: inOneFile([useCase]) },
    { source: 'tenants/acme/wide.cedar', text: policy },
    { source: 'tenants/acme/wide.cases.yaml', text: cases },
  ];
}

/** Why a change asks for a width: by it a change that nobody was told of is known. */
export const reasonOf = (width: number): string => `to width ${width}`;
/** Every width that a configuration, or the reason of a change, speaks of. */
export const widthsIn = (stored: unknown): number[] => numbersIn(stored, /width (\d+)/g);
