/** Commands that must not or cannot run print one line that says why, do not show the value of any variable, and exit with code 1. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { freshSecrets } from '../../src/config/secrets.ts';
import { commandPath } from '../setup/children.ts';
import { runCommand, type Ran } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-refusals-'));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const live = write(
  'live.yaml',
  `mode: live
network: main
public_url: https://ramp.wallet.example
providers: { real: { kind: fiat-on-ramp, base_url: https://api.real.example } }
`,
);

const run = async (script: string, words: string[], environment: Record<string, string>): Promise<Ran> => {
  const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...environment };
  const path = commandPath(inject('children'), inject('scratch'), resolve(`scripts/${script}.ts`));
  const child = spawn(process.execPath, ['--no-warnings', path, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Ran = { code: null, out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.error += text));
  return await new Promise((done) => child.once('close', (code) => done({ ...said, code })));
};

it('the demo orders nothing at a gateway that is live', async () => {
  const asked: string[] = [];
  const gateway = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'x-ramp-mode': 'live', 'content-type': 'application/json' }).end('{"status":"ready"}');
  });
  await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  for (const demo of ['buy', 'sell', 'liquidity']) {
    const { code, out, error } = await run('demo', [demo], { GATEWAY_URL: url, DATA_DIR: folder });
    expect([code, out, error]).toEqual([1, '', `The gateway at ${url} is not a sandbox: the demo would place real orders there.\n`]);
  }
  expect(new Set(asked)).toEqual(new Set(['/health/ready', '/health/live']));
  gateway.close();
});

it('the demo starts nothing of its own with a live configuration, and dev:worker neither', async () => {
  const nobody = { GATEWAY_URL: 'http://127.0.0.1:9', DATA_DIR: join(folder, 'demo'), CONFIG_FILE: live };
  const demo = await run('demo', [], nobody);
  expect([demo.code, demo.error]).toEqual([1, 'the configuration does not say "mode: sandbox", so the demo does not start a gateway with it\n']);
  const worker = await run('dev-worker', [], { DATA_DIR: join(folder, 'worker'), CONFIG_FILE: live });
  expect([worker.code, worker.out, worker.error]).toEqual([
    1,
    '',
    'dev:worker needs a configuration with mode: sandbox: it makes its own keys and simulates the providers\n',
  ]);
});

it.each<[words: string[], error: string]>([
  [['order', 'x', '--paid-not-filled', '--json'], '--paid-not-filled needs a value. A value that begins with "--" is given as --paid-not-filled=<value>'],
  [
    ['order', 'x', '--close-dispute', '--leave-review', 'paid'],
    '--close-dispute needs a value. A value that begins with "--" is given as --close-dispute=<value>',
  ],
  [['order', 'x', '--leave-review', 'paid', '--reason', '--'], '--reason needs a value. A value that begins with "--" is given as --reason=<value>'],
  [['order', 'x', '--day', '2026-11-24', '--day=2026-11-25'], '--day is given twice'],
  [['keys', 'rotate', 'seal', '--to'], '--to needs a value. A value that begins with "--" is given as --to=<value>'],
  [['restored', '--settle', '--hold'], '--settle needs a value. A value that begins with "--" is given as --settle=<value>'],
  [['restored', '--hold', '--release'], 'usage: npm run restored -- [--wait <seconds>] [--settle <seconds>] | --hold | --release'],
  [['restored', '--hold=no'], '--hold takes no value'],
  [['sessions', 'revoke', '--customer', '--all'], '--customer needs a value. A value that begins with "--" is given as --customer=<value>'],
  [['record', 'x', '--reset', '--reason', '--why'], '--reason needs a value. A value that begins with "--" is given as --reason=<value>'],
  [['provider-check', 'x', '--report', '--out', '--json'], '--out needs a value. A value that begins with "--" is given as --out=<value>'],
  [['customer', 'export', '-x'], '-x is not an option of this command: it has none'],
  // With `=`, a value may begin with dashes: it is read, and then refused for what it says.
  [['record', '--days=--why'], 'usage: npm run record -- [<provider>] [--why] [--days <n>] [--json] | <provider> --reset --reason "<why>"'],
])('%j takes no option for the value of another', async ([script = '', ...words], error) => {
  expect(await runCommand(script, words)).toEqual({ code: 1, out: '', error: `${error}\n` });
});

it.each<string[]>([
  ['deliveries', 'resend', 'msg_1', '--dead'],
  ['deliveries', 'resend', 'msg_1', '--json'],
  ['deliveries', 'list', 'dead', 'due'],
  ['deliveries', 'list', '--dead'],
  ['keys', 'list', 'seal'],
  ['keys', 'init', 'seal'],
  ['keys', 'reseal', 's2'],
  ['keys', 'notice-url', 'alpine', 'borealis'],
  ['keys', 'rotate', 'seal', 's2'],
  ['keys', 'rotate', 'operator', 'alice'],
  ['keys', 'rotate', 'app', 'shop', 'wallet'],
  ['keys', 'rotate', 'app', 'shop', '--to', 's2'],
  ['keys', 'retire', 'seal', 's1', '--to', 's2'],
  ['keys', 'retire', 'seal', 's1', 's2'],
  ['keys', 'retire', 'app', 'shop', '1111', '2222'],
  ['sessions', 'revoke', 'wallet', '--all'],
  ['customer', 'export', '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6', 'again'],
  ['customer', 'forget', '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6', 'x', 'y'],
  ['customer', 'release', 'alpine', 'alice@example.com', 'bob@example.com'],
])('%s %s %s refuses a word or option that it would ignore', async (script, ...words) => {
  const given = words.filter((word) => typeof word === 'string');
  const { code, out, error } = await runCommand(script, given, { ...freshSecrets(randomBytes), CONFIG_FILE: write('none.yaml', 'providers: {}\n') });
  expect([code, out, error]).toEqual([1, '', expect.stringMatching(/^usage: /)]);
});

describe('with the database away', () => {
  const id = '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6';
  const commands: [string, string[]][] = [
    ['order', [id]],
    ['deliveries', ['list']],
    ['sessions', ['revoke', '--all']],
    ['customer', ['export', id]],
    ['keys', ['list']],
    ['record', []],
    ['restored', []],
  ];
  const configuration = write('sandbox.yaml', 'mode: sandbox\nnetwork: regtest\nproviders: {}\n');
  it.each(commands)('%s says so in one line', async (script, words) => {
    const away = { ...freshSecrets(randomBytes), CONFIG_FILE: configuration, DATABASE_URL: 'postgres://ramp:do-not-show@127.0.0.1:9/ramp' };
    const { code, error } = await runCommand(script, words, away);
    expect([code, error]).toEqual([1, 'the database does not answer: connect ECONNREFUSED 127.0.0.1:9\n']);
    const wrong = await runCommand(script, words, { ...away, DATABASE_URL: '"postgres://ramp:do-not-show@127.0.0.1:9/ramp"' });
    expect([wrong.code, wrong.error.split('\n').length, wrong.error]).toEqual([1, 2, expect.stringContaining('DATABASE_URL')]);
    expect(wrong.error).not.toContain('do-not-show');
  });
});
