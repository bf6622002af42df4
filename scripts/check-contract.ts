/**
 * `npm run check:contract`: checks that other people's software can use /openapi.json. Two linters must report no error and no warning. Three
 * generators each make a client. The clients, and a complete purchase written with each of them, must compile under `tsc --strict`, and each purchase
 * must succeed in a sandbox. The linters and generators have a lockfile of their own and are installed first, because nothing else needs them.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildPages } from './pages.ts';
import { startSandbox } from './sandbox/start-sandbox.ts';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/contract');
const document = '../../dist/site/openapi.json';
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const environment = { ...process.env, CI: 'true', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

/** Runs a command. Throws with its output if it fails. */
const run = async (command: string, args: string[], env: NodeJS.ProcessEnv = environment): Promise<string> => {
  try {
    return (await promisify(execFile)(command, args, { cwd: folder, env, maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${[command, ...args].join(' ')} failed\n${stdout}\n${stderr}`, { cause: error });
  }
};

const steps: readonly [what: string, command: string, args: string[]][] = [
  ['install', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']],
  ['redocly: no error, no warning', 'npx', ['redocly', 'lint', document, '--config', 'redocly.yaml']],
  ['spectral: no error, no warning', 'npx', ['spectral', 'lint', document, '--ruleset', '.spectral.yaml', '--fail-severity', 'warn']],
  ['openapi-typescript generates', 'npx', ['openapi-typescript', document, '-o', 'dist/openapi-typescript.ts']],
  ['@hey-api/openapi-ts generates', 'npx', ['openapi-ts', '-i', document, '-o', 'dist/hey-api', '-c', '@hey-api/client-fetch']],
  ['orval generates', 'npx', ['orval', '--config', 'orval.config.mjs', '--fail-on-warnings']],
  ['tsc --strict passes', 'npx', ['tsc', '-p', '.']],
];

const purchases = ['openapi-fetch', 'hey-api', 'orval'];
const buyWith = async (name: string, gatewayUrl: string): Promise<void> => {
  const outfile = join(folder, `dist/${name}.mjs`);
  await build({ entryPoints: [join(folder, `purchase/${name}.ts`)], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
  say(`ok   a purchase with ${name}\n${(await run(process.execPath, [outfile], { ...environment, GATEWAY_URL: gatewayUrl })).trimEnd()}`);
};

try {
  await buildPages();
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  for (const [what, command, args] of steps) {
    await run(command, args);
    say(`ok   ${what}`);
  }
  const sandbox = await startSandbox({ port: 0, quiet: true, temporary: true });
  try {
    for (const name of purchases) await buyWith(name, sandbox.url);
  } finally {
    await sandbox.stop();
  }
} catch (error) {
  say(`FAIL ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
