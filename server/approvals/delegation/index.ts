export { delegationRequest, endDelegation, giveDelegation } from './give.ts';
export { type LentPlace, lentTo, placesFor, takes } from './lent.ts';
export { type DelegationSummary, delegationSummary, delegationSummaryOf, listDelegations } from './view.ts';
