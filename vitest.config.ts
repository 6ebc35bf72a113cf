import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // ONNX Runtime already uses every core; a second worker only makes both slower.
    pool: 'forks',
    maxWorkers: 2,
  },
});
