import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // At the root, once for all projects: inside a Workers project postgres.js would resolve to its Workers build.
    globalSetup: ['test/setup/database.ts'],
    // The Workers form of postgres.js reports its own closed sockets this way; nothing of ours says these words.
    onUnhandledError: (error) => (/^(This socket has been closed|Stream was cancelled)/.test(error.message) ? false : undefined),
    projects: [
      {
        test: {
          name: 'node',
          include: ['{src,test,scripts,bench}/**/*.test.ts'],
          exclude: ['test/workerd/**', 'test/worker-http/**'],
          environment: 'node',
          pool: 'forks',
          testTimeout: 10_000,
          hookTimeout: 30_000,
        },
      },
      // Real workerd, over HTTP.
      {
        test: {
          name: 'worker-http',
          include: ['test/worker-http/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/entry/{node,worker}.ts', '**/*.test.ts', '**/*.simulator*.ts'], reporter: ['text'] },
  },
});
