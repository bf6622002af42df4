/** The processes of the benchmark: the gateway as users run it, the floors and the providers. */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { imageNode } from '../test/support/image-node.ts';
import { load } from './load.ts';

const here = dirname(fileURLToPath(import.meta.url));
export const root = dirname(here);
export const connections = 32;

export type Child = { process: ChildProcess; url: string };
export type Environment = { readonly [name: string]: string };

let bundling: Promise<string> | undefined;
/** Bundles the gateway of a worktree into one file, as the image has it. Returns the file's path. */
export const bundle = async (folder: string): Promise<string> => {
  const bundled = join(folder, 'dist/bench-gateway.mjs');
  await promisify(execFile)(process.execPath, ['--no-warnings', join(folder, 'scripts/build.ts'), join(folder, 'bench/gateway.ts'), bundled], { cwd: folder });
  return bundled;
};
/** Returns the flags that the image of a worktree gives to Node, or those of BENCH_FLAGS. `profiles`: a folder for CPU profiles. */
export const gatewayFlags = (profiles: string | undefined, folder = root): string[] => {
  const profile = profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles];
  const image = imageNode(folder);
  return [...(process.env['BENCH_FLAGS']?.split(' ').filter((flag) => flag !== '') ?? [...image.options, ...image.flags]), ...profile];
};

/** Starts one of the processes in this folder, and waits until it has reported its address. */
export const start = async (file: string, environment: Environment): Promise<Child> =>
  file === 'gateway.ts'
    ? await launch(await (bundling ??= bundle(root)), environment, gatewayFlags(process.env['BENCH_PROFILE']))
    : await launch(join(here, file), environment);
/** Starts a process from a file that may belong to another commit. */
export const launch = async (path: string, environment: Environment, flags: string[] = []): Promise<Child> => {
  const env = { ...process.env, MALLOC_ARENA_MAX: imageNode().arenas, ROOT: root, ...environment };
  const child = fork(path, { env, execArgv: ['--no-warnings', ...flags] });
  const { url } = await new Promise<{ url: string }>((ready, failed) => {
    child.once('message', (message) => ready(message as { url: string }));
    child.once('exit', (code) => failed(new Error(`${path} ended with code ${code}`)));
  });
  const started = { process: child, url };
  running.add(started);
  return started;
};
const running = new Set<Child>();
export const stop = async (...children: Child[]): Promise<void> => {
  for (const child of children) {
    running.delete(child);
    if (child.process.exitCode !== null || child.process.signalCode !== null) continue;
    const gone = new Promise((done) => child.process.once('exit', done));
    child.process.disconnect();
    await gone;
  }
};
/** Stops the processes that a failed part has left running. */
export const stopRest = async (): Promise<void> => await stop(...running);
export const usage = async (child: Child): Promise<{ cpuMs: number; rssMb: number }> =>
  await new Promise((told) => {
    child.process.once('message', (message) => {
      const { cpu, rss } = message as { cpu: NodeJS.CpuUsage; rss: number };
      told({ cpuMs: (cpu.user + cpu.system) / 1000, rssMb: rss / 1e6 });
    });
    child.process.send({});
  });

/** Returns how long all cores together have worked, and how long they have worked or rested, in milliseconds. */
const machineTimes = (): { busy: number; all: number } => {
  const times = cpus().map((one) => one.times);
  const all = times.reduce((sum, one) => sum + one.user + one.nice + one.sys + one.irq + one.idle, 0);
  return { all, busy: all - times.reduce((sum, one) => sum + one.idle, 0) };
};

/** `core`: the share of one core that the measured process used; `machine`: the share of all cores that all processes together used. */
export type Figures = { perSecond: number; p50: number; p99: number; cpuUs: number; failed: number; core: number; machine: number };
export type Request = { path: string; body: () => string; requests: number };

/** Sends `requests` requests to a process, and measures them and the CPU of the process. */
export const measure = async (target: Child, { path, body, requests }: Request): Promise<Figures> =>
  await during(target, requests, async () => {
    const began = performance.now();
    const got = await load({ url: target.url + path, body, connections, requests });
    return { ...got, ms: performance.now() - began };
  });
type Timed = Pick<Figures, 'perSecond' | 'p50' | 'p99' | 'failed'> & { ms: number };
/** Measures the CPU that a process and the whole machine use for `count` pieces of work. `ms`: how long the work took. */
export const during = async (target: Child, count: number, work: () => Promise<Timed>): Promise<Figures> => {
  const [before, machine] = [await usage(target), machineTimes()];
  const { ms, ...got } = await work();
  const [after, machineAfter] = [await usage(target), machineTimes()];
  const cpuMs = after.cpuMs - before.cpuMs;
  return {
    ...got,
    cpuUs: (cpuMs * 1000) / count,
    core: cpuMs / ms,
    machine: (machineAfter.busy - machine.busy) / Math.max(1, machineAfter.all - machine.all),
  };
};

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const middle = (all: Figures[]): Figures => ({
  perSecond: median(all.map((one) => one.perSecond)),
  p50: median(all.map((one) => one.p50)),
  p99: median(all.map((one) => one.p99)),
  cpuUs: median(all.map((one) => one.cpuUs)),
  core: median(all.map((one) => one.core)),
  machine: median(all.map((one) => one.machine)),
  failed: all.reduce((sum, one) => sum + one.failed, 0),
});

/** Measures each side once in every round. Every second round begins with the last side, so that none is always the first. Returns the medians. */
export const alternate = async <Side extends string>(rounds: number, sides: Record<Side, () => Promise<Figures>>): Promise<Record<Side, Figures>> => {
  const all = Object.entries(sides) as [Side, () => Promise<Figures>][];
  const measured = new Map<Side, Figures[]>(all.map(([side]) => [side, []]));
  for (let round = 0; round < rounds; round += 1) for (const [side, run] of round % 2 === 0 ? all : all.toReversed()) measured.get(side)?.push(await run());
  return Object.fromEntries(all.map(([side]) => [side, middle(measured.get(side) ?? [])])) as Record<Side, Figures>;
};
