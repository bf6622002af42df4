/**
 * docs/versioning.md promises that the client of the previous release works with this gateway. test/fixtures/previous-client.mjs is that client (see
 * scripts/keep-release.ts): here it buys, resumes, sells, gets a channel and meets errors.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCustomer, startSellers, type Sellers } from '../../../test/docs/world.ts';
import * as today from '../src/index.ts';
import type { createLiquidity } from '../src/liquidity.ts';
import type { createSell } from '../src/sell.ts';

type Previous = typeof today & { createSell: typeof createSell; createLiquidity: typeof createLiquidity };
const file = new URL('fixtures/previous-client.mjs', import.meta.url);
let previous: Previous;
let sellers: Sellers;
beforeAll(async () => {
  previous = (await import(file.href)) as Previous;
  sellers = await startSellers();
});
afterAll(async () => await sellers.close());

const customer = (email: string) => {
  const { wallet, payAlpine } = createCustomer(sellers, email);
  const store = new Map<string, string>();
  const runtime = { now: sellers.gateway.clock.now, sleep: async () => await new Promise<void>((done) => setTimeout(done, 30)) };
  const node = { pubkey: wallet.nodePubkey, sign: wallet.sign };
  /** The same wallet, as if its process had been started again. */
  const ramp = () => previous.createRamp({ url: sellers.gateway.url, store, node, runtime });
  return { wallet, payAlpine, ramp, store, node, runtime };
};

it('is of the commit that it names', () => {
  expect(readFileSync(file, 'utf8')).toMatch(/^\/\/ @ramp-gateway\/client of commit [0-9a-f]{40}, /);
});

it('buys, resumes after a restart, and withdraws', async () => {
  const { wallet, payAlpine, ramp, store, node, runtime } = customer('peter@example.com');
  expect((await ramp().options()).map(({ name, currency }) => `${name} ${currency}`)).toContain('SEPA EUR');
  const { best, all } = await ramp().offers({ pay: '100', currency: 'EUR', by: 'SEPA' });
  if (!best) throw new Error('no offer');
  expect(all.map(({ provider, rank }) => [rank, provider.id])).toEqual([
    [1, 'alpine'],
    [2, 'dune'],
  ]);
  const order = await ramp().buy(best, { atLeast: (best.gets.units * 99n) / 100n });
  expect(order).toMatchObject({
    stage: 'awaiting_payment',
    pays: { text: '100.00', currency: 'EUR' },
    pay: { kind: 'bank', reference: expect.stringMatching(/^ALP-/) },
  });
  expect((await ramp().buy(best)).id).toBe(order.id);

  const { orders, pending } = await ramp().open();
  expect([orders.map(({ id, pay }) => [id, pay?.kind]), pending]).toEqual([[[order.id, 'bank']], []]);
  // An app may be updated in the middle of a purchase: the new client goes on from what the old one has stored.
  const updated = await today.createRamp({ url: sellers.gateway.url, store, node, runtime }).open();
  expect(updated.orders.map(({ id, stage }) => [id, stage])).toEqual([[order.id, 'awaiting_payment']]);

  await payAlpine();
  const [resumed] = orders;
  await resumed?.until('filled');
  const { lnurl } = (await resumed?.withdraw()) ?? { lnurl: '' };
  await wallet.withdraw(lnurl);
  expect(await (await ramp().find(order.id)).until('finished')).toMatchObject({ stage: 'finished', final: true, gets: best.gets });
});

it('gets a typed error with what to do', async () => {
  const { ramp } = customer('quentin@example.com');
  const thrown = async (work: Promise<unknown>): Promise<unknown> => await work.catch((error: unknown) => error);
  const { not } = await ramp().offers({ pay: '1', currency: 'EUR', by: 'SEPA' });
  expect(not).toEqual(expect.arrayContaining([expect.objectContaining({ reason: 'below-minimum', min: expect.objectContaining({ currency: 'EUR' }) })]));
  const unknown = await thrown(ramp().buy({ id: randomUUID() }));
  expect(unknown).toBeInstanceOf(previous.RampError);
  expect(unknown).toMatchObject({ code: 'quote-not-found', action: 'requote' });
  sellers.gateway.simulators['alpine']?.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  const { best } = await ramp().offers({ pay: '100', currency: 'EUR', by: 'SEPA' });
  expect(await thrown(ramp().buy(best ?? { id: '' }))).toMatchObject({ code: 'provider-declined', action: 'ask-user', offers: [{ provider: { id: 'dune' } }] });
});

it('sells to a bank', async () => {
  const { wallet, ramp } = customer('rosa@example.com');
  const sell = previous.createSell(ramp());
  const account = await sell.account('bringin', { email: 'rosa@example.com' });
  await wallet.open(account.signupUrl ?? '');
  expect(await account.until('connected')).toMatchObject({ status: 'connected' });
  const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiaryName: 'Rosa Example', lightningUsername: 'rosa' };
  const connection = await account.connect({ name: 'My bank', ...bank });
  await connection.until(['code_required', 'active']);
  expect(await connection.confirm('123456')).toMatchObject({ status: 'active' });
  const { best } = await sell.offers({ pay: '250000', currency: 'EUR', by: 'SEPA' });
  const order = await sell.order(best ?? { id: '' }, { connection });
  if (order.pay?.kind !== 'lightning_address') throw new Error('no address to pay to');
  await wallet.payAddress(order.pay.address, 250_000);
  expect(await order.until('filled')).toMatchObject({ stage: 'filled', ramp: 'sell' });
});

it('gets a channel', async () => {
  const { wallet, ramp } = customer('sam@example.com');
  const liquidity = previous.createLiquidity(ramp());
  expect((await liquidity.products()).map(({ product }) => product)).toContain('inbound');
  const { best } = await liquidity.offers({ product: 'inbound', sats: '1000000', firm: true });
  const order = await liquidity.order(best ?? { id: '' });
  if (order.pay?.kind !== 'invoice') throw new Error('no invoice');
  await wallet.pay(order.pay.invoice);
  expect(await order.until('finished')).toMatchObject({ stage: 'finished', final: true, ramp: 'liquidity' });
});
