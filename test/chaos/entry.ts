/** Runs the gateway's own entry as a process, as an operator does: with a configuration file, variables and signals. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export type Heap = { heapUsed: number; rss: number; handles: number };
export type Entry = {
  url: string;
  process: ChildProcess;
  /** Sends SIGTERM. Returns how the process ended. */
  stop: () => Promise<{ code: number | null; ms: number }>;
  heap: () => Promise<Heap>;
  /** Kills the process, whatever it is doing, and removes its folder. */
  end: () => Promise<void>;
};

/** `flags`: more flags for Node. */
export const startEntry = async (config: object, environment: Record<string, string>, flags: string[] = []): Promise<Entry> => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-chaos-'));
  const file = join(folder, 'providers.config.yaml');
  writeFileSync(file, stringify(config));
  const probe = fileURLToPath(new URL('./heap-probe.ts', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', ...flags, '--expose-gc', '--import', probe, join(root, 'src/entry/node.ts')], {
    env: { PATH: process.env['PATH'], APP_ROOT: root, CONFIG_FILE: file, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const heaps: ((heap: Heap) => void)[] = [];
  const url = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!/^\{.*"event":"(?:started|heap)"/.test(line)) return;
      const said = JSON.parse(line) as { event?: string; address?: string } & Heap;
      if (said.event === 'started' && said.address !== undefined) found(said.address);
      if (said.event === 'heap') heaps.shift()?.(said);
    });
    void exited.then((code) => failed(new Error(`the gateway's process ended with ${String(code)}: ${errors}`)));
  });
  return {
    url,
    process: child,
    stop: async () => {
      const started = performance.now();
      child.kill('SIGTERM');
      return { code: await exited, ms: performance.now() - started };
    },
    heap: async () =>
      await new Promise((told) => {
        heaps.push(told);
        child.kill('SIGUSR2');
      }),
    end: async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
