/**
 * The settings that operators get wrong, in every way to start a gateway: `npm start`, the bundle, and the bundle inside the image. The process must
 * end by itself with code 1 and say why in words for a person, without the value of any secret. A run refuses each setting in this process.
 * It also starts a process with some of them in each way, and the seed decides which. CHAOS=full starts each of them in every way.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { freshSecrets } from '../../src/config/secrets.ts';
import { connect } from '../../src/entry/database-node.ts';
import { startServer, StartRefused } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { chaosSeed, isFull } from '../fuzz/random.ts';
import { commandPath } from '../setup/children.ts';
import { imageEnv, imageNode } from '../support/image-node.ts';
import { until } from '../support/gateway.ts';
import { needsPostgres, testDatabase } from '../support/postgres.ts';
import { makeImageFolder, root } from './runtimes.ts';

const folder = mkdtempSync(join(tmpdir(), 'ramp-bad-settings-'));
let image = '';
/** The compile cache of the started processes. It halves the cost of more than a hundred starts. */
const compiled = join(folder, 'compiled');
beforeAll(async () => {
  image = await makeImageFolder('');
  // The user that runs the image is not the one that made its files.
  for (const path of [folder, image]) chmodSync(path, 0o755);
  mkdirSync(compiled);
  chmodSync(compiled, 0o777);
});
afterAll(() => {
  for (const path of [folder, image]) rmSync(path, { recursive: true, force: true });
});
const write = (name: string, text: string | Buffer): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

type Way = 'npm start' | 'the bundle' | 'the image';
const ways: Way[] = ['npm start', 'the bundle', 'the image'];
/**
 * Returns the cases that this run starts in `way`: over all ways, one case in `every`, or with CHAOS=full each case in every way. The seed decides
 * which.
 */
const casesOf = <T>(way: Way, all: readonly T[], every = 1): T[] =>
  all.filter((_, n) => isFull || (n + chaosSeed) % (ways.length * every) === ways.indexOf(way) * every);

const isRoot = process.getuid?.() === 0;

const begin = (way: Way, variables: Record<string, string>) => {
  const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled, HOST: '127.0.0.1', PORT: '0', ...variables };
  if (way === 'npm start') {
    const path = commandPath(inject('children'), inject('scratch'), join(root, 'scripts/start.ts'));
    return spawn(process.execPath, ['--no-warnings', path], { cwd: folder, env });
  }
  if (way === 'the bundle') return spawn(process.execPath, [join(image, 'dist/server.mjs')], { cwd: folder, env });
  const user = isRoot ? { uid: 1000, gid: 1000 } : {};
  return spawn(process.execPath, [...imageNode().flags, 'dist/server.mjs'], { cwd: image, env: { ...imageEnv(), APP_ROOT: image, ...env }, ...user });
};

type Told = { code: number | null; said: string; all: string };
const start = async (way: Way, variables: Record<string, string>): Promise<Told> => {
  const child = begin(way, variables);
  let [out, said] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    // The gateway has started although it must not.
    if (out.includes('"event":"started"') || out.includes('ramp-gateway on ')) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, said, all: out + said };
};

const keys = freshSecrets(randomBytes);
const nowhere = 'postgres://ramp:do-not-show@127.0.0.1:9/ramp';
const live = `mode: live
network: main
public_url: https://ramp.wallet.example
providers:
  real: { kind: fiat-on-ramp, base_url: https://api.real.example }
`;
const good = (): Record<string, string> => ({ ...keys, CONFIG_FILE: write('live.yaml', live), DATABASE_URL: nowhere });
const given = (variables: Record<string, string>) => (): Record<string, string> => ({ ...good(), ...variables });
const without = (name: string) => (): Record<string, string> => Object.fromEntries(Object.entries(good()).filter(([one]) => one !== name));
const configured = (text: string | Buffer) => (): Record<string, string> => ({ ...good(), CONFIG_FILE: write('other.yaml', text) });
const changed = (from: string, to: string) => configured(live.replace(from, to));

const cases: [string, () => Record<string, string>, string][] = [
  // Live mode invents nothing
  ['live without SEAL_KEY', without('SEAL_KEY'), 'SEAL_KEY is missing: npm run keys -- init (in the image: ramp keys init) prints a fresh one'],
  ['live without NOTICE_KEY', without('NOTICE_KEY'), 'NOTICE_KEY is missing'],
  ['live without WEBHOOK_SIGNING_KEY', given({ WEBHOOK_SIGNING_KEY: ' \n' }), 'WEBHOOK_SIGNING_KEY is missing'],
  ['live without a database', without('DATABASE_URL'), 'DATABASE_URL is missing: live mode needs a PostgreSQL database'],
  ['live with a blank database', given({ DATABASE_URL: '  \n' }), 'DATABASE_URL is missing: live mode needs a PostgreSQL database'],
  [
    'live without a provider’s credential',
    changed('  real: ', '  bring: { kind: bringin, base_url: https://api.bringin.example, master_key_env: BRINGIN_MASTER_KEY }\n  real: '),
    'providers.bring.master_key_env names the variable BRINGIN_MASTER_KEY, which is not set',
  ],
  ['live on regtest', changed('network: main', 'network: regtest'), 'network: live mode uses real providers, and none of them pays on regtest'],
  ['a sandbox on main', changed('mode: live', 'mode: sandbox'), 'network: main is real money, which needs mode: live'],
  ['live at an http address', changed('https://ramp', 'http://ramp'), 'public_url: live mode needs https'],
  ['a provider over http', changed('https://api', 'http://api'), 'providers.real.base_url: live mode needs https'],
  ['a provider on this machine', changed('api.real.example', 'localhost'), 'providers.real.base_url: "localhost" is a private address'],
  [
    'a sandbox provider that is off',
    changed('  real: ', '  test: { kind: fiat-on-ramp, mode: off, sandbox: true, base_url: https://test.example }\n  real: '),
    'providers.test: a sandbox provider cannot be used in live mode',
  ],
  // The address of the database
  ['the database in quotes', given({ DATABASE_URL: `"${nowhere}"` }), 'environment: DATABASE_URL is in quotes'],
  ['the database in single quotes', given({ DATABASE_URL: `'${nowhere}'` }), 'environment: DATABASE_URL is in quotes'],
  ['another scheme', given({ DATABASE_URL: nowhere.replace('postgres:', 'postgresql+asyncpg:') }), 'environment: DATABASE_URL must begin with postgres://'],
  ['jdbc', given({ DATABASE_URL: `jdbc:${nowhere}` }), 'environment: DATABASE_URL must begin with postgres://'],
  ['a password with a slash', given({ DATABASE_URL: nowhere.replace('show', 'show/x') }), 'environment: DATABASE_URL cannot be read as a URL'],
  ['a password with a percent sign', given({ DATABASE_URL: nowhere.replace('show', 'show%x') }), 'environment: DATABASE_URL '],
  ['channel binding', given({ DATABASE_URL: `${nowhere}?channel_binding=require` }), 'environment: DATABASE_URL '],
  ['a database that is unreachable', good, 'the database does not answer or could not be migrated: connect ECONNREFUSED 127.0.0.1:9'],
  // Keys and secrets
  ['a key in quotes', given({ SEAL_KEY: `"${keys.SEAL_KEY}"` }), 'SEAL_KEY does not have the form id:base64 of 32 bytes'],
  ['an invalid key', given({ NOTICE_KEY: 'do-not-show' }), 'NOTICE_KEY does not have the form id:base64 of 32 bytes'],
  ['an invalid old key', given({ SEAL_KEY_OLD: 'do-not-show' }), 'SEAL_KEY_OLD does not have the form id:base64 of 32 bytes'],
  [
    'two keys under one id',
    given({ SEAL_KEY_OLD: keys.SEAL_KEY.replace(/:.+/, freshSecrets(randomBytes).SEAL_KEY.replace(/^[^:]+/, '')) }),
    'SEAL_KEY and SEAL_KEY_OLD have two keys with the same id',
  ],
  ['a token with a line end within', given({ METRICS_TOKEN: 'do-not\nshow' }), 'METRICS_TOKEN contains a line break'],
  [
    'an app’s webhook secret that signs nothing',
    () => ({ ...changed('providers:', 'apps: { wallet: { webhook_secret_env: HOOK } }\nproviders:')(), HOOK: 'v1,do-not-show' }),
    'apps.wallet.webhook_secret_env names a variable whose value is not whsec_ and base64 of 24 to 64 bytes',
  ],
  // The environment
  ['PORT of a Kubernetes service', given({ PORT: 'tcp://10.0.0.1:8787' }), 'environment: PORT must be a whole number from 0 to 65535'],
  ['PORT=abc', given({ PORT: 'abc' }), 'environment: PORT must be a whole number'],
  ['an unknown LOG_LEVEL', given({ LOG_LEVEL: 'WARN' }), 'environment: LOG_LEVEL must be debug, info, warn, error or silent'],
  ['DATABASE_POOL=0', given({ DATABASE_POOL: '0' }), 'environment: DATABASE_POOL must be a whole number from 1 to 200'],
  ['a long INSTANCE', given({ INSTANCE: 'x'.repeat(41) }), 'environment: INSTANCE must have 1 to 32 letters'],
  ['PUBLIC_URL in quotes', given({ PUBLIC_URL: '"https://do-not-show.example"' }), 'environment: PUBLIC_URL must be an address like'],
  ['PUBLIC_URL with a password', given({ PUBLIC_URL: 'https://ramp:do-not-show@ramp.example' }), 'environment: PUBLIC_URL must be an address without user'],
  ['public_url with a password', changed('https://ramp', 'https://u:do-not-show@ramp'), 'public_url: found something else, must be an address without user'],
  // The configuration
  ['no file', given({ CONFIG_FILE: join(folder, 'none.yaml') }), 'none.yaml: there is no such file (CONFIG_FILE names it)'],
  [
    'a folder in its place',
    () => {
      mkdirSync(join(folder, 'mounted.yaml'), { recursive: true });
      return { ...good(), CONFIG_FILE: join(folder, 'mounted.yaml') };
    },
    'mounted.yaml: this is a folder, not a file',
  ],
  ['UTF-16', configured(Buffer.from(`\uFEFF${live}`, 'utf16le')), 'other.yaml: the file is not UTF-8 text'],
  ['an empty file', configured('\n'), 'other.yaml: the file is empty: it needs mode, network and providers'],
  ['a text', configured('do-not-show\n'), 'other.yaml: the file holds no settings: it needs mode, network and providers'],
  ['broken YAML', configured('mode: live\n\tnetwork: main\n'), 'other.yaml:2: '],
  ['no mode', changed('mode: live\n', ''), 'other.yaml:1: mode: nothing found, allowed: sandbox, live'],
  ['a misspelt setting', changed('public_url:', 'public_ur:'), 'unknown setting, did you mean "public_url"?'],
  ['a trusted internet', changed('providers:', "trusted_proxies: ['0.0.0.0/0']\nproviders:"), 'trusted_proxies.0: found "0.0.0.0/0", is too large'],
  ['links to all of .com', changed('.example }', '.example, payout_hosts: [com] }'), 'payout_hosts.0: found "com", must be a host name with a dot'],
  [
    'a reference price in lower case',
    changed('providers:', 'routing: { reference: { eur: { btc_price: 9000000 } } }\nproviders:'),
    'routing.reference.eur: this name must be a code in capitals',
  ],
  ['a proxy by name', changed('providers:', 'trusted_proxies: [caddy]\nproviders:'), 'trusted_proxies.0: found "caddy", must be an IP address'],
];

/** Runs without a process, because a start costs sixty times as much as the refusal, and what a process adds is the same for all. */
it.each(cases)('%s', async (_name, variables, says) => {
  const dataDir = join(folder, 'data', randomBytes(4).toString('hex'));
  const lines: string[] = [];
  const environment = { HOST: '127.0.0.1', PORT: '0', ...variables(), DATA_DIR: dataDir };
  const refused = await startServer({ environment, modules: providerModules, root, writeLog: (line) => lines.push(line) }).then(
    async ({ stop }) => await stop(),
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(StartRefused);
  const { message } = refused as StartRefused;
  expect(message).toContain(says);
  expect([...lines, message].join('\n')).not.toMatch(/do-not|\n {4}at /);
  expect(existsSync(dataDir)).toBe(false);
});

describe.each(ways)('%s', (way) => {
  it.each(casesOf(way, cases, 5))('%s', async (_name, variables, says) => {
    const dataDir = join(folder, 'data', randomBytes(4).toString('hex'));
    const { code, said, all } = await start(way, { ...variables(), DATA_DIR: dataDir });
    expect([code, said]).toEqual([1, expect.stringMatching(/^ramp-gateway does not start:\n/)]);
    expect(said.split('\n').slice(1).join('\n')).toContain(says);
    expect(all).not.toMatch(/do-not|\n {4}at /);
    // Live mode makes neither keys nor a database. In sandbox mode, `npm start` makes the data folder before it finds this mistake.
    expect(existsSync(dataDir)).toBe(way === 'npm start' && says.startsWith('network: main'));
  });
});

describe.runIf(isRoot)('as the image’s user', () => {
  it('a file that it may not read', async () => {
    const file = write('private.yaml', live);
    chmodSync(file, 0o600);
    const { code, said } = await start('the image', { ...good(), CONFIG_FILE: file });
    expect([code, said]).toEqual([1, `ramp-gateway does not start:\n${file}: this process may not read the file (the image runs as user 1000)\n`]);
  });
});

describe('npm start in a data folder that cannot be used', () => {
  const sandbox = 'mode: sandbox\nnetwork: regtest\nproviders: {}\n';
  it.each([
    ['is a file', () => write('data-file', ''), /^\S+data-file is not a folder that can be written to \(EEXIST\): set DATA_DIR to one that is$/],
    [
      'has keys that cannot be read',
      () => {
        mkdirSync(join(folder, 'half-written'), { recursive: true });
        write('half-written/keys.json', '{"SEAL_KEY": do-not-show');
        return join(folder, 'half-written');
      },
      /^\S+keys\.json cannot be read: restore it, or delete the folder for a new sandbox$/,
    ],
  ])('%s', async (_name, dataDir, says) => {
    const { code, said, all } = await start('npm start', { CONFIG_FILE: write('sandbox.yaml', sandbox), DATA_DIR: dataDir(), DATABASE_URL: nowhere });
    expect([code, said.split('\n')]).toEqual([1, ['ramp-gateway does not start:', expect.stringMatching(says), '']]);
    expect(all).not.toContain('do-not');
  });
});

describe.each(ways)('%s, with a database', (way) => {
  needsPostgres(`${way} says what is wrong with the database, or with the socket`, async () => {
    const database = await testDatabase();
    const { url } = database;
    const on = (variables: Record<string, string>) => ({ ...good(), DATABASE_URL: url, ...variables });
    const refusal = async (variables: Record<string, string>): Promise<string> => {
      const { code, said } = await start(way, on(variables));
      expect([code, said]).toEqual([1, expect.stringMatching(/^ramp-gateway does not start:\n.+\n$/)]);
      return said.split('\n')[1] ?? '';
    };
    const other = (change: (address: URL) => void): string => {
      const address = new URL(url);
      change(address);
      return address.href;
    };
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as AddressInfo;
    const none = other((address) => (address.pathname = '/there_is_none'));
    const stranger = other((address) => Object.assign(address, { username: 'stranger', password: 'do-not-show' }));
    const empty = await testDatabase({ empty: true });
    await empty.sql.unsafe(`alter database "${new URL(empty.url).pathname.slice(1)}" set default_transaction_read_only = on`);
    const refused: [Record<string, string>, string][] = [
      [{ PORT: String(port) }, `port ${port} on 127.0.0.1 is in use: stop the process that listens there, or set PORT to another port`],
      [{ HOST: '203.0.113.9' }, 'HOST is not an address of this machine'],
      [{ DATABASE_URL: none }, 'the database that DATABASE_URL names does not exist: 3D000 '],
      [{ DATABASE_URL: stranger }, 'the database refuses the user'],
      [{ DATABASE_URL: empty.url }, 'the database is read-only'],
    ];
    for (const [variables, says] of casesOf(way, refused)) expect((await refusal(variables)).slice(0, says.length)).toBe(says);
    taken.close();
    await Promise.all([database, empty].map(async (one) => await one.close()));
  });

  needsPostgres(`${way} ends on SIGTERM also while it waits for another instance's migration`, async () => {
    const database = await testDatabase({ empty: true });
    const migrating = connect(database.url, 1);
    await migrating`select pg_advisory_lock(7267001)`;
    const child = begin(way, { ...good(), DATABASE_URL: database.url });
    onTestFinished(() => void child.kill('SIGKILL'));
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.resume();
    await until('it waits', async () => await Promise.resolve(out.includes('database.waits') ? true : undefined));
    const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
    child.kill('SIGTERM');
    expect(await ended).toBe(way === 'npm start' ? 'SIGTERM' : 0);
    await migrating.end();
    await database.close();
  });
});
