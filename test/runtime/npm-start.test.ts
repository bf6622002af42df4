/** `npm start` and the demo, as processes: live mode makes nothing up, a taken port ends the process. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { freshSecrets } from '../../src/config/secrets.ts';
import { root } from './runtimes.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (script: string, environment: Record<string, string>): Promise<{ code: number | null; error: string }> => {
  const child = spawn(process.execPath, ['--no-warnings', join(root, `scripts/${script}.ts`)], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let error = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, error })));
};

const live = join(folder, 'live.yaml');
writeFileSync(
  live,
  `mode: live
network: main
public_url: https://ramp.wallet.example
providers:
  bring: { kind: bringin, base_url: https://api.bringin.example, master_key_env: BRINGIN_MASTER_KEY }
`,
);

it('live mode without keys and credentials does not start, and makes none', async () => {
  const dataDir = join(folder, 'live-data');
  const { code, error } = await run('start', { CONFIG_FILE: live, DATA_DIR: dataDir, DATABASE_URL: 'postgres://ramp:do-not-show@127.0.0.1:9/ramp' });
  expect([code, existsSync(join(dataDir, 'keys.json'))]).toEqual([1, false]);
  for (const missing of ['SEAL_KEY is missing', 'NOTICE_KEY is missing', 'WEBHOOK_SIGNING_KEY is missing', 'BRINGIN_MASTER_KEY, which is not set'])
    expect(error).toContain(missing);
  expect(error).not.toContain('do-not-show');
}, 60_000);

it('a taken port ends the process and frees the data folder', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const config = join(folder, 'sandbox.yaml');
  writeFileSync(config, 'mode: sandbox\nnetwork: regtest\nproviders: {}\n');
  const dataDir = join(folder, 'sandbox-data');
  const { port } = taken.address() as AddressInfo;
  const { code, error } = await run('start', { CONFIG_FILE: config, DATA_DIR: dataDir, PORT: String(port), ...freshSecrets(randomBytes) });
  expect([code, error]).toEqual([1, `ramp-gateway does not start:\nport ${port} on 127.0.0.1 is in use: stop the process that listens there, or set PORT\n`]);
  expect(existsSync(join(dataDir, 'database.lock'))).toBe(false);
  taken.close();
}, 120_000);
