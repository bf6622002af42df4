import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBringinSimulator, type RunningSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { apiSecret, bringinBlock, masterKey } from '../support/bringin.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { ledgerSeller, startLedgerSeller } from '../support/ledger-seller.ts';
import {
  activeConnection as activeConnectionAt,
  bank,
  connected as connectedAt,
  optionOf,
  sellToBank,
  topUpCard,
  type SellWorld,
} from '../support/scenarios/sell.ts';
import { type Body, type Call, opened as openedAt } from '../support/wallet.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const clock = movableClock();
let gateway: TestGateway;
let bringin: RunningSimulator;
let ledger: Awaited<ReturnType<typeof startLedgerSeller>>;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  bringin = await startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] });
  ledger = await startLedgerSeller({ centsPerBtc: 8_000_000, feeCents: 100 });
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway(
    {},
    {
      clock,
      blocks: {
        bringin: bringinBlock(bringin.url),
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

const wake = async (): Promise<void> => await gateway.pass(500);
const opened = async () => await openedAt(gateway.url);
const connected = async (call: Call, email: string, more?: object): Promise<string> => await connectedAt({ bringin, wake }, call, email, more);
const activeConnection = async (call: Call, accountId: string, name: string, username: string): Promise<Body> =>
  await activeConnectionAt(wake, call, accountId, name, username);
const world = (): SellWorld => ({
  url: gateway.url,
  bringin,
  receiver,
  wake,
  accountDue: async (accountId) => await gateway.server.gateway.stores.accounts.wake(accountId, gateway.clock.now()),
  others: [['ledger', false, []]],
});

describe('to a bank, by a standing connection', () => {
  it('goes from offers before any account to euros sent, told by webhooks', async () => await sellToBank(world()));

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
    await gateway.passUntil('found again', async () => {
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
  it('tops up by an order with an invoice of its own', async () => await topUpCard(world()));

  it('never makes two payable orders when the answer was lost', async () => {
    const { call } = await opened();
    await connected(call, 'erin@example.com');
    const card = await optionOf(call, 'Card balance');
    const quote = await call('/sell/quote', { amount_sats: 90_000, ...card });
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
    const lost = await call('/sell/order', { quote_id: quote.body['quote_id'] });
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    bringin.control.clearFaults();
    const order = await gateway.passUntil('placed', async () => {
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
  await gateway.passUntil('finished', async () => {
    const { body } = await call('/sell/order-status', { order_id: orderId });
    return (body[orderId] as Body)['stage'] === 'finished' ? true : undefined;
  });
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

  it("is somebody else's e-mail: the owner's key is never handed to the second customer", async () => {
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
