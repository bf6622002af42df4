/**
 * `npm run dev:worker`: runs workerd on this machine, with a database and the sandbox providers. The database is that of DATABASE_URL. Without
 * DATABASE_URL it is the embedded one, behind a queue that lets one client through at a time. `npm run demo` with the same PORT buys at this gateway.
 */
import './load-env.ts';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { openDatabase } from '../src/entry/database-node.ts';
import { migrate } from '../src/entry/migrate.ts';
import { buildPages } from './pages.ts';
import { startPgliteQueue } from './pglite-queue.ts';
import { playSecrets } from './sandbox/providers.ts';
import { noteSandbox, noteStarting } from './sandbox/notes.ts';
import { ownKeys } from './sandbox/own-keys.ts';
import { readSandboxFile, root } from './sandbox/sandbox-file.ts';
import { groupProviders, startProviders } from './sandbox/start-providers.ts';

const file = readSandboxFile();
if (file?.mode !== 'sandbox') {
  process.stderr.write('dev:worker needs a configuration with mode: sandbox: it makes its own keys and simulates the providers\n');
  process.exit(1);
}
const port = process.env['PORT'] ?? '8787';
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const dataDir = process.env['DATA_DIR'] ?? join(root, '.data/worker');
noteStarting(dataDir, `http://127.0.0.1:${port}`);
const keys = ownKeys(dataDir);
await buildPages();
const database = await openDatabase({ url: process.env['DATABASE_URL'], dataDir, log: () => undefined });
await migrate(database, join(root, 'migrations'));
await database.sql.end();
const queue = database.kind === 'pglite' ? await startPgliteQueue(database.url) : undefined;
const databaseUrl = queue ? `postgres://postgres:postgres@127.0.0.1:${queue.port}/postgres` : database.url;
const { providers, baseUrls, stop: stopProviders } = await startProviders(groupProviders());
noteSandbox(dataDir, `http://127.0.0.1:${port}`, providers);
const variables = {
  ...keys,
  ...(process.env['SEAL_KEY_LOST'] === '1' ? { SEAL_KEY_LOST: '1' } : {}),
  ...playSecrets(file),
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info',
  SANDBOX_URLS: JSON.stringify(baseUrls),
};
// Started without npx: a signal would end npx, and leave wrangler and workerd running.
const wrangler = spawn(
  process.execPath,
  [
    join(root, 'node_modules/wrangler/bin/wrangler.js'),
    'dev',
    '--local',
    '--env=',
    '--ip',
    '127.0.0.1',
    '--port',
    port,
    '--test-scheduled',
    ...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE: databaseUrl, WRANGLER_SEND_METRICS: 'false', CI: '1' },
  },
);
for (const provider of providers) say(`  ${provider.id.padEnd(10)} ${provider.url.padEnd(24)} pid ${provider.pid}`);
say(`workerd on http://127.0.0.1:${port}, database ${database.kind}`);
// Cloudflare's Cron fires once a minute. Here we trigger it ourselves.
const cron = setInterval(() => void fetch(`http://127.0.0.1:${port}/cdn-cgi/handler/scheduled`).catch(() => undefined), 60_000);
const stop = (): void => {
  clearInterval(cron);
  wrangler.kill('SIGTERM');
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
wrangler.once('exit', () => {
  void (async () => {
    await queue?.close();
    await stopProviders();
    await database.close();
    process.exit(0);
  })();
});
