/** docs/sandbox.md promises that its commands work: here they run as printed, in sequence, against `npm start`, together with the demos. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { childPath, commandPath } from '../setup/children.ts';
import { freePort } from '../setup/local-server.ts';
import { embeddedFolder, quickEmbedded } from '../support/embedded-folder.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const page = readFileSync(join(root, 'docs/sandbox.md'), 'utf8');
const fences = [...page.matchAll(/^```(\S*[^\n]*)\n([\s\S]*?)^```$/gm)].map(([, kind = '', code = '']) => ({ kind, code }));

const stops: (() => unknown)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

/** Returns the resident megabytes of a process; 0 if the system does not report them. */
const residentMb = (pid: number): number => {
  const file = `/proc/${pid}/smaps_rollup`;
  return existsSync(file) ? Number(/^Rss:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1]) / 1024 : 0;
};

let environment: Record<string, string | undefined>;
let gatewayPort: number;
let started = '';
beforeAll(async () => {
  gatewayPort = await freePort();
  const dataDir = await embeddedFolder();
  stops.push(() => rmSync(dataDir, { recursive: true }));
  environment = { ...process.env, DATA_DIR: dataDir, PORT: String(gatewayPort), LOG_LEVEL: 'error' };
  const gateway = spawn(process.execPath, ['--no-warnings', quickEmbedded, join(root, 'scripts/start.ts')], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stops.push(async () => {
    const gone = new Promise((done) => gateway.once('exit', done));
    gateway.kill('SIGTERM');
    await gone;
  });
  await new Promise<void>((ready, failed) => {
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => (started += text).includes('next, in another terminal') && ready());
    gateway.once('exit', (code) => failed(new Error(`npm start ended with ${code}`)));
  });
  // On a busy machine, a provider's first response may take longer than the gateway waits for prices.
  const wallet = createWallet(`http://127.0.0.1:${gatewayPort}`);
  const { sessionId } = await wallet.open();
  const lists = async (ramp: string): Promise<boolean> =>
    (await wallet.call(`${ramp}/payment-options`, { session_id: sessionId, currency_code: 'EUR' })).status === 200;
  await vi.waitUntil(async () => (await lists('')) && (await lists('/sell')), { timeout: 120_000, interval: 500 });
});

const run = async (command: string, args: string[]): Promise<string> => {
  const child = spawn(command, args, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`${args.at(-1)?.slice(0, 40)} ended with ${String(code)}: ${said.slice(-3000)}`);
  return said;
};

it.concurrent('runs every command of the page', async () => {
  const webhookPort = await freePort();
  const commands = fences.map(({ code }) => code).join('\n');
  // Starting npm and reading the sources would take most of the time. So a function replaces npm, and each command starts from a bundle.
  expect(await run(process.execPath, ['--no-warnings', 'scripts/wallet.ts', 'key'])).toMatch(/^0[23][\da-f]{64}\n$/);
  const wallet = childPath(inject('children'), join(root, 'scripts/wallet.ts'));
  const npm = `npm() { [ "$1 $2 $3 $4" = 'run -s wallet --' ] && '${process.execPath}' --no-warnings '${wallet}' "\${@:5}"; }`;
  const script = `set -eo pipefail\n${npm}\n${commands.replaceAll('127.0.0.1:8787', `127.0.0.1:${gatewayPort}`).replaceAll('9000', String(webhookPort))}`;
  const said = await run('bash', ['-c', script]);
  expect(said).toMatch(/^\d+ sats: \{"status":"OK"\}$/m);
  expect(said).toMatch(/^\{"type":"test".*\}$/m);
  const processes = [...started.matchAll(/^pid (\d+)/gm)].map(([, pid]) => Number(pid));
  expect(processes).toHaveLength(2);
  expect(processes.reduce((sum, pid) => sum + residentMb(pid), 0)).toBeLessThan(950);
});

it.concurrent.each([
  [
    'buy',
    [
      /^#  provider +pays +gets/m,
      /^6 {2}Claimed [\d ]+ sats by LNURL-withdraw: \{"status":"OK"\}$/m,
      /finished {2}finished$/m,
      /ranked again here, give the same ranking\.$/m,
    ],
  ],
  ['sell', [/^ {3}active: demo\w+@dev\.bringin\.xyz → DE89…3000$/m, /filled +filled$/m, /^ {3}on the card: \d+\.\d\d EUR$/m]],
  [
    'liquidity',
    [
      /^ {3}LSP West: peer-not-connected, connect to \w{20}…$/m,
      /^2 {2}Blocktank +5 844 sats/m,
      /^4 {2}Redeemed by LNURL-channel: \{"status":"OK"\}$/m,
      /^5 {2}The same from Blocktank[\s\S]+finished {2}finished$/m,
    ],
  ],
])('npm run demo %s', async (name, lines) => {
  const said = await run(process.execPath, ['--no-warnings', commandPath(inject('children'), inject('scratch'), join(root, 'scripts/demo.ts')), name]);
  for (const line of lines) expect(said).toMatch(line);
});

it('has no other code', () => {
  expect((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts).toMatchObject({
    wallet: 'node --no-warnings scripts/wallet.ts',
  });
  expect([fences.length, fences.filter(({ kind }) => kind !== 'sh run')]).toEqual([11, []]);
});
