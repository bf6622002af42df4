import { randomBytes } from 'node:crypto';
import { base64 } from '@scure/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import {
  retireAppWebhook,
  retireEnvironment,
  retireHashed,
  rotateAppWebhook,
  rotateEnvironment,
  rotateHashed,
  rotateProvider,
  type EnvironmentKind,
} from '../../scripts/ops/key-plan.ts';
import { countByKey } from '../../scripts/ops/reseal.ts';
import { sealedColumns } from '../../src/store/sealed-columns.ts';
import { stringify } from 'yaml';
import { parseConfig, type GatewayConfig } from '../../src/config/providers-config.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { createNoticeTokens, sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { runCommand, type Ran } from './run.ts';

/** A configuration with an app, a token and a provider that wants a key. */
const parsed = (): GatewayConfig => {
  const text = stringify({
    mode: 'sandbox',
    network: 'regtest',
    operator: { token_hashes: ['0'.repeat(64)] },
    apps: { shop: { key_hashes: ['1'.repeat(64)], webhook_secret_env: 'SHOP_SECRET' } },
    providers: {
      alpine: { kind: 'fiat-on-ramp', base_url: 'http://127.0.0.1:1' },
      euro: { kind: 'bringin', base_url: 'http://127.0.0.1:2', master_key_env: 'EURO_KEY' },
    },
  });
  const read = parseConfig(text, { fileName: 'test.yaml', modules: providerModules });
  if (!read.ok) throw new Error(read.mistakes.join('; '));
  return read.config;
};

type Environment = Record<string, string>;
/** The keys of a release whose key ids had no letters. */
const first: Environment = Object.fromEntries(Object.entries(freshSecrets(randomBytes)).map(([name, key]) => [name, key.replace(/-[a-z]{6}:/, ':')]));
const idOf = (key: string | undefined): string => key?.split(':')[0] ?? '';
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => await database.close());

const keys = async (environment: Environment, ...args: string[]): Promise<Ran> =>
  await runCommand('keys', args, { ...first, SEAL_KEY_OLD: '', ...environment, DATABASE_URL: database.url });
/** Returns the variables that `npm run keys -- rotate` would print, without starting a process. */
const made = (kind: EnvironmentKind, environment: Environment, to?: string): Environment => rotateEnvironment(kind, { ...first, ...environment }, to).variables;
const start = async (environment: Environment): Promise<TestGateway> =>
  await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } } },
    // Earlier tests sealed values under keys that this gateway may not have. No later test reads those values.
    { database, environment: { ...first, SEAL_KEY_LOST: '1', ...environment }, config: { orders: { max_open: 1000 } } },
  );
const open = async (gateway: TestGateway) => await createWallet(gateway.url).open();
const buy = async (gateway: TestGateway, sessionId: string): Promise<string> => {
  const wallet = createWallet(gateway.url);
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  expect(order.status).toBe(200);
  return String(order.body['order_id']);
};
/** Counts the orders whose payment info can be read, which needs the right key. */
const payable = async (gateway: TestGateway, sessionId: string): Promise<number> => {
  const { status, body } = await createWallet(gateway.url).call('/order-status', { session_id: sessionId });
  expect(status).toBe(200);
  return (Object.values(body) as { payment_info?: object }[]).filter((one) => one.payment_info !== undefined).length;
};

it('knows every sealed column of the schema', () => {
  const named = sealedColumns.map(({ table, column }) => `${table}.${column}`);
  expect(named).toEqual(
    expect.arrayContaining([
      'orders.payment_info',
      'orders.secret',
      'claims.lnurl',
      'provider_sessions.blob',
      'deliveries.url',
      'notices.body',
      'intents.answer',
      'accounts.signup',
    ]),
  );
  expect(named).not.toContain('orders.raw_status');
});

it('replaces the sealing key under traffic: nothing unreadable, everything under the new one', async () => {
  const step1 = made('seal', {});
  expect(step1['SEAL_KEY']).toBe(first['SEAL_KEY']);
  expect(step1['SEAL_KEY_OLD']).toMatch(/^s2-[a-z]{6}:/);
  const s2 = idOf(step1['SEAL_KEY_OLD']);
  const step2 = made('seal', step1, s2);
  expect([step2['SEAL_KEY'], step2['SEAL_KEY_OLD']]).toEqual([step1['SEAL_KEY_OLD'], first['SEAL_KEY']]);

  // A rolling restart: one instance in step 1, one in step 2, the same session on both.
  const [before, after] = [await start(step1), await start(step2)];
  const { sessionId } = await open(before);
  await buy(before, sessionId);
  await buy(after, sessionId);
  expect([await payable(before, sessionId), await payable(after, sessionId)]).toEqual([2, 2]);
  await before.close();
  expect((await keys(step2, 'retire', 'seal', 's1')).error).toMatch(/values are still sealed under "s1"\. First run npm run keys -- reseal/);

  const traffic = (async () => {
    for (let n = 0; n < 10; n += 1) {
      await buy(after, sessionId);
      expect(await payable(after, sessionId)).toBe(n + 3);
    }
  })();
  const [{ code, out }] = await Promise.all([keys(step2, 'reseal'), traffic]);
  expect([code, out]).toEqual([0, expect.stringMatching(/^\d+ values are now sealed under "s2-[a-z]{6}"\n$/)]);
  expect([...(await countByKey(database.sql)).keys()]).toEqual([s2]);
  const retired = await keys(step2, 'retire', 'seal', 's1', '--json');
  const step3 = JSON.parse(retired.out) as Environment;
  expect(step3).toEqual({ SEAL_KEY: step2['SEAL_KEY'], SEAL_KEY_OLD: '' });
  await after.close();
  const last = await start(step3);
  expect(await payable(last, sessionId)).toBe(12);
  await last.close();
});

it('reaches what is sealed within a stored quote: it can be ordered after the old key is gone', async () => {
  const north = await startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400 });
  const own = await testDatabase();
  const at = async (environment: Environment): Promise<TestGateway> =>
    await startTestGateway(
      {},
      {
        database: own,
        environment: { ...first, ...environment },
        blocks: { north: { kind: 'lsps1', base_url: north.url, quotes_per_node_per_day: 9 } },
      },
    );
  const before = await at({});
  const { sessionId } = await open(before);
  const priced = async (amount_sats: number): Promise<string> => {
    const firm = { session_id: sessionId, product: 'inbound', amount_sats, pay_with: 'lightning', firm: true };
    const { body } = await createWallet(before.url).call('/liquidity/offers', firm);
    return String((body['offers'] as { quote_id: string }[])[0]?.quote_id);
  };
  const quotes = [await priced(700_000), await priced(800_000)];
  const ofDocuments = async (): Promise<string[]> =>
    (
      await own.sql<{ key: string }[]>`
        select found[1] as key from (select route::text as text from routes union all select offer::text from last_prices) as kept,
          regexp_matches(text, '"secret":\\s*"(v1\\.s\\d)', 'g') as found`
    ).map(({ key }) => key);
  // Each firm price is stored in its route and with the other last prices.
  expect(await ofDocuments()).toEqual(['v1.s1', 'v1.s1', 'v1.s1', 'v1.s1']);
  await before.close();
  // `npm run restored` writes routes in this form, with a space after each colon.
  await own.sql`update routes set route = route::jsonb::json`;

  const step1 = made('seal', {});
  const step2 = made('seal', step1, idOf(step1['SEAL_KEY_OLD']));
  const other = { ...step2, DATABASE_URL: own.url };
  const run = async (...args: string[]): Promise<Ran> => await runCommand('keys', args, { ...first, ...other });
  expect((await run('retire', 'seal', 's1')).error).toMatch(/values are still sealed under "s1"/);
  let inColumns = 0;
  for (const { table, column } of sealedColumns)
    inColumns += (await own.sql`select 1 from ${own.sql(table)} where starts_with(${own.sql(column)}, 'v1.s1.')`).length;
  expect((await countByKey(own.sql)).get('s1')).toBe(inColumns + 4);
  expect((await run('reseal')).code).toBe(0);
  expect(await ofDocuments()).toEqual(['v1.s2', 'v1.s2', 'v1.s2', 'v1.s2']);
  expect([...(await countByKey(own.sql)).keys()]).toEqual([idOf(step2['SEAL_KEY'])]);
  const retired = await run('retire', 'seal', 's1', '--json');

  const last = await at(JSON.parse(retired.out) as Environment);
  for (const quote_id of quotes) {
    const { status, body } = await createWallet(last.url).call('/liquidity/order', { session_id: sessionId, quote_id });
    expect([status, typeof (body['payment_info'] as Record<string, unknown>)['lightning_invoice']]).toEqual([200, 'string']);
  }
  await last.close();
  await north.close();
  await own.close();
});

describe('the other kinds', () => {
  it('webhook signing: the new key signs beside the old one', async () => {
    const rotated = made('webhook', {});
    const w2 = idOf(rotated['WEBHOOK_SIGNING_KEY']);
    expect([w2, rotated['WEBHOOK_SIGNING_KEY_OLD']]).toEqual([expect.stringMatching(/^w2-[a-z]{6}$/), first['WEBHOOK_SIGNING_KEY']]);
    const gateway = await start(rotated);
    const { body } = await createWallet(gateway.url).call('/.well-known/webhook-keys');
    expect((body['keys'] as { kid: string }[]).map((one) => one.kid)).toEqual([w2, 'w1']);
    await gateway.close();
    expect(retireEnvironment('webhook', rotated, undefined).variables).toEqual({ ...rotated, WEBHOOK_SIGNING_KEY_OLD: '' });
  });

  it('notice addresses: learnt by all before any is made with it', () => {
    const step1 = made('notice', {});
    expect(step1['NOTICE_KEY']).toBe(first['NOTICE_KEY']);
    expect(made('notice', step1, idOf(step1['NOTICE_KEY_OLD']))['NOTICE_KEY']).toBe(step1['NOTICE_KEY_OLD']);
  });

  it('operator tokens and app keys: the token once, its hash for the configuration', () => {
    const config = parsed();
    const { token, yaml } = rotateHashed('operator', config, '');
    expect(token).toMatch(/^op_[\w-]{43}$/);
    expect(yaml).toBe(`operator:\n  token_hashes:\n    - ${sha256Hex(token)}\n    - ${'0'.repeat(64)}`);
    expect(retireHashed('operator', config, '', '0000').yaml).toBe('operator:\n  token_hashes: []');
    expect(() => retireHashed('app', config, 'shop', '1111')).toThrow('this is the only key of "shop"');
    const app = rotateHashed('app', config, 'shop');
    expect(app.yaml).toBe(`apps:\n  shop:\n    key_hashes:\n      - ${sha256Hex(app.token)}\n      - ${'1'.repeat(64)}`);
    for (const typo of ['shp', 'constructor'])
      expect(() => rotateHashed('app', config, typo)).toThrow(`there is no app "${typo}" in the configuration: it has shop. List a new app there first`);
    const webhook = rotateAppWebhook(config, { SHOP_SECRET: 'whsec_old' }, 'shop').variables;
    expect(webhook['SHOP_SECRET']).toMatch(/^whsec_[\w+/]{43}=,whsec_old$/);
    expect(retireAppWebhook(config, webhook, 'shop').variables['SHOP_SECRET']).toBe(webhook['SHOP_SECRET']?.split(',')[0]);
  });

  it('a provider: which variables hold its credentials', () => {
    expect(rotateProvider(parsed(), 'alpine').say).toEqual(['alpine has no credentials in the configuration, so there is nothing to replace.']);
    expect(Object.keys(rotateProvider(parsed(), 'euro').variables)).toEqual(['EURO_KEY']);
    expect(() => rotateProvider(parsed(), 'nobody')).toThrow('there is no provider "nobody"');
  });

  it('never makes two keys with one id, although each run makes a new key', () => {
    for (const kind of ['seal', 'notice', 'webhook'] as const) {
      const [one, two] = [made(kind, {}), made(kind, {})];
      const fresh = (variables: Environment): string[] =>
        Object.values(variables)
          .flatMap((keys) => keys.split(','))
          .map(idOf)
          .filter((id) => !/^[snw]1$/.test(id));
      expect([...fresh(one), ...fresh(two)]).toEqual([expect.stringMatching(/^[snw]2-[a-z]{6}$/), expect.stringMatching(/^[snw]2-[a-z]{6}$/)]);
      expect(fresh(one)).not.toEqual(fresh(two));
    }
    const next = rotateEnvironment('seal', { SEAL_KEY: freshSecrets(randomBytes).SEAL_KEY }, undefined).variables['SEAL_KEY_OLD'];
    expect(next).toMatch(/^s2-[a-z]{6}:/);
  });

  it('refuses what would lose something', () => {
    expect(() => retireEnvironment('webhook', first, 'w1')).toThrow('"w1" is the current key');
    expect(() => made('seal', {}, 's9')).toThrow('SEAL_KEY_OLD has no key "s9"');
    const [once, twice] = [
      { ...first, SEAL_KEY_OLD: 's8:x' },
      { ...first, SEAL_KEY_OLD: 's8:x,s9:y' },
    ];
    expect(() => retireEnvironment('seal', { ...first, SEAL_KEY_OLD: '' }, undefined)).toThrow('there is no old key to retire: SEAL_KEY_OLD is empty');
    expect(() => retireEnvironment('seal', once, 's7')).toThrow('SEAL_KEY_OLD has no key "s7": it has s8');
    const bare = { ...first, SEAL_KEY_OLD: 'secretWithoutId' };
    expect(() => retireEnvironment('seal', bare, 's7')).toThrow('SEAL_KEY_OLD has no key "s7": it has (a key without an id)');
    expect(() => retireEnvironment('seal', twice, undefined)).toThrow('name the key to retire: SEAL_KEY_OLD has s8, s9');
  });

  it('notice addresses: the one for all webhooks of a provider', async () => {
    const run = async (id: string) => await keys({ PUBLIC_URL: 'https://ramp.example' }, 'notice-url', id);
    const token = createNoticeTokens([base64.decode(first['NOTICE_KEY']?.split(':')[1] ?? '')]).token('provider', 'alpine');
    expect((await run('alpine')).out.trim()).toBe(`https://ramp.example/notices/alpine/provider/alpine/${token}`);
    expect(await run('nobody')).toMatchObject({ code: 1, error: expect.stringContaining('"nobody"') as string });
  });

  it('lists them by name, never by value', async () => {
    const { out } = await keys({}, 'list');
    expect(out).toMatch(/^seal {9}SEAL_KEY: current s1, also accepted none/);
    for (const value of Object.values(first)) expect(out).not.toContain(value.slice(3));
    expect((await keys({}, 'rotate', 'nothing')).error).toContain('usage:');
  });
});

it('revokes sessions of one customer, one app, or all', async () => {
  const gateway = await start({});
  const works = async (sessionId: string): Promise<number> => (await createWallet(gateway.url).call('/payment-options', { session_id: sessionId })).status;
  const [one, two] = [await open(gateway), await open(gateway)];
  const [row] = await database.sql<{ customer_id: string }[]>`select customer_id from sessions where id_hash = ${sha256Hex(one.sessionId)}`;
  const revoke = async (...args: string[]) => await runCommand('sessions', ['revoke', ...args], { DATABASE_URL: database.url });
  expect((await revoke('--customer', row?.customer_id ?? '')).out).toBe('1 session(s) revoked\n');
  expect([await works(one.sessionId), await works(two.sessionId)]).toEqual([401, 200]);
  expect((await revoke('--all')).code).toBe(0);
  expect(await works(two.sessionId)).toBe(401);
  expect((await revoke()).error).toContain('usage:');
  const nobody = '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6';
  expect(await revoke('--app', 'walet')).toEqual({ code: 1, out: '', error: 'no session revoked: there is no app "walet" in the configuration\n' });
  expect(await revoke('--customer', nobody)).toEqual({ code: 1, out: '', error: `no session revoked: there is no customer ${nobody}\n` });
  await gateway.close();
});

it('replaces the recovery secret of a customer, since whoever had a session may have read it', async () => {
  const gateway = await start({});
  const { call } = createWallet(gateway.url);
  const sessionId = (await call('/verify')).body['session_id'] as string;
  expect((await call('/session', { session_id: sessionId })).status).toBe(200);
  const [row] = await database.sql<{ customer_id: string }[]>`select customer_id from sessions where id_hash = ${sha256Hex(sessionId)}`;
  const customer = row?.customer_id ?? '';
  const revoke = async (...args: string[]) => await runCommand('sessions', ['revoke', ...args], { DATABASE_URL: database.url });
  const comeBack = async (secret: unknown) => {
    const { body } = await call('/verify');
    return await call('/session', { session_id: body['session_id'], recovery_secret: secret });
  };
  // Within ten minutes, the session id alone is enough to get the secret again.
  const { recovery_secret: old } = (await call('/session', { session_id: sessionId })).body;
  expect((await revoke('--customer', customer)).out).not.toContain('recovery_secret');
  expect((await comeBack(old)).status).toBe(200);

  const { out } = await revoke('--customer', customer, '--new-secret');
  expect(out).toMatch(/^1 session\(s\) revoked\nrecovery_secret [\w-]{43}\n/);
  expect((await comeBack(old)).body).toMatchObject({ status: 403, code: 'ownership-proof-failed' });
  const back = await comeBack(/recovery_secret (\S+)/.exec(out)?.[1]);
  expect(back.status).toBe(200);
  const [again] = await database.sql<object[]>`select customer_id from sessions where id_hash = ${sha256Hex(back.body['session_id'] as string)}`;
  expect(again).toEqual({ customer_id: customer });

  expect((await revoke('--all', '--new-secret')).error).toContain('needs --customer');
  expect((await revoke('--customer', customer.replaceAll(/[0-9a-f]/g, '0'), '--new-secret')).error).toContain('no recovery secret');
  const [told] = await database.sql<object[]>`select subject, detail from operator_actions where detail is not null order by at limit 1`;
  expect(told).toEqual({ subject: `customer ${customer}`, detail: { new_secret: 1 } });
  await gateway.close();
});

it('does not lose a new token: --json is refused where there are no variables to print', async () => {
  expect(await keys({}, 'rotate', 'operator', '--json')).toMatchObject({ code: 1, error: expect.stringContaining('leave --json out') });
});
