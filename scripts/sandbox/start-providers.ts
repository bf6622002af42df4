/** Runs the simulated providers as child processes. A provider that is to be stopped or watched alone gets its own process; all others share one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tickerKey } from '../../src/config/ticker-key.ts';
import { StartRefused } from '../../src/entry/start-refused.ts';
import { sandboxProviders, sandboxTicker, type SandboxProvider } from './providers.ts';
import { isOnThisMachine, readSandboxFile, root } from './sandbox-file.ts';

export type RunningProvider = { id: string; url: string; pid: number };
export type RunningProviders = {
  providers: RunningProvider[];
  /** The providers' addresses, by provider id (`tickerKey` for the price feeds). They replace the addresses in the configuration. */
  baseUrls: Record<string, string>;
  stop: () => Promise<void>;
};

/** The providers of each process. */
export type ProviderGroups = SandboxProvider[][];

/**
 * Returns the simulated providers that the configuration names, and the price feeds if it has feeds on loopback. Returns nothing unless the
 * configuration says `mode: sandbox`. `ownProcess`: the ids of the providers that get a process each. Throws StartRefused for an unknown id.
 */
export const groupProviders = (ownProcess: readonly string[] = []): ProviderGroups => {
  const wanted = wantedProviders();
  const ids = wanted.map(({ options: { id } }) => id);
  const unknown = ownProcess.filter((id) => !ids.includes(id));
  if (unknown.length > 0)
    throw new StartRefused(`--own-process ${unknown.join(',')}: the sandbox has ${ids.length === 0 ? 'no providers here' : ids.join(', ')}`);
  const isAlone = ({ options: { id } }: SandboxProvider): boolean => ownProcess.includes(id);
  return [wanted.filter((one) => !isAlone(one)), ...wanted.filter(isAlone).map((one) => [one])].filter((group) => group.length > 0);
};

/** Starts each provider on a free port. */
export const startProviders = async (groups: ProviderGroups): Promise<RunningProviders> => {
  const processes = await Promise.all(groups.map(startProcess));
  const providers = processes.flatMap(({ pid, urls }) => Object.entries(urls).map(([id, url]) => ({ id, url, pid })));
  return {
    providers,
    baseUrls: Object.fromEntries(providers.map(({ id, url }) => [id === sandboxTicker.options.id ? tickerKey : id, url])),
    stop: async () => void (await Promise.all(processes.map(({ child }) => ended(child)))),
  };
};

const wantedProviders = (): SandboxProvider[] => {
  const config = readSandboxFile();
  if (config?.mode !== 'sandbox') return [];
  const blocks = config.providers ?? {};
  const isWanted = ({ kind, options: { id } }: SandboxProvider): boolean => {
    const block = blocks[id];
    return block?.kind === kind && block.mode !== 'off' && isOnThisMachine(block);
  };
  const feeds = Object.values(config.routing?.reference ?? {}).flatMap((one) => one.feeds ?? []);
  const ticker = feeds.some((feed) => typeof feed !== 'string' && /^http:\/\/(?:127\.|localhost)/.test(feed.url ?? '')) ? [sandboxTicker] : [];
  return [...sandboxProviders.filter(isWanted), ...ticker];
};

type ProviderProcess = { child: ChildProcess; pid: number; urls: Record<string, string> };

const startProcess = async (providers: SandboxProvider[]): Promise<ProviderProcess> => {
  const child = spawn(process.execPath, ['--no-warnings', '--max-semi-space-size=4', join(root, 'scripts/simulators.ts')], {
    env: { ...process.env, SIMULATORS: JSON.stringify(providers) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((read, failed) => {
    createInterface(child.stdout).once('line', read);
    child.once('exit', (code) => failed(new Error(`the process of the sandbox providers ended with code ${code}`)));
  });
  const { pid, urls } = JSON.parse(line) as { pid: number; urls: Record<string, string> };
  child.once('exit', () => {
    if (!child.killed)
      process.stderr.write(
        `the process of the sandbox providers (pid ${pid}) has ended: ${Object.keys(urls).join(', ')} will not respond until the next start\n`,
      );
  });
  return { child, pid, urls };
};

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.stdin?.end();
  child.kill('SIGTERM');
  await gone;
};
