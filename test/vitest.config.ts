import { defineConfig } from 'vitest/config';
import { soaking } from './support/scale.ts';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/{unit,contract,scenario,fuzz,arch,e2e}/**/*.test.ts'],
    globalSetup: ['test/support/kafka/shared-server.ts'],
    maxWorkers: soaking ? 1 : 2,
    testTimeout: soaking ? 1_800_000 : 60_000,
    hookTimeout: soaking ? 1_800_000 : 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/wire/**/*.ts', 'src/receive/**/*.ts'],
      reporter: [['text', { skipFull: true }]],
      reportOnFailure: true,
      thresholds: {
        'src/wire/**/*.ts': { lines: 100 },
        'src/receive/**/*.ts': { lines: 100 },
      },
    },
  },
});
