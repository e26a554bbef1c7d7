export { type Asker, maySee } from './asker.ts';
export { confirmBreakGlass } from './confirm.ts';
export { endBreakGlass, seeBreakGlass } from './end.ts';
export * from './limits.ts';
export type { BreakGlassAnswer } from './outcome.ts';
export type { BreakGlassRefusal, BreakGlassRefusalCode } from './refusals.ts';
export { requestBreakGlass } from './request.ts';
export { reviewBreakGlass, toRotate } from './review.ts';
export { breakGlassDetail, breakGlassStatus, breakGlassSummary, summaryOf } from './view.ts';
