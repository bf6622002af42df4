/** docs/sandbox.md promises that its commands work: here they run as printed, in order, against `npm start`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const page = readFileSync(join(root, 'docs/sandbox.md'), 'utf8');
const fences = [...page.matchAll(/^```(\S*[^\n]*)\n([\s\S]*?)^```$/gm)].map(([, kind = '', code = '']) => ({ kind, code }));

const dataDir = mkdtempSync(join(tmpdir(), 'ramp-sandbox-page-'));
const stops: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const freePort = async (): Promise<number> =>
  await new Promise((found) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => found(port));
    });
  });

it('runs every command of the page', async () => {
  const [gatewayPort, webhookPort] = [await freePort(), await freePort()];
  const environment = { ...process.env, DATA_DIR: dataDir, PORT: String(gatewayPort), LOG_LEVEL: 'error' };
  const gateway = spawn(process.execPath, ['--no-warnings', join(root, 'scripts/start.ts')], {
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
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('next, in another terminal') && ready());
    gateway.once('exit', (code) => failed(new Error(`npm start ended with ${code}`)));
  });

  const commands = fences.map(({ code }) => code).join('\n');
  // npm itself would take most of the time.
  const npm = `npm() { [ "$1 $2 $3 $4" = 'run -s wallet --' ] && '${process.execPath}' --no-warnings scripts/wallet.ts "\${@:5}"; }`;
  const script = `set -eo pipefail\n${npm}\n${commands.replaceAll('127.0.0.1:8787', `127.0.0.1:${gatewayPort}`).replaceAll('9000', String(webhookPort))}`;
  const shell = spawn('bash', ['-c', script], { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise((done) => shell.once('close', done));
  if (code !== 0) throw new Error(`the page's commands ended with ${String(code)}: ${said.slice(-3000)}`);
  expect(said).toMatch(/^\d+ sats: \{"status":"OK"\}$/m);
  expect(said).toMatch(/^\{"type":"test".*\}$/m);
});

it('has no other code', () => {
  expect((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts).toMatchObject({
    wallet: 'node --no-warnings scripts/wallet.ts',
  });
  expect([fences.length, fences.filter(({ kind }) => kind !== 'sh run')]).toEqual([10, []]);
});
