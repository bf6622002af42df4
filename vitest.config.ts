import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { contracts } from './test/setup/contracts.ts';
import { WaitersFirst } from './test/setup/waiters-first.ts';

/**
 * These limits only end what hangs. They are so long that no test fails because the machine is busy. Tests of time itself move the clock
 * (test/support/clock.ts).
 */
const [testTimeout, hookTimeout] = [180_000, 300_000];

const load = fileURLToPath(new URL('test/setup/load.ts', import.meta.url));

/** Excludes suites that put load on processes for seconds or longer. `npm run test:chaos` runs them. */
const longForms = process.env['CHAOS'] === 'full' ? [] : ['**/*.long.test.ts'];

export default defineConfig({
  test: {
    // Most tests wait for sockets, clocks or a database, so four files run at a time even on a machine with fewer cores.
    maxWorkers: 4,
    sequence: { sequencer: WaitersFirst },
    // At the root, once for all projects: inside a Workers project postgres.js would resolve to its Workers build.
    globalSetup: ['test/setup/database.ts'],
    // The Workers build of postgres.js reports its own closed sockets this way. None of our own errors has these words.
    onUnhandledError: (error) => (/^(This socket has been closed|Stream was cancelled)/.test(error.message) ? false : undefined),
    projects: [
      {
        test: {
          name: 'node',
          include: ['{src,test,scripts,bench}/**/*.test.ts', 'packages/{client,checkout,console}/{src,test,examples}/**/*.test.ts'],
          exclude: ['src/**/*.workerd.test.ts', 'test/workerd/**', ...longForms],
          environment: 'node',
          pool: 'forks',
          // A process for each file would spend a second on loading the gateway, often more than the file's tests take. For the same reason this is
          // one project.
          isolate: false,
          // Node loads the sources itself, as it does in production without a bundle. Vite would transform each of them and send it to each process.
          experimental: { viteModuleRunner: false, nodeLoader: false },
          // The embedded database is WebAssembly: optimizing it costs more than a test's few statements save.
          execArgv: ['--liftoff-only', '--import', load],
          setupFiles: ['test/setup/seed.ts', 'test/setup/answers.ts'],
          testTimeout,
          hookTimeout,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      // Runs tests of code that is meant for every runtime inside workerd (test/workerd/README.md).
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
          // A process for each file would cost most of a second per file, and each process spends more than a second on what its files share.
          isolate: false,
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
