import { afterAll, beforeAll, expect, it } from 'vitest';
import { Money, RampError } from '../src/index.ts';
import { verifyReceipt, type PublicKeys } from '../src/receipt.ts';
import { createWallet } from '../../../scripts/demo/wallet.ts';
import { startTestGateway, until, type TestGateway } from '../../../test/support/gateway.ts';
import { rampOf, testNode } from './wallet.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600 } },
    cobalt: { simulator: { estimate: true, spreadBps: 80, fallback: false } },
    dune: { simulator: { proof: 'demanded', spreadBps: -200, quoteTtlS: 3600 }, block: { proof: 'demanded', catalogue_without_session: true } },
  });
});
afterAll(async () => await gateway.close());

const pay = async (provider: string, nth = -1): Promise<void> => {
  const control = gateway.simulators[provider]?.control;
  await control?.pay(control.history.orders.at(nth)?.orderId ?? '');
};
const errorOf = async (work: Promise<unknown>): Promise<RampError> => {
  const error: unknown = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  if (!(error instanceof RampError)) throw new Error('no RampError was thrown', { cause: error });
  return error;
};

it('buys in seven lines: offers, order, how to pay, filled, withdrawn, finished', async () => {
  const node = testNode();
  const ramp = rampOf(gateway, { node });
  const { best, all, not } = await ramp.offers({ pay: '100', currency: 'EUR', by: 'SEPA' });
  expect(all.map(({ provider, rank }) => [rank, provider.id])).toEqual([
    [1, 'dune'],
    [2, 'alpine'],
    [3, 'cobalt'],
  ]);
  expect(not).toEqual([]);
  if (!best) throw new Error('no offer');
  expect([String(best.pays), best.gets.currency, best.binding, best.fee.text]).toEqual(['100.00 EUR', 'sat', true, '0.90']);

  const order = await ramp.buy(best, { atLeast: (best.gets.units * 99n) / 100n });
  expect(order).toMatchObject({ ramp: 'buy', stage: 'awaiting_payment', final: false, provider: { id: 'dune' }, pays: best.pays, gets: best.gets });
  expect(order.pay).toMatchObject({ kind: 'bank', amount: best.pays, reference: expect.stringMatching(/^DUN-/), iban: expect.any(String) });
  expect(order.pay?.kind === 'bank' && order.pay.epcQr).toContain('EUR100.00');
  expect(order.pay?.before?.getTime()).toBeGreaterThan(gateway.clock.now());
  expect((await ramp.buy(best)).id).toBe(order.id);

  const stages: string[] = [];
  const watching = (async () => {
    for await (const { stage } of order.updates()) stages.push(stage);
  })();
  await until('the first update', async () => await Promise.resolve(stages[0]));
  await pay('dune');
  const filled = await order.until('paid');
  expect(filled).toMatchObject({ stage: 'filled', gets: best.gets });
  const { lnurl, expiresOn, warnings } = await order.withdraw();
  expect([lnurl.slice(0, 6), expiresOn.getTime() > gateway.clock.now(), warnings]).toEqual(['LNURL1', true, []]);
  expect((await order.withdraw()).lnurl).toBe(lnurl);
  await createWallet(gateway.url, node.privateKey).withdraw(lnurl);
  expect(await order.until('finished')).toMatchObject({ stage: 'finished', final: true });
  await watching;
  expect([stages[0], stages.at(-1)]).toEqual(['awaiting_payment', 'finished']);
  expect(await ramp.open()).toEqual({ orders: [], pending: [] });

  const decided = await ramp.route(order);
  expect([decided.policy.name, decided.receipts.map(({ kind }) => kind)]).toEqual(['most-received', ['decision', 'filled', 'link']]);
  const keys = (await (await fetch(`${gateway.url}/.well-known/receipt-keys`)).json()) as PublicKeys;
  expect(await verifyReceipt(decided.receipt, keys)).toMatchObject({ ok: true, payload: { chosen: { provider: 'dune', rank: 1 } } });
  expect(await verifyReceipt((await ramp.route(best)).receipt, keys)).toMatchObject({ ok: true, payload: { kind: 'decision' } });
});

it('takes sats to get, a card, and what is open on the next start', async () => {
  const store = new Map<string, string>();
  const ramp = rampOf(gateway, { store });
  const { best, not } = await ramp.offers({ get: 50_000n, currency: 'eur', by: 'credit card' });
  expect([best?.gets, not]).toEqual([new Money(50_000n, 'sat'), [{ provider: { id: 'dune', name: 'dune' }, kind: 'refused', reason: 'proof-required' }]]);
  if (!best) throw new Error('no offer');
  const order = await ramp.buy(best, { atMost: best.pays });
  expect(order.pay).toMatchObject({ kind: 'page', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1.*\/pay\//), amount: best.pays });

  const { orders, pending } = await rampOf(gateway, { store }).open();
  expect(pending).toEqual([]);
  expect(orders.map(({ id, stage, pays, pay: how }) => [id, stage, pays?.text, how?.kind])).toEqual([[order.id, 'awaiting_payment', best.pays.text, 'page']]);
  expect(await rampOf(gateway).open()).toEqual({ orders: [], pending: [] });
  await pay('alpine');
  expect(await (await rampOf(gateway, { store }).find(order.id)).until(['filled'])).toMatchObject({ stage: 'filled' });
});

it('finds its orders again when the gateway has lost the session, and when the wallet has', async () => {
  const store = new Map<string, string>();
  const node = testNode();
  const { best } = await rampOf(gateway, { store }).offers({ pay: '100', currency: 'EUR', by: 'SEPA' });
  const order = await rampOf(gateway, { store }).buy(best ?? { id: '' });
  const [key = '', kept = ''] = [...store][0] ?? [];
  store.set(key, JSON.stringify({ ...(JSON.parse(kept) as object), session: '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11' }));
  expect((await rampOf(gateway, { store }).open()).orders.map(({ id }) => id)).toEqual([order.id]);
  expect(store.get(key)).toContain((JSON.parse(kept) as { recovery: string }).recovery);

  // Two devices of one node, each with an empty store: the second finds what the first bought.
  const own = await rampOf(gateway, { node }).buy((await rampOf(gateway, { node }).offers({ pay: '100', currency: 'EUR', by: 'SEPA' })).best ?? { id: '' });
  expect((await rampOf(gateway, { node }).open()).orders.map(({ id }) => id)).toEqual([own.id]);
  // The gateway was set up again from scratch, and does not know the store's secret. The error says so, and `forget` solves it.
  store.set(key, JSON.stringify({ recovery: 'a'.repeat(43) }));
  const ramp = rampOf(gateway, { store });
  expect(await errorOf(ramp.open())).toMatchObject({ code: 'ownership-proof-failed', action: 'fix-request', message: 'The recovery secret is not known.' });
  await ramp.forget();
  expect(await ramp.open()).toEqual({ orders: [], pending: [] });
  // Nevertheless, a node opens the session of its own customer, and a node that the gateway does not know opens the session of a new one.
  const stale = () => new Map([[key, JSON.stringify({ recovery: 'a'.repeat(43) })]]);
  expect((await rampOf(gateway, { node, store: stale() }).open()).orders.map(({ id }) => id)).toEqual([own.id]);
  const unknown = stale();
  expect(await rampOf(gateway, { node: testNode(), store: unknown }).open()).toEqual({ orders: [], pending: [] });
  expect(JSON.parse(unknown.get(key) ?? '')).toMatchObject({ recovery: expect.not.stringMatching('a{43}') as string, lost: ['a'.repeat(43)] });
});

it('says what is wrong with what it was given, and what there is instead', async () => {
  const ramp = rampOf(gateway);
  const told = async (query: object): Promise<unknown[]> => {
    const { code, action, message } = await errorOf(ramp.offers({ pay: '100', currency: 'EUR', by: 'SEPA', ...query } as Parameters<typeof ramp.offers>[0]));
    return [code, action, message];
  };
  expect(await told({ by: 'Bizum' })).toEqual([
    'option-unavailable',
    'fix-request',
    expect.stringMatching(/^No provider offers Bizum in EUR. Options: .*SEPA Instant in EUR/),
  ]);
  expect(await told({ currency: 'USD' })).toEqual(['option-unavailable', 'fix-request', expect.stringMatching(/^No provider offers SEPA in USD/)]);
  expect(await told({ pay: '99,50' })).toEqual(['invalid-request', 'fix-request', 'pay: "99,50" is not an amount like "100" or "99.50"']);
  expect(await told({ pay: 99.5 })).toEqual(['invalid-request', 'fix-request', 'pay: must be a string ("99.50") or a bigint in the smallest unit']);
  expect(await told({ get: '1' })).toEqual(['invalid-request', 'fix-request', 'pay: give pay (fiat) or get (sats), not both']);
  const { best, not } = await ramp.offers({ pay: '5', currency: 'EUR', by: 'SEPA' });
  expect([best, not.find(({ provider }) => provider.id === 'alpine')]).toEqual([
    undefined,
    { provider: { id: 'alpine', name: 'alpine' }, kind: 'refused', reason: 'below-minimum', min: new Money(1000n, 'EUR') },
  ]);
});
