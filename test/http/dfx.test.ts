/** Buys from and sells to the simulated DFX through the gateway: who the customer is, where the money goes, and what is never shown. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addressOf } from '../../src/providers/dfx/dfx-identity.ts';
import { startDfxSimulator, type RunningSimulator } from '../../src/providers/dfx/dfx.simulator.ts';
import { createNoticeTokens } from '../../src/seal/hash.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { opened, type Body, type Call } from '../support/wallet.ts';

const clock = movableClock();
const noticeKey = Buffer.alloc(32, 7);
const webhookKey = 'the-key-that-dfx-sends';
let gateway: TestGateway;
let dfx: RunningSimulator;
beforeAll(async () => {
  dfx = await startDfxSimulator({ id: 'dfx', now: clock.now, network: 'regtest', wallets: { ours: { platformBps: 0, autoTradeApproval: true } } });
  gateway = await startTestGateway(
    {},
    {
      clock,
      environment: {
        DFX_LOGIN_KEY: 'an-operator-key-of-at-least-32-characters',
        DFX_WEBHOOK_KEY: webhookKey,
        NOTICE_KEY: `n1:${noticeKey.toString('base64')}`,
      },
      blocks: {
        dfx: {
          kind: 'dfx',
          base_url: dfx.url,
          login_key_env: 'DFX_LOGIN_KEY',
          webhook_key_env: 'DFX_WEBHOOK_KEY',
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

/** A customer with a connected account and a bank account. */
const seller = async () => {
  const { call, meets, payout } = await customer();
  const started = await call('/accounts', { provider: 'dfx', payout_to: payout, email: `seller-${payout.node_pubkey.slice(0, 8)}@example.com` });
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
  return { call, signedUp: started.body, account_id, connection_id: connection.body['connection_id'] };
};

/** Returns the payments of an account that were reported as made without an order. */
const settled = async (accountId: unknown): Promise<string[]> => {
  const rows = await gateway.database.sql<{ id: string }[]>`select transaction_id as id from settlements where account_id = ${String(accountId)}`;
  return rows.map(({ id }) => id);
};
const refreshed = async (accountId: unknown): Promise<void> => {
  await gateway.server.gateway.stores.accounts.wake(String(accountId), clock.now());
  for (let passed = 0; passed < 2_000; passed += 500) await gateway.pass(500);
};

describe('selling', () => {
  it('with an account by the same address, and an invoice of its own', async () => {
    const { call, signedUp, connection_id } = await seller();
    expect(signedUp).toMatchObject({ account_status: 'onboarding', signup_url: expect.stringContaining('https://app.dfx.swiss/kyc?code=') as string });
    const { offers } = (await priced(call, '/sell', { amount_sats: 250_000 })) as { offers: Body[] };
    expect(offers).toMatchObject([{ requires: [] }]);
    const order = await call('/sell/order', { quote_id: offers[0]?.['quote_id'], connection_id });
    const invoice = String((order.body['payment_info'] as Body)['lightning_invoice']);
    expect(invoice).toMatch(/^lnbcrt2500u1/);
    expect(JSON.stringify(order.body)).not.toMatch(/lnurl/i);
    await dfx.control.payInvoice(invoice);
    const uid = await upstreamOf(order.body['order_id']);
    await reaches(call, '/sell', order.body['order_id'], 'paid');
    await dfx.control.deliver(uid);
    expect(await reaches(call, '/sell', order.body['order_id'], 'finished')).toMatchObject({ stage: 'finished' });
  });

  it('a payment that DFX linked to another order of the same request is not told as one without an order', async () => {
    const { call, account_id, connection_id } = await seller();
    const { offers } = (await priced(call, '/sell', { amount_sats: 250_000 })) as { offers: Body[] };
    const order = await call('/sell/order', { quote_id: offers[0]?.['quote_id'], connection_id });
    const [row] = await gateway.database.sql<{ id: string }[]>`select intent_id as id from orders where id = ${String(order.body['order_id'])}`;
    const date = new Date(clock.now()).toISOString();
    const euros = { outputAmount: 198.02, outputAsset: 'EUR', outputDate: date, date };
    const sats = { inputAmount: 0.0025, inputAsset: 'BTC', inputBlockchain: 'Lightning' };
    const twin = { id: 77, uid: 'T77', orderUid: 'Q77', externalTransactionId: row?.id, type: 'Sell', state: 'Completed', ...sats, ...euros };
    dfx.control.setOptions({ says: (at) => (at === 'GET /v1/transaction/detail' ? [twin] : undefined) });
    await reaches(call, '/sell', order.body['order_id'], 'finished');
    await refreshed(account_id);
    expect(await settled(account_id)).toEqual([]);
    // A sale in DFX's own app is reported once, even if DFX links it to its order only later.
    const own = { ...twin, id: 78, uid: 'T78', externalTransactionId: null };
    for (const orderUid of [null, 'Q78']) {
      dfx.control.setOptions({ says: (at) => (at === 'GET /v1/transaction/detail' ? [twin, { ...own, orderUid }] : undefined) });
      await refreshed(account_id);
      expect(await settled(account_id)).toEqual(['T78']);
    }
    dfx.control.setOptions({ says: () => undefined });
  });

  it('an amount that no column can hold, in the list of payments, keeps no other from being told', async () => {
    const { call, account_id } = await seller();
    const date = new Date(clock.now()).toISOString();
    const sale = { type: 'Sell', state: 'Completed', inputAsset: 'BTC', inputBlockchain: 'Lightning', outputAmount: 198.02, outputAsset: 'EUR', date };
    const rows = [1e12, 0.0025].map((inputAmount, n) => ({ ...sale, inputAmount, id: 91 + n, uid: `T${91 + n}`, outputDate: date }));
    dfx.control.setOptions({ says: (at) => (at === 'GET /v1/transaction/detail' ? rows : undefined) });
    expect((await call('/account-status', { account_id })).status).toBe(200);
    await refreshed(account_id);
    expect((await settled(account_id)).toSorted()).toEqual(['T91', 'T92']);
    const [account] = await gateway.database.sql<{ due: Date }[]>`select next_check_on as due from accounts where id = ${String(account_id)}`;
    expect(account?.due.getTime()).toBeGreaterThan(clock.now());
    dfx.control.setOptions({ says: () => undefined });
  });

  it('an order with a fee that no column can hold is withheld', async () => {
    const { call, connection_id } = await seller();
    const { offers } = (await priced(call, '/sell', { amount_sats: 250_000 })) as { offers: Body[] };
    const absurd = (truth: unknown): object => ({ ...(truth as object), feesTarget: { ...(truth as { feesTarget: object }).feesTarget, total: 1e20 } });
    dfx.control.setOptions({ says: (at, truth) => (at === 'PUT /v1/sell/paymentInfos' ? absurd(truth) : undefined) });
    const order = await call('/sell/order', { quote_id: offers[0]?.['quote_id'], connection_id });
    expect([order.status, order.body['code']]).toEqual([409, 'price-changed']);
    dfx.control.setOptions({ says: () => undefined });
  });
});

it('a payment that DFX has not linked yet is that of the sale that could be paid, not of an older one of the same amount', async () => {
  const { call, connection_id } = await seller();
  const sold = async (): Promise<Body> => {
    const { offers } = (await priced(call, '/sell', { amount_sats: 250_000 })) as { offers: Body[] };
    const { status, body } = await call('/sell/order', { quote_id: offers[0]?.['quote_id'], connection_id });
    expect(status).toBe(200);
    return body;
  };
  const older = await sold();
  await gateway.pass(Date.parse(String(older['expires_on'])) - clock.now() + 45 * 60_000);
  await reaches(call, '/sell', older['order_id'], 'expired');
  const newer = await sold();
  await dfx.control.payInvoice((newer['payment_info'] as { lightning_invoice: string }).lightning_invoice);
  const uid = await upstreamOf(newer['order_id']);
  const transaction = dfx.control.books.transactions.find((one) => one.order?.uid === uid);
  const order = transaction?.order;
  if (!transaction || !order) throw new Error('not paid');
  // For a while, DFX knows the payment and not its order.
  Object.assign(transaction, { order: undefined });
  Object.assign(order, { transaction: undefined });
  const stageOf = async ({ order_id: id }: Body): Promise<unknown> => {
    await gateway.pass(6_000);
    return ((await call('/sell/order-status', { order_id: id })).body[String(id)] as Body)['stage'];
  };
  // The older one is read first. For the newer one, DFX's list is read only after ten minutes.
  expect(await stageOf(older)).toBe('expired');
  await gateway.pass(11 * 60_000);
  expect([await stageOf(newer), await stageOf(older)]).toEqual(['paid', 'expired']);
  Object.assign(transaction, { order });
  Object.assign(order, { transaction });
  await gateway.pass(60_000);
  expect([await stageOf(older), await stageOf(newer)]).toEqual(['expired', 'paid']);
  await dfx.control.deliver(uid);
  await reaches(call, '/sell', newer['order_id'], 'finished');
  expect(await stageOf(older)).toBe('expired');
});

describe('webhooks', () => {
  const own = `/notices/dfx/provider/dfx/${createNoticeTokens([noticeKey]).token('provider', 'dfx')}`;
  const tells = (apiKey: string) => dfx.control.setWallet('ours', { platformBps: 0, autoTradeApproval: true, apiUrl: `${gateway.url}${own}`, apiKey });
  const ordered = async () => {
    const { call, meets, payout } = await customer();
    await bought(call, payout);
    await meets();
    const { body } = await bought(call, payout);
    return { id: body['order_id'], uid: await upstreamOf(body['order_id']) };
  };
  const stageOf = async (id: unknown): Promise<string | undefined> =>
    (await gateway.database.sql<{ stage: string }[]>`select stage from orders where id = ${String(id)}`)[0]?.stage;
  it('have the order read at once that they name, and their bodies are not kept', async () => {
    const { id, uid } = await ordered();
    tells(webhookKey);
    await dfx.control.pay(uid);
    await gateway.passUntil('the payment is known', async () => ((await stageOf(id)) === 'paid' ? true : undefined), { stepMs: 500, limitMs: 2_000 });
    const kept = await gateway.database.sql<{ body: string | null }[]>`select body from notices`;
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter(({ body }) => body !== null)).toEqual([]);
  });
  it('with another key are not believed', async () => {
    const { id, uid } = await ordered();
    tells('another-key');
    await dfx.control.pay(uid);
    for (let passed = 0; passed < 2_000; passed += 500) await gateway.pass(500);
    expect(await stageOf(id)).toBe('awaiting_payment');
  });
});

it('no secret, token, link or bank account of a customer is stored in plain text', async () => {
  const tables = await gateway.database.sql<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public'`;
  const textOf = async (name: string): Promise<string> =>
    String((await gateway.database.sql.unsafe(`select coalesce(string_agg(t::text, ' '), '') as rows from ${name} t`))[0]?.['rows']);
  const texts = await Promise.all(tables.map(async ({ name }) => await textOf(name)));
  const said = JSON.stringify(dfx.control.requests);
  const found = [...(said.match(/[a-z0-9]{140}/g) ?? []), ...(said.match(/(?<=Bearer )[\w.-]{20,}/g) ?? [])];
  const hashes = [...dfx.control.books.accounts.values()].map(({ kycHash }) => kycHash);
  expect(new Set(found).size).toBeGreaterThan(5);
  for (const one of new Set([...found, ...hashes, 'DE89370400440532013000', 'LI75088110105923K000E']))
    expect(texts.filter((text) => text.includes(one))).toEqual([]);
});
