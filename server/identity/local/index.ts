export { localProviderRuns } from './allowed.ts';
export { ensureLocal, type LocalTenant, localTenant } from './ensure-local.ts';
export { localRoutes } from './routes.ts';
