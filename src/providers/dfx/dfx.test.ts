import { describe, expect, it } from 'vitest';
import { casesOf, onNodeOnly, violations, type Subject, type Verb } from '../../../test/support/contract.ts';
import { mutants, noticed } from '../../../test/support/contract-mutants.ts';
import { applyRules } from '../../domain/exclusion.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import type { AdapterDeps, BuyAdapter, CatalogueOption, FollowedOrder, SellAdapter } from '../spec.ts';
import auth from './__fixtures__/auth.json' with { type: 'json' };
import ordered from './__fixtures__/buy-order.json' with { type: 'json' };
import completed from './__fixtures__/transaction-completed.json' with { type: 'json' };
import soldOrder from './__fixtures__/sell-order.json' with { type: 'json' };
import assets from './__fixtures__/assets.json' with { type: 'json' };
import boughtSats from './__fixtures__/buy-quote-sats.json' with { type: 'json' };
import bought from './__fixtures__/buy-quote.json' with { type: 'json' };
import fiats from './__fixtures__/fiats.json' with { type: 'json' };
import sold from './__fixtures__/sell-quote.json' with { type: 'json' };
import { provider } from './index.ts';

const baseUrl = 'https://dfx.example';
const bank: CatalogueOption = {
  currency: 'EUR',
  name: 'SEPA',
  upstream: { method: 'Bank', currency: 2 },
  feePpm: 14_900,
  minFiat: 1_000n,
  maxFiat: 107_600_000_000n,
};
const payout: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank', currency: 2 }, feePpm: 9_900 };
const payoutTo: PayoutTo = { kind: 'node_pubkey', value: '02e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad', isProven: true };
const offer: ProviderOffer = {
  pay: 10_000n,
  receive: 123_137n,
  fee: 149n,
  binding: false,
  upstream: { method: 'Bank', currency: 2 },
  facts: { amount_tolerance_bps: 100, provider_btc_price: '8000000' },
  requires: [],
  warnings: [],
};
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: 'Q7hK2mPx9LtR4vWz8',
  createdOn: Date.UTC(2026, 10, 21, 10, 15),
  pay: 10_000n,
  receive: 123_137n,
  fee: 149n,
  upstream: offer.upstream,
  facts: offer.facts,
  payoutTo,
};
const sale: ProviderOffer = { ...offer, pay: 250_000n, receive: 19_802n, fee: 198n, requires: ['connection'] };
const features = { quotes: false, estimates: true, on_chain_fallback: false, webhook: false };
const franc = { currency: 'CHF', name: 'Bank transfer', upstream: { method: 'Bank', currency: 1 } };

/** Makes a function that tells whether the gateway would rank an offer, given the market price. */
const ranks =
  (ramp: 'buy' | 'sell', fixed: 'pay' | 'receive', amount: bigint) =>
  (value: unknown): boolean => {
    const reference = { btcPrice: 8_000_000n, maxDeviationBps: 300, observedOn: 0 };
    const candidate = { providerId: 'x', offer: (value as { value: ProviderOffer }).value, terms: { haircutBps: 0, preferenceBps: 0 }, latencyMs: 1 };
    const policy = { version: 2, outlierBps: 1000, toleranceBps: 200, indicativeHaircutBps: 50, reference } as const;
    return applyRules({ ramp, fixed, amount, currency: 'EUR', option: 'SEPA' }, [candidate], policy, 0).accepted.length > 0;
  };

const ofQuotes = {
  required: ['isValid', 'amount', 'estimatedAmount', 'rate'],
  stringReply: 'malformed',
  clientErrors: { 400: 'refusal', 401: 'malformed', 403: 'refusal', 404: 'malformed', 409: 'refusal', 422: 'refusal' },
} satisfies Partial<Verb<never>>;
const lies = ['amount', 'estimatedAmount', 'rate'];
const ofListings = {
  required: [],
  optional: [],
  stringReply: 'malformed',
  clientErrors: { 400: 'malformed', 401: 'malformed', 403: 'malformed', 404: 'malformed' },
} satisfies Partial<Verb<never>>;

const dfxAddress = `LNNID${payoutTo.value.toUpperCase()}`;
const buying: Verb<BuyAdapter>[] = [
  {
    ...ofQuotes,
    name: 'quote',
    call: (adapter, context) => adapter.quote(context, { ramp: 'buy', fixed: 'pay', amount: 10_000n, option: bank }),
    reply: bought.response.body,
    sent: bought.request,
    returned: { ok: true, value: offer },
    required: [...ofQuotes.required, 'fees'],
    optional: ['exchangeRate', 'errors', 'error', 'feesTarget', 'minVolume', 'maxVolumeTarget', 'priceSteps'],
    money: { fields: lies, believed: ranks('buy', 'pay', 10_000n) },
  },
  {
    ...ofQuotes,
    name: 'quote for sats',
    call: (adapter, context) => adapter.quote(context, { ramp: 'buy', fixed: 'receive', amount: 107_869n, option: bank }),
    reply: boughtSats.response.body,
    sent: boughtSats.request,
    returned: { ok: true, value: { ...offer, pay: 8_760n, receive: 107_869n, fee: 131n } },
    required: [...ofQuotes.required, 'fees'],
    optional: ['exchangeRate'],
    money: { fields: lies, believed: ranks('buy', 'receive', 107_869n) },
  },
  {
    ...ofListings,
    name: 'catalogue',
    call: (adapter, context) => adapter.catalogue(context),
    reply: fiats.response.body,
    sent: fiats.request,
    others: { [assets.request.path]: assets.response.body },
    returned: { ok: true, value: { features, options: [{ ...franc, feePpm: 14_900, minFiat: 1_000n, maxFiat: 100_000_000_000n }, bank] } },
  },
  {
    ...ofListings,
    name: 'catalogue, assets',
    call: (adapter, context) => adapter.catalogue(context),
    reply: assets.response.body,
    sent: assets.request,
    others: { [fiats.request.path]: fiats.response.body },
    returned: { ok: true, value: { features, options: [{ ...franc, feePpm: 14_900, minFiat: 1_000n, maxFiat: 100_000_000_000n }, bank] } },
  },
  {
    ...ofQuotes,
    name: 'place order',
    call: (adapter, context) =>
      adapter.placeOrder(
        { ...context, idempotencyKey: 'our-attempt-1' },
        { quote: { ramp: 'buy', fixed: 'pay', amount: 10_000n, option: bank }, offer, inputs: { payoutTo } },
      ),
    reply: ordered.response.body,
    sent: ordered.request,
    others: { [auth.request.path]: auth.response.body, '/v1/buy/paymentInfos/481207/confirm': {} },
    returned: {
      ok: true,
      value: {
        upstreamOrderId: 'Q7hK2mPx9LtR4vWz8',
        stage: 'awaiting_payment',
        rawStatus: 'WaitingForPayment',
        pay: 10_000n,
        receive: 123_137n,
        fee: 149n,
        facts: offer.facts,
        expiresOn: Date.UTC(2026, 10, 28, 10, 15),
        paymentInfo: {
          kind: 'fiat',
          paymentDetails: {
            provider_name: 'DFX AG',
            provider_iban: 'LI75088110105923K000E',
            provider_bic: 'BFRILI22XXX',
            provider_reference: 'ABCD-EFGH-IJKL',
            provider_bank: 'Bank Frick AG',
            provider_address: 'Bahnhofstrasse 7, 6300 Zug, Schweiz',
          },
        },
      },
    },
    required: [...ofQuotes.required, 'fees', 'id', 'uid', 'name', 'iban', 'remittanceInfo'],
    optional: ['exchangeRate', 'error', 'feesTarget', 'bank', 'street', 'number', 'zip', 'city', 'country', 'bic', 'isPersonalIban', 'expiryDate'],
    clientErrors: { ...ofQuotes.clientErrors, 401: 'rejected-credentials', 408: 'malformed' },
    money: { fields: lies, believed: () => true },
  },
  {
    ...ofListings,
    name: 'read order',
    call: (adapter, context) => adapter.readOrders(context, followed),
    reply: completed.response.body,
    sent: completed.request,
    returned: {
      ok: true,
      value: [
        {
          upstreamOrderId: 'Q7hK2mPx9LtR4vWz8',
          stage: 'finished',
          rawStatus: 'Completed',
          pay: 10_000n,
          receive: 123_137n,
          facts: { payout_id: '5a'.repeat(32), payout_on: '2026-08-09T09:15:00.000Z', transaction_id: 'T3dFk8sW2bNq6XyLm' },
          moneySeen: true,
          echo: { currency: 'EUR' },
        },
      ],
    },
    required: ['uid', 'state'],
    optional: ['id', 'type', 'inputAmount', 'inputAsset', 'outputAmount', 'outputTxId', 'outputDate', 'date'],
  },
];
const selling: Verb<SellAdapter>[] = [
  {
    ...ofQuotes,
    name: 'sell quote',
    call: (adapter, context) => adapter.quote(context, { ramp: 'sell', fixed: 'pay', amount: 250_000n, option: payout, network: 'lightning' }),
    reply: sold.response.body,
    sent: sold.request,
    returned: { ok: true, value: sale },
    required: [...ofQuotes.required, 'feesTarget'],
    optional: ['exchangeRate', 'errors', 'error', 'fees', 'minVolume', 'maxVolumeTarget', 'priceSteps'],
    money: { fields: lies, believed: ranks('sell', 'pay', 250_000n) },
  },
  {
    ...ofQuotes,
    name: 'place sell order',
    call: (adapter, context) =>
      adapter.placeOrder(
        { ...context, idempotencyKey: 'our-attempt-1' },
        {
          quote: { ramp: 'sell', fixed: 'pay', amount: 250_000n, option: payout, network: 'lightning' },
          offer: sale,
          inputs: { connection: { iban: 'DE89370400440532013000' } },
        },
      ),
    reply: soldOrder.response.body,
    sent: soldOrder.request,
    others: { [auth.request.path]: auth.response.body },
    returned: {
      ok: true,
      value: {
        upstreamOrderId: 'Q9sLb4VnTc7WxK2fE',
        stage: 'awaiting_payment',
        rawStatus: 'WaitingForPayment',
        pay: 250_000n,
        receive: 19_802n,
        fee: 198n,
        facts: sale.facts,
        expiresOn: Date.UTC(2026, 10, 21, 11),
        matchedBy: 'amount',
        paymentInfo: { kind: 'invoice', value: soldOrder.response.body.paymentRequest, amountSats: 250_000n },
      },
      customer: `{"address":"${dfxAddress}","token":"header.claims.signature"}`,
    },
    required: [...ofQuotes.required, 'feesTarget', 'id', 'uid', 'paymentRequest', 'beneficiary'],
    optional: ['exchangeRate', 'error', 'fees', 'depositAddress', 'timestamp'],
    clientErrors: { ...ofQuotes.clientErrors, 401: 'rejected-credentials', 408: 'malformed' },
    money: { fields: lies, believed: () => true },
  },
  {
    ...ofListings,
    name: 'sell catalogue',
    call: (adapter, context) => adapter.catalogue(context),
    reply: fiats.response.body,
    sent: fiats.request,
    others: { [assets.request.path]: assets.response.body },
    returned: {
      ok: true,
      value: {
        features,
        options: [{ ...franc, feePpm: 9_900 }, payout, { ...franc, currency: 'AED', upstream: { method: 'Bank', currency: 17 }, feePpm: 9_900 }],
      },
    },
  },
];

const adapters = (deps: AdapterDeps) => provider.create(deps, provider.settings.parse({ base_url: `${baseUrl}/`, login_key_env: 'DFX_KEY' }));
const existing = <A>(adapter: A | undefined): A => {
  if (!adapter) throw new Error('no such ramp');
  return adapter;
};
const buyer: Subject<BuyAdapter> = {
  create: (deps) => existing(adapters(deps).buy),
  deps: { secret: () => 'an-operator-key-of-at-least-32-characters' },
  context: {},
  baseUrl,
};
const seller: Subject<SellAdapter> = {
  create: (deps) => existing(adapters(deps).sell),
  deps: { secret: () => 'an-operator-key-of-at-least-32-characters' },
  context: { customer: `{"address":"${dfxAddress}"}` },
  baseUrl,
};

describe.each(buying)('contract: $name', (verb) => {
  it(`keeps all of its ${casesOf(verb).length} cases`, async () => {
    expect(casesOf(verb).length).toBeGreaterThanOrEqual(20);
    expect(await violations(buyer, verb)).toEqual([]);
  });
});
describe.each(selling)('contract: $name', (verb) => {
  it(`keeps all of its ${casesOf(verb).length} cases`, async () => {
    expect(casesOf(verb).length).toBeGreaterThanOrEqual(20);
    expect(await violations(seller, verb)).toEqual([]);
  });
});

onNodeOnly(() =>
  describe('the suite itself', async () => {
    const broken = await noticed(buyer, buying);
    const brokenSales = await noticed(seller, selling);
    // Three mutants turn an answer into a 404 or 418. To this adapter, both statuses are as malformed as the answer itself, so the suite cannot
    // notice these mutants.
    const wrong = mutants.filter(({ name }) => !/^takes (?:a redirect|HTML|what it cannot read) for a refusal$/.test(name));
    it.each(wrong)('notices an adapter that $name', ({ name, breaks }) => {
      const failed = [...(broken.get(name) ?? []), ...(brokenSales.get(name) ?? [])];
      expect(failed.filter((one) => breaks.test(one)).length).toBeGreaterThan(0);
    });
    it('has no case that every broken adapter passes', () => {
      const failed = [...broken.values(), ...brokenSales.values()].flat();
      const idle = [...buying, ...selling]
        .flatMap((verb) => casesOf(verb as Verb<unknown>))
        .filter(({ name }) => !failed.some((one) => one.startsWith(`${name}: `)));
      expect(idle.map(({ name }) => name)).toEqual([]);
    });
  }),
);
