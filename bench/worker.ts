/** The part about the Worker: the CPU of workerd per POST /quote, the bundle's size and its start-up. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestHarness } from 'wrangler';
import { freshSecrets } from '../src/config/secrets.ts';
import { migrate } from '../src/entry/migrate.ts';
import { root } from './children.ts';
import { configFor } from './gateway-config.ts';
import { load } from './load.ts';
import { asking, inParallel, openSessions, perRound, withDatabase, withProviders, type Part } from './world.ts';

/** Returns wrangler.toml for the benchmark: without Cloudflare's rate limits and without the pages, and otherwise unchanged. */
const tomlFor = (): string => {
  const text = readFileSync(join(root, 'wrangler.toml'), 'utf8');
  const before = text.slice(0, text.indexOf('[env.production]'));
  return before.replaceAll(/\[\[ratelimits\]\]\n(?:[^\n[][^\n]*\n)+/g, '').replace(/\[assets\]\n(?:[^\n[][^\n]*\n)+/, '');
};

/** Makes a folder with the Worker's source and the benchmark's configuration, because the configuration is a part of the Worker. */
const makeFolder = (providersUrl: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-bench-worker-'));
  mkdirSync(join(folder, 'migrations'));
  for (const path of ['src', 'package.json', 'tsconfig.json', 'migrations/meta']) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'providers.config.yaml'), configFor(5, providersUrl));
  writeFileSync(join(folder, 'wrangler.toml'), tomlFor());
  return folder;
};

const tickMs = 10;
/** Returns the CPU in milliseconds that each workerd below this process has used, by its process id. Reads /proc, which only Linux has. */
const workerds = (): Map<string, number> => {
  const all = new Map<string, { parent: string; name: string; cpuMs: number }>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const fields = rest.split(' ');
      all.set(pid, { parent: fields[1] ?? '', name, cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs });
    } catch {
      // The process has ended meanwhile.
    }
  }
  const isBelow = (pid: string | undefined): boolean => pid === String(process.pid) || (all.has(pid ?? '') && isBelow(all.get(pid ?? '')?.parent));
  return new Map([...all].flatMap(([pid, { name, cpuMs }]) => (name.startsWith('workerd') && isBelow(pid) ? [[pid, cpuMs]] : [])));
};

/** Returns the CPU per request in µs: of the workerd that used most, which runs the Worker, and of wrangler's other ones, which pass requests on. */
const cpuPer = async (requests: number, work: () => Promise<void>): Promise<{ worker: number; others: number }> => {
  const before = workerds();
  await work();
  const [most = 0, ...others] = [...workerds()].map(([pid, ms]) => ((ms - (before.get(pid) ?? 0)) * 1000) / requests).toSorted((a, b) => b - a);
  return { worker: most, others: others.reduce((sum, one) => sum + one, 0) };
};

type Built = { sizeKb: number; startMs: number };
/** Builds a folder's Worker with that folder's own check:worker, which prints the size and the CPU of the start. Its limits do not matter here. */
const build = (folder: string): Built => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', 'scripts/check-worker.ts'], { cwd: folder, encoding: 'utf8' });
  const [size, started] = [/gzipped (\d+) KiB/.exec(stdout)?.[1], /start-up ([\d.]+) ms/.exec(stdout)?.[1]];
  if (size === undefined || started === undefined) throw new Error(`check:worker of ${folder} said: ${stdout}${stderr}`);
  return { sizeKb: Number(size), startMs: Number(started) };
};
/** Builds each folder three times in turns. Returns the median of the starts. */
const builds = (folders: string[]): Built[] => {
  const all = [0, 1, 2].map(() => folders.map(build));
  return folders.map((_, index) => {
    const own = all.map((round) => round[index] ?? { sizeKb: 0, startMs: 0 }).toSorted((a, b) => a.startMs - b.startMs);
    return own[1] ?? { sizeKb: 0, startMs: 0 };
  });
};

const cpuOfQuotes: Part = async ({ databaseUrl, report }) => {
  await withDatabase(
    databaseUrl,
    async (url, sql) =>
      await withProviders(5, async (providers) => {
        await migrate({ kind: 'postgres', url, sql }, join(root, 'migrations'));
        const folder = makeFolder(providers.url);
        Object.assign(process.env, {
          CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE: url,
          CLOUDFLARE_CF_FETCH_ENABLED: 'false',
          WRANGLER_SEND_METRICS: 'false',
        });
        const vars = { ...freshSecrets(randomBytes), LOG_LEVEL: 'warn', PUBLIC_URL: 'http://127.0.0.1:9' };
        const harness = createTestHarness({ root: folder, workers: [{ configPath: './wrangler.toml', env: '', vars }] });
        try {
          const origin = (await harness.listen()).url.href.replace(/\/$/, '');
          const body = asking(await openSessions(origin, 16));
          const requests = Math.min(1000, perRound);
          let failed = 0;
          const quote = async (): Promise<void> => {
            const got = await load({ url: `${origin}/quote`, body, connections: 8, requests });
            failed += got.failed;
          };
          const live = async (): Promise<void> => await inParallel(requests, async () => void (await (await fetch(`${origin}/health/live`)).text()));
          await live();
          await quote();
          failed = 0;
          const [empty, quotes] = [await cpuPer(requests, live), await cpuPer(requests, quote)];
          const line = (name: string, one: { worker: number; others: number }): void =>
            report.say(
              `${name.padEnd(38)} cpu ${one.worker.toFixed(0).padStart(6)} µs of workerd, and ${one.others.toFixed(0).padStart(5)} µs of wrangler's proxy`,
            );
          line('Worker, GET /health/live', empty);
          line('Worker, POST /quote, 5 providers', quotes);
          if (failed > 0) report.say(`FAILED ${failed} of ${requests}`);
          report.sizing(`Worker: POST /quote with 5 providers takes ${(quotes.worker / 1000).toFixed(1)} ms of CPU on workerd.`);
        } finally {
          await harness.close();
          rmSync(folder, { recursive: true, force: true });
        }
      }),
  );
};

export const worker: Part = async (world) => {
  const { report } = world;
  await cpuOfQuotes(world);
  const other = process.env['BENCH_BEFORE'];
  const [now, before] = builds(other === undefined ? [root] : [root, other]);
  if (!now) return;
  report.say(`${'Worker, start-up'.padEnd(38)} cpu ${now.startMs.toFixed(0).padStart(6)} ms, ${now.sizeKb} KiB gzipped`);
  if (!before) return;
  report.say(`${'the same of the commit before'.padEnd(38)} cpu ${before.startMs.toFixed(0).padStart(6)} ms, ${before.sizeKb} KiB gzipped`);
  report.atMost('Worker, start-up ÷ before', now.startMs / before.startMs, 1.1);
  report.atMost('Worker, size ÷ before', now.sizeKb / before.sizeKb, 1);
};
