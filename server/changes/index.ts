export { readBars, whyBarred } from './barred.ts';
export { approveChange, type DecisionAnswer, rejectChange } from './decide.ts';
export { isTooRecent, type Recent, recentChanges, restsOn } from './recent.ts';
export type { ChangeRefusal, ChangeRefusalCode } from './refusals.ts';
export { isExempt, requestChange } from './request.ts';
export { detailOf, listChanges, showChange } from './show.ts';
export { type ChangeDetail, type ChangeSummary, changeDetail, changeStatus, changeSummary } from './view.ts';
