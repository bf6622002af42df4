/**
 * The operator's commands as the image has them: each runs once from the bundle that the Dockerfile makes, in a folder with nothing else. Their other
 * runs are in the test's process: a start of the bundle costs a third of a second of processor time.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { commands } from '../../scripts/ops/commands.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { chaosSeed } from '../fuzz/random.ts';
import { runAsRamp, type Ran } from '../ops/run.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { makeImageFolder, root } from './runtimes.ts';

const secrets: Record<string, string> = freshSecrets(randomBytes);
const names = Object.keys(commands);
let gateway: TestGateway;
let folder = '';
let orderId = '';
let customer = '';
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } }, { environment: secrets });
  const providers = { alpine: { kind: 'fiat-on-ramp', base_url: gateway.simulators['alpine']?.url } };
  folder = await makeImageFolder(stringify({ mode: 'sandbox', network: 'regtest', providers }));
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  orderId = String((await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] })).body['order_id']);
  await gateway.server.idle();
  const [row] = await gateway.database.sql<{ customer_id: string }[]>`select customer_id from orders where id = ${orderId}`;
  customer = row?.customer_id ?? '';
  const { body } = await wallet.call('/route', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  writeFileSync(join(folder, 'route.json'), JSON.stringify(body));
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

/** Runs `ramp …` with the image's variables and `more`. The only program in its PATH is Node. */
const ramp = async (words: string[], more: Record<string, string> = {}): Promise<Ran> => {
  const environment = {
    PATH: ['/usr/bin', '/bin'].reduce((path, one) => `${path}${delimiter}${one}`, dirname(process.execPath)),
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    APP_ROOT: folder,
    ...more,
  };
  const child = spawn(join(folder, 'usr/local/bin/ramp'), words, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.error += text));
  return await new Promise((done) => child.once('close', (code) => done({ code, ...said })));
};

/**
 * Runs a command that must refuse. Each test run starts one command from the bundle (the seed decides which), and also config:check, which ends its
 * process itself.
 */
const refuse = async ([name = '', ...words]: string[], more?: Record<string, string>): Promise<Ran> =>
  await (['config:check', names[chaosSeed % names.length]].includes(name) ? ramp : runAsRamp)([name, ...words], more);

/** For each command, the words that it is run with, and a part of what it prints. */
const runs = (): Record<keyof typeof commands, [words: string[], prints: string]> => ({
  'config:check': [[], 'providers.config.yaml is good'],
  keys: [['list'], `seal         SEAL_KEY: current ${secrets['SEAL_KEY']?.split(':')[0]},`],
  doctor: [['--url', gateway.url], 'ok   provider alpine'],
  order: [[orderId], orderId],
  deliveries: [['list'], '0 shown'],
  sessions: [['revoke', '--customer', customer], 'session(s) revoked'],
  customer: [['export', customer], orderId],
  record: [[], 'alpine: '],
  receipt: [['verify', 'route.json', '--url', gateway.url], 'valid  decision'],
  'provider:check': [['alpine'], 'no deviation found'],
  restored: [['--hold'], 'held: '],
});

it('keys init needs nothing: no configuration, no database, no variable', async () => {
  const { code, out, error } = await ramp(['keys', 'init'], { CONFIG_FILE: '/nowhere' });
  expect([code, error]).toEqual([0, '']);
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => line.replace(/=.{20,}$/, '')),
  ).toEqual(['SEAL_KEY', 'NOTICE_KEY', 'WEBHOOK_SIGNING_KEY', 'METRICS_TOKEN']);
});

it('runs every command of the list from the bundle', async () => {
  const variables = { ...secrets, DATABASE_URL: gateway.database.url };
  expect(Object.keys(runs()).toSorted()).toEqual(Object.keys(commands).toSorted());
  for (const [name, [words, prints]] of Object.entries(runs())) {
    const { code, out, error } = await ramp([name, ...words], variables);
    expect([name, code, error]).toEqual([name, 0, '']);
    expect(out).toContain(prints);
  }
});

it('says nothing about npm, which the image does not have', async () => {
  const variables = { ...secrets, CONFIG_FILE: join(folder, 'providers.config.yaml') };
  for (const words of [['rotate', 'seal'], ['rotate', 'webhook'], ['rotate', 'provider', 'alpine'], ['rotate', 'operator'], ['list']]) {
    const { code, out, error } = await (words[0] === 'list' ? ramp : runAsRamp)(['keys', ...words], variables);
    expect([code, error, /npm|npx/.test(out)]).toEqual([0, '', false]);
  }
});

it('does nothing if an option is misspelt', async () => {
  const variables = { ...secrets, DATABASE_URL: gateway.database.url, CONFIG_FILE: join(folder, 'providers.config.yaml') };
  const actions = async (): Promise<number> => (await gateway.database.sql`select 1 from operator_actions`).length;
  const before = await actions();
  for (const [n, [name, [words]]] of Object.entries(runs()).entries()) {
    // Each test run tries one of the two with each command. The seed decides which.
    const option = (n + chaosSeed) % 2 === 0 ? '--no-such-option' : '--to-no-avail=1';
    const { code, out, error } = await refuse([name, ...words, option], variables);
    expect([name, code, out + error]).toEqual([name, 1, expect.stringMatching(/--no-such-option|--to-no-avail|^usage: /)]);
    expect(out + error).not.toMatch(/\n +at /);
  }
  expect(await actions()).toBe(before);
  expect((await runAsRamp(['order', orderId, '--release-short', 'x', '--close-dispute', 'y'], variables)).error).toContain('are different commands');
  expect((await runAsRamp(['order', '--amount', '100', '--close-dispute', 'y'], variables)).error).toContain('usage: ');
  expect(await actions()).toBe(before);
});

it('config:check shouts if a deployment under https is a sandbox', async () => {
  const shouted = 'SANDBOX MODE at https://ramp.wallet.example: NO REAL MONEY MOVES';
  const { code, out } = await ramp(['config:check'], { PUBLIC_URL: 'https://ramp.wallet.example' });
  expect([code, out.split('\n')[1]]).toEqual([0, expect.stringContaining(shouted)]);
  expect((await runAsRamp(['config:check'], { CONFIG_FILE: join(folder, 'providers.config.yaml') })).out).not.toContain('SANDBOX MODE');
});

it('names itself as it was called, and lists what there is', async () => {
  for (const name of names.filter((one) => one !== 'config:check')) {
    const { code, out, error } = await refuse([name, 'a', 'b']);
    expect([name, code, /^usage: (ramp \S+)/.exec(out + error)?.[1]]).toEqual([name, 1, `ramp ${name}`]);
  }
  for (const words of [[], ['toString'], ['help']]) {
    const { code, out } = await (words[0] === 'help' ? ramp(words) : runAsRamp(['ramp', ...words]));
    expect([
      code,
      out
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(' ')[0]),
    ]).toEqual([words[0] === 'help' ? 0 : 1, Object.keys(commands)]);
  }
});

it('npm run has every command of the list, under the same name', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  for (const name of Object.keys(commands)) expect([name, scripts[name]]).toEqual([name, `node --no-warnings scripts/${name.replace(':', '-')}.ts`]);
});
