/**
 * What a broker dials by, of undici by its files: its whole also brings mocks, caches, WebSockets and interceptors, seventy files that would be
 * held in memory. Its types know these two by the name of the whole alone.
 */

declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici';
}

declare module 'undici/lib/web/fetch/index.js' {
  export { fetch } from 'undici';
}
