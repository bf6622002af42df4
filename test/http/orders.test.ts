import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { verifyDelivery } from '../../src/outbound/sign.ts';
import type { RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

let gateway: TestGateway;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  const simulator = { quoteTtlS: 4 };
  gateway = await startTestGateway(
    {
      same: { simulator: { quoteTtlS: 30, repost: 'same' }, block: { repost: 'same', late_commit_max_s: 1, mode: 'on' } },
      rejects: { simulator: { ...simulator, repost: 'rejects' }, block: { repost: 'rejects', late_commit_max_s: 1 } },
      unknown: { simulator: { ...simulator, repost: 'duplicates' }, block: { late_commit_max_s: 1 } },
    },
    { pauseMs: 1_000, config: { orders: { max_open: 50 }, routing: { expiry_margin_s: 0, shortest_life_s: 1 } } },
  );
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});

const only = (id: string): RunningSimulator => {
  const simulator = gateway.simulators[id];
  if (!simulator) throw new Error('no such simulator');
  return simulator;
};
/** Opens a session and gets a quote of one provider. */
const quoteOf = async (id: string) => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const offer = (body['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === id);
  if (!offer) throw new Error(`no offer of ${id}: ${JSON.stringify(body)}`);
  const order = async (more: object = {}, headers: Record<string, string> = {}) =>
    await wallet.call('/order', { session_id: sessionId, quote_id: offer.quote_id, ...more }, headers);
  return { wallet, sessionId, quoteId: offer.quote_id, order };
};
const ordersOf = (id: string): number => only(id).control.history.orders.length;
const settled = async (order: () => Promise<{ status: number; body: Record<string, unknown> }>) =>
  await gateway.passUntil('the placing settles', async () => {
    const answer = await order();
    return answer.body['code'] === 'order-pending' ? undefined : answer;
  });

describe('never two payable orders for one request', () => {
  it('a lost answer of a provider that repeats itself ends in the same payable order', async () => {
    const before = ordersOf('same');
    only('same').control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    const { order } = await quoteOf('same');
    const first = await order();
    expect([first.status, first.body['code']]).toEqual([503, 'order-pending']);
    const answer = await settled(order);
    expect(answer.body).toMatchObject({ order_status: 'placed', stage: 'awaiting_payment' });
    expect(ordersOf('same') - before).toBe(1);
    expect((await order()).body).toEqual(answer.body);
  });

  it('a repeat that the provider could not serve says nothing about the order it holds', async () => {
    const before = ordersOf('same');
    const { order } = await quoteOf('same');
    only('same').control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    expect((await order()).body['code']).toBe('order-pending');
    only('same').control.setFault({ endpoint: 'order', fault: '429', times: 1 });
    const answer = await settled(order);
    expect([answer.status, answer.body['stage']]).toEqual([200, 'awaiting_payment']);
    expect(JSON.stringify(answer.body['payment_info'])).toContain('DE89370400440532013000');
    expect(ordersOf('same') - before).toBe(1);
  });

  it.each(['rejects', 'unknown'])('a lost answer of a provider with the profile %s ends unpayable, with one order upstream', async (id) => {
    const before = ordersOf(id);
    only(id).control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    const { order } = await quoteOf(id);
    await order();
    const answer = await settled(order);
    expect([answer.status, answer.body['code'], answer.body['action']]).toEqual([409, 'order-unpayable', 'requote']);
    expect(ordersOf(id) - before).toBe(1);
  });

  it('an order that never came to be is dead once its quote is', async () => {
    const before = ordersOf('unknown');
    only('unknown').control.setFault({ endpoint: 'order', fault: 'reset', times: 1 });
    const { order } = await quoteOf('unknown');
    expect((await order()).body['code']).toBe('order-pending');
    const answer = await settled(order);
    expect(answer.body['code']).toBe('order-unpayable');
    expect(ordersOf('unknown') - before).toBe(0);
  });

  it('thirty at the same time make one order, and all get the same bytes', async () => {
    const before = ordersOf('same');
    const { order } = await quoteOf('same');
    const answers = await Promise.all(Array.from({ length: 30 }, () => order()));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(ordersOf('same') - before).toBe(1);
  });

  it('what the provider certainly did not take leaves the quote usable', async () => {
    only('same').control.setFault({ endpoint: 'order', fault: '429', times: 1 });
    const { order } = await quoteOf('same');
    const refused = await order();
    expect([refused.status, refused.body['code']]).toEqual([503, 'provider-unavailable']);
    const answer = await gateway.passUntil('its back-off ends', async () => {
      const again = await order();
      return again.status === 200 ? again : undefined;
    });
    expect(answer.body['stage']).toBe('awaiting_payment');
  });

  it('a client that hangs up does not stop the placing', async () => {
    const before = ordersOf('same');
    const { sessionId, quoteId, order } = await quoteOf('same');
    only('same').control.setFault({ endpoint: 'order', fault: 'latency', times: 1, ms: 500 });
    const gone = new AbortController();
    const call = fetch(`${gateway.url}/order`, {
      method: 'POST',
      signal: gone.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session_id: sessionId, quote_id: quoteId }),
    });
    setTimeout(() => gone.abort(), 100);
    await expect(call).rejects.toThrow('aborted');
    const answer = await order();
    expect(answer.status).toBe(200);
    expect(ordersOf('same') - before).toBe(1);
  });
});

describe('idempotency', () => {
  it('another key on the same quote is refused; the key with another body too; the same again is the same', async () => {
    const { order } = await quoteOf('same');
    const key = { 'idempotency-key': `"${crypto.randomUUID()}"` };
    const first = await order({}, key);
    expect((await order({}, key)).body).toEqual(first.body);
    expect((await order()).body).toEqual(first.body);
    expect((await order({}, { 'idempotency-key': 'another-key' })).body['code']).toBe('quote-used');
    const other = await quoteOf('same');
    expect((await other.order({}, key)).status).toBe(200); // another customer's key is another key
    expect((await order({ min_amount_sats: 1 }, key)).body['code']).toBe('idempotency-key-reused');
    expect((await order({}, { 'idempotency-key': 'x'.repeat(256) })).body['code']).toBe('idempotency-key-invalid');
  });

  it('a repeat in camelCase in another session of the customer gets the order', async () => {
    const { wallet, sessionId, quoteId } = await quoteOf('same');
    const key = { 'idempotency-key': crypto.randomUUID() };
    const first = await wallet.call('/order', { sessionId, quoteId }, key);
    expect(first.status).toBe(200);
    const { sessionId: next } = await wallet.open();
    expect((await wallet.call('/order', { sessionId: next, quoteId }, key)).body).toEqual(first.body);
  });
});

describe('what is shown is what was accepted', () => {
  it('another price than the binding quote is withheld, with fresh offers', async () => {
    only('same').control.setFault({ endpoint: 'order', fault: 'order-amounts-differ', times: 1 });
    const { order } = await quoteOf('same');
    const answer = await order();
    expect([answer.status, answer.body['code']]).toEqual([409, 'price-changed']);
    expect((answer.body['offers'] as unknown[]).length).toBeGreaterThan(0);
    expect(JSON.stringify(answer.body)).not.toContain('DE89370400440532013000');
    expect((await order()).body['code']).toBe('price-changed');
  });

  it('also when that was found out behind the requests', async () => {
    only('same').control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    const { order } = await quoteOf('same');
    expect((await order()).body['code']).toBe('order-pending');
    only('same').control.setFault({ endpoint: 'order', fault: 'order-amounts-differ', times: 1 });
    const answer = await settled(order);
    expect([answer.status, answer.body['code']]).toEqual([409, 'price-changed']);
    expect((answer.body['offers'] as unknown[]).length).toBeGreaterThan(0);
    expect((await order()).body['offers']).toEqual(answer.body['offers']);
  });

  it('a payment link on a foreign host goes to review', async () => {
    only('same').control.setFault({ endpoint: 'order', fault: 'foreign-payment-url', times: 1 });
    const { order, wallet, sessionId } = await quoteOf('same');
    const answer = await order();
    expect([answer.status, answer.body['code']]).toEqual([502, 'payout-link-refused']);
    const status = await wallet.call('/order-status', { session_id: sessionId, order_id: answer.body['order_id'] });
    expect(status.body[String(answer.body['order_id'])]).toMatchObject({ order_status: 'placed', stage: 'review' });
    expect(JSON.stringify(status.body)).not.toContain('evil');
  });

  it('an order without any way to pay is not shown', async () => {
    only('same').control.setFault({ endpoint: 'order', fault: 'no-payment-info', times: 1 });
    expect((await (await quoteOf('same')).order()).body['code']).toBe('order-unpayable');
  });

  it('a bound that the quote itself breaks is refused before anything leaves', async () => {
    const before = ordersOf('same');
    const { order } = await quoteOf('same');
    expect((await order({ min_amount_sats: 2_000_000 })).body['code']).toBe('amount-out-of-range');
    expect(ordersOf('same')).toBe(before);
  });
});

describe('webhooks', () => {
  it('tells the wallet once it can withdraw, signed so that the published key verifies it', async () => {
    const { order, wallet } = await quoteOf('same');
    const url = `${receiver.url}/ramp/u1`;
    const placed = await order({ webhook_url: url, webhook_events: ['withdrawal_ready', 'order_status_changed'] });
    await only('same').control.pay(only('same').control.history.orders.at(-1)?.orderId ?? '');
    const told = await receiver.waitFor(
      'withdrawal_ready',
      (one) => one.body.includes('withdrawal_ready') && one.body.includes(String(placed.body['order_id'])),
      gateway,
    );
    expect(told.body).toBe(`{"type":"withdrawal_ready","data":{"order_id":"${String(placed.body['order_id'])}","order_status":"filled"}}`);
    const { body: keys } = await wallet.call('/.well-known/webhook-keys');
    const whpk = (keys['keys'] as { whpk: string }[])[0]?.whpk ?? '';
    const received = {
      id: String(told.headers['webhook-id']),
      timestamp: String(told.headers['webhook-timestamp']),
      signature: String(told.headers['webhook-signature']),
      body: told.body,
    };
    expect(await verifyDelivery(received, [whpk], gateway.clock.now())).toBe(true);
    expect(told.headers['webhook-sequence']).toBe('2');
    expect(told.headers['webhook-attempt']).toBe('1');
    await receiver.waitFor('order_status_changed', (one) => one.body.includes('"stage":"filled"'), gateway);
  });

  it('tries again with the same id, and a test delivery says how the receiver answered', async () => {
    const { order, wallet, sessionId } = await quoteOf('same');
    receiver.respond(500);
    const placed = await order({ webhook_url: `${receiver.url}/ramp/u2` });
    const test = await wallet.call('/webhook-test', { session_id: sessionId, webhook_url: `${receiver.url}/t` });
    expect(test.body).toEqual({ delivered: false, status_class: '5xx' });
    await only('same').control.pay(only('same').control.history.orders.at(-1)?.orderId ?? '');
    const mine = (one: { path: string }) => one.path === '/ramp/u2';
    const first = await receiver.waitFor('the first attempt', mine, gateway);
    receiver.respond(200);
    const second = await receiver.waitFor('the second attempt', (one) => mine(one) && one.headers['webhook-attempt'] === '2', gateway);
    expect([second.headers['webhook-id'], second.body]).toEqual([first.headers['webhook-id'], first.body]);
    expect(second.body).toContain(String(placed.body['order_id']));
    expect(gateway.logs.join('')).not.toContain('marker-of-the-receiver');
  });
});

describe('notices', () => {
  it('a forged one changes nothing and gets the same answer as a real one', async () => {
    const { order, wallet, sessionId } = await quoteOf('same');
    const placed = await order();
    const forged = await fetch(`${gateway.url}/notices/same/order/${crypto.randomUUID()}/${'A'.repeat(22)}`, {
      method: 'POST',
      body: JSON.stringify({ type: 'withdrawal_ready', data: { order_id: placed.body['order_id'], order_status: 'filled' } }),
    });
    expect([forged.status, await forged.text()]).toEqual([202, '{"received":true}']);
    const status = await wallet.call('/order-status', { session_id: sessionId, order_id: placed.body['order_id'] });
    expect(status.body[String(placed.body['order_id'])]).toMatchObject({ stage: 'awaiting_payment' });
  });

  it('a flood about one order becomes few reads', async () => {
    const { order } = await quoteOf('same');
    await order();
    const upstream = [...only('same').control.orders.values()].at(-1);
    const reads = () =>
      only('same').control.history.requests.filter((one) => one.endpoint === 'order-status' && (one.body as { order_id?: string }).order_id === upstream?.id)
        .length;
    const before = reads();
    // The clock stands still, so that all requests are within one window, however long the machine takes.
    await gateway.clock.still(async () => {
      for (let i = 0; i < 100; i += 1) expect((await fetch(upstream?.webhookUrl ?? '', { method: 'POST', body: '{}' })).status).toBe(202);
      await gateway.server.idle();
    });
    expect(reads() - before).toBe(1);
    // The later notices of the window cause one more read when the window is over.
    await gateway.pass(2_500);
    await gateway.pass(2_500);
    expect(reads() - before).toBe(2);
  });
});

describe('withdrawal', () => {
  const filled = async () => {
    const { order, wallet, sessionId } = await quoteOf('same');
    const { body } = await order();
    await only('same').control.pay(only('same').control.history.orders.at(-1)?.orderId ?? '');
    const withdraw = async (more: object = {}) => await wallet.call('/withdrawal', { session_id: sessionId, order_id: body['order_id'], ...more });
    return { withdraw, wallet };
  };
  it('a lost answer is asked again and ends in the one link', async () => {
    const { withdraw } = await filled();
    only('same').control.setFault({ endpoint: 'withdrawal', fault: 'lost-answer', times: 1 });
    const first = await withdraw();
    expect([first.status, first.body['code']]).toEqual([503, 'claim-outcome-unknown']);
    const answer = await gateway.passUntil('the link', async () => {
      const again = await withdraw();
      return again.status === 200 ? again : undefined;
    });
    expect((await withdraw()).body).toEqual(answer.body);
  });
  it('a fallback may not be changed, and a link on a foreign host is withheld', async () => {
    const { withdraw } = await filled();
    const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    expect((await withdraw({ failback_onchain: 'nonsense' })).body['code']).toBe('address-invalid');
    expect((await withdraw({ fallback_onchain: `bitcoin:${address}?amount=1` })).status).toBe(200);
    expect((await withdraw({ failback_onchain: address })).status).toBe(200);
    expect((await withdraw({ failback_onchain: 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry' })).body['code']).toBe('withdrawal-differs');
    const other = await filled();
    only('same').control.setFault({ endpoint: 'withdrawal', fault: 'foreign-lnurl', times: 1 });
    expect((await other.withdraw()).body['code']).toBe('payout-link-refused');
  });
});
