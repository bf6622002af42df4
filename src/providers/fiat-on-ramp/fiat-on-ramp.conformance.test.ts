import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { createUndiciHttp } from '../../entry/http-undici.ts';
import { ProviderFault } from '../fault.ts';
import type { ConformanceCheck, ConformanceRun } from '../kit/kind.conformance.ts';
import type { Http } from '../spec.ts';
import { conformance } from './fiat-on-ramp.conformance.ts';
import { told } from './fiat-on-ramp.conformance-run.ts';
import { bodyOf, flawsOf, listingFlaws, shown } from './fiat-on-ramp.conformance-answers.ts';
import { startFiatOnRampSimulator, type RunningSimulator, type SimulatorOptions } from './fiat-on-ramp.simulator.ts';
import type { Deviation } from './fiat-on-ramp.simulator-state.ts';

let simulator: RunningSimulator | undefined;
const upstream = createUndiciHttp();
afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
});

type More = { order?: boolean; http?: (real: Http) => Http; paths?: Record<string, string>; stepMs?: number };
const runOn = async (options: Partial<SimulatorOptions>, more: More = {}): Promise<ConformanceRun> => {
  simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300, ...options });
  return await conformance.run({
    http: more.http?.(upstream.http) ?? upstream.http,
    base: `${simulator.url}${options.prefix ?? ''}`,
    paths: more.paths ?? {},
    now: () => Date.now(),
    newId: () => randomUUID(),
    newKey: () => randomBytes(32).toString('hex'),
    stepMs: more.stepMs ?? 15_000,
    quoteMs: 60_000,
    order: more.order ?? false,
  });
};
const wrong = ({ checks }: ConformanceRun): ConformanceCheck[] => checks.filter((one) => one.outcome === 'deviation' || one.outcome === 'advice');
const idsOf = (checks: readonly ConformanceCheck[]): string[] => checks.map((one) => one.id);
const untried = ({ checks }: ConformanceRun): string[] => idsOf(checks.filter((one) => one.outcome === 'not-tried'));
const orderChecks = ['order-answer', 'order-as-quoted', 'order-payable', 'order-repeat', 'order-unknown', 'status-answer', 'status-own', 'withdrawal-early'];

describe('a server that keeps to the standard', () => {
  it.each([
    ['without a proof', {}, ['session-proof']],
    ['with a proof', { proof: 'demanded' }, []],
    ['with estimates', { estimate: true }, ['session-proof']],
    ['with the fee on top', { feeStyle: 'added' }, ['session-proof']],
  ] as [string, Partial<SimulatorOptions>, string[]][])('%s holds everything, and no order is made', async (_name, options, rest) => {
    const run = await runOn(options);
    expect(wrong(run)).toEqual([]);
    expect(run.priced).toBe(true);
    expect(untried(run).toSorted()).toEqual([...orderChecks, ...rest].toSorted());
    const asked = new Set(simulator?.control.history.requests.map((one) => one.endpoint));
    expect([asked.has('order'), asked.has('withdrawal')]).toEqual([false, false]);
  });

  it.each(['same', 'rejects', 'duplicates'] as const)('makes one order when it may, and learns that a second POST is: %s', async (repost) => {
    const run = await runOn({ proof: 'demanded', repost }, { order: true });
    expect(idsOf(wrong(run))).toEqual(repost === 'duplicates' ? ['order-repeat'] : []);
    expect(untried(run)).toEqual([]);
    expect(run.learnt['repost']).toBe(repost);
    expect(run.orders).toEqual(simulator?.control.history.orders.map((one) => one.orderId));
    expect(run.orders).toHaveLength(repost === 'duplicates' ? 2 : 1);
  });
});

describe('every deviation is named, with its clause', () => {
  const cases: [Deviation, Partial<SimulatorOptions>, string[], More?][] = [
    ['redirects', {}, ['transport-status', 'features-answer', 'verify-answer']],
    ['html-content-type', {}, ['transport-json']],
    ['dates-of-2023', {}, ['verify-answer', 'session-answer', 'quote-answer']],
    ['no-zone-dates', {}, ['verify-answer', 'session-answer', 'quote-answer']],
    ['text-amounts', {}, ['quote-answer']],
    ['pointed-amounts', {}, ['quote-answer']],
    ['float-amounts', {}, ['quote-answer']],
    ['two-feature-objects', {}, ['features-answer']],
    ['features-names', {}, ['features-answer']],
    ['features-500', {}, ['features-answer']],
    ['constant-session', {}, ['verify-fresh']],
    ['token-is-constant', { proof: 'demanded' }, ['verify-fresh']],
    ['proof-without-token', {}, ['session-opens']],
    ['signature-unchecked', { proof: 'demanded' }, ['session-proof']],
    ['sentence-signed', { proof: 'demanded' }, ['session-opens']],
    ['unknown-session-opens', {}, ['session-unknown']],
    ['session-at-auth', {}, ['endpoint-names'], { paths: { session: '/auth' } }],
    ['currencies-object', {}, ['options-answer', 'options-unknown']],
    ['listing-empty', {}, ['options-listed']],
    ['listing-by-get', {}, ['options-answer']],
    ['listing-ids-change', {}, ['options-stable', 'quote-price']],
    ['filter-ignored', { currencies: twoCurrencies() }, ['options-filter', 'options-unknown']],
    ['price-after-proof', {}, ['quote-price']],
    ['price-of-first-option', {}, ['quote-price']],
    ['sats-500', {}, ['quote-sats']],
    ['sats-asked-as-btc', {}, ['quote-sats']],
    ['amount-btc-only', {}, ['quote-sats', 'quote-answer']],
    ['limits-unchecked', {}, ['quote-limits']],
    ['sessions-unchecked', {}, ['quote-refuses']],
    ['error-string-200', {}, ['refusal-status']],
    ['refusals-500', {}, ['refusal-form']],
    ['orders-of-all', {}, ['status-own'], { order: true }],
    ['status-array', {}, ['status-answer'], { order: true }],
    ['status-without-amounts', {}, ['status-answer'], { order: true }],
    ['withdrawal-before-paid', {}, ['withdrawal-early'], { order: true }],
    ['withdrawal-500-before-paid', {}, ['refusal-form'], { order: true }],
  ];
  it.each(cases)('%s', async (deviation, options, expected, more) => {
    const run = await runOn({ ...options, deviations: [deviation] }, more);
    const found = wrong(run);
    expect(idsOf(found)).toEqual(expect.arrayContaining(expected));
    for (const check of found)
      for (const { what, clause } of check.seen) expect([what, clause]).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
    // No report contains a bearer secret.
    const told = JSON.stringify(found.map((one) => one.seen));
    const sent = (simulator?.control.history.requests ?? []).flatMap(({ body }) =>
      Object.entries(body as object).flatMap(([name, value]) => (/^(?:session_id|signature)$/.test(name) ? [value as string] : [])),
    );
    expect(sent.filter((secret) => told.includes(secret))).toEqual([]);
    expect(told).not.toContain('key=secret');
  });

  it.each([
    ['absurd-price', 'quote-echo'],
    ['wrong-currency', 'quote-echo'],
    ['wrong-option', 'quote-echo'],
    ['negative-fee', 'quote-answer'],
    ['expired-quote', 'quote-answer'],
  ] as const)('a quote that lies: %s', async (fault, id) => {
    const run = await runOn({}, { http: (real) => (request) => (simulator?.control.setFault({ endpoint: 'quote', fault, times: 1 }), real(request)) });
    expect(idsOf(wrong(run))).toContain(id);
  });

  it('figures that do not give one another', async () => {
    const says: SimulatorOptions['says'] = (endpoint, truth) => (endpoint === 'quote' ? { ...truth, btc_price: 3_000_000, order_fee: 4000 } : undefined);
    const seen =
      wrong(await runOn({ says }))
        .find((one) => one.id === 'quote-figures')
        ?.seen.map((one) => one.what) ?? [];
    expect(seen[0]).toMatch(/^10000 cents less a fee of 4000 at 3000000 per bitcoin are \d+ % off \d+ sats$/);
    expect(seen[1]).toBe('order_fee is 4000, but fee_rate 0.009 of 10000 is 90');
  });

  it('reads a listing by GET, and goes on', async () => {
    const run = await runOn({ deviations: ['listing-by-get'] });
    expect(run.priced).toBe(true);
    expect(wrong(run).map((one) => one.seen[0]?.what)).toEqual([
      expect.stringMatching(/^POST \/payment-options answered 404 .*; it lists options only by GET$/),
    ]);
  });

  it('an order without a way to pay, and one of other amounts', async () => {
    const faults = ['no-payment-info', 'order-amounts-differ'] as const;
    const run = await runOn(
      {},
      { order: true, http: (real) => (request) => (faults.map((fault) => simulator?.control.setFault({ endpoint: 'order', fault, times: 1 })), real(request)) },
    );
    expect(idsOf(wrong(run))).toEqual(expect.arrayContaining(['order-payable', 'order-as-quoted']));
  });
});

/** Returns EUR and CHF, each with its own option. */
function twoCurrencies(): NonNullable<SimulatorOptions['currencies']> {
  const option = { name: 'SEPA', id: 1, feeRate: 0.01, min: 1000, max: 100_000, pay: 'details' } as const;
  return [
    { code: 'EUR', id: 1, price: 9_000_000, options: [{ ...option }] },
    { code: 'CHF', id: 2, price: 8_500_000, options: [{ ...option, name: 'Bank transfer', id: 5 }] },
  ];
}

describe('where a server ends the check', () => {
  const notTried = (run: ConformanceRun, id: string): string | undefined => run.checks.find((one) => one.id === id)?.because;

  it.each([
    ['html200', /no session: GET \/verify answered 200 \(text\/html\), not JSON/],
    ['500', /no session: GET \/verify answered 500/],
    ['truncated', /no session: GET \/verify answered 200 \(application\/json\), not JSON/],
    ['reset', /no session: GET \/verify got no answer \(unreachable\)/],
    ['huge-header', /no session: GET \/verify got no answer \(malformed\)/],
    ['429', /the server answered 429/],
  ] as const)('%s', async (fault, because) => {
    const run = await runOn({}, { http: (real) => (request) => (simulator?.control.setFault({ endpoint: 'verify', fault, times: 1 }), real(request)) });
    expect(notTried(run, 'quote-price')).toMatch(because);
    expect(run.priced).toBe(false);
    expect(run.checks.every((one) => one.endpoint !== '/quote' || one.outcome === 'not-tried')).toBe(true);
  });

  it('asks a silent server three times, not forty', async () => {
    let calls = 0;
    const run = await runOn(
      {},
      {
        http: (real) => async (request) => {
          if (!request.url.endsWith('/quote')) return await real(request);
          calls += 1;
          throw new ProviderFault('timeout', 'no answer within the deadline');
        },
      },
    );
    expect(calls).toBe(3);
    expect(notTried(run, 'quote-limits')).toMatch(/stopped answering: POST \/quote got no answer \(timeout\)/);
  });

  it('names a price that comes late', async () => {
    simulator = await startFiatOnRampSimulator({ id: 'tried', quoteTtlS: 300 });
    let now = Date.now();
    const http: Http = async (request) => {
      if (request.url.endsWith('/quote')) now += 4000;
      return await upstream.http(request);
    };
    const run = await conformance.run({
      http,
      base: simulator.url,
      paths: {},
      now: () => now,
      newId: () => randomUUID(),
      newKey: () => randomBytes(32).toString('hex'),
      stepMs: 15_000,
      quoteMs: 2500,
      order: false,
    });
    expect(wrong(run).find((one) => one.id === 'quote-in-time')?.seen[0]?.what).toBe('a price took longer than 2500 ms');
  });
});

describe('the members of an answer', () => {
  const quote = {
    quote_id: '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6',
    amount_fiat: 100_000,
    currency_id: 1,
    payment_option_id: 1,
    amount_sats: 800_000,
    is_estimate: false,
    btc_price: 6_942_000,
    order_fee: 1234,
    expires_on: '2023-09-20T00:25:11.123Z',
  };
  const flaws = (said: object | string): string[] =>
    flawsOf('quote', bodyOf({ text: typeof said === 'string' ? said : JSON.stringify(said) })!).map((one) => one.what);

  it('of the standard’s own example are right', () => expect(flaws(quote)).toEqual([]));
  it.each([
    [{ quote_id: 'abc' }, 'quote_id is not a UUID'],
    [{ quote_id: 7 }, 'quote_id is a number and must be a UUID'],
    [{ amount_fiat: '100000' }, 'amount_fiat is a string and must be an integer'],
    [{ amount_sats: 5000.5 }, 'amount_sats is 5000.5 and must be an integer'],
    [{ amount_sats: 0 }, 'amount_sats is 0, less than 1'],
    [{ order_fee: -5 }, 'order_fee is -5, less than 0'],
    [{ order_fee: null }, 'order_fee is null and must be an integer'],
    [{ is_estimate: 'false' }, 'is_estimate is a string and must be true or false'],
    [{ is_estimate: undefined }, 'is_estimate is missing'],
    [{ expires_on: '2026-11-28T20:00:00' }, 'expires_on has no zone, or is not a date-time of RFC 3339'],
    [{ expires_on: 1_764_000_000 }, 'expires_on is a number and must be a date-time of RFC 3339'],
    [{ expires_on: '2026-13-28T20:00:00Z' }, 'expires_on is not a date-time of RFC 3339'],
  ])('%j', (change, expected) => expect(flaws({ ...quote, ...change })).toEqual([expected]));
  it('written as 5000.0 or 5e3 are no integers to a typed client', () => {
    expect(flaws(JSON.stringify(quote).replace('800000', '800000.0'))).toEqual(['amount_sats is written as 800000.0: clients with integer types refuse that']);
    expect(flaws(JSON.stringify(quote).replace('800000', '8e5'))).toEqual(['amount_sats is written as 8e5: clients with integer types refuse that']);
  });
  it.each(['"Something went wrong"', '[]', 'null', '17'])('an answer that is %s is no object', (text) =>
    expect(flaws(text)).toEqual([expect.stringMatching(/^the answer is .*, not an object$/)]),
  );

  it('a listing that is half right', () => {
    const said = {
      currencies: [
        {
          eur: {
            currency_id: '1',
            currency_code: 'EUR',
            payment_options: [
              { option: 'SEPA', id: 1, fee_rate: 5, min_amount: 10, max_amount: 5 },
              { option: '', id: 1 },
            ],
          },
        },
      ],
    };
    const found = listingFlaws(bodyOf({ text: JSON.stringify(said) })!).map((one) => one.what);
    expect(found).toEqual([
      'eur: currency_id is a string and must be an integer',
      'eur: fee_rate is 5 and must be a fraction between 0 and 1',
      'eur: min_amount 10 is above max_amount 5',
      'eur: option is empty',
      'eur: fee_rate is missing',
      'eur: min_amount is missing',
      'eur: max_amount is missing',
      'eur: two options have the same id',
    ]);
  });

  it('shows words without what could be a secret', () => {
    expect(shown('no session 8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6 here')).toBe('no session … here');
    expect(shown('key sk_live_abcdefghijklmnopqrstuvwx')).toBe('key …');
    expect(shown('a\u202e`b`\n c')).toBe("a'b' c");
  });
});

it('a redirect is described without the session or key in its path', () => {
  const exchange = {
    method: 'GET' as const,
    path: '/verify',
    status: 301,
    text: '',
    ms: 1,
    location: `https://a.example/api/v1/s/${randomUUID()}/${'k'.repeat(32)}/login`,
  };
  expect(told({ exchange, body: undefined })).toBe('GET /verify answered 301 (no content type), a redirect to https://a.example/api/v1/s/…/…/login');
});
