/** The sandbox: simulated providers as child processes, its own keys in the data folder, the gateway in this process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { freshSecrets } from '../../src/config/secrets.ts';
import { StartRefused, startServer, type RunningServer } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { noteSandbox, noteStarting } from './notes.ts';
import { sandboxProviders, sandboxSecrets, sandboxTicker, type SandboxProvider } from './providers.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export type SandboxProcess = { id: string; url: string; pid: number };
export type Sandbox = { url: string; server: RunningServer; providers: SandboxProcess[]; stop: () => Promise<void> };

export const startSandbox = async (options: { port?: number; quiet?: boolean; temporary?: boolean }): Promise<Sandbox> => {
  const temporary = options.temporary === true ? mkdtempSync(join(tmpdir(), 'ramp-gateway-')) : undefined;
  const dataDir = temporary ?? process.env['DATA_DIR'] ?? join(root, '.data');
  if (temporary === undefined) noteStarting(dataDir, `http://127.0.0.1:${options.port ?? process.env['PORT'] ?? 8787}`);
  const isSandbox = modeOfFile() === 'sandbox';
  if (options.temporary === true && !isSandbox) throw new StartRefused('the configuration is not mode: sandbox: a demo starts nothing of its own with it');
  const children = await startProviders();
  const environment = {
    // Keys that are made here, and credentials of play money, are for the sandbox alone: live mode has its own or does not start.
    ...(isSandbox ? { ...ownKeys(dataDir), ...sandboxSecrets } : {}),
    ...process.env,
    DATA_DIR: dataDir,
    ...(options.port === undefined ? {} : { PORT: String(options.port) }),
    ...(options.quiet === true ? { LOG_LEVEL: 'error' } : {}),
    CONFIG_FILE: process.env['CONFIG_FILE'] ?? join(root, 'providers.config.yaml'),
  };
  const stopChildren = async (): Promise<void> => {
    await Promise.all(children.map(({ child }) => ended(child)));
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  };
  try {
    const server = await startServer({ environment, modules: providerModules, root, baseUrls: Object.fromEntries(children.map(({ id, url }) => [id, url])) });
    noteSandbox(dataDir, server.url, children);
    // Providers must reach the gateway even on another port than the file says.
    if (server.config.mode === 'sandbox' && process.env['PUBLIC_URL'] === undefined) server.config.public_url = server.url;
    return {
      url: server.url,
      server,
      providers: children.map(({ id, url, pid }) => ({ id, url, pid })),
      stop: async () => {
        await server.stop();
        await stopChildren();
      },
    };
  } catch (error) {
    await stopChildren();
    throw error;
  }
};

type SandboxFile = {
  mode?: string;
  routing?: { reference?: Record<string, { feeds?: (string | { url?: string })[] }> };
  providers?: Record<string, { kind?: string; mode?: string }>;
} | null;

const readFile = (): SandboxFile => {
  const file = process.env['CONFIG_FILE'] ?? join(root, 'providers.config.yaml');
  try {
    return parse(readFileSync(file, 'utf8')) as SandboxFile;
  } catch {
    // What is wrong with it is told, with its line, by the gateway that reads it next.
    return null;
  }
};
/** What the file says; undefined when it cannot be read. */
export const modeOfFile = (): string | undefined => readFile()?.mode;

/** Those that the configuration names, and a ticker where it has feeds on loopback, each on any free port: the address in the file is replaced by it. */
export const startProviders = async (): Promise<(SandboxProcess & { child: ChildProcess })[]> => {
  const config = readFile();
  if (config?.mode !== 'sandbox') return [];
  const blocks = config.providers ?? {};
  const isWanted = ({ kind, options: { id } }: SandboxProvider): boolean => blocks[id]?.kind === kind && blocks[id].mode !== 'off';
  const feeds = Object.values(config.routing?.reference ?? {}).flatMap((one) => one.feeds ?? []);
  const ticker = feeds.some((feed) => typeof feed !== 'string' && /^http:\/\/(?:127\.|localhost)/.test(feed.url ?? '')) ? [sandboxTicker] : [];
  return await Promise.all([...sandboxProviders.filter(isWanted), ...ticker].map(startProvider));
};

const startProvider = async (provider: SandboxProvider): Promise<SandboxProcess & { child: ChildProcess }> => {
  const child = spawn(process.execPath, [join(root, 'scripts/simulator.ts')], {
    env: { ...process.env, SIMULATOR: JSON.stringify(provider) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { id } = provider.options;
  const line = await new Promise<string>((read, failed) => {
    createInterface(child.stdout).once('line', read);
    child.once('exit', (code) => failed(new Error(`the sandbox provider ${id} ended with code ${code}`)));
  });
  const { url, pid } = JSON.parse(line) as { url: string; pid: number };
  return { id, url, pid, child };
};

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.stdin?.end();
  child.kill('SIGTERM');
  await gone;
};

/** Made once and stored in the data folder, so that yesterday's sealed values open today. */
const ownKeys = (dataDir: string): Record<string, string> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'keys.json');
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(freshSecrets(randomBytes), undefined, 2), { mode: 0o600 });
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
};
