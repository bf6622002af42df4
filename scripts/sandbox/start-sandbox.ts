/** Starts the sandbox: simulated providers as child processes, its own keys in the data folder, the gateway in this process. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startEmbeddedDatabase } from '../../src/entry/embedded-database.ts';
import type { RunningServer } from '../../src/entry/node-server.ts';
import { StartRefused } from '../../src/entry/start-refused.ts';
import { buildPages } from '../pages.ts';
import { noteSandbox, noteStarting } from './notes.ts';
import { playSecrets } from './providers.ts';
import { configFile, readSandboxFile, root } from './sandbox-file.ts';
import { ownKeys } from './own-keys.ts';
import { groupProviders, startProviders, type RunningProvider } from './start-providers.ts';

export type SandboxOptions = { port?: number; quiet?: boolean; temporary?: boolean; ownProcess?: readonly string[]; writeLog?: (line: string) => void };
export type Sandbox = {
  url: string;
  server: RunningServer;
  providers: RunningProvider[];
  /** Opens the console. Undefined in live mode, and if the configuration has tokens of its own. */
  operatorToken: string | undefined;
  stop: () => Promise<void>;
};

/** Starts the sandbox or, with mode: live in the configuration, only the gateway. Throws StartRefused with what the user can correct. */
export const startSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const file = readSandboxFile();
  const isSandbox = file?.mode === 'sandbox';
  if (options.temporary === true && !isSandbox)
    throw new StartRefused('the configuration does not say "mode: sandbox", so the demo does not start a gateway with it');
  const groups = groupProviders(options.ownProcess);
  const temporary = options.temporary === true ? mkdtempSync(join(tmpdir(), 'ramp-gateway-')) : undefined;
  const dataDir = temporary ?? process.env['DATA_DIR'] ?? join(root, '.data');
  if (isSandbox) makeFolder(dataDir);
  if (isSandbox && temporary === undefined) noteStarting(dataDir, `http://127.0.0.1:${options.port ?? process.env['PORT'] ?? 8787}`);
  const running = startProviders(groups);
  // Making the first database takes seconds, so it is made while the gateway's code loads. A failure is reported below, where `embedded` is awaited.
  const embedded = isSandbox && (process.env['DATABASE_URL'] ?? '').trim() === '' ? startEmbeddedDatabase(dataDir) : undefined;
  const pages = buildPages();
  void Promise.allSettled([running, embedded, pages]);
  const stopProviders = async (): Promise<void> => {
    await running.then(async ({ stop }) => await stop()).catch(() => undefined);
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  };
  try {
    const [{ startServer }, { providerModules }] = await Promise.all([import('../../src/entry/node-server.ts'), import('../../src/providers/registry.gen.ts')]);
    const { providers, baseUrls } = await running;
    await pages;
    const environment = environmentFor(options, dataDir, isSandbox ? { ...ownKeys(dataDir), ...playSecrets(file) } : {});
    const { writeLog } = options;
    const server = await startServer({ environment, modules: providerModules, root, baseUrls, embedded, ...(writeLog ? { writeLog } : {}) });
    if (isSandbox) noteSandbox(dataDir, server.url, providers);
    // Providers must reach the gateway even if its port is not the one in the file.
    if (server.config.mode === 'sandbox' && process.env['PUBLIC_URL'] === undefined) server.config.public_url = server.url;
    const operatorToken = isSandbox ? freshOperatorToken(server) : undefined;
    const stop = async (): Promise<void> => {
      await server.stop();
      await stopProviders();
    };
    return { url: server.url, server, providers, operatorToken, stop };
  } catch (error) {
    await embedded?.then(async ({ close }) => await close()).catch(() => undefined);
    await stopProviders();
    throw error;
  }
};

/** Makes a token for the operator, unless the configuration has tokens. The token lasts until the sandbox stops, and is stored nowhere. */
const freshOperatorToken = ({ config }: RunningServer): string | undefined => {
  if (config.operator.token_hashes.length > 0) return undefined;
  const token = `op_${randomBytes(16).toString('hex')}`;
  config.operator.token_hashes.push(sha256Hex(token));
  return token;
};

const environmentFor = ({ port, quiet }: SandboxOptions, dataDir: string, made: Record<string, string>): Record<string, string | undefined> => ({
  // `made` has the sandbox's own keys and the simulators' credentials. In live mode it is empty: the gateway must be given its keys.
  ...made,
  ...process.env,
  DATA_DIR: dataDir,
  ...(port === undefined ? {} : { PORT: String(port) }),
  ...(quiet === true ? { LOG_LEVEL: 'error' } : {}),
  CONFIG_FILE: configFile(),
});

/** Makes the folder for the sandbox's rows, keys and notes. Live mode writes no file. */
const makeFolder = (dataDir: string): void => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new StartRefused(`${dataDir} is not a folder that can be written to (${code}): set DATA_DIR to one that is`);
  }
};
