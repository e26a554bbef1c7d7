import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What takes longer has a command of its own; each is one project.
    projects: [
      { extends: true, test: { name: 'product', include: ['test/**/*.test.ts'], exclude: ['test/hostile/**', 'test/e2e/**', 'test/cli/**'] } },
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts', 'test/cli/**/*.test.ts'], testTimeout: 90_000 } },
      { extends: true, test: { name: 'hostile', include: ['test/hostile/**/*.test.ts'], testTimeout: 120_000 } },
      { extends: true, test: { name: 'hosts', include: ['test/hosts/*.hosts.ts'], testTimeout: 60_000 } },
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 3,
    globalSetup: ['test/support/run.ts'],
    // What the tests start compiles the same files again and again.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'taskgate') },
  },
});
