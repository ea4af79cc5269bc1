import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests that need a PostgreSQL server with pgvector, or keep an embedded one busy for a minute. */
const INTEGRATION_TESTS = [
  '**/*.integration.test.ts',
  '**/database/migrations.test.ts',
  '**/services/PgVectorStore.test.ts',
];
const NEVER = ['**/node_modules/**', '**/dist/**', '**/dist-types/**'];

const shared = {
  // @backstage/backend-test-utils looks for them.
  globals: true,
  setupFiles: ['tests/setup.ts'],
  // A worker starts backends and embedded databases, so it keeps a core busy by itself.
  maxWorkers: Math.min(availableParallelism(), 4),
};

export default defineConfig({
  test: {
    reporters: ['default', './tests/reporting/CountsReporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'unit',
          include: ['**/*.test.ts', '**/*.test.mjs'],
          exclude: [...NEVER, ...INTEGRATION_TESTS],
          // They share what they import, which takes as long as all of them; none mocks a module.
          isolate: false,
          sequence: { groupOrder: 0 },
          testTimeout: 15_000,
          hookTimeout: 15_000,
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'integration',
          include: INTEGRATION_TESTS,
          exclude: NEVER,
          globalSetup: 'tests/services/globalSetup.ts',
          // After the unit tests, whose failures are told first.
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
