import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const FOLDERS = {
  domain: 'packages/domain',
  service: 'packages/service',
  testing: 'packages/testing',
  db: 'prisma',
  core: 'core',
  subgraphs: 'subgraphs',
  gateway: 'gateway',
  workflows: 'workflows',
  scripts: 'scripts',
  web: 'web',
  e2e: 'e2e',
};

const EXCLUDED = ['**/node_modules/**', '**/.next/**', '**/build/**', '**/generated/**'];
// By its own command, `npm run chaos`, as long as it is told to.
if (process.env.CHAOS_ROUNDS === undefined) EXCLUDED.push('workflows/src/chaos.test.ts');

function project(name: keyof typeof FOLDERS): object {
  const wholeSystem = name === 'e2e';
  return {
    extends: true,
    test: {
      name,
      include: [`${FOLDERS[name]}/**/*.test.{ts,tsx}`],
      exclude: EXCLUDED,
      testTimeout: wholeSystem ? 300_000 : 30_000,
      hookTimeout: wholeSystem ? 300_000 : 60_000,
      // One whole system at a time, after everything else.
      fileParallelism: !wholeSystem,
      sequence: { groupOrder: wholeSystem ? 1 : 0 },
    },
  };
}

export default defineConfig({
  // One graphql for our modules and for CommonJS packages, which otherwise get two copies that refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }] },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // Tests on public data sets skip, saying so, where the folder is absent.
    env: {
      KINDRED_DATA_DIR: process.env.KINDRED_DATA_DIR ?? fileURLToPath(new URL('../shared/data', import.meta.url)),
    },
    globalSetup: ['scripts/src/testing/global-setup.ts'],
    teardownTimeout: 30_000,
    projects: Object.keys(FOLDERS).map((name) => project(name as keyof typeof FOLDERS)),
  },
});
