import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startBringinSimulator, type RunningSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { apiSecret, masterKey } from '../support/bringin.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { ledgerSeller, startLedgerSeller } from '../support/ledger-seller.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

let gateway: TestGateway;
let bringin: RunningSimulator;
let ledger: Awaited<ReturnType<typeof startLedgerSeller>>;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  bringin = await startBringinSimulator({ id: 'bringin', masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] });
  ledger = await startLedgerSeller({ centsPerBtc: 8_000_000, feeCents: 100 });
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway(
    {},
    {
      blocks: {
        bringin: {
          kind: 'bringin',
          base_url: bringin.url,
          master_key_env: 'BRINGIN_MASTER_KEY',
          api_secret_env: 'BRINGIN_API_SECRET',
          lightning_hosts: ['dev.bringin.xyz'],
          repost: 'same',
        },
        ledger: { kind: 'ledger', base_url: ledger.url },
      },
      modules: [['ledger', ledgerSeller]],
      environment: { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([bringin.close(), ledger.close(), receiver.close()]);
});

type Body = Record<string, unknown>;
const opened = async (): Promise<{
  wallet: Wallet;
  call: (path: string, body?: object, headers?: Record<string, string>) => Promise<{ status: number; body: Body }>;
}> => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  return { wallet, call: async (path, body, headers) => await wallet.call(path, { session_id: sessionId, ...body }, headers) };
};
type Call = Awaited<ReturnType<typeof opened>>['call'];

const optionOf = async (call: Call, name: string): Promise<{ currency_id: number; payment_option_id: number }> => {
  const { body } = await call('/sell/payment-options', { currency_code: 'EUR' });
  const [euro] = body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[];
  const option = euro?.['eur']?.payment_options.find((one) => one.option === name);
  return { currency_id: euro?.['eur']?.currency_id ?? 0, payment_option_id: option?.id ?? 0 };
};

/** Signed up, verified and connected by the simulated person. */
const connected = async (call: Call, email: string, more: object = {}): Promise<string> => {
  const started = await call('/sell/accounts', { provider: 'bringin', email, ...more });
  expect([started.status, started.body['account_status'], started.body['mail_sent']]).toEqual([200, 'onboarding', true]);
  expect(started.body['signup_url']).toMatch(/^http/);
  const accountId = String(started.body['account_id']);
  while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
  await until('connected', async () => {
    const { body } = await call('/sell/account-status', { account_id: accountId });
    return body['account_status'] === 'connected' ? true : undefined;
  });
  return accountId;
};

/** Any wallet: LNURL-pay at the address, then the invoice is paid. */
const payAddress = async (user: string, sats: number): Promise<void> => {
  const asked = (await (await fetch(`${bringin.url}/.well-known/lnurlp/${user}`)).json()) as { callback: string };
  const callback = new URL(asked.callback);
  callback.searchParams.set('amount', String(sats * 1000));
  const { pr } = (await (await fetch(callback)).json()) as { pr: string };
  await bringin.control.pay(pr);
};

const iban = 'DE89370400440532013000';
const bank = { iban, bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };

const activeConnection = async (call: Call, accountId: string, name: string, username: string): Promise<Body> => {
  const made = await call('/sell/connections', { account_id: accountId, name, lightning_username: username, ...bank });
  expect([made.status, made.body['connection_status']]).toEqual([200, 'initiating']);
  const connectionId = String(made.body['connection_id']);
  const waiting = await until('a code is wanted', async () => {
    const { body } = await call('/sell/connection-status', { connection_id: connectionId });
    return body['connection_status'] === 'code_required' ? body : undefined;
  });
  expect(Date.parse(String(waiting['code_expires_on']))).toBeGreaterThan(Date.now());
  const wrong = await call('/sell/connection-confirm', { connection_id: connectionId, code: '000000' });
  expect([wrong.status, wrong.body['code']]).toEqual([422, 'code-wrong']);
  const confirmed = await call('/sell/connection-confirm', { connection_id: connectionId, code: '123456' });
  expect([confirmed.status, confirmed.body['connection_status']]).toEqual([200, 'active']);
  return confirmed.body;
};

describe('to a bank, by a standing connection', () => {
  it('goes from offers before any account to euros sent, told by webhooks', async () => {
    const { call } = await opened();
    const sepa = await optionOf(call, 'SEPA');
    const offers = await call('/sell/offers', { amount_sats: 250_000, ...sepa });
    const ranked = offers.body['offers'] as { provider: { id: string }; requires: string[]; amount_fiat: number; amount_sats: number; is_estimate: boolean }[];
    expect(ranked.map((one) => [one.provider.id, one.is_estimate, one.requires])).toEqual([
      ['bringin', true, ['account', 'connection']],
      ['ledger', false, []],
    ]);
    expect(offers.body['policy']).toMatchObject({ name: 'most-received', decided_by: 'amount_fiat' });
    const quote = await call('/sell/quote', { amount_sats: 250_000, ...sepa });
    expect(quote.body).toMatchObject({ provider: { id: 'bringin' }, amount_sats: 250_000, is_estimate: true, requires: ['account', 'connection'] });
    const { btc_price: price, order_fee: fee, amount_fiat: arrives } = quote.body as { btc_price: number; order_fee: number; amount_fiat: number };
    expect(arrives).toBe(Math.floor((250_000 * price) / 1e8) - fee);

    const quoteId = quote.body['quote_id'];
    const early = await call('/sell/order', { quote_id: quoteId });
    expect([early.status, early.body['code']]).toEqual([409, 'account-required']);

    const accountId = await connected(call, 'alice@example.com', { webhook_url: receiver.url });
    const without = await call('/sell/order', { quote_id: quoteId });
    expect([without.status, without.body['code']]).toEqual([409, 'connection-required']);
    const connection = await activeConnection(call, accountId, 'Savings', 'alice');
    expect(connection).toMatchObject({
      name: 'Savings',
      direction: 'sell',
      network: 'lightning',
      lightning_address: 'alice@dev.bringin.xyz',
      iban_masked: 'DE89…3000',
    });
    expect(JSON.stringify(connection)).not.toMatch(/challenge|standing|upstream/i);

    const order = await call('/sell/order', { quote_id: quoteId, connection_id: connection['connection_id'], min_amount_fiat: 1, webhook_url: receiver.url });
    expect(order.status).toBe(200);
    expect(order.body).toMatchObject({
      order_status: 'placed',
      stage: 'awaiting_payment',
      amount_sats: 250_000,
      delivered_to: 'bank_transfer_started',
      matched_by: 'amount',
      is_estimate: true,
      payment_info: { kind: 'lightning_address', lightning_address: 'alice@dev.bringin.xyz', amount_sats: 250_000 },
    });
    const again = await call('/sell/order', { quote_id: quoteId, connection_id: connection['connection_id'], min_amount_fiat: 1, webhook_url: receiver.url });
    expect(again.body).toEqual(order.body);

    const second = await call('/sell/quote', { amount_sats: 250_000, ...sepa });
    expect(second.body['requires']).toEqual([]);
    const clash = await call('/sell/order', { quote_id: second.body['quote_id'], connection_id: connection['connection_id'] });
    expect([clash.status, clash.body['code']]).toEqual([409, 'amount-in-use']);

    const orderId = String(order.body['order_id']);
    await payAddress('alice', 250_000);
    const filled = await until('filled', async () => {
      const { body } = await call('/sell/order-status', { order_id: orderId });
      const entry = body[orderId] as Body;
      return entry['stage'] === 'filled' ? entry : undefined;
    });
    expect(filled).toMatchObject({ amount_sats: 250_000, matched_by: 'amount', delivered_to: 'bank_transfer_started', final: false });

    await payAddress('alice', 60_000);
    const { body: listed } = await call('/sell/transactions', { account_id: accountId });
    expect((listed['transactions'] as Body[]).map((row) => row['amount_sats'])).toEqual([60_000, 250_000]);
    await gateway.server.gateway.stores.accounts.wake(accountId, Date.now());
    const told = await until('every webhook', async () => {
      const types = receiver.received.map((one) => (JSON.parse(one.body) as { type: string }).type);
      return await Promise.resolve(
        ['account_status', 'connection_status', 'order_status_changed', 'sell_settled'].every((type) => types.includes(type)) ? types : undefined,
      );
    });
    expect(told.filter((type) => type === 'sell_settled')).toHaveLength(1);
  });

  it('makes a connection once, whatever is lost', async () => {
    const { call } = await opened();
    const accountId = await connected(call, 'bob@example.com');
    const wanted = { account_id: accountId, name: 'Rent', lightning_username: 'bob', ...bank };
    bringin.control.setFault({ endpoint: 'POST /bringin-link', fault: 'lost-answer', times: 1 });
    const first = await call('/sell/connections', wanted);
    expect([first.status, first.body['connection_status']]).toEqual([200, 'initiating']);
    bringin.control.clearFaults();
    const again = await call('/sell/connections', wanted);
    expect(again.body['connection_id']).toBe(first.body['connection_id']);
    await until('found again', async () => {
      const { body } = await call('/sell/connection-status', { connection_id: first.body['connection_id'] });
      return body['connection_status'] === 'code_required' ? true : undefined;
    });
    expect(bringin.control.user('bob@example.com').links).toHaveLength(1);
    const other = await call('/sell/connections', { ...wanted, iban: 'GB29NWBK60161331926819' });
    expect([other.status, other.body['code']]).toEqual([409, 'connection-name-taken']);
  });

  it('cancels once, also when asked twice, and with a code where one is wanted', async () => {
    const { call } = await opened();
    const accountId = await connected(call, 'carol@example.com');
    const connection = await activeConnection(call, accountId, 'Old', 'carol');
    const cancelling = await call('/sell/connection-cancel', { connection_id: connection['connection_id'] });
    expect([cancelling.status, cancelling.body['connection_status']]).toEqual([200, 'code_required']);
    const done = await call('/sell/connection-confirm', { connection_id: connection['connection_id'], code: '123456' });
    expect([done.status, done.body['connection_status']]).toEqual([200, 'inactive']);
    const twice = await call('/sell/connection-cancel', { connection_id: connection['connection_id'] });
    expect([twice.status, twice.body['connection_status']]).toEqual([200, 'inactive']);
  });
});

describe('onto the card', () => {
  it('tops up by an order with an invoice of its own', async () => {
    const { call } = await opened();
    const accountId = await connected(call, 'dave@example.com');
    const card = await optionOf(call, 'Card balance');
    const quote = await call('/sell/quote', { amount_sats: 250_000, ...card });
    expect(quote.body).toMatchObject({ provider: { id: 'bringin' }, requires: [] });
    const order = await call('/sell/order', { quote_id: quote.body['quote_id'] });
    expect(order.status).toBe(200);
    expect(order.body).toMatchObject({ delivered_to: 'card_balance', matched_by: 'order_id', payment_info: { kind: 'invoice', amount_sats: 250_000 } });
    const { lightning_invoice: invoice } = order.body['payment_info'] as { lightning_invoice: string };
    await bringin.control.pay(invoice);
    const orderId = String(order.body['order_id']);
    await until('finished', async () => {
      const { body } = await call('/sell/order-status', { order_id: orderId });
      return (body[orderId] as Body)['stage'] === 'finished' ? true : undefined;
    });
    const balance = await call('/sell/balance', { account_id: accountId });
    expect(balance.body).toEqual({ account_id: accountId, currency_code: 'EUR', amount_fiat: quote.body['amount_fiat'] });
  });

  it('never makes two payable orders when the answer was lost', async () => {
    const { call } = await opened();
    await connected(call, 'erin@example.com');
    const card = await optionOf(call, 'Card balance');
    const quote = await call('/sell/quote', { amount_sats: 90_000, ...card });
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
    const lost = await call('/sell/order', { quote_id: quote.body['quote_id'] });
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    bringin.control.clearFaults();
    const order = await until('placed', async () => {
      const answer = await call('/sell/order', { quote_id: quote.body['quote_id'] });
      return answer.status === 200 ? answer : undefined;
    });
    const once = await call('/sell/order', { quote_id: quote.body['quote_id'] });
    expect(once.body).toEqual(order.body);
  });
});

it('buys the other kind just as well: a seller without accounts, binding, by invoice', async () => {
  const { call } = await opened();
  const sepa = await optionOf(call, 'SEPA');
  const offers = await call('/sell/offers', { amount_sats: 300_000, ...sepa });
  const other = (offers.body['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === 'ledger');
  const order = await call('/sell/order', { quote_id: other?.quote_id });
  expect(order.body).toMatchObject({ provider: { id: 'ledger' }, amount_fiat: 23_900, is_estimate: false, matched_by: 'order_id' });
  const [sale] = [...ledger.sales.values()].filter((one) => one.sats === 300_000 && one.invoice !== undefined);
  ledger.settle(sale?.id ?? '', 'sent');
  const orderId = String(order.body['order_id']);
  await until(
    'finished',
    async () => {
      const { body } = await call('/sell/order-status', { order_id: orderId });
      return (body[orderId] as Body)['stage'] === 'finished' ? true : undefined;
    },
    12_000,
  );
});

describe('what is refused', () => {
  it.each([
    ['a bad IBAN', { iban: 'DE89370400440532013001' }, 422, 'iban-invalid'],
    ['a bad BIC', { bic: 'NOT' }, 400, 'invalid-request'],
    ['a bad user name', { lightning_username: 'a b' }, 400, 'invalid-request'],
    ['a name that is too long', { name: 'x'.repeat(65) }, 400, 'invalid-request'],
  ])('%s', async (_, change, status, code) => {
    const { call } = await opened();
    const accountId = await connected(call, `f${Math.abs(code.length * status)}${String(Object.keys(change)[0])}@example.com`);
    const made = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'frank', ...bank, ...change });
    expect([made.status, made.body['code']]).toEqual([status, code]);
    const { body } = await call('/sell/connection-status', { account_id: accountId });
    expect(body['connections']).toEqual([]);
  });

  it('is a foreign account or connection, like an unknown one', async () => {
    const mine = await opened();
    const accountId = await connected(mine.call, 'gina@example.com');
    const { call } = await opened();
    const unknown = '4b1f0f62-98a1-4b58-8a39-9d2c9a1f3c11';
    for (const id of [accountId, unknown]) {
      expect((await call('/sell/account-status', { account_id: id })).body['code']).toBe('account-not-found');
      expect((await call('/sell/balance', { account_id: id })).body['code']).toBe('account-not-found');
      expect((await call('/sell/connections', { account_id: id, name: 'x' })).body['code']).toBe('account-not-found');
      expect((await call('/sell/account-remove', { account_id: id })).body['code']).toBe('account-not-found');
    }
    expect((await call('/sell/connection-cancel', { connection_id: unknown })).body['code']).toBe('connection-not-found');
  });

  it("is somebody else's e-mail: his key is never handed to the second customer", async () => {
    const first = await opened();
    await connected(first.call, 'heidi@example.com');
    const { call } = await opened();
    const stolen = await call('/sell/accounts', { provider: 'bringin', email: 'Heidi@Example.com' });
    expect([stolen.status, stolen.body['code']]).toEqual([409, 'customer-conflict']);
  });

  it('is a forged notice: nothing changes, and it is counted', async () => {
    const { call } = await opened();
    const accountId = await connected(call, 'ivan@example.com');
    const before = bringin.control.state.requests.length;
    const forged = await fetch(`${gateway.url}/notices/bringin/account/${accountId}/${'A'.repeat(43)}/verification-status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: 'x', apikey: 'pk_live_attacker', verificationStatus: 'active' }),
    });
    expect(forged.status).toBe(202);
    expect(bringin.control.state.requests.length).toBe(before);
    const { body } = await call('/sell/account-status', { account_id: accountId });
    expect(body['account_status']).toBe('connected');
  });

  it('is an Idempotency-Key for another body; the same body gets the same bytes', async () => {
    const { call } = await opened();
    const key = { 'idempotency-key': '"9a7d5904-8cbe-4d5b-bed6-527a575e92e1"' };
    const first = await call('/sell/accounts', { provider: 'bringin', email: 'judy@example.com' }, key);
    const again = await call('/sell/accounts', { provider: 'bringin', email: 'judy@example.com' }, key);
    expect(again.body).toEqual(first.body);
    const other = await call('/sell/accounts', { provider: 'bringin', email: 'judith@example.com' }, key);
    expect([other.status, other.body['code']]).toEqual([422, 'idempotency-key-reused']);
  });
});
