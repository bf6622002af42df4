/**
 * No figure of one provider makes the whole response fail. At most that provider loses its offer; the others are the same as when it is honest.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import type { SimulatorOptions } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

type Body = Record<string, unknown>;
type Listed = { currency_code: string; payment_options: Body[] };
type Shown = { offers: (Body & { provider: { id: string } })[]; excluded: Body[]; refused: Body[]; failed: Body[] };
const euros = [
  { code: 'EUR', id: 1, price: 9_180_000, options: [{ name: 'SEPA', id: 1, feeRate: 0.009, min: 1000, max: 900_000_000, pay: 'details' as const }] },
];
let says: SimulatorOptions['says'];
let gateway: TestGateway;
let wallet: Wallet;
let session_id: string;
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      alpine: { simulator: { currencies: euros, spreadBps: -20 } },
      borealis: { simulator: { currencies: euros, estimate: true } },
      mallory: { simulator: { currencies: euros, says: (endpoint, truth) => says?.(endpoint, truth) } },
    },
    // With these settings, every request reads the listings again, because it moves the clock first.
    { config: { catalogue: { fresh_s: 1, stale_s: 1 } } },
  );
  wallet = createWallet(gateway.url);
  session_id = (await wallet.open()).sessionId;
});
afterAll(async () => await gateway.close());

const millionEuros = 100_000_000;
const ask = async (path = '/offers', amount: Body = { amount_fiat: millionEuros }) => {
  gateway.clock.move(2000);
  // With a clock that stands still, a listing cannot become too old between its reading and the prices, however slow the machine is.
  return await gateway.clock.still(async () => await wallet.call(path, { session_id, currency_id: 1, payment_option_id: 1, ...amount }));
};
/** Returns the other providers' offers, without values that change with time. */
const others = ({ offers }: Shown): unknown =>
  offers
    .filter(({ provider }) => provider.id !== 'mallory')
    .map(({ provider, amount_fiat, amount_sats, order_fee, btc_price, fee_bps, warnings }) => ({
      id: provider.id,
      amount_fiat,
      amount_sats,
      order_fee,
      btc_price,
      fee_bps,
      warnings,
    }));
const of = (list: Body[]): Body | undefined => list.find((one) => (one['provider'] as { id: string }).id === 'mallory');
const shown = async (amount?: Body): Promise<Shown> => {
  const { status, body } = await ask('/offers', amount);
  expect(status).toBe(200);
  return body as never;
};

const quoting =
  (figures: Body): SimulatorOptions['says'] =>
  (endpoint, truth) =>
    endpoint === 'quote' ? { ...truth, ...figures } : undefined;
const huge = '999999999999999999';

describe('a quote', () => {
  it.each<[string, Body]>([
    ['of one sat for 1,000,000.00 EUR', { amount_sats: 1 }],
    ['of one sat, as an estimate', { amount_sats: 1, is_estimate: true }],
    ['of one sat, without a fee', { amount_sats: 1, order_fee: 0, btc_price: 1 }],
    ['of nothing', { amount_sats: 0 }],
    ['of less than nothing', { amount_sats: -5 }],
    ['with a fee above what is paid', { order_fee: millionEuros + 1 }],
    ['with all of it as a fee', { order_fee: millionEuros }],
    ['with a fee below nothing', { order_fee: -1 }],
  ])('%s is amount-invalid, and touches nobody else', async (_name, figures) => {
    says = undefined;
    const honest = others(await shown());
    says = quoting(figures);
    const { offers, excluded, ...rest } = await shown();
    expect(others({ offers, excluded, ...rest })).toEqual(honest);
    expect(of(offers)).toBeUndefined();
    expect(of(excluded)).toMatchObject({ rule: 'amount-invalid' });
    const quote = await ask('/quote');
    expect([quote.status, (quote.body['provider'] as Body)['id']]).toEqual([200, 'alpine']);
  });

  it('of all the sats that JSON can count is no amount, and does not change the others', async () => {
    says = undefined;
    const honest = others(await shown());
    says = quoting({ amount_sats: Number.MAX_SAFE_INTEGER });
    const answer = await shown();
    expect(others(answer)).toEqual(honest);
    expect(of(answer.excluded)).toMatchObject({ rule: 'amount-invalid' });
  });

  it.each<[string, Body, Body]>([
    ['sats', { amount_fiat: millionEuros }, { amount_sats: huge }],
    ['a fee', { amount_fiat: millionEuros }, { order_fee: huge }],
    ['a price of a million sats', { amount_sats: 1_000_000 }, { amount_fiat: huge }],
  ])('with %s beyond what JSON counts cannot be read, and touches nobody else', async (_name, amount, figures) => {
    says = undefined;
    const honest = others(await shown(amount));
    says = quoting(figures);
    const answer = await shown(amount);
    expect(others(answer)).toEqual(honest);
    expect([of(answer.offers), of(answer.failed)]).toEqual([undefined, expect.objectContaining({ reason: 'malformed', retryable: false })]);
  });
});

describe('a listing', () => {
  const listing =
    (limits: Body): SimulatorOptions['says'] =>
    (endpoint, truth) => {
      if (endpoint !== 'payment-options') return undefined;
      const { min_amount: _min, max_amount: _max, ...option } = (truth['currencies'] as Record<string, Listed>[])[0]?.['eur']?.payment_options[0] ?? {};
      return { currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [{ ...option, ...limits }] } }] };
    };

  it.each<[string, Body]>([
    ['a least amount beyond JSON and no most', { min_amount: huge }],
    ['a most amount beyond JSON', { min_amount: '1', max_amount: huge }],
    ['both beyond JSON', { min_amount: huge, max_amount: `${huge}9` }],
    ['the largest that JSON counts as the least', { min_amount: Number.MAX_SAFE_INTEGER }],
    ['less than nothing', { min_amount: -5, max_amount: -1 }],
    ['the least above the most', { min_amount: 500, max_amount: 400 }],
    ['no numbers', { min_amount: 'much', max_amount: {} }],
  ])('with %s: the list and the offers of all others stand', async (_name, limits) => {
    says = undefined;
    const honest = others(await shown());
    says = listing(limits);
    const { offers, excluded, refused, failed } = await shown();
    expect(others({ offers, excluded, refused, failed })).toEqual(honest);
    // Because of its own words, Mallory is offered, excluded, refused or failed. It is never missing.
    expect([of(offers), of(excluded), of(refused), of(failed)].filter((one) => one !== undefined)).toHaveLength(1);
    const list = await wallet.call('/payment-options', { session_id });
    expect(list.status).toBe(200);
    expect(JSON.stringify(list.body)).toContain('"SEPA"');
    expect(JSON.stringify(list.body)).not.toMatch(/\d{17,}|e\+/);
  });
});
