import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Unmodified clients in real time: `npm run hosts`. */
export default defineConfig({ test: { ...base.test, include: ['test/hosts/*.hosts.ts'], testTimeout: 60_000 } });
