/** A gateway that must not start says why: in one line on Node, in one 503 with a stable code on Workers, and never with the value of a secret. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { createTestHarness } from 'wrangler';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sandboxSecrets } from '../../scripts/sandbox/providers.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startServer, StartRefused } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { needsPostgres, testDatabase } from '../support/postgres.ts';
import { makeImageFolder, root, startImage } from './runtimes.ts';

const { providers, ...top } = parse(readFileSync(join(root, 'providers.config.yaml'), 'utf8')) as { providers: Record<string, { kind: string }> };
const sandbox = stringify({ ...top, providers: Object.fromEntries(Object.entries(providers).filter(([, block]) => block.kind === 'fiat-on-ramp')) });
const withApp = stringify({
  ...(parse(sandbox) as object),
  apps: { wallet: { key_hashes: ['a'.repeat(64)], webhook_secret_env: 'WALLET_WEBHOOK_SECRET' } },
});
const live = stringify({ ...(parse(sandbox) as object), mode: 'live', network: 'main', public_url: 'https://ramp.wallet.example' });
const nowhere = 'postgres://ramp:do-not-show@127.0.0.1:9/ramp';
const keys = freshSecrets(randomBytes);
const { SEAL_KEY: _seal, ...keysWithoutSeal } = keys;

const cases: { name: string; config: string; variables: Record<string, string>; says: string }[] = [
  {
    name: 'a secret is missing',
    config: sandbox,
    variables: keysWithoutSeal,
    says: 'SEAL_KEY is missing: npm run keys -- init (in the image: ramp keys init) prints a fresh one',
  },
  {
    name: 'a secret that is none',
    config: sandbox,
    variables: { ...keys, NOTICE_KEY: 'do-not-show' },
    says: 'NOTICE_KEY does not have the form id:base64 of 32 bytes',
  },
  {
    name: 'the configuration names a variable that is not set',
    config: withApp,
    variables: keys,
    says: 'apps.wallet.webhook_secret_env names the variable WALLET_WEBHOOK_SECRET, which is not set',
  },
  {
    name: 'a webhook secret of an app that signs nothing',
    config: withApp,
    variables: { ...keys, WALLET_WEBHOOK_SECRET: 'do-not-show' },
    says: 'apps.wallet.webhook_secret_env names a variable whose value is not whsec_ and base64 of 24 to 64 bytes',
  },
  {
    name: 'a token with a line end within',
    config: sandbox,
    variables: { ...keys, METRICS_TOKEN: 'do-not-show\nmore' },
    says: 'METRICS_TOKEN contains a line break or another character that a secret cannot have',
  },
  {
    name: 'a live gateway on regtest',
    config: live.replace('network: main', 'network: regtest'),
    variables: keys,
    says: 'network: live mode uses real providers, and none of them pays on regtest',
  },
  { name: 'an empty configuration', config: '\n', variables: keys, says: 'providers.config.yaml: the file is empty: it needs mode, network and providers' },
  { name: 'sandbox providers in live mode', config: live, variables: keys, says: 'providers.alpine.base_url: live mode needs https' },
  {
    name: 'a configuration with a mistake',
    config: 'mode: sandbox\nnetwork: regtest\nlimits: { in_flight: none }\nproviders: {}\n',
    variables: keys,
    says: 'providers.config.yaml:3: limits.in_flight: ',
  },
];

/** bad-settings.test.ts tests what a process adds to the refusal. */
describe('Node', () => {
  const refusal = async (config: string, variables: Record<string, string>): Promise<string> =>
    await startServer({ environment: { LOG_LEVEL: 'silent', ...variables }, modules: providerModules, root, configText: config }).then(
      async ({ stop }) => {
        await stop();
        return 'it started';
      },
      (error: unknown) => (error instanceof StartRefused ? error.message : expect.fail(String(error))),
    );

  it.each(cases)('$name', async ({ config, variables, says }) => {
    const told = await refusal(config, { ...variables, DATABASE_URL: nowhere });
    expect(`\n${told}`).toContain(`\n${says}`);
    expect(told).not.toContain('do-not-show');
  });

  it('an unreachable database', async () => {
    expect(await refusal(sandbox, { ...keys, DATABASE_URL: nowhere })).toBe(
      'the database does not answer or could not be migrated: connect ECONNREFUSED 127.0.0.1:9',
    );
  });

  it('no database, in the image, which has none embedded', async () => {
    const folder = await makeImageFolder(sandbox);
    const none = await startImage(folder, { LOG_LEVEL: 'info', ...keys }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    rmSync(folder, { recursive: true });
    expect(none.split('\n')).toEqual([
      "the image's process ended with 1: ramp-gateway does not start:",
      'DATABASE_URL is not set, and this image has no embedded database: set DATABASE_URL to the URL of a PostgreSQL database',
      '',
    ]);
  });
});

type Worker = {
  fetch: (request: Request, env: object, ctx: object) => Promise<Response>;
  scheduled: (event: { scheduledTime: number }, env: object, ctx: object) => Promise<void>;
};
const placeholder = 'the text of providers.config.yaml';
/**
 * Bundles the Worker's entry, so that this process can run it with any configuration; only the last test runs workerd itself. What the entry imports
 * is in a separate file, so that each configuration loads only the entry again.
 */
const bundleWorker = async (folder: string): Promise<string> => {
  const entry = join(root, 'src/entry/worker.ts');
  const imported = [...readFileSync(entry, 'utf8').matchAll(/ from ('\.[^']+\.ts');$/gm)].map(([, path], n) => `export * as part${n} from ${path};`);
  await build({
    entryPoints: { worker: entry, parts: 'parts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    plugins: [
      {
        name: 'config',
        setup: (setup) => {
          setup.onLoad({ filter: /\.yaml$/ }, () => ({ contents: placeholder, loader: 'text' }));
          setup.onResolve({ filter: /^parts$/ }, () => ({ path: 'parts', namespace: 'parts' }));
          setup.onLoad({ filter: /^parts$/, namespace: 'parts' }, () => ({ contents: imported.join('\n'), resolveDir: dirname(entry) }));
        },
      },
    ],
  });
  return readFileSync(join(folder, 'worker.mjs'), 'utf8');
};
const ask = async (worker: Worker, env: object, path: string, method = 'GET'): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await worker.fetch(new Request(`https://ramp.wallet.example${path}`, { method }), env, { waitUntil: () => undefined });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const notReady = { status: 'not-ready', database: false, migrations: false, configuration: false };

describe('Workers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-worker-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let bundle = '';
  beforeAll(async () => {
    bundle = await bundleWorker(folder);
  });
  const workerWith = async (config: string): Promise<Worker> => {
    const file = join(folder, `${randomBytes(4).toString('hex')}.mjs`);
    writeFileSync(
      file,
      bundle.replace(JSON.stringify(placeholder), () => JSON.stringify(config)),
    );
    return ((await import(pathToFileURL(file).href)) as { default: Worker }).default;
  };
  const bound = { HYPERDRIVE: { connectionString: nowhere } };

  it.each([...cases, { name: 'a binding is missing', config: sandbox, variables: { ...keys, HYPERDRIVE: '' }, says: 'the binding HYPERDRIVE is missing' }])(
    '$name',
    async ({ config, variables, says }) => {
      const worker = await workerWith(config);
      const env = { ...bound, ...variables };
      const { status, body } = await ask(worker, env, '/verify');
      expect([status, body['code'], body['type']]).toEqual([503, 'misconfigured', 'urn:ramp-gateway:problem:misconfigured']);
      expect(body['detail']).toContain(says);
      expect(JSON.stringify(body)).not.toMatch(/do-not-show/);
      expect(await ask(worker, env, '/health/ready')).toEqual({ status: 503, body: notReady });
    },
  );

  needsPostgres('a SEAL_KEY that does not open what the database holds: nothing is sealed or done, until it is set or declared lost', async () => {
    const database = await testDatabase();
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      const config = stringify({ ...(parse(sandbox) as object), proof_of_ownership: 'never' });
      const at = (variables: object): object => ({ HYPERDRIVE: { connectionString: database.url }, ...keys, LOG_LEVEL: 'error', ...variables });
      const verify = async (variables: object): Promise<number> => (await ask(await workerWith(config), at(variables), '/verify')).status;
      const begun = async (): Promise<number> => (await database.sql`select 1 from sessions`).length;
      // With nothing sealed, every key is the right one.
      expect([await verify({}), await begun()]).toEqual([200, 1]);

      const another = freshSecrets(randomBytes);
      const [worker, env] = [await workerWith(config), at(another)];
      const refused = await ask(worker, env, '/verify');
      expect([refused.status, refused.body['code']]).toEqual([503, 'misconfigured']);
      expect(refused.body['detail']).toContain(
        `SEAL_KEY does not open the sealed values in this database (sessions, sealed under the key "${keys.SEAL_KEY.split(':')[0]}")`,
      );
      expect(refused.body['detail']).toContain('SEAL_KEY_LOST=1');
      expect((await ask(worker, env, `/notices/alpine/order/order-1/${'a'.repeat(43)}`, 'POST')).status).toBe(503);
      await expect(worker.scheduled({ scheduledTime: 0 }, env, { waitUntil: () => undefined })).rejects.toThrow('SEAL_KEY does not open');
      expect((await ask(worker, env, '/health/ready')).body).toEqual({ status: 'not-ready', database: true, migrations: true, configuration: false });
      expect((await ask(worker, env, '/health/live')).status).toBe(200);
      expect(printed.mock.calls.map(([line]) => JSON.parse(String(line)) as object)).toContainEqual(
        expect.objectContaining({ level: 'error', event: 'seal_key_lost', reason: refused.body['detail'] }),
      );
      expect(await begun()).toBe(1);

      expect([await verify({ ...another, SEAL_KEY_OLD: keys.SEAL_KEY }), await begun()]).toEqual([200, 2]);
      expect([await verify({ ...another, SEAL_KEY_LOST: '1' }), await begun()]).toEqual([200, 3]);
    } finally {
      printed.mockRestore();
      await database.close();
    }
  });

  it('an unreachable database, in workerd', async () => {
    process.env['CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE'] = nowhere;
    process.env['WRANGLER_SEND_METRICS'] = 'false';
    const harness = createTestHarness({
      root,
      workers: [{ configPath: './wrangler.toml', env: '', vars: { ...keys, ...sandboxSecrets, LOG_LEVEL: 'silent' } }],
    });
    try {
      const { url } = await harness.listen();
      const answer = await fetch(new URL('/verify', url));
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'storage-unavailable']);
      const ready = await fetch(new URL('/health/ready', url));
      expect([ready.status, await ready.json()]).toEqual([503, { ...notReady, configuration: true }]);
    } finally {
      await harness.close();
    }
  });
});
