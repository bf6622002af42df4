import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { dialectsOf } from '../../scripts/kind-tools.gen.ts';
import { checkProvider, isUsable, type Checked, type CheckParts } from '../../scripts/ops/check-provider.ts';
import type { ConformanceReport } from '../../scripts/ops/conformance-report.ts';
import { parseConfig } from '../../src/config/providers-config.ts';
import { createUndiciHttp } from '../../src/entry/http-undici.ts';
import { startBlocktankSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { startDfxSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import type { Http } from '../../src/providers/spec.ts';
import { runCommand } from './run.ts';

let simulator: RunningSimulator | undefined;
const others: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const running of [simulator, ...others.splice(0)]) await running?.close();
  simulator = undefined;
});

const configOf = (url: string): string =>
  stringify({ mode: 'sandbox', network: 'regtest', providers: { tried: { kind: 'fiat-on-ramp', base_url: url, preference_bps: 5 } } });

const upstream = createUndiciHttp();
const checkBlock = async (block: Record<string, unknown>, more: Partial<CheckParts> = {}): Promise<Checked> => {
  const text = stringify({ mode: 'sandbox', network: 'regtest', providers: { tried: block } });
  const parsed = parseConfig(text, { fileName: 'test.yaml', modules: providerModules });
  const [config] = parsed.ok ? parsed.config.providers : [];
  const module = config && providerModules.get(config.kind);
  if (!config || !module) throw new Error(parsed.ok ? 'no such provider' : parsed.mistakes.join('\n'));
  return await checkProvider({
    module,
    dialects: dialectsOf.get(config.kind),
    config,
    network: 'regtest',
    mode: 'sandbox',
    http: upstream.http,
    secret: () => undefined,
    now: () => Date.now(),
    newId: () => crypto.randomUUID(),
    newKey: () => randomBytes(32).toString('hex'),
    quoteMs: 60_000,
    ...more,
  });
};

const check = async (options: Partial<SimulatorOptions>, more: Partial<CheckParts> = {}): Promise<Checked> => {
  simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300, ...options });
  const checked = await checkBlock({ kind: 'fiat-on-ramp', base_url: simulator.url, preference_bps: 5 }, more);
  expect(simulator.control.history.orders).toEqual([]);
  return checked;
};
const whats = (checked: Checked): string => checked.findings.map((one) => one.what).join('\n');

it('finds nothing at a provider that keeps to the standard', async () => {
  const checked = await check({});
  expect([checked.reached, checked.findings, checked.blockers]).toEqual(['both', [], []]);
  expect(checked.steps.filter((step) => step.startsWith('price: EUR'))).toHaveLength(4);
});

const prefix = '/ALJAZ/fiatlink/1.0.0';
it.each([
  ['prefix and amount_btc', { prefix, deviations: ['amount-btc-only'] }, { path_prefix: prefix, sats_field: 'amount_btc' }],
  ['amount_btc, understood only', { deviations: ['sats-asked-as-btc'] }, { sats_field: 'amount_btc' }],
  ['fee on top', { feeStyle: 'added' }, { fee_style: 'added' }],
  ['proof', { proof: 'demanded' }, { proof: 'demanded', catalogue_without_session: true }],
  ['prefix and proof', { prefix, proof: 'demanded', deviations: ['500-outside'] }, { path_prefix: prefix, proof: 'demanded' }],
  ['/auth and proof', { proof: 'demanded', deviations: ['session-at-auth'] }, { path_map: { session: '/auth' }, proof: 'demanded' }],
  ['a sentence that is signed', { prefix, proof: 'demanded', deviations: ['sentence-signed'] }, { proof_template: 'I confirm my bitcoin wallet. [TOKEN]' }],
  ['a listing by GET', { deviations: ['listing-by-get'] }, { payment_options_method: 'GET' }],
  ['a listing by GET, and a proof', { proof: 'demanded', deviations: ['listing-by-get'] }, { payment_options_method: 'GET', proof: 'demanded' }],
] as [string, Partial<SimulatorOptions>, object][])('finds the settings for: %s', async (_name, options, settings) => {
  const checked = await check(options);
  expect([checked.reached, checked.blockers]).toEqual(['both', []]);
  expect(checked.settings).toMatchObject(settings);
  expect(checked.findings.map((one) => one.setting ?? '').join(', ')).toContain(Object.keys(settings)[0]);
});

describe('the two public servers', () => {
  it('flask: prices behind a proof that it never checks, for one option and no amount of sats', async () => {
    const deviations: SimulatorOptions['deviations'] = [
      'html-404-outside',
      'signature-unchecked',
      'constant-session',
      'token-is-constant',
      'currencies-object',
      'two-feature-objects',
      'float-amounts',
      'error-string-200',
      'price-of-first-option',
      'sats-500',
      'microsecond-dates',
      'order-id-is-quote-id',
    ];
    const checked = await check({ prefix, proof: 'demanded', deviations });
    expect(checked.settings).toMatchObject({ path_prefix: prefix, proof: 'demanded', catalogue_without_session: true });
    expect([checked.reached, isUsable(checked)]).toEqual(['price', true]);
    expect(whats(checked)).toMatch(/2 of 3 options give no price: EUR SEPA Instant \(.*POST .*\/quote answered 500/);
    expect(whats(checked)).toMatch(/gives no price for an amount of sats: .*answered 500/);
    expect(whats(checked)).toMatch(/\/quote: amount_sats is [\d.]+ and must be an integer/);
    expect(whats(checked)).toMatch(/\/payment-options: currencies is an object/);
  });

  it('the Node stub: every session is over since 2023, so the gateway never uses it', async () => {
    const checked = await check({ prefix, proof: 'demanded', deviations: ['500-outside', 'signature-unchecked', 'dates-of-2023', 'node-stub-errors'] });
    expect(checked.settings).toMatchObject({ path_prefix: prefix, proof: 'demanded' });
    expect(checked.blockers).toEqual([
      expect.stringContaining('its session cannot be used: malformed: the session had already expired when it was opened, expires_on 2023-09-20T00:25:11.123Z'),
    ]);
    expect([checked.reached, isUsable(checked)]).toEqual(['answered', false]);
    expect(whats(checked)).toMatch(/expires-too-soon/);
  });
});

describe('servers that half speak it', () => {
  const stopped = (checked: Checked): string => checked.steps.find((step) => step.startsWith('stopped: ')) ?? '';
  it.each([
    ['404 with HTML on every path', { prefix: '/somewhere/else', deviations: ['html-404-outside'] }, /GET \/verify answered 404 \(text\/html\)/],
    ['redirects', { deviations: ['redirects'] }, /GET \/verify answered 301, a redirect to http:\/\/127\.0\.0\.1:\d+\/elsewhere$/],
    ['an empty listing', { deviations: ['listing-empty'] }, /the listing has no option that the gateway can read/],
    ['a proof without a token', { deviations: ['proof-without-token'] }, /the session: declined; POST \/session answered 403/],
    ['prices only after a proof that it does not ask for', { deviations: ['price-after-proof'] }, /no option gives a price/],
    ['HTML as content type', { deviations: ['html-content-type'] }, /malformed: the answer is not JSON; GET \/verify answered 200 \(text\/html\)/],
    ['500 to everything', { deviations: ['500-outside'], prefix: '/somewhere/else' }, /server: status 500; GET \/verify answered 500/],
    ['features that fail', { deviations: ['features-500'] }, /GET \/features answered 500/],
  ] as [string, Partial<SimulatorOptions>, RegExp][])('%s: says where it stopped, and that no price was seen', async (_name, options, where) => {
    const checked = await check(options);
    expect(stopped(checked)).toMatch(where);
    expect(isUsable(checked)).toBe(false);
    expect(checked.steps.join('\n')).not.toContain('key=secret');
  });

  it('a listing that needs a proof itself blocks a gateway without a key of its own', async () => {
    const options: Partial<SimulatorOptions> = { proof: 'demanded', deviations: ['listing-after-session'] };
    const checked = await check(options);
    expect(checked.settings).toMatchObject({ proof: 'demanded' });
    expect(checked.blockers).toEqual([expect.stringMatching(/the gateway cannot read the provider's listing for itself.*set catalogue_key_env/)]);
    expect(checked.steps.join('\n')).toMatch(/price: EUR SEPA: 10000 buys/);
    await simulator?.close();
    simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300, ...options });
    const keyed = { kind: 'fiat-on-ramp', base_url: simulator.url, proof: 'demanded', catalogue_key_env: 'NODE_KEY' };
    expect((await checkBlock(keyed, { secret: () => '11'.repeat(32) })).blockers).toEqual([]);
  });

  it('prices that always come too late', async () => {
    let now = Date.now();
    const http: Http = async (request) => {
      if (request.url.endsWith('/quote')) now += 4000;
      return await upstream.http(request);
    };
    const checked = await check({}, { http, now: () => now, quoteMs: 2500 });
    expect(whats(checked)).toMatch(/too slow: POST \/quote answered 200 \(application\/json\) after 4000 ms, and the gateway waits 2500 ms for a price/);
    expect(checked.blockers).toEqual(['every price arrives too late for the gateway']);
  });

  it('one that never answers is asked once, whatever dialects there are', async () => {
    let calls = 0;
    const http: Http = async ({ signal }) => {
      calls += 1;
      return await new Promise((_answer, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    };
    const checked = await check({}, { http, stepMs: 20 });
    expect([calls, checked.reached]).toEqual([1, 'nothing']);
    expect(stopped(checked)).toMatch(/GET \/verify got no answer/);
  });
});

it('says that a price can only be seen by ordering, if that is so', async () => {
  const lsp = await startLsps1Simulator({ id: 'lsp' });
  others.push(lsp);
  const seller = await checkBlock({ kind: 'lsps1', base_url: lsp.url });
  expect([seller.reached, isUsable(seller)]).toEqual(['listing', false]);
  expect(seller.steps.at(-1)).toBe('stopped: no price was seen: the seller gives one only by making an order');
});

it('sees the price of Blocktank without an order, and says why there is none', async () => {
  const tank = await startBlocktankSimulator({ id: 'tank', feeRates: { fast: 6, mid: 5, slow: 4 } });
  others.push(tank);
  const block = { kind: 'blocktank', base_url: tank.baseUrl };
  const seller = await checkBlock(block);
  expect([seller.reached, isUsable(seller), tank.control.orders.size]).toEqual(['price', true, 0]);
  tank.control.setOptions({ network: 'main' });
  expect((await checkBlock(block)).steps.at(-1)).toMatch(/declined, not-on-sale, the seller is on another network; GET \S*\/info answered 200/);
  tank.control.setOptions({ geoBlocked: true });
  expect((await checkBlock(block)).steps.at(-1)).toMatch(/country-restricted; GET \S*\/geocheck answered 403/);
});

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'check-'));
  await work(folder);
  rmSync(folder, { recursive: true, force: true });
};

it('walks both ramps of a provider that has two, and knows that it cannot be on', async () => {
  const dfx = await startDfxSimulator({ id: 'dfx' });
  others.push(dfx);
  const checked = await checkBlock({ kind: 'dfx', mode: 'shadow', base_url: dfx.url });
  expect(checked).toMatchObject({ reached: 'both', findings: [], blockers: [] });
  expect(checked.steps.slice(-5)).toEqual([
    'price: CHF Bank transfer: 10000 buys 132583 sats, fee 149, an estimate',
    'price: EUR SEPA: 10000 buys 123137 sats, fee 149, an estimate',
    'price: CHF Bank transfer: 132583 sats cost 9999',
    'listing: Bank transfer',
    'price: 100000 sats bring CHF 7356',
  ]);
  const ran = await runCommand('provider-check', [dfx.url, '--kind', 'dfx'], {});
  expect([ran.code, parse(ran.out.slice(ran.out.indexOf('providers:')))]).toEqual([
    0,
    { providers: { checked: { kind: 'dfx', base_url: dfx.url, mode: 'shadow' } } },
  ]);
  expect(dfx.control.requests.every(({ path }) => /^\/v1\/(?:asset|fiat|buy\/quote|sell\/quote)/.test(path))).toBe(true);
});

it('the command says where it stopped when nobody is there', async () => {
  simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300 });
  const url = simulator.url;
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'config.yaml'), configOf(url));
    const run = async (...args: string[]) => await runCommand('provider-check', args, { CONFIG_FILE: join(folder, 'config.yaml') });
    const good = await run('tried');
    expect([good.code, good.error]).toEqual([0, '']);
    expect(good.out).toContain(`no deviation found\n\nproviders:\n  tried:\n    kind: fiat-on-ramp\n    base_url: ${url}\n    preference_bps: 5\n`);
    await simulator?.close();
    simulator = undefined;
    const gone = await run('tried');
    expect([gone.code, gone.out.split('\n')[0]]).toEqual([1, expect.stringMatching(/^stopped: unreachable/)]);
    expect(gone.out).not.toContain('no deviation');
    expect((await run('nobody')).error).toBe('there is no provider "nobody": tried\n');
    expect((await run('tried', '--order')).error).toBe('--order, --json and --out go with --report\n');
    expect((await run('tried', '--oder')).error).toBe('--oder is not an option of this command: it has --report, --json, --order, --kind, --out\n');
    expect((await run('http://user:secret@127.0.0.1:1')).error).toBe('the address must be plain: no user, no query, no fragment\n');
    expect((await run('http://127.0.0.1:1', '--kind', 'bringin', '--report')).error).not.toContain('secret');
  });
});

describe('the report', () => {
  const report = async (options: Partial<SimulatorOptions>, ...flags: string[]) => {
    simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300, ...options });
    return await runCommand('provider-check', [simulator.url, '--report', ...flags], {});
  };

  it('needs no configuration, orders nothing and is JSON and Markdown in one run', async () => {
    await inFolder(async (folder) => {
      const out = join(folder, 'report');
      const ran = await report({ prefix, proof: 'demanded', deviations: ['text-amounts', '500-outside'] }, '--out', out);
      expect([ran.code, ran.error]).toEqual([1, '']);
      const said = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as ConformanceReport;
      expect([said.verdict, said.base, said.ordered]).toEqual(['deviates', `${simulator?.url}${prefix}`, false]);
      expect(said.checks.find((one) => one.id === 'quote-answer')).toMatchObject({
        outcome: 'deviation',
        seen: [
          {
            what: 'amount_sats is a string and must be an integer',
            clause: '/quote, answer, amount_sats: an integer, in sats (text of the standard; OpenAPI, required)',
          },
        ],
      });
      expect(parse(said.gateway.block)).toEqual({
        providers: { checked: { kind: 'fiat-on-ramp', base_url: simulator?.url, path_prefix: prefix, proof: 'demanded', catalogue_without_session: true } },
      });
      const markdown = readFileSync(`${out}.md`, 'utf8');
      expect(markdown).toContain(
        '| /quote | The answer has the members of the standard | amount_sats is a string and must be an integer | /quote, answer, amount_sats',
      );
      expect(markdown).toContain('Only calls that make no order were tried');
      expect(simulator?.control.history.orders).toEqual([]);
      const asked = simulator?.control.history.requests.map((one) => one.endpoint);
      expect(asked).not.toContain('order');
      expect(asked).not.toContain('withdrawal');
    });
  });

  it('never says “no deviation” without a price', async () => {
    const ran = await report({ deviations: ['listing-empty'] });
    expect(ran.out).not.toContain('No deviation');
    expect(ran.code).toBe(1);
    await simulator?.close();
    const nobody = await runCommand('provider-check', [simulator?.url ?? '', '--report', '--json'], {});
    expect(nobody.error).toBe('');
    expect((JSON.parse(nobody.out) as ConformanceReport).verdict).toBe('incomplete');
  });

  it('makes one order with --order, and puts what a second POST did into the block', async () => {
    const ran = await report({ repost: 'same' }, '--order', '--json');
    const said = JSON.parse(ran.out) as ConformanceReport;
    expect([ran.code, said.verdict, said.counts.deviations]).toEqual([0, 'conforms', 0]);
    expect(said.orders).toEqual(simulator?.control.history.orders.map((one) => one.orderId));
    expect(said.gateway).toMatchObject({ usable: true, because: [], block: expect.stringContaining('repost: same') as string });
  });

  it('shows a provider’s words as plain text', async () => {
    const evil = '|![x](https://evil.example/a.png)<img src=x>`www.evil.example`|';
    const says: SimulatorOptions['says'] = (endpoint, truth) =>
      endpoint === 'payment-options'
        ? JSON.parse(JSON.stringify(truth).replaceAll('"SEPA"', JSON.stringify(evil)).replaceAll('"fee_rate"', '"rate"'))
        : endpoint === 'quote'
          ? evil
          : undefined;
    const ran = await runWith(says);
    const lines = ran.split('\n').filter((line) => line.includes('evil'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).not.toMatch(/https?:\/\/evil|www\.evil|<img|!\[|\]\(/);
  });
  const runWith = async (says: SimulatorOptions['says']): Promise<string> => {
    simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300, says });
    return (await runCommand('provider-check', [simulator.url, '--report'], {})).out;
  };
});
