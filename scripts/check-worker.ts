/** `npm run check:worker`: what goes to Workers, its size, and that no simulator is in it. Fails above 400 KiB gzipped. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const most = 400 * 1024;
const out = mkdtempSync(join(tmpdir(), 'ramp-worker-'));
try {
  execFileSync('npx', ['wrangler', 'deploy', '--dry-run', '--minify', '--env=', '--outdir', out], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', XDG_CONFIG_HOME: out },
  });
  const files = readdirSync(out).filter((name) => name.endsWith('.js') || name.endsWith('.yaml'));
  const code = Buffer.concat(files.map((name) => readFileSync(join(out, name))));
  const size = gzipSync(code).length;
  const leaked = ['withdrawRequest","callback', '__control', 'fiat-on-ramp.simulator'].filter((mark) => code.includes(mark));
  process.stdout.write(
    `worker bundle ${(code.length / 1024).toFixed(0)} KiB, gzipped ${(size / 1024).toFixed(0)} KiB (at most ${most / 1024})${leaked.length > 0 ? `, simulator code in it: ${leaked.join(', ')}` : ', no simulator code'}\n`,
  );
  if (size > most || leaked.length > 0 || files.length === 0) process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
