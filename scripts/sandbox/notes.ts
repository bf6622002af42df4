/** Notes from one terminal to another, as files in the data folder: which gateway is starting, and where its simulated providers are. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Providers = { id: string; url: string }[];

const write = (dataDir: string, name: string, note: object): void => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, name), JSON.stringify(note));
};
/** Reads the notes about a gateway on the same port as `gateway`, newest first. */
const read = <Note extends object>(dataDirs: string[], name: string, gateway: string): Note[] =>
  dataDirs
    .map((dataDir) => join(dataDir, name))
    .filter((file) => existsSync(file))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Partial<Note> & { gateway?: string })
    .filter((note): note is Note & { gateway: string } => note.gateway !== undefined && new URL(note.gateway).port === new URL(gateway).port);

/** Notes the URLs of the simulated providers, where users pay. */
export const noteSandbox = (dataDir: string, gateway: string, providers: Providers): void =>
  write(dataDir, 'sandbox.json', { gateway, providers: Object.fromEntries(providers.map(({ id, url }) => [id, url])) });

/** Returns the simulated providers of the gateway on the port of `gateway`. A note stays after its sandbox has ended, so the newest note is used. */
export const notedSandbox = (dataDirs: string[], gateway: string): Record<string, string> =>
  read<{ providers: Record<string, string> }>(dataDirs, 'sandbox.json', gateway)[0]?.providers ?? {};

/** Notes that a gateway is starting, because the first start takes a while. The note stays, but is believed only while the process lives. */
export const noteStarting = (dataDir: string, gateway: string): void => write(dataDir, 'starting.json', { gateway, pid: process.pid });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const answers = async (gateway: string): Promise<boolean> => {
  try {
    return (await fetch(`${gateway}/health/ready`)).ok;
  } catch {
    return false;
  }
};

/** Returns whether the gateway is ready, now or after its start. Waits while the process that noted its start lives, but at most a minute. */
export const waitForGateway = async (gateway: string, dataDirs: string[], sayWaiting: () => void, patienceMs = 60_000): Promise<boolean> => {
  const until = Date.now() + patienceMs;
  for (let isFirst = true; !(await answers(gateway)); isFirst = false) {
    const isStarting = read<{ pid: number }>(dataDirs, 'starting.json', gateway).some(({ pid }) => isAlive(pid));
    if (!isStarting || Date.now() >= until) return false;
    if (isFirst) sayWaiting();
    await new Promise((then) => setTimeout(then, 300));
  }
  return true;
};

/** Returns the command for the demo in another terminal, with the variables that are not at their defaults in this one. */
export const demoCommand = (gateway: string, environment: Record<string, string | undefined>): string => {
  const { port } = new URL(gateway);
  const { DATA_DIR: dataDir } = environment;
  return [...(dataDir === undefined ? [] : [`DATA_DIR=${dataDir}`]), ...(port === '8787' ? [] : [`PORT=${port}`]), 'npm run demo'].join(' ');
};
