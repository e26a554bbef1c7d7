import type { Plan, PlanItem } from '../documents/index.ts';

const verbs = ['added', 'changed', 'removed'] as const;

/** What a start applied, a line a tenant: how much was added, changed, removed, and how much of it widens. */
export function summarizePlan({ items, founding, warnings }: Plan): string {
  const tenants = [...new Set(items.map(({ tenant }) => tenant))];
  const wide = Math.max(0, ...tenants.map((tenant) => tenant.length));
  return [
    ...tenants.map((tenant) => {
      const own = items.filter((item) => item.tenant === tenant);
      return `  ${tenant.padEnd(wide)}  ${founding.includes(tenant) ? 'founded: ' : ''}${count(own)}`;
    }),
    ...warnings.map((warning) => `  ! ${warning}`),
  ].join('\n');
}

function count(items: readonly PlanItem[]): string {
  const counts = verbs.flatMap((verb) => {
    const number = items.filter(({ change }) => change === verb).length;
    return number === 0 ? [] : [`${number} ${verb}`];
  });
  const widening = items.filter(({ effect }) => effect === 'widens').length;
  return `${counts.join(', ')}${widening === 0 ? '' : `; ${widening === items.length ? 'all' : widening} of it widens`}`;
}
