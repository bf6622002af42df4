/**
 * Paid orders that the provider says it will not deliver, and payments that it reports late. Every kind of provider is tested, over HTTP, with
 * PostgreSQL and the adapters' simulators. docs/decisions/2026-11-29-paid-then-failed.md decides what each pair of stages means.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { topLevel } from '../../src/config/providers-config.ts';
import { pruneOld } from '../../src/gateway/run-scheduled.ts';
import { startAllRamps } from '../support/all-ramps.ts';
import { runCommand } from '../ops/run.ts';
import { activeConnection, connected, optionOf, payAddress } from '../support/scenarios/sell.ts';
import { opened as openedAt, type Body, type Call } from '../support/wallet.ts';
import type { ReceivedWebhook } from '../support/webhook-receiver.ts';

let all: Awaited<ReturnType<typeof startAllRamps>>;
const retention = topLevel.shape.retention.parse(undefined);
/** What Alpine says about every order, instead of the truth. */
let alpine: Body | undefined;
beforeAll(async () => {
  all = await startAllRamps(
    {
      alpine: {
        simulator: {
          quoteTtlS: 3 * 86_400,
          says: (endpoint, truth) =>
            endpoint === 'order-status' && alpine
              ? Object.fromEntries(Object.entries(truth as Record<string, Body>).map(([id, one]) => [id, { ...one, ...alpine }]))
              : undefined,
        },
      },
    },
    { config: { limits: { verify_per_minute: 10_000, quotes_per_minute: 10_000, orders_per_minute: 10_000 } } },
  );
  all.world.bringin.control.setOptions({ convertMs: 1e9 });
  all.world.thor.control.setOptions({ deliver: 'by-hand' });
});
afterAll(async () => await all.close());
afterEach(async () => await all.gateway.forget());

type Ramp = '' | '/sell' | '/liquidity';
const opened = async (): Promise<Call> => (await openedAt(all.gateway.url)).call;

/** Follows one order: what the wallet sees, what its webhooks said, and what the operator sees. */
const following = (call: Call, ramp: Ramp, order: Body) => {
  const id = String(order['order_id']);
  const status = async (): Promise<Body> => (await call(`${ramp}/order-status`, { order_id: id })).body[id] as Body;
  const reaches = async (stage: string): Promise<Body> =>
    await all.gateway.passUntil(
      stage,
      async () => {
        const entry = await status();
        return entry['stage'] === stage ? entry : undefined;
      },
      { limitMs: 4 * 3_600_000, stepMs: 300_000 },
    );
  const staysThrough = async (ms: number, stage: string): Promise<void> => {
    await all.gateway.pass(ms);
    expect((await status())['stage']).toBe(stage);
  };
  const attention = async () => {
    const { review, late } = await all.gateway.server.gateway.stores.operator.attention(100, all.gateway.clock.now() - 3 * 86_400_000, 3);
    const of = (list: typeof review) => list.filter(({ orderId }) => orderId === id).map(({ reviewReason }) => reviewReason);
    return { review: of(review), late: of(late) };
  };
  const hears = async (stage: string): Promise<void> => {
    const isIt = ({ body }: ReceivedWebhook): boolean => {
      const { type, data } = JSON.parse(body) as { type: string; data: Body };
      return type === 'order_status_changed' && data['order_id'] === id && data['stage'] === stage;
    };
    await all.world.receiver.waitFor(`a webhook of ${stage}`, isIt, all.gateway);
  };
  /** Checks that the order is in review because it was paid and not delivered, and that the wallet and the operator are told. */
  const isOwed = async (): Promise<void> => {
    expect(await reaches('review')).toMatchObject({ order_status: 'placed', final: false, review_reason: 'paid-not-delivered' });
    expect((await status())['payment_info']).toBeUndefined();
    await hears('review');
    expect(await attention()).toEqual({ review: ['paid-not-delivered'], late: [] });
  };
  return { id, status, reaches, staysThrough, attention, hears, isOwed };
};

const place = async (call: Call, ramp: Ramp, quoteId: unknown, more: Body = {}): Promise<Body> => {
  const { status, body } = await call(`${ramp}/order`, {
    quote_id: quoteId,
    webhook_url: `${all.world.receiver.url}/hook`,
    webhook_events: ['order_status_changed'],
    ...more,
  });
  expect([status, body['detail']]).toEqual([200, undefined]);
  return body;
};

describe('bringin', () => {
  let person = 0;
  const topUp = async (sats: number) => {
    const { bringin } = all.world;
    const call = await opened();
    const email = `paid-${(person += 1)}@example.com`;
    const started = await call('/sell/accounts', { provider: 'bringin', email });
    const accountId = String(started.body['account_id']);
    while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
    await all.gateway.passUntil('connected', async () => {
      const { body } = await call('/sell/account-status', { account_id: accountId });
      return body['account_status'] === 'connected' ? true : undefined;
    });
    const { body: quote } = await call('/sell/quote', { amount_sats: sats, ...(await optionOf(call, 'Card balance')) });
    const order = await place(call, '/sell', quote['quote_id']);
    const invoice = String((order['payment_info'] as Body)['lightning_invoice']);
    const says = async (row: string, word: string): Promise<void> => await bringin.control.setTransaction(email, row, word);
    return { ...following(call, '/sell', order), says, pay: async () => await bringin.control.pay(invoice), call, email };
  };

  it('PROCESSING, then FAILED: the wallet and the operator are told; a late success ends it', async () => {
    const order = await topUp(120_000);
    const row = await order.pay();
    await order.reaches('paid');
    await order.says(row, 'FAILED');
    await order.isOwed();
    await order.staysThrough(6 * 3_600_000, 'review');
    expect(all.gateway.logs.filter((line) => line.includes('"kind":"undelivered"') && line.includes(order.id))).toHaveLength(1);
    await order.says(row, 'SUCCESSFUL');
    expect((await order.reaches('finished'))['review_reason']).toBeUndefined();
    await order.hears('finished');
  });

  it('FAILED before anybody saw PROCESSING: only what was paid can fail', async () => {
    const order = await topUp(121_000);
    await order.says(await order.pay(), 'FAILED');
    await order.isOwed();
    const { record } = all.gateway.server.gateway.stores;
    const now = all.gateway.clock.now();
    expect(await record.inFlight('bringin', { own: 0n, wide: 0n }, now)).toBeGreaterThanOrEqual(121_000n);
    const countedBy = async (later: number) => {
      await record.addMissing(later, later - 14 * 86_400_000, 50);
      return await all.gateway.database.sql`select counted_quoted::int as quoted, counted_delivered::int as delivered from fills where order_id = ${order.id}`;
    };
    expect(await countedBy(now + 13 * 86_400_000)).toEqual([]);
    expect(await countedBy(now + 15 * 86_400_000)).toEqual([{ quoted: 121_000, delivered: 0 }]);
  });

  it('paid, and then its customer takes the key away: Bringin’s record stays, and so does its limit', async () => {
    const order = await topUp(124_000);
    const row = await order.pay();
    await order.reaches('paid');
    all.world.bringin.control.disconnect(order.email);
    await all.gateway.pass(2 * 3_600_000);
    expect(all.gateway.logs.filter((line) => line.includes('"event":"order_unreadable"') && line.includes(order.id))).toHaveLength(1);
    const { record } = all.gateway.server.gateway.stores;
    const later = all.gateway.clock.now() + 15 * 86_400_000;
    await record.addMissing(later, later - 14 * 86_400_000, 50);
    expect(await all.gateway.database.sql`select 1 from fills where order_id = ${order.id}`).toEqual([]);
    const inFlight = async (at: number) => await record.inFlight('bringin', { own: 0n, wide: 0n }, at);
    expect((await inFlight(all.gateway.clock.now())) - (await inFlight(later))).toBe(124_000n);
    await order.says(row, 'SUCCESSFUL');
    expect((await order.call('/sell/accounts', { provider: 'bringin', email: order.email })).status).toBe(200);
    while (!all.world.bringin.control.user(order.email).connected) await all.world.bringin.control.advanceKyc(order.email);
    await order.reaches('finished');
    expect(await all.gateway.database.sql`select told_receive = quoted_receive as kept from fills where order_id = ${order.id}`).toEqual([{ kept: true }]);
  });

  it('a refund outside of the API is the operator’s to say, and stands against the same word', async () => {
    const order = await topUp(122_000);
    await order.says(await order.pay(), 'FAILED');
    await order.isOwed();
    const { code } = await runCommand('order', [order.id, '--leave-review', 'refunded', '--reason', 'sent back by hand'], {
      DATABASE_URL: all.gateway.database.url,
    });
    expect(code).toBe(0);
    expect(await order.reaches('refunded')).toMatchObject({ order_status: 'refunded', final: true });
    await order.hears('refunded');
  });

  it('EXPIRED, then paid late: not lost', async () => {
    const order = await topUp(123_000);
    const row = await order.pay();
    await order.says(row, 'EXPIRED');
    await order.reaches('expired');
    await order.says(row, 'PROCESSING');
    await order.reaches('paid');
    await order.hears('paid');
    await order.says(row, 'EXPIRED');
    await order.isOwed();
  });

  const toBank = async (sats: number) => {
    const { bringin } = all.world;
    const call = await opened();
    const name = `bank${(person += 1)}`;
    const email = `${name}@example.com`;
    const accountId = await connected(all.world, call, email);
    const { connection_id } = await activeConnection(all.world.wake, call, accountId, 'Bank', name);
    const { body: quote } = await call('/sell/quote', { amount_sats: sats, ...(await optionOf(call, 'SEPA')) });
    const order = await place(call, '/sell', quote['quote_id'], { connection_id });
    // Bringin sends webhooks for card orders only, so the test changes Bringin's row.
    const says = (row: string, word: string): void => {
      Object.assign(bringin.control.user(email).transactions.find(({ orderId }) => orderId === row) ?? expect.fail('no row'), { status: word });
    };
    return { ...following(call, '/sell', order), says, pay: async () => await payAddress(bringin, name, sats) };
  };

  it('to a bank: filled, then FAILED: the bank sent the euros back, and somebody owes them; sent again, it is filled', async () => {
    const order = await toBank(125_000);
    const row = await order.pay();
    await order.reaches('paid');
    order.says(row, 'SUCCESSFUL');
    expect(await order.reaches('filled')).toMatchObject({ delivered_to: 'bank_transfer_started', final: false });
    await order.hears('filled');
    order.says(row, 'FAILED');
    await order.isOwed();
    await order.staysThrough(6 * 3_600_000, 'review');
    order.says(row, 'SUCCESSFUL');
    expect((await order.reaches('filled'))['review_reason']).toBeUndefined();
  });

  it('to a bank: paid twice, of which one FAILED: whose sats are owed is for a person, and never silent', async () => {
    const order = await toBank(126_000);
    order.says(await order.pay(), 'FAILED');
    order.says(await order.pay(), 'SUCCESSFUL');
    expect(await order.reaches('review')).toMatchObject({ review_reason: 'unclear' });
    await order.hears('review');
    expect(await order.attention()).toEqual({ review: ['unclear'], late: [] });
  });

  it('PROCESSING for days is on the operator’s list', async () => {
    const order = await topUp(124_000);
    await order.pay();
    await order.reaches('paid');
    await order.staysThrough(3 * 86_400_000 + 60_000, 'paid');
    expect(await order.attention()).toEqual({ review: [], late: [undefined] });
  });
});

describe('lsps1', () => {
  const channel = async () => {
    const call = await opened();
    const { body } = await call('/liquidity/offers', { product: 'inbound', amount_sats: 500_000, pay_with: 'lightning', firm: true });
    const offer = (body['offers'] as { provider: { id: string }; quote_id: string }[]).find(({ provider }) => provider.id === 'north');
    const order = await place(call, '/liquidity', offer?.quote_id);
    const { control } = all.world.north;
    const upstream = [...control.orders.values()].at(-1) ?? expect.fail('no order');
    return { ...following(call, '/liquidity', order), upstream, control };
  };
  const words: [string, (order: Awaited<ReturnType<typeof channel>>['upstream']) => void][] = [
    ['HOLD, then FAILED as if unpaid', (order) => Object.assign(order, { state: 'FAILED', payments: { ...order.payments, bolt11: 'EXPECT_PAYMENT' } })],
    ['HOLD, then FAILED with PAID', (order) => Object.assign(order, { state: 'FAILED', payments: { ...order.payments, bolt11: 'PAID' } })],
  ];
  it.each(words)('%s: owed, until the refund is stated', async (_name, change) => {
    const order = await channel();
    order.control.pay(order.upstream.id);
    await order.reaches('paid');
    change(order.upstream);
    await order.isOwed();
    Object.assign(order.upstream, { state: 'FAILED', payments: { ...order.upstream.payments, bolt11: 'EXPECT_PAYMENT' } });
    await order.staysThrough(2 * 3_600_000, 'review');
    Object.assign(order.upstream, { state: 'FAILED', payments: { ...order.upstream.payments, bolt11: 'REFUNDED' } });
    expect((await order.reaches('refunded'))['final']).toBe(true);
    await order.hears('refunded');
  });

  it('FAILED with PAID at once, then as if it had never been paid: what was seen is not forgotten', async () => {
    const order = await channel();
    Object.assign(order.upstream, { state: 'FAILED', payments: { ...order.upstream.payments, bolt11: 'PAID' } });
    await order.isOwed();
    Object.assign(order.upstream, { state: 'FAILED', payments: { ...order.upstream.payments, bolt11: 'EXPECT_PAYMENT' } });
    await order.staysThrough(2 * 3_600_000, 'review');
  });

  it('HOLD, then REFUNDED: the money came back, and nobody need look', async () => {
    const order = await channel();
    order.control.pay(order.upstream.id);
    await order.reaches('paid');
    order.control.fail(order.upstream.id);
    await order.reaches('refunded');
    expect(await order.attention()).toEqual({ review: [], late: [] });
  });

  it('FAILED unpaid, and delivered after all', async () => {
    const order = await channel();
    Object.assign(order.upstream, { state: 'FAILED' });
    await order.reaches('failed');
    order.control.open(order.upstream.id);
    await order.reaches('finished');
    await order.hears('finished');
  });
});

describe('blocktank', () => {
  const channel = async () => {
    const call = await opened();
    const { body } = await call('/liquidity/offers', { product: 'inbound', amount_sats: 500_000, pay_with: 'lightning' });
    const offer = (body['offers'] as { provider: { id: string }; quote_id: string }[]).find(({ provider }) => provider.id === 'tank');
    all.world.tank.control.setOptions({ connected: 'none' });
    const order = await place(call, '/liquidity', offer?.quote_id);
    const { control } = all.world.tank;
    return { ...following(call, '/liquidity', order), upstream: control.order(), control };
  };

  it('held, then released: the money came back, and nobody need look', async () => {
    const order = await channel();
    order.control.pay(order.upstream.id);
    await order.reaches('paid');
    order.control.expire(order.upstream.id);
    expect((await order.reaches('refunded'))['final']).toBe(true);
    expect(await order.attention()).toEqual({ review: [], late: [] });
  });

  it('held, then expired as if unpaid: owed, until the refund is stated', async () => {
    const order = await channel();
    order.control.pay(order.upstream.id);
    await order.reaches('paid');
    Object.assign(order.upstream, { state: 'expired', payment: 'created', invoiceState: 'canceled' });
    await order.isOwed();
    Object.assign(order.upstream, { payment: 'canceled' });
    await order.reaches('refunded');
  });

  it('opened after a review', async () => {
    const order = await channel();
    order.control.pay(order.upstream.id);
    await order.reaches('paid');
    Object.assign(order.upstream, { state: 'expired', payment: 'created', invoiceState: 'canceled' });
    await order.isOwed();
    Object.assign(order.upstream, { state: 'paid', payment: 'paid', invoiceState: 'holding' });
    order.control.setOptions({ connected: 'all' });
    await order.reaches('finished');
  });
});

describe('bitrefill', () => {
  const turbo = async (pay_with = 'lightning') => {
    const call = await opened();
    const { body } = await call('/liquidity/offers', { product: 'turbo', amount_sats: 1_000_000, pay_with });
    const offer = (body['offers'] as { provider: { id: string }; quote_id: string }[]).find(({ provider }) => provider.id === 'thor');
    const order = await place(call, '/liquidity', offer?.quote_id);
    const { control } = all.world.thor;
    const { id } = [...control.state.orders.values()].at(-1) ?? expect.fail('no order');
    return { ...following(call, '/liquidity', order), upstream: id, control };
  };

  it.each([['payment_pending, then failed', true] as const, ['failed in the first read', false] as const])('%s: owed', async (_name, isSeen) => {
    const order = await turbo();
    await order.control.pay(order.upstream);
    if (isSeen) await order.reaches('paid');
    await order.control.fail(order.upstream);
    await order.isOwed();
    order.control.refund(order.upstream);
    await order.reaches('refunded');
  });

  it('a part of the money, and no more of it: owed an hour after the end; then paid in full, and delivered', async () => {
    const order = await turbo();
    order.control.underpay(order.upstream);
    await order.reaches('underpaid');
    await order.isOwed();
    Object.assign(order.control.order(order.upstream), { partial: false });
    await order.control.pay(order.upstream);
    await order.reaches('paid');
    await order.control.deliver(order.upstream);
    await order.reaches('filled');
  });

  describe('a payment on chain that may have no confirmation yet', () => {
    /** The sats in flight, of which those of unpaid orders count for nothing here: the share of a network is 0. */
    const inFlight = async () => await all.gateway.server.gateway.stores.record.inFlight('thor', { own: 0n, wide: 0n }, all.gateway.clock.now());
    const arriving = async () => {
      const before = await inFlight();
      const order = await turbo('onchain');
      order.control.setStatus(order.upstream, 'payment_detected');
      await order.staysThrough(300_000, 'awaiting_payment');
      expect(await inFlight()).toBe(before);
      return { ...order, before };
    };
    it('replaced: it ends unpaid, is never counted as paid, and nobody need look', async () => {
      const order = await arriving();
      order.control.setStatus(order.upstream, 'expired');
      await order.reaches('expired');
      await order.staysThrough(6 * 3_600_000, 'expired');
      expect([await order.attention(), await inFlight()]).toEqual([{ review: [], late: [] }, order.before]);
    });
    it('does not expire while it is on its way, and counts in full once it is confirmed', async () => {
      const order = await arriving();
      await order.staysThrough(3 * 3_600_000, 'awaiting_payment');
      expect((await order.status())['payment_info']).toBeUndefined();
      order.control.setStatus(order.upstream, 'payment_confirmed');
      await order.reaches('paid');
      expect(Number((await inFlight()) - order.before)).toBeGreaterThan(1_000_000);
      order.control.setStatus(order.upstream, 'failed');
      await order.isOwed();
    });
    it('on its way for a day after the order’s end: a person looks, until Bitrefill says what became of it', async () => {
      const order = await arriving();
      await order.staysThrough(23 * 3_600_000, 'awaiting_payment');
      expect(await order.reaches('review')).toMatchObject({ review_reason: 'unclear' });
      expect([await order.attention(), await inFlight()]).toEqual([{ review: ['unclear'], late: [] }, order.before]);
      const expired = await all.gateway.database.sql`select 1 from order_events where order_id = ${order.id} and to_stage = 'expired'`;
      expect(expired).toHaveLength(0);
      order.control.setStatus(order.upstream, 'payment_confirmed');
      await order.reaches('paid');
    });
  });

  it('a part of the money, and then no word that can be read: late after three days', async () => {
    const order = await turbo();
    order.control.underpay(order.upstream);
    await order.reaches('underpaid');
    order.control.setFault({ endpoint: '*', fault: '500' });
    await order.staysThrough(3 * 86_400_000 - 600_000, 'underpaid');
    expect(await order.attention()).toEqual({ review: [], late: [] });
    await order.staysThrough(1_200_000, 'underpaid');
    expect(await order.attention()).toEqual({ review: [], late: [undefined] });
    order.control.clearFaults();
    await all.gateway.pass(3_600_000);
  });

  it('expired, then a part of the money: told, and owed', async () => {
    const order = await turbo();
    order.control.expire(order.upstream);
    await order.reaches('expired');
    order.control.underpay(order.upstream);
    await order.isOwed();
  });
});

describe('fiat-on-ramp', () => {
  const bought = async () => {
    alpine = undefined;
    const call = await opened();
    const { body: options } = await call('/payment-options', { currency_code: 'EUR' });
    const [euro] = options['currencies'] as Record<string, { currency_id: number; payment_options: { id: number }[] }>[];
    const option = { currency_id: euro?.['eur']?.currency_id, payment_option_id: euro?.['eur']?.payment_options[0]?.id };
    const quote = await call('/quote', { amount_fiat: 10_000, ...option });
    const order = await place(call, '', quote.body['quote_id']);
    const upstream = all.gateway.simulators['alpine']?.control.history.orders.at(-1)?.orderId ?? '';
    const { stores } = all.gateway.server.gateway;
    const isFinal = async (): Promise<boolean | undefined> => (await stores.orders.findAny(String(order['order_id'])))?.final;
    /**
     * Sends notices as Alpine does, and waits for the reads that follow the responses: if the test moved the clock meanwhile, a read would miss its
     * deadline.
     */
    const ring = async (times = 1): Promise<void> => {
      const url = all.gateway.simulators['alpine']?.control.orders.get(upstream)?.webhookUrl ?? '';
      for (let n = 0; n < times; n += 1) expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(202);
      await all.gateway.server.idle();
    };
    return { ...following(call, '', order), upstream, call, isFinal, ring };
  };

  it.each(['payment_failed', 'cancelled', 'expired', 'rejected', 'order_error'])('paid, then %s: owed; the refund that follows ends it', async (word) => {
    const order = await bought();
    alpine = { order_status: 'payment_received' };
    await order.reaches('paid');
    alpine = { order_status: word };
    await order.isOwed();
    alpine = { order_status: 'refunded' };
    await order.reaches('refunded');
    await order.hears('refunded');
  });

  it('filled, then failed: nobody can withdraw what is not there', async () => {
    const order = await bought();
    alpine = { order_status: 'filled' };
    await order.reaches('filled');
    alpine = { order_status: 'failed' };
    await order.isOwed();
    const refused = await order.call('/withdrawal', { order_id: order.id });
    expect([refused.status, refused.body['code']]).toEqual([409, 'order-not-withdrawable']);
  });

  it('paid, with a word in between that causes a review: late three days after the first report of the money', async () => {
    const order = await bought();
    alpine = { order_status: 'payment_received' };
    await order.reaches('paid');
    await all.gateway.pass(2 * 86_400_000);
    alpine = { order_status: 'payment_received', amount_fiat: -1 };
    await order.reaches('review');
    alpine = { order_status: 'payment_received', order_status_date: new Date(all.gateway.clock.now()).toISOString() };
    await order.reaches('paid');
    expect(await order.attention()).toEqual({ review: [], late: [] });
    await order.staysThrough(86_400_000, 'paid');
    expect(await order.attention()).toEqual({ review: [], late: [undefined] });
  });

  it('paid, refunded and paid again: late three days after the money came again', async () => {
    const order = await bought();
    alpine = { order_status: 'payment_received' };
    await order.reaches('paid');
    await order.staysThrough(4 * 86_400_000, 'paid');
    expect(await order.attention()).toEqual({ review: [], late: [undefined] });
    alpine = { order_status: 'refunded' };
    await order.reaches('refunded');
    alpine = { order_status: 'payment_received', order_status_date: new Date(all.gateway.clock.now()).toISOString() };
    await order.ring();
    await order.reaches('review');
    await runCommand('order', [order.id, '--leave-review', 'paid', '--reason', 'it has the money again'], { DATABASE_URL: all.gateway.database.url });
    await order.reaches('paid');
    expect(await order.attention()).toEqual({ review: [], late: [] });
    await order.staysThrough(3 * 86_400_000 + 60_000, 'paid');
    expect(await order.attention()).toEqual({ review: [], late: [undefined] });
  });

  it('paid with other figures, then unpaid again: nobody is told to pay twice', async () => {
    const order = await bought();
    alpine = { order_status: 'payment_received', amount_fiat: 20_000 };
    await order.reaches('paid');
    alpine = { order_status: 'placed' };
    await order.staysThrough(2 * 3_600_000, 'paid');
    expect((await order.status())['payment_info']).toBeUndefined();
    alpine = { order_status: 'payment_received' };
    await order.staysThrough(3_600_000, 'paid');
  });

  it('given up on after a month, and paid then: the provider’s notice is enough', async () => {
    const order = await bought();
    alpine = { order_status: 'expired' };
    await order.reaches('expired');
    await all.gateway.pass(31 * 86_400_000);
    expect(await order.attention()).toEqual({ review: [], late: [] });
    // Two reads at the same moment each take the other's write for a notice; then one more read follows.
    await all.gateway.pass(7 * 3_600_000);
    expect(await order.isFinal()).toBe(true);
    // What the read after the notice needs is still there.
    await pruneOld(all.gateway.server.gateway, retention);
    alpine = { order_status: 'filled' };
    await order.ring();
    await order.reaches('filled');
    await order.hears('filled');
  });

  it('given up on after a month, paid then, and the read after the notice fails: the next one counts', async () => {
    const order = await bought();
    alpine = { order_status: 'expired' };
    await order.reaches('expired');
    await all.gateway.pass(31 * 86_400_000);
    const { control } = all.gateway.simulators['alpine'] ?? {};
    control?.setFault({ endpoint: 'order-status', fault: '500' });
    alpine = { order_status: 'filled' };
    await order.ring();
    await all.gateway.pass(3_600_000);
    control?.clearFaults();
    await all.gateway.pass(6 * 3_600_000);
    await order.reaches('filled');
    await order.hears('filled');
  });

  it('given up on, and its provider is gone for good: after a week nobody asks any more', async () => {
    const order = await bought();
    alpine = { order_status: 'expired' };
    await order.reaches('expired');
    const { control } = all.gateway.simulators['alpine'] ?? {};
    control?.setFault({ endpoint: 'order-status', fault: '500' });
    await all.gateway.pass(31 * 86_400_000);
    expect(await order.isFinal()).toBe(false);
    await all.gateway.pass(8 * 86_400_000);
    expect(await order.isFinal()).toBe(true);
    control?.clearFaults();
  });

  it('given up on, and rung for twice within two seconds: the second notice is followed up, too', async () => {
    const order = await bought();
    alpine = { order_status: 'expired' };
    await order.reaches('expired');
    await all.gateway.pass(31 * 86_400_000);
    const { isFinal, ring } = order;
    await all.gateway.clock.still(async () => {
      await ring();
      expect(await isFinal()).toBe(true);
      alpine = { order_status: 'filled' };
      await ring();
    });
    await order.reaches('filled');
    await order.hears('filled');
  });

  it('a final order that is rung for twice, with nothing new, is final again', async () => {
    const order = await bought();
    alpine = { order_status: 'payment_received' };
    await order.reaches('paid');
    alpine = { order_status: 'refunded' };
    await order.reaches('refunded');
    await all.gateway.clock.still(async () => await order.ring(3));
    await all.gateway.pass(10_000);
    expect(await all.gateway.server.gateway.stores.orders.findAny(order.id)).toMatchObject({ final: true, stage: 'refunded' });
  });
});
