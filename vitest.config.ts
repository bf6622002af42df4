import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { contracts } from './test/setup/contracts.ts';
import { WaitersFirst } from './test/setup/waiters-first.ts';

/**
 * No assertion: what hangs is ended, and a busy machine is not a failure. Where time itself is under test the clock is moved (test/support/clock.ts).
 */
const [testTimeout, hookTimeout] = [180_000, 300_000];

/** The client's examples import it by its name: here, as it stands in this checkout. */
const client = fileURLToPath(new URL('packages/client/src', import.meta.url));
const alias = [
  { find: /^@ramp-gateway\/client$/, replacement: `${client}/index.ts` },
  { find: /^@ramp-gateway\/client\/(.*)$/, replacement: `${client}/$1.ts` },
];

/** Suites that start processes and load them for seconds: `npm run test:chaos` runs them. */
const longForms = process.env['CHAOS'] === 'full' ? [] : ['**/*.long.test.ts'];

export default defineConfig({
  test: {
    // Most of what is tested waits for sockets, clocks and a database: more at a time than there are cores.
    maxWorkers: 4,
    sequence: { sequencer: WaitersFirst },
    // At the root, once for all projects: inside a Workers project postgres.js would resolve to its Workers build.
    globalSetup: ['test/setup/database.ts'],
    // The Workers form of postgres.js reports its own closed sockets this way; nothing of ours says these words.
    onUnhandledError: (error) => (/^(This socket has been closed|Stream was cancelled)/.test(error.message) ? false : undefined),
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'node',
          include: ['{src,test,scripts,bench}/**/*.test.ts', 'packages/{client,checkout,console}/{src,test,examples}/**/*.test.ts'],
          exclude: ['src/**/*.workerd.test.ts', 'test/workerd/**', ...longForms],
          environment: 'node',
          pool: 'forks',
          // A process for each file would cost more than its tests: a second to load the gateway. For the same reason this is one project.
          isolate: false,
          // The embedded database is WebAssembly: to optimize it costs more than a test's few statements save.
          execArgv: ['--liftoff-only'],
          setupFiles: ['test/setup/seed.ts', 'test/setup/answers.ts'],
          testTimeout,
          hookTimeout,
        },
      },
      // Inside workerd: what is written for any runtime, as it stands (test/workerd/README.md).
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          name: 'workerd',
          include: [
            ...contracts,
            'src/providers/*/*.workerd.test.ts',
            'src/providers/kit/*.test.ts',
            'src/resilience/{breaker,resilience}.test.ts',
            'src/domain/{ranking,exclusion}.test.ts',
            'packages/client/src/{ramp,webhook}.test.ts',
            'test/workerd/**/*.test.ts',
          ],
          // Each file in a process of its own would cost most of a second each, and each process more than a second for what its files share.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          setupFiles: ['test/setup/seed.ts'],
          testTimeout,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/entry/{node,worker}.ts', '**/*.test.ts', '**/*.{simulator*,sandbox,dialects}.ts'],
      reporter: ['text'],
    },
  },
});
