/**
 * `npm run check`: runs format, lint, types and other checks that need no test run, two at a time. Prints a line for each part, and the output of
 * those that failed. `npm run check -- lint types` runs only the parts named.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

type Part = { name: string; command: string; needs?: string };

/** The workspaces. Those with a tsconfig.json are type-checked with it, for the runtimes that they are made for. */
const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8')) as { workspaces: string[] };
const packagesWithTypes = workspaces.map((path) => basename(path)).filter((name) => existsSync(`packages/${name}/tsconfig.json`));

const parts: Part[] = [
  { name: 'format', command: 'oxfmt --check' },
  { name: 'lint', command: 'oxlint --type-aware --deny-warnings --report-unused-disable-directives' },
  { name: 'layers', command: 'node scripts/check-layers.ts' },
  { name: 'types', command: 'tsc --noEmit' },
  { name: 'worker-types', command: 'wrangler types worker-configuration.d.ts && tsc --noEmit -p tsconfig.worker.json', needs: 'src/entry/worker.ts' },
  ...packagesWithTypes.map((name) => ({ name: `types-${name}`, command: `tsc --noEmit -p packages/${name}` })),
  { name: 'generated', command: 'node scripts/gen.ts --check', needs: 'scripts/gen.ts' },
  { name: 'migrations', command: 'node scripts/check-migrations.ts', needs: 'src/store/schema.ts' },
  { name: 'unused', command: 'knip --no-progress --no-config-hints' },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) throw new Error(`no part named ${unknown.join(', ')}; there are: ${parts.map((part) => part.name).join(', ')}`);

/** Runs one part. Returns whether it passed. */
const run = ({ name, command, needs }: Part): Promise<boolean> => {
  if (needs !== undefined && !existsSync(needs)) {
    console.log(`-    ${name}: nothing to check, ${needs} is not there`);
    return Promise.resolve(true);
  }
  const started = Date.now();
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (code !== 0) console.log(`${output.trimEnd()}\n`);
      resolve(code === 0);
    });
  });
};

// Linting and type-checking need the client's generated types of the API.
execFileSync(process.execPath, ['--no-warnings', 'packages/client/scripts/types.ts'], { stdio: 'inherit' });

const queue = parts.filter((part) => wanted.length === 0 || wanted.includes(part.name));
const failed: string[] = [];
const work = async (): Promise<void> => {
  for (let part = queue.shift(); part; part = queue.shift()) if (!(await run(part))) failed.push(part.name);
};
await Promise.all([work(), work()]);
if (failed.length > 0) {
  console.log(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
