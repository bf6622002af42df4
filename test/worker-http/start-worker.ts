/** Starts real workerd with wrangler.toml and providers.config.yaml. Only the providers that the test started can be reached. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestHarness } from 'wrangler';
import { sandboxProviders, sandboxSecrets } from '../../scripts/sandbox/providers.ts';
import { startPgliteQueue } from '../../scripts/pglite-queue.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { connect } from '../../src/entry/database-node.ts';
import { createStores } from '../../src/store/stores.ts';
import { embedded as embeddedDatabase, testDatabase } from '../support/postgres.ts';

export type TestWorker = {
  url: string;
  /** Starts background work as Cloudflare's Cron does. */
  wake: () => Promise<void>;
  /** Makes the account due, so that the next background work polls its status. */
  accountDue: (accountId: string) => Promise<void>;
  close: () => Promise<void>;
};

/** Starts the Worker. With `embedded`, it uses the embedded database of `npm run dev:worker` even if there is a PostgreSQL server. */
export const startTestWorker = async (baseUrls: Record<string, string>, { embedded = false } = {}): Promise<TestWorker> => {
  const database = embedded ? await embeddedDatabase() : await testDatabase();
  // The embedded database takes one client, so the test's own client is closed.
  if (database.kind === 'pglite') await database.sql.end();
  const queue = database.kind === 'pglite' ? await startPgliteQueue(database.url) : undefined;
  const address = queue ? `postgres://postgres:postgres@127.0.0.1:${queue.port}/postgres` : database.url;
  process.env['CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE'] = address;
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  const door = await startFrontDoor();
  const nowhere = Object.fromEntries(sandboxProviders.map(({ options }) => [options.id, 'http://127.0.0.1:9']));
  const harness = createTestHarness({
    workers: [
      {
        configPath: './wrangler.toml',
        env: '',
        vars: {
          ...freshSecrets(randomBytes),
          ...sandboxSecrets,
          LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
          PUBLIC_URL: door.url,
          SANDBOX_URLS: JSON.stringify({ ...nowhere, ...baseUrls }),
        },
      },
    ],
  });
  const { url } = await harness.listen();
  door.leadsTo(url);
  const worker = harness.getWorker();
  return {
    url: url.href.replace(/\/$/, ''),
    wake: async () => void (await worker.scheduled({ cron: '* * * * *' })),
    accountDue: async (accountId) => {
      // This client is closed at once, because an open one would shut the Worker out of the embedded database.
      const sql = connect(address, 1);
      await createStores(sql, { grouped: false, migrated: () => Promise.resolve(true) }).accounts.wake(accountId, Date.now());
      await sql.end();
    },
    close: async () => {
      await door.close();
      await harness.close();
      await queue?.close();
      await database.close();
    },
  };
};

/** Starts a server that passes the providers' notices on to the Worker. The Worker needs a PUBLIC_URL before its own address is known. */
const startFrontDoor = async () => {
  let target: URL | undefined;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = { 'content-type': request.headers['content-type'] ?? 'application/json' };
      void fetch(new URL(request.url ?? '/', target), { method: request.method ?? 'POST', headers, body: Buffer.concat(chunks) }).then(
        (answer) => response.writeHead(answer.status).end(),
        () => response.writeHead(502).end(),
      );
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadsTo: (url: URL): void => {
      target = url;
    },
    close: async (): Promise<void> =>
      await new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
};
