/** What one terminal leaves for the other: who is starting, and whose pretended providers these are. Files in the data folder. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Providers = { id: string; url: string }[];

const write = (dataDir: string, name: string, note: object): void => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, name), JSON.stringify(note));
};
/** Newest first, those of the gateway at that port only. */
const read = <Note extends object>(dataDirs: string[], name: string, gateway: string): Note[] =>
  dataDirs
    .map((dataDir) => join(dataDir, name))
    .filter((file) => existsSync(file))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Partial<Note> & { gateway?: string })
    .filter((note): note is Note & { gateway: string } => note.gateway !== undefined && new URL(note.gateway).port === new URL(gateway).port);

/** Where the people of the pretended providers pay. */
export const noteSandbox = (dataDir: string, gateway: string, providers: Providers): void =>
  write(dataDir, 'sandbox.json', { gateway, providers: Object.fromEntries(providers.map(({ id, url }) => [id, url])) });

/** The pretended providers of the gateway at that port. A note stays when its sandbox has ended: of two, the newer one is true. */
export const notedSandbox = (dataDirs: string[], gateway: string): Record<string, string> =>
  read<{ providers: Record<string, string> }>(dataDirs, 'sandbox.json', gateway)[0]?.providers ?? {};

/** Written before anything else, since the first start takes a while. It stays: whether the process lives decides. */
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

/** Whether a gateway answers there, now or once it has started: as long as the process lives that said it would, a minute at most. */
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

/** The demo's command in another terminal, with what it cannot know of this one. */
export const demoCommand = (gateway: string, environment: Record<string, string | undefined>): string => {
  const { port } = new URL(gateway);
  const { DATA_DIR: dataDir } = environment;
  return [...(dataDir === undefined ? [] : [`DATA_DIR=${dataDir}`]), ...(port === '8787' ? [] : [`PORT=${port}`]), 'npm run demo'].join(' ');
};
