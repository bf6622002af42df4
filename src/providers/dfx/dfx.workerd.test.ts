/** DFX inside workerd: adapter and simulated DFX in one isolate, prices in both directions, and an order from the login to the sats. */
import { expect, it } from 'vitest';
import { behind, contextOf, valueOf } from '../../../test/workerd/in-process.ts';
import { createDfxSimulator } from './dfx.simulator.ts';
import { provider } from './index.ts';

const start = () => {
  const url = 'https://dfx.example';
  const { app, control } = createDfxSimulator({ id: 'dfx' });
  const { buy, sell } = provider.create(behind(app).deps, provider.settings.parse({ base_url: url }));
  if (!buy || !sell) throw new Error('a ramp is missing');
  return { buy, sell, control };
};

it('prices a bank transfer, and sats, from the listing', async () => {
  const { buy } = start();
  const option = valueOf(await buy.catalogue(contextOf())).options.find(({ currency }) => currency === 'EUR');
  if (!option) throw new Error('no EUR');
  expect(valueOf(await buy.quote(contextOf(), { ramp: 'buy', fixed: 'pay', amount: 10_000n, option }))).toMatchObject({ receive: 123_137n, fee: 149n });
  expect(valueOf(await buy.quote(contextOf(), { ramp: 'buy', fixed: 'receive', amount: 107_869n, option }))).toMatchObject({ pay: 8_760n });
});

it('prices a sale, and names the amounts around one that DFX cannot express', async () => {
  const { sell } = start();
  const option = valueOf(await sell.catalogue(contextOf())).options.find(({ currency }) => currency === 'EUR');
  if (!option) throw new Error('no EUR');
  const selling = { ramp: 'sell', fixed: 'pay', option, network: 'lightning' } as const;
  expect(valueOf(await sell.quote(contextOf(), { ...selling, amount: 250_000n }))).toMatchObject({ receive: 19_802n, fee: 198n });
  expect(await sell.quote(contextOf(), { ...selling, amount: 123_457n })).toMatchObject({ refusal: { detail: 'nearest: 123450, 123460' } });
});

it('refuses what DFX refuses, with its limit', async () => {
  const { buy, control } = start();
  const option = { currency: 'EUR', name: 'SEPA', upstream: { method: 'Bank' }, feePpm: 0 };
  const buying = { ramp: 'buy', fixed: 'pay', amount: 100n, option } as const;
  expect(await buy.quote(contextOf(), buying)).toMatchObject({ refusal: { reason: 'below-minimum', limits: { minPay: 1_000n } } });
  control.setOptions({ refuse: ['RecommendationRequired'] });
  expect(await buy.quote(contextOf(), { ...buying, amount: 10_000n })).toMatchObject({ refusal: { reason: 'kyc-required' } });
});

it('signs a customer in, orders, and follows the order to its end', async () => {
  const { app, control } = createDfxSimulator({ id: 'dfx', wallets: { ours: { platformBps: 0, autoTradeApproval: true } } });
  const settings = provider.settings.parse({ base_url: 'https://dfx.example', login_key_env: 'DFX_KEY', wallet: 'ours' });
  const { buy } = provider.create({ ...behind(app).deps, secret: () => 'an-operator-key-of-at-least-32-characters' }, settings);
  if (!buy) throw new Error('no buyer');
  const value = '02e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad';
  const inputs = { payoutTo: { kind: 'node_pubkey', value, isProven: true } } as const;
  const option = valueOf(await buy.catalogue(contextOf())).options.find(({ currency }) => currency === 'EUR');
  if (!option) throw new Error('no EUR');
  const quote = { ramp: 'buy', fixed: 'pay', amount: 10_000n, option } as const;
  const offer = valueOf(await buy.quote(contextOf(), quote));
  expect(await buy.placeOrder(contextOf(), { quote, offer, inputs })).toMatchObject({ refusal: { reason: 'kyc-required', detail: 'EmailRequired' } });
  await control.approve(`LNNID${value.toUpperCase()}`);
  const placed = valueOf(await buy.placeOrder(contextOf(), { quote, offer, inputs }));
  const uid = placed.upstreamOrderId ?? '';
  await control.pay(uid);
  await control.deliver(uid);
  const order = {
    orderId: 'o',
    upstreamOrderId: uid,
    createdOn: 0,
    pay: placed.pay,
    receive: placed.receive,
    fee: placed.fee,
    upstream: {},
    facts: {},
    ...inputs,
  };
  expect(valueOf(await buy.readOrders(contextOf(), order))).toMatchObject([{ stage: 'finished', receive: 123_137n }]);
});
