export { applyExtension } from './apply.ts';
export { type ExtensionAsked, extensionAsked, extensionSchema, extensionTool } from './asked.ts';
export { extensionWords, requestExtension } from './request.ts';
export { startExtending } from './watch.ts';
