/** Selling, from the first request to the last webhook, only over HTTP, so the steps are the same on every runtime. */
import { expect } from 'vitest';
import type { RunningSimulator } from '../../../src/providers/bringin/bringin.simulator.ts';
import { until } from '../gateway.ts';
import { opened, type Body, type Call } from '../wallet.ts';
import type { WebhookReceiver } from '../webhook-receiver.ts';

export type SellWorld = {
  url: string;
  bringin: RunningSimulator;
  receiver: WebhookReceiver;
  /** Does the background work that is due. On a Worker it triggers Cron; elsewhere it moves the clock. */
  wake: () => Promise<void>;
  /** Makes the account due, so that the next background work reads its status, connections and payments. */
  accountDue: (accountId: string) => Promise<void>;
  /** The offers of this gateway's other sellers, which rank after Bringin's: the provider's id, `is_estimate` and `requires`. */
  others?: [string, boolean, string[]][];
};

export const optionOf = async (call: Call, name: string): Promise<{ currency_id: number; payment_option_id: number }> => {
  const { body } = await call('/sell/payment-options', { currency_code: 'EUR' });
  const [euro] = body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[];
  const option = euro?.['eur']?.payment_options.find((one) => one.option === name);
  return { currency_id: euro?.['eur']?.currency_id ?? 0, payment_option_id: option?.id ?? 0 };
};

/** Signs up, verifies and connects an account, as the simulated person would. */
export const connected = async ({ bringin, wake }: Pick<SellWorld, 'bringin' | 'wake'>, call: Call, email: string, more: object = {}): Promise<string> => {
  const started = await call('/sell/accounts', { provider: 'bringin', email, ...more });
  expect([started.status, started.body['account_status'], started.body['mail_sent']]).toEqual([200, 'onboarding', true]);
  expect(started.body['signup_url']).toMatch(/^http/);
  const accountId = String(started.body['account_id']);
  while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
  await until('connected', async () => {
    const { body } = await call('/sell/account-status', { account_id: accountId });
    if (body['account_status'] === 'connected') return true;
    await wake();
    return undefined;
  });
  return accountId;
};

/** Pays like any wallet: gets an invoice by LNURL-pay at the address, and pays it. Returns the transaction's id. */
export const payAddress = async (bringin: RunningSimulator, user: string, sats: number): Promise<string> => {
  const asked = (await (await fetch(`${bringin.url}/.well-known/lnurlp/${user}`)).json()) as { callback: string };
  const callback = new URL(asked.callback);
  callback.searchParams.set('amount', String(sats * 1000));
  const { pr } = (await (await fetch(callback)).json()) as { pr: string };
  return await bringin.control.pay(pr);
};

const iban = 'DE89370400440532013000';
export const bank = { iban, bic: 'COBADEFFXXX', beneficiary_name: 'Alice Example' };

export const activeConnection = async (wake: SellWorld['wake'], call: Call, accountId: string, name: string, username: string): Promise<Body> => {
  const made = await call('/sell/connections', { account_id: accountId, name, lightning_username: username, ...bank });
  expect([made.status, made.body['connection_status']]).toEqual([200, 'initiating']);
  const connectionId = String(made.body['connection_id']);
  const waiting = await until('a code is wanted', async () => {
    const { body } = await call('/sell/connection-status', { connection_id: connectionId });
    if (body['connection_status'] === 'code_required') return body;
    await wake();
    return undefined;
  });
  expect(Date.parse(String(waiting['code_expires_on']))).toBeGreaterThan(Date.now());
  const wrong = await call('/sell/connection-confirm', { connection_id: connectionId, code: '000000' });
  expect([wrong.status, wrong.body['code']]).toEqual([422, 'code-wrong']);
  const confirmed = await call('/sell/connection-confirm', { connection_id: connectionId, code: '123456' });
  expect([confirmed.status, confirmed.body['connection_status']]).toEqual([200, 'active']);
  return confirmed.body;
};

/** Sells to a bank by a standing connection: offers before any account, sign-up, connection with its code, payment, euros sent, webhooks. */
export const sellToBank = async (world: SellWorld): Promise<void> => {
  const { url, bringin, receiver, wake, accountDue, others } = world;
  const { call } = await opened(url);
  const sepa = await optionOf(call, 'SEPA');
  const offers = await call('/sell/offers', { amount_sats: 250_000, ...sepa });
  const ranked = offers.body['offers'] as { provider: { id: string }; requires: string[]; amount_fiat: number; amount_sats: number; is_estimate: boolean }[];
  expect(ranked.map((one) => [one.provider.id, one.is_estimate, one.requires])).toEqual([['bringin', true, ['account', 'connection']], ...(others ?? [])]);
  expect(offers.body['policy']).toMatchObject({ name: 'most-received', decided_by: 'expected_fiat' });
  const quote = await call('/sell/quote', { amount_sats: 250_000, ...sepa });
  expect(quote.body).toMatchObject({ provider: { id: 'bringin' }, amount_sats: 250_000, is_estimate: true, requires: ['account', 'connection'] });
  const { btc_price: price, order_fee: fee, amount_fiat: arrives } = quote.body as { btc_price: number; order_fee: number; amount_fiat: number };
  expect(arrives).toBe(Math.floor((250_000 * price) / 1e8) - fee);

  const quoteId = quote.body['quote_id'];
  const early = await call('/sell/order', { quote_id: quoteId });
  expect([early.status, early.body['code']]).toEqual([409, 'account-required']);

  const accountId = await connected(world, call, 'alice@example.com', { webhook_url: receiver.url });
  const without = await call('/sell/order', { quote_id: quoteId });
  expect([without.status, without.body['code']]).toEqual([409, 'connection-required']);
  const connection = await activeConnection(wake, call, accountId, 'Savings', 'alice');
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
  await payAddress(bringin, 'alice', 250_000);
  const filled = await until('filled', async () => {
    const { body } = await call('/sell/order-status', { order_id: orderId });
    const entry = body[orderId] as Body;
    if (entry['stage'] === 'filled') return entry;
    await wake();
    return undefined;
  });
  expect(filled).toMatchObject({ amount_sats: 250_000, matched_by: 'amount', delivered_to: 'bank_transfer_started', final: false });

  await payAddress(bringin, 'alice', 60_000);
  const { body: listed } = await call('/sell/transactions', { account_id: accountId });
  expect((listed['transactions'] as Body[]).map((row) => row['amount_sats'])).toEqual([60_000, 250_000]);
  await accountDue(accountId);
  const told = await until('every webhook', async () => {
    await wake();
    const types = receiver.received.map((one) => (JSON.parse(one.body) as { type: string }).type);
    return await Promise.resolve(
      ['account_status', 'connection_status', 'order_status_changed', 'sell_settled'].every((type) => types.includes(type)) ? types : undefined,
    );
  });
  expect(told.filter((type) => type === 'sell_settled')).toHaveLength(1);
};

/** Sells to the card: an order with its own invoice. */
export const topUpCard = async (world: SellWorld): Promise<void> => {
  const { url, bringin, wake } = world;
  const { call } = await opened(url);
  const accountId = await connected(world, call, 'dave@example.com');
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
    if ((body[orderId] as Body)['stage'] === 'finished') return true;
    await wake();
    return undefined;
  });
  const balance = await call('/sell/balance', { account_id: accountId });
  expect(balance.body).toEqual({ account_id: accountId, currency_code: 'EUR', amount_fiat: quote.body['amount_fiat'] });
};
