import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCustomer, startSellers, type Sellers } from '../../../test/docs/world.ts';
import { RampError } from '../src/index.ts';
import { createLiquidity } from '../src/liquidity.ts';
import { createSell } from '../src/sell.ts';
import { rampOf, testNode } from './wallet.ts';

let sellers: Sellers;
beforeAll(async () => {
  sellers = await startSellers();
});
afterAll(async () => await sellers.close());

const customer = (email: string) => {
  const { wallet, privateKey } = createCustomer(sellers, email);
  const store = new Map<string, string>();
  // These sellers use the machine's clock, which a test cannot move, so pauses really pass, but are short.
  const runtime = { sleep: async () => await new Promise<void>((done) => setTimeout(done, 30)) };
  return { wallet, ramp: () => rampOf(sellers.gateway, { store, node: testNode(privateKey), runtime }) };
};
const errorOf = async (work: Promise<unknown>): Promise<RampError> => {
  const error: unknown = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  if (!(error instanceof RampError)) throw new Error('no RampError was thrown', { cause: error });
  return error;
};

describe('selling', () => {
  it('from a price to euros in the bank, with an account and a connection made on the way, and again without', async () => {
    const { wallet, ramp } = customer('erin@example.com');
    const sell = createSell(ramp());
    expect((await sell.options()).map(({ name, currency }) => `${name} ${currency}`).sort()).toEqual(['Card balance EUR', 'SEPA EUR']);
    const query = { pay: '250000', currency: 'EUR', by: 'SEPA' } as const;
    const { best } = await sell.offers(query);
    expect(best).toMatchObject({ ramp: 'sell', provider: { id: 'bringin' }, requires: ['account', 'connection'], binding: false });
    expect([String(best?.pays), best?.gets.currency]).toEqual(['250000 sat', 'EUR']);
    expect(await errorOf(sell.order(best ?? { id: '' }))).toMatchObject({ code: 'account-required', action: 'ask-user' });

    const started = await sell.account('bringin', { email: 'erin@example.com' });
    expect(started).toMatchObject({ provider: 'bringin', status: 'onboarding', signupUrl: expect.stringMatching(/^http/), connections: [] });
    await wallet.open(started.signupUrl ?? '');
    expect(await started.until('connected')).toMatchObject({ status: 'connected' });

    const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiaryName: 'Erin Example', lightningUsername: 'erin' };
    const made = await started.connect({ name: 'My bank', ...bank });
    await made.until(['code_required', 'active']);
    expect((await errorOf(made.confirm('000000'))).code).toBe('code-wrong');
    const connection = await made.confirm('123456');
    expect(connection).toMatchObject({ status: 'active', lightningAddress: 'erin@dev.bringin.xyz', direction: 'sell', network: 'lightning' });

    const { best: price } = await sell.offers(query);
    if (!price) throw new Error('no offer');
    expect(price.requires).toEqual([]);
    const order = await sell.order(price, { connection, atLeast: (price.gets.units * 99n) / 100n });
    if (order.pay?.kind !== 'lightning_address') throw new Error('no address to pay to');
    expect([order.pay.address, String(order.pay.amount)]).toEqual(['erin@dev.bringin.xyz', '250000 sat']);
    const resumed = await createSell(ramp()).open();
    expect([resumed.orders.map(({ id, pay }) => [id, pay?.kind]), resumed.pending]).toEqual([[[order.id, 'lightning_address']], []]);
    await wallet.payAddress(order.pay.address, 250_000);
    expect(await order.until('filled')).toMatchObject({ stage: 'filled', raw: { delivered_to: 'bank_transfer_started' } });

    const account = await createSell(ramp()).findAccount(started.id);
    expect(account.connections.map(({ id, status }) => [id, status])).toEqual([[connection.id, 'active']]);
    expect((await sell.findConnection(connection.id)).lightningAddress).toBe('erin@dev.bringin.xyz');
    const [payment] = await account.transactions({ limit: 5 });
    expect(payment).toMatchObject({ sats: 250_000n, createdOn: expect.any(Date) });

    const { best: card } = await sell.offers({ pay: 250_000n, currency: 'EUR', by: 'card balance' });
    const topUp = await sell.order(card ?? { id: '' });
    if (topUp.pay?.kind !== 'invoice') throw new Error('no invoice');
    await wallet.pay(topUp.pay.invoice);
    await topUp.until('finished');
    const balance = await account.balance();
    expect([balance.currency, balance.units > 20_000n]).toEqual(['EUR', true]);
    await account.remove();
    expect((await errorOf(account.balance())).code).toMatch(/^account-/);
  });
});

describe('liquidity', () => {
  it('says what there is and what it would cost, and buys a channel from a seller first connected to', async () => {
    const { wallet, ramp } = customer('frank@example.com');
    const liquidity = createLiquidity(ramp());
    const inbound = (await liquidity.products()).find(({ product }) => product === 'inbound');
    expect([inbound?.payWith.includes('lightning'), (inbound?.maxSats ?? 0n) >= 2_000_000n]).toEqual([true, true]);
    const query = { product: 'inbound', sats: '1000000', leaseBlocks: 4320 } as const;
    const about = await liquidity.offers({ ...query, leaseBlocks: 0 });
    expect([about.all.length > 0, about.not.some(({ reason }) => reason === 'price-needs-order')]).toEqual([true, true]);

    const first = await liquidity.offers({ ...query, firm: true });
    const strangers = first.not.filter(({ reason }) => reason === 'peer-not-connected');
    expect([strangers.map(({ provider, kind }) => [provider.id, kind]), typeof first.firmQuotesLeft]).toEqual([[['west', 'refused']], 'number']);
    for (const { connectTo } of strangers) wallet.connectPeer(connectTo ?? '');
    const { best } = await liquidity.offers({ ...query, firm: true });
    if (!best) throw new Error('no offer');
    expect(best).toMatchObject({
      provider: { id: 'west' },
      inboundSats: 1_000_000n,
      leaseBlocks: 4320,
      binding: true,
      pays: { units: 3000n, currency: 'sat' },
    });
    expect((await errorOf(liquidity.order(best, { atMost: 2999n }))).code).toBe('amount-out-of-range');
    const order = await liquidity.order(best, { atMost: best.pays });
    if (order.pay?.kind !== 'invoice') throw new Error('no invoice');
    expect([order.deliveredAs, String(order.pay.amount)]).toEqual(['channel', '3000 sat']);
    await wallet.pay(order.pay.invoice);
    expect(await order.until('finished')).toMatchObject({ stage: 'finished', final: true });
  });

  it('buys a channel that opens when the wallet redeems it, also after a restart', async () => {
    const { wallet, ramp } = customer('grace@example.com');
    const { best } = await createLiquidity(ramp()).offers({ product: 'inbound', sats: 5_000_000n });
    const order = await createLiquidity(ramp()).order(best ?? { id: '' });
    expect([order.provider.id, order.deliveredAs, order.pay?.kind]).toEqual(['thor', 'redemption', 'invoice']);
    if (order.pay?.kind === 'invoice') await wallet.pay(order.pay.invoice);
    expect((await order.until('filled')).redemption?.lnurl).toMatch(/^LNURL1/i);
    const { orders } = await createLiquidity(ramp()).open();
    await wallet.redeemChannel(orders[0]?.redemption?.lnurl ?? '');
    expect((await createLiquidity(ramp()).find(order.id)).id).toBe(order.id);
  });
});

it('knows the ramps that createRamp made, and no other', () => {
  expect(() => createSell({ ...rampOf(sellers.gateway) })).toThrow('ramp: was not made by createRamp');
});
