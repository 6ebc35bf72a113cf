// npm run test:package: the package as a user installs it. It takes minutes and the npm registry, so it is not in
// `npm test`.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/package/*.slow.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    pool: 'forks',
  },
});
