/** `npm start` as a process: live mode simulates nothing, a taken port ends the process, a provider may have a process of its own. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { commandPath } from '../setup/children.ts';
import { embeddedFolder, quickEmbedded } from '../support/embedded-folder.ts';
import { until } from '../support/gateway.ts';
import { testDatabase } from '../support/postgres.ts';
import { root } from './runtimes.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = join(root, 'scripts/start.ts');
const npmStart = (path: string, environment: Record<string, string>, ...words: string[]) =>
  spawn(process.execPath, ['--no-warnings', quickEmbedded, path, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Runs `npm start` until it ends by itself, because the start is refused. */
const run = async (environment: Record<string, string>, ...words: string[]): Promise<{ code: number | null; error: string }> => {
  const child = npmStart(commandPath(inject('children'), inject('scratch'), source), environment, ...words);
  child.stdout.resume();
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

/**
 * Settings for a busy machine: a long deadline, because a sound provider may take seconds, and no tight limit on the quotes that the test asks for.
 */
const patient = 'limits: { quotes_per_minute: 10000 }\nrouting: { quote_deadline_ms: 20000 }\n';
const sandboxFile = (providers: string): string => {
  const file = join(folder, 'sandbox.yaml');
  writeFileSync(file, `mode: sandbox\nnetwork: regtest\n${patient}providers: {${providers}}\n`);
  return file;
};
const [alpine, borealis] = ['alpine', 'borealis'].map((id) => `${id}: { kind: fiat-on-ramp, base_url: 'http://127.0.0.1:9' }`);

it('live mode without keys and credentials does not start, and makes none', async () => {
  const dataDir = join(folder, 'live-data');
  const { code, error } = await run({ CONFIG_FILE: live, DATA_DIR: dataDir, DATABASE_URL: 'postgres://ramp:do-not-show@127.0.0.1:9/ramp' });
  expect([code, existsSync(join(dataDir, 'keys.json'))]).toEqual([1, false]);
  for (const missing of ['SEAL_KEY is missing', 'NOTICE_KEY is missing', 'WEBHOOK_SIGNING_KEY is missing', 'BRINGIN_MASTER_KEY, which is not set'])
    expect(error).toContain(missing);
  expect(error).not.toContain('do-not-show');
});

it('a real host gets no play credential, in sandbox mode neither', async () => {
  const real = `bring: { kind: bringin, base_url: 'https://api.bringin.example', master_key_env: BRINGIN_MASTER_KEY }`;
  const { code, error } = await run({ CONFIG_FILE: sandboxFile(real), DATA_DIR: join(folder, 'real-host') });
  expect([code, error]).toEqual([1, 'ramp-gateway does not start:\nproviders.bring.master_key_env names the variable BRINGIN_MASTER_KEY, which is not set\n']);
});

it('a taken port ends the process and frees the data folder', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const config = sandboxFile('');
  const dataDir = await embeddedFolder();
  const { port } = taken.address() as AddressInfo;
  const { code, error } = await run({ CONFIG_FILE: config, DATA_DIR: dataDir, PORT: String(port), ...freshSecrets(randomBytes) });
  expect([code, error]).toEqual([
    1,
    `ramp-gateway does not start:\nport ${port} on 127.0.0.1 is in use: stop the process that listens there, or set PORT to another port\n`,
  ]);
  expect(existsSync(join(dataDir, 'database.lock'))).toBe(false);
  taken.close();
  rmSync(dataDir, { recursive: true });
});

it('gives a provider a process of its own, and prints its id; when it is killed, the others go on', async () => {
  const database = await testDatabase();
  const environment = { CONFIG_FILE: sandboxFile(`${alpine}, ${borealis}`), DATA_DIR: join(folder, 'own-process'), PORT: '0', LOG_LEVEL: 'error' };
  const onServer = database.kind === 'postgres' ? { ...environment, DATABASE_URL: database.url } : environment;
  const child = npmStart(source, onServer, '--own-process', 'borealis');
  let said = '';
  await new Promise<void>((ready, failed) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text).includes('next, in another terminal') && ready());
    child.once('exit', () => failed(new Error(said)));
  });
  const processOf = (id: string): number => Number(new RegExp(`^pid (\\d+) +${id} +buy `, 'm').exec(said)?.[1]);
  const [own, others, gateway] = [processOf('borealis'), processOf('alpine'), Number(/^pid (\d+) +the gateway/m.exec(said)?.[1])];
  expect([new Set([own, others, gateway]).size, gateway]).toEqual([3, child.pid]);

  const wallet = createWallet(/ramp-gateway on (\S+)/.exec(said)?.[1] ?? '');
  const { sessionId } = await wallet.open();
  const providersOf = async (member: 'offers' | 'failed'): Promise<string[]> => {
    const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    return (body[member] as { provider: { id: string } }[]).map(({ provider }) => provider.id).toSorted();
  };
  expect(await providersOf('offers')).toEqual(['alpine', 'borealis']);
  process.kill(own, 'SIGKILL');
  await until('one that failed', async () => ((await providersOf('failed')).length > 0 ? true : undefined));
  expect(await providersOf('offers')).toEqual(['alpine']);

  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(() => process.kill(others, 0)).toThrow('ESRCH');
  await database.close();
});

it('knows no other provider and no other option', async () => {
  const environment = { CONFIG_FILE: sandboxFile(`${alpine}`), DATA_DIR: join(folder, 'unknown') };
  const refused = async (...words: string[]): Promise<unknown[]> => Object.values(await run(environment, ...words));
  expect(await refused('--own-process', 'alpine,dune')).toEqual([1, 'ramp-gateway does not start:\n--own-process dune: the sandbox has alpine\n']);
  expect(await refused('--own')).toEqual([
    1,
    'ramp-gateway does not start:\nnpm start has one option, as in "npm start -- --own-process alpine,dune". It was given: --own\n',
  ]);
});
