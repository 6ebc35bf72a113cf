import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Far above need: a limit is for what hangs, and no test may fail because a machine is slow or busy.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    // ONNX Runtime already uses every core; a second worker only makes both slower.
    pool: 'forks',
    maxWorkers: 2,
  },
});
