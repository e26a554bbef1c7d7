export { fileOf, openStore, shownAddress } from './open-store.ts';
export { openPostgresStore } from './postgres/open-postgres-store.ts';
export { scanPages } from './scan-pages.ts';
export type { Signal } from './signals.ts';
export { openSqliteStore } from './sqlite/open-sqlite-store.ts';
export * from './store.ts';
