import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Hono } from 'hono';

const types = { 'console.css': 'text/css; charset=utf-8', 'console.js': 'text/javascript; charset=utf-8', 'icon.svg': 'image/svg+xml' } as const;
type Asset = keyof typeof types;

/** Of the one stylesheet, in the order in which they come: what is later wins. */
const sheets = ['base', 'bar', 'press', 'marks', 'queue', 'approval', 'tables', 'login', 'adapt'] as const;

const read = (...names: string[]) => {
  const bytes = Buffer.concat(names.map((name) => readFileSync(new URL(`./assets/${name}`, import.meta.url))));
  return { bytes, version: createHash('sha256').update(bytes).digest('hex').slice(0, 12) };
};
const files: Readonly<Record<Asset, ReturnType<typeof read>>> = {
  'console.css': read(...sheets.map((sheet) => `css/${sheet}.css`)),
  'console.js': read('console.js'),
  'icon.svg': read('icon.svg'),
};

/** The version stands in the address, so that a browser may keep what it has and never has what is old. */
export const assetUrl = (name: Asset): string => `/console/assets/${name}?v=${files[name].version}`;

export function assetRoutes(): Hono {
  const app = new Hono();
  for (const [name, type] of Object.entries(types) as [Asset, string][]) {
    app.get(`/console/assets/${name}`, (c) => c.body(files[name].bytes, 200, { 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' }));
  }
  return app;
}
