/** Buys from and sells to the simulated DFX through the gateway: who the customer is, where the money goes, and what is never shown. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addressOf } from '../../src/providers/dfx/dfx-identity.ts';
import { startDfxSimulator, type RunningSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { opened, type Body, type Call } from '../support/wallet.ts';

const clock = movableClock();
let gateway: TestGateway;
let dfx: RunningSimulator;
beforeAll(async () => {
  dfx = await startDfxSimulator({ id: 'dfx', now: clock.now, network: 'regtest', wallets: { ours: { platformBps: 0, autoTradeApproval: true } } });
  gateway = await startTestGateway(
    {},
    {
      clock,
      environment: { DFX_LOGIN_KEY: 'an-operator-key-of-at-least-32-characters' },
      blocks: {
        dfx: {
          kind: 'dfx',
          base_url: dfx.url,
          login_key_env: 'DFX_LOGIN_KEY',
          wallet: 'ours',
          repost: 'same',
          payment_hosts: ['app.dfx.swiss'],
          pages_url: 'https://app.dfx.swiss',
        },
      },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await dfx.close();
});
beforeEach(() => dfx.control.clearFaults());

/** A customer with a proven node key. `meets`: DFX learns what it wants to know about them. */
const customer = async () => {
  const { call, wallet } = await opened(gateway.url);
  const address = addressOf({ kind: 'node_pubkey', value: wallet.pubkey }) ?? '';
  const meets = async () =>
    await dfx.control.setAccount(address, { mail: `${wallet.pubkey.slice(0, 12)}@example.com`, approved: true, level: 30, dataComplete: true });
  return { call, meets, payout: { node_pubkey: wallet.pubkey } };
};
type Listing = { currencies: { [code: string]: { currency_id: number; payment_options: { id: number; option: string }[] } }[] };
const priced = async (call: Call, ramp: '' | '/sell', amount: object, more: object = {}): Promise<Body> => {
  const { currencies } = (await call(`${ramp}/payment-options`, { currency_code: 'EUR' })).body as Listing;
  const listed = currencies[0]?.['eur'];
  const option = listed?.payment_options.find((one) => one.option === 'SEPA');
  return (await call(`${ramp}/offers`, { ...amount, currency_id: listed?.currency_id, payment_option_id: option?.id, ...more })).body;
};
const bought = async (call: Call, payout: object, amount_fiat = 10_000) => {
  const { offers } = (await priced(call, '', { amount_fiat }, { payout_kinds: ['node_pubkey'] })) as { offers: { quote_id: string }[] };
  return await call('/order', { quote_id: offers[0]?.quote_id, payout_to: payout });
};
const reaches = async (call: Call, ramp: '' | '/sell', id: unknown, stage: string): Promise<Body> =>
  await gateway.passUntil(
    stage,
    async () => {
      const entry = (await call(`${ramp}/order-status`, { order_id: id })).body[String(id)] as Body;
      return entry['stage'] === stage ? entry : undefined;
    },
    { stepMs: 30_000, limitMs: 3_600_000 },
  );
const upstreamOf = async (orderId: unknown): Promise<string> => {
  const [row] = await gateway.database.sql<{ id: string }[]>`select upstream_order_id as id from orders where id = ${String(orderId)}`;
  return row?.id ?? '';
};

describe('buying', () => {
  it('is offered to who can name a node, and paid out to it', async () => {
    const { call, meets, payout } = await customer();
    const unaware = await priced(call, '', { amount_fiat: 10_000 });
    expect(unaware['refused']).toMatchObject([{ provider: { id: 'dfx' }, reason: 'payout-required' }]);
    const refused = await bought(call, payout);
    expect([refused.status, refused.body['code'], refused.body['action_url']]).toEqual([
      409,
      'account-not-connected',
      expect.stringMatching(/^https:\/\/app\.dfx\.swiss\/kyc\?code=.*step=ContactData/),
    ]);
    await meets();
    const { body: order } = await bought(call, payout);
    expect(order).toMatchObject({
      stage: 'awaiting_payment',
      amount_fiat: 10_000,
      payment_info: { payment_details: { provider_iban: expect.any(String) as string } },
    });
    const uid = await upstreamOf(order['order_id']);
    await dfx.control.pay(uid);
    await reaches(call, '', order['order_id'], 'paid');
    await dfx.control.deliver(uid);
    const done = await reaches(call, '', order['order_id'], 'finished');
    expect(done).toMatchObject({ payout_to: payout, payout_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });

  it('opens no second order within 1 %, since DFX could not tell their payments apart', async () => {
    const { call, meets, payout } = await customer();
    await bought(call, payout);
    await meets();
    expect((await bought(call, payout)).status).toBe(200);
    expect((await bought(call, payout, 10_080)).body['code']).toBe('amount-in-use');
    expect((await bought(call, payout, 10_200)).status).toBe(200);
  });

  it('a lost answer is sent again, and shown once', async () => {
    const { call, meets, payout } = await customer();
    await bought(call, payout);
    await meets();
    dfx.control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'lost-answer', times: 1 });
    const { offers } = (await priced(call, '', { amount_fiat: 10_000 }, { payout_kinds: ['node_pubkey'] })) as { offers: { quote_id: string }[] };
    const order = await gateway.passUntil('an answer', async () => {
      const { status, body } = await call('/order', { quote_id: offers[0]?.quote_id, payout_to: payout });
      return status === 200 ? body : undefined;
    });
    // The customer can pay: DFX finds the order by the money, whichever of its two rows was shown.
    await dfx.control.pay(await upstreamOf(order['order_id']));
    expect(await reaches(call, '', order['order_id'], 'paid')).toMatchObject({ stage: 'paid' });
  });
});

describe('selling', () => {
  it('with an account by the same address, and an invoice of its own', async () => {
    const { call, meets, payout } = await customer();
    const started = await call('/accounts', { provider: 'dfx', payout_to: payout, email: `seller-${payout.node_pubkey.slice(0, 8)}@example.com` });
    expect(started.body).toMatchObject({ account_status: 'onboarding', signup_url: expect.stringContaining('https://app.dfx.swiss/kyc?code=') as string });
    await meets();
    const account_id = started.body['account_id'];
    await gateway.passUntil(
      'an account',
      async () => {
        const { body } = await call('/account-status', { account_id });
        return body['account_status'] === 'connected' ? body : undefined;
      },
      { stepMs: 5_000, limitMs: 600_000 },
    );
    const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };
    const connection = await call('/sell/connections', { account_id, name: 'Bank', lightning_username: 'unused', ...bank });
    expect(connection.body).toMatchObject({ connection_status: 'active' });
    const { offers } = (await priced(call, '/sell', { amount_sats: 250_000 })) as { offers: Body[] };
    expect(offers).toMatchObject([{ requires: [] }]);
    const order = await call('/sell/order', { quote_id: offers[0]?.['quote_id'], connection_id: connection.body['connection_id'] });
    const invoice = String((order.body['payment_info'] as Body)['lightning_invoice']);
    expect(invoice).toMatch(/^lnbcrt2500u1/);
    expect(JSON.stringify(order.body)).not.toMatch(/lnurl/i);
    await dfx.control.payInvoice(invoice);
    const uid = await upstreamOf(order.body['order_id']);
    await reaches(call, '/sell', order.body['order_id'], 'paid');
    await dfx.control.deliver(uid);
    expect(await reaches(call, '/sell', order.body['order_id'], 'finished')).toMatchObject({ stage: 'finished' });
  });
});
