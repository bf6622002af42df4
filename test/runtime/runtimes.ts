/** Runs the same gateway in three ways: the Node entry in this process, the image's bundle as a process of its own, and real workerd. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';
import { parse, stringify } from 'yaml';
import { startPgliteQueue } from '../../scripts/pglite-queue.ts';
import { sandboxSecrets } from '../../scripts/sandbox/providers.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startServer } from '../../src/entry/node-server.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { imageNode } from '../support/image-node.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { builtImage, copiesOf, stages } from './image-build.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const runtimeNames = ['node', 'container', 'worker'] as const;
export type RuntimeName = (typeof runtimeNames)[number];
export type Runtime = {
  name: RuntimeName;
  url: string;
  simulators: Record<string, RunningSimulator>;
  metricsToken: string;
  /** On Workers, triggers the Cron handler, which does the background work that is due. On Node, the gateway's own loop does that work. */
  wake: () => Promise<void>;
  /** Stops the gateway. Returns its exit code, or undefined on Workers. */
  close: () => Promise<number | undefined>;
};

const configText = stringify({ ...(parse(readFileSync(join(root, 'providers.config.yaml'), 'utf8')) as object), trusted_proxies: ['127.0.0.1'] });

/** The providers of providers.config.yaml, with constant prices, so that the same request has the same answer on every runtime. */
const simulated: SimulatorOptions[] = [
  { id: 'alpine', quoteTtlS: 3600 },
  { id: 'borealis', quoteTtlS: 3600, spreadBps: 20, feeStyle: 'added' },
  { id: 'cobalt', spreadBps: 40, estimate: true, fallback: false },
  { id: 'dune', quoteTtlS: 3600, spreadBps: 60, proof: 'demanded' },
  { id: 'eiger', quoteTtlS: 3600, spreadBps: 80, prefix: '/ALJAZ/fiatlink/1.0.0', deviations: ['amount-btc-only'] },
];
type Parts = { simulators: Record<string, RunningSimulator>; baseUrls: Record<string, string>; variables: Record<string, string>; database: TestDatabase };

/** The requests in the list only buy. Providers of other kinds are configured, but cannot be reached. */
const nowhere = Object.fromEntries(Object.keys((parse(configText) as { providers: object }).providers).map((id) => [id, 'http://127.0.0.1:9']));

const prepare = async (): Promise<Parts> => {
  const [database, ...running] = await Promise.all([testDatabase(), ...simulated.map(startFiatOnRampSimulator)]);
  const simulators = Object.fromEntries(running.map((one, n) => [simulated[n]?.id ?? '', one]));
  return {
    simulators,
    baseUrls: { ...nowhere, ...Object.fromEntries(Object.entries(simulators).map(([id, one]) => [id, one.url])) },
    // Nothing listens at PUBLIC_URL. The list of requests itself passes a provider's notice to the address of the runtime.
    variables: {
      ...freshSecrets(randomBytes),
      ...sandboxSecrets,
      METRICS_TOKEN: randomBytes(16).toString('hex'),
      LOG_LEVEL: 'silent',
      PUBLIC_URL: 'http://127.0.0.1:9',
    },
    database,
  };
};
const closeParts = async ({ simulators, database }: Parts): Promise<void> => {
  await Promise.all(Object.values(simulators).map((one) => one.close()));
  await database.close();
};
const poolOf = (database: TestDatabase): string => (database.kind === 'pglite' ? '1' : '5');
const shared = (parts: Parts) => ({ simulators: parts.simulators, metricsToken: parts.variables['METRICS_TOKEN'] ?? '' });

const startNode = async (): Promise<Runtime> => {
  const parts = await prepare();
  const environment = { ...parts.variables, PORT: '0', DATABASE_URL: parts.database.url, DATABASE_POOL: poolOf(parts.database) };
  const server = await startServer({ environment, modules: providerModules, root, configText, baseUrls: parts.baseUrls });
  return {
    ...shared(parts),
    name: 'node',
    url: server.url,
    wake: async () => await Promise.resolve(),
    close: async () => {
      await server.stop();
      await closeParts(parts);
      return 0;
    },
  };
};

/** Makes a folder that contains only what the last stage of the Dockerfile copies. No folder above it has node_modules. */
export const makeImageFolder = async (config: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-image-'));
  const build = await builtImage();
  for (const { from, to, built } of copiesOf(stages().at(-1) ?? [])) cpSync(join(built ? build : root, from), join(folder, to), { recursive: true });
  writeFileSync(join(folder, 'providers.config.yaml'), config);
  return folder;
};

export type Child = { url: string; child: ChildProcess; exited: Promise<number | null> };
/** Starts `node dist/server.mjs` in `folder`, with the image's flags, and waits until it reports its address. */
export const startImage = async (folder: string, environment: Record<string, string>): Promise<Child> => {
  const { options, flags } = imageNode();
  const child = spawn(process.execPath, [...options, ...flags, 'dist/server.mjs'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      NODE_ENV: 'production',
      APP_ROOT: folder,
      HOST: '127.0.0.1',
      PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const url = await new Promise<string>((found, failed) => {
    createInterface(child.stdout).on('line', (line) => {
      const said = JSON.parse(line) as { event?: string; address?: string };
      if (said.event === 'started' && said.address !== undefined) found(said.address);
    });
    void exited.then((code) => failed(new Error(`the image's process ended with ${String(code)}: ${errors}`)));
  });
  return { url, child, exited };
};

/** Returns the configuration file, with the addresses of the simulators. */
const configWith = (baseUrls: Record<string, string>): string => {
  const config = parse(configText) as { providers: Record<string, { base_url: string }> };
  for (const [id, block] of Object.entries(config.providers)) block.base_url = baseUrls[id] ?? block.base_url;
  return stringify(config);
};

const startContainer = async (): Promise<Runtime> => {
  const parts = await prepare();
  const folder = await makeImageFolder(configWith(parts.baseUrls));
  const { url, child, exited } = await startImage(folder, {
    ...parts.variables,
    LOG_LEVEL: 'info',
    DATABASE_URL: parts.database.url,
    DATABASE_POOL: poolOf(parts.database),
  });
  return {
    ...shared(parts),
    name: 'container',
    url,
    wake: async () => await Promise.resolve(),
    close: async () => {
      child.kill('SIGTERM');
      const code = await exited;
      await closeParts(parts);
      rmSync(folder, { recursive: true, force: true });
      return code ?? undefined;
    },
  };
};

const startWorker = async (): Promise<Runtime> => {
  const parts = await prepare();
  const { database } = parts;
  if (database.kind === 'pglite') await database.sql.end();
  const queue = database.kind === 'pglite' ? await startPgliteQueue(database.url) : undefined;
  const address = queue ? `postgres://postgres:postgres@127.0.0.1:${queue.port}/postgres` : database.url;
  process.env['CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE'] = address;
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  const harness = createTestHarness({
    root,
    workers: [{ configPath: './wrangler.toml', env: '', vars: { ...parts.variables, SANDBOX_URLS: JSON.stringify(parts.baseUrls) } }],
  });
  const { url } = await harness.listen();
  const worker = harness.getWorker();
  return {
    ...shared(parts),
    name: 'worker',
    url: url.href.replace(/\/$/, ''),
    wake: async () => void (await worker.scheduled({ cron: '* * * * *' })),
    close: async () => {
      await harness.close();
      await queue?.close();
      await closeParts(parts);
      return undefined;
    },
  };
};

export const startRuntime: Record<RuntimeName, () => Promise<Runtime>> = { node: startNode, container: startContainer, worker: startWorker };
