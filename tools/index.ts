export type { ArgumentProblem, BrokeredTool } from './catalogue.ts';
export * from './manifest.ts';
export * from './upstream/upstream.ts';
