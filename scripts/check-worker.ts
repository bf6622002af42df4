/**
 * `npm run check:worker`: prints the size of the Worker's bundle and how long it takes to start on this machine. Fails if the bundle contains a
 * simulator, anything from src/contract or one of zod's languages other than English, if it exceeds 700 KiB gzipped
 * (docs/decisions/2026-11-29-the-contract-is-a-file.md), or if the start takes more than half of the second that Cloudflare allows.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isForScripts } from './layers.ts';
import { buildPages } from './pages.ts';

type Metafile = { inputs: object; outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> };
const most = 700 * 1024;
const longestStartMs = 500;
await buildPages();
const out = mkdtempSync(join(tmpdir(), 'ramp-worker-'));
try {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', XDG_CONFIG_HOME: out };
  execFileSync('npx', ['wrangler', 'deploy', '--dry-run', '--minify', '--env=', '--outdir', out, '--metafile', join(out, 'bundle.json')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const files = readdirSync(out).filter((name) => name.endsWith('.js') || name.endsWith('.yaml'));
  const code = Buffer.concat(files.map((name) => readFileSync(join(out, name))));
  const size = gzipSync(code).length;
  const { inputs, outputs } = JSON.parse(readFileSync(join(out, 'bundle.json'), 'utf8')) as Metafile;
  const bundled = Object.keys(inputs);
  if (!bundled.some((path) => path.endsWith('src/entry/worker.ts'))) throw new Error('src/entry/worker.ts is not in the list of bundled files');
  // `import { z } from 'zod'` brings 63 languages along, a quarter of a megabyte; `import * as z` brings only English.
  const languages = Object.values(outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 && /zod\/v4\/locales\/(?!en\.js)/.test(path) ? [path] : [])),
  );
  const leaked = [...bundled.filter(isForScripts), ...languages];
  process.stdout.write(
    `worker bundle ${(code.length / 1024).toFixed(0)} KiB, gzipped ${(size / 1024).toFixed(0)} KiB (at most ${most / 1024})${leaked.length > 0 ? `, with code that must not be in it: ${leaked.join(', ')}` : ', no simulator, no contract and no unused language in it'}\n`,
  );
  const profile = join(out, 'startup.cpuprofile');
  const told = execFileSync('npx', ['wrangler', 'check', 'startup', '--outfile', profile, '--args=--env= --minify'], { encoding: 'utf8', env });
  const active = Number(/Active: ([\d.]+) ms/.exec(told)?.[1]);
  process.stdout.write(`worker start-up ${active} ms of CPU on this machine (at most ${longestStartMs})\n`);
  if (!(active <= longestStartMs)) process.exitCode = 1;
  if (size > most || leaked.length > 0 || files.length === 0) process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
