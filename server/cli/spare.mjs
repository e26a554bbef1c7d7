import * as nodeModule from 'node:module';

/**
 * Libraries import at once what a broker never asks of them, and what is read stays in memory: the SDKs their default validator, Ajv, each a copy
 * of its own (a broker gives its own wherever one is asked for), zod its messages in sixty languages. Those get what follows instead, which a
 * broker has anyway; a library that is laid out differently gets what it asked for.
 */
const shims = new Set(['@modelcontextprotocol/client/_shims', '@modelcontextprotocol/server/_shims']);
const shim = new URL('./sdk-shims.mjs', import.meta.url).href;
const languages = /\/zod\/v4\/locales\/index\.js$/;

export function spareLibraries() {
  nodeModule.registerHooks?.({
    resolve(specifier, context, next) {
      if (shims.has(specifier)) return { url: shim, format: 'module', shortCircuit: true };
      const found = next(specifier, context);
      return languages.test(found.url) ? { ...found, url: found.url.replace(/index\.js$/, 'en.js') } : found;
    },
  });
}
