/** Sats sold inside workerd: adapter and simulated Bringin in one isolate; account, connection with its code, both ways to be paid. */
import { expect, it } from 'vitest';
import type { Json } from '../../domain/offer.ts';
import { createBringinSimulator } from './bringin.simulator.ts';
import { provider } from './index.ts';
import type { AccountAdapter, CallContext, SellAdapter, SellQuoteRequest } from '../spec.ts';
import { behind, contextOf, valueOf } from '../../../test/workerd/in-process.ts';

const url = 'https://dev.bringin.xyz';
const email = 'alice@example.com';
const secrets = { BRINGIN_MASTER_KEY: 'ZjNhOWM0MmU3YjE2NGQwODlhNWUyYzdmMWIzZDg2MDQ=', BRINGIN_API_SECRET: 'sandbox-secret-0123456789abcdef' };
const block = { base_url: url, master_key_env: 'BRINGIN_MASTER_KEY', api_secret_env: 'BRINGIN_API_SECRET', lightning_hosts: ['dev.bringin.xyz'] };

const start = async () => {
  const options = { id: 'bringin', masterKey: secrets.BRINGIN_MASTER_KEY, apiSecret: secrets.BRINGIN_API_SECRET, linkMs: 0, convertMs: 0 };
  const { app, control } = createBringinSimulator(options, () => url);
  const { sell, accounts } = provider.create(behind(app, secrets).deps, provider.settings.parse(block));
  if (!sell || !accounts) throw new Error('no sell ramp, or no accounts');
  return { adapter: sell, control, context: await connected(accounts, control.advanceKyc) };
};
/** Signs a customer up, has them verified and connected, and returns a context that holds the customer's key. */
const connected = async (adapter: AccountAdapter, advance: (email: string) => Promise<void>): Promise<CallContext> => {
  const started = await adapter.startAccount(contextOf(), { email, ref: '550e8400-e29b-41d4-a716-446655440000' });
  expect(valueOf(started).status).toBe('onboarding');
  for (let step = 0; step < 4; step += 1) await advance(email);
  const read = await adapter.readAccount(contextOf(started.customer === undefined ? {} : { customer: started.customer }));
  expect(valueOf(read).status).toBe('connected');
  return contextOf({ customerIp: '203.0.113.7', idempotencyKey: 'intent-1', ...(read.customer === undefined ? {} : { customer: read.customer }) });
};
const selling = async (adapter: SellAdapter, context: CallContext, name: string): Promise<SellQuoteRequest> => {
  const option = valueOf(await adapter.catalogue(context)).options.find((one) => one.name === name);
  if (!option) throw new Error(`no ${name}`);
  return { ramp: 'sell', fixed: 'pay', amount: 250_000n, option, network: 'lightning' };
};

it('sells onto the card: an invoice, paid, on the balance', async () => {
  const { adapter, control, context } = await start();
  const quote = await selling(adapter, context, 'Card balance');
  const offer = valueOf(await adapter.quote(context, quote));
  expect(offer).toMatchObject({ pay: 250_000n, receive: 22_720n, fee: 230n, binding: false });
  const placed = valueOf(await adapter.placeOrder(context, { quote, offer, inputs: {} }));
  expect(placed).toMatchObject({ stage: 'awaiting_payment', matchedBy: 'order_id', paymentInfo: { kind: 'invoice', amountSats: 250_000n } });
  const id = placed.upstreamOrderId ?? '';
  expect(await control.pay('value' in placed.paymentInfo ? placed.paymentInfo.value : '')).toBe(id);
  const order = {
    orderId: 'ours',
    upstreamOrderId: id,
    createdOn: Date.now(),
    pay: 250_000n,
    receive: 22_720n,
    fee: 230n,
    upstream: offer.upstream,
    facts: {},
  };
  expect(valueOf(await adapter.readOrders(context, order))).toMatchObject([{ upstreamOrderId: id, rawStatus: 'SUCCESSFUL', stage: 'finished' }]);
  expect(valueOf(await adapter.balance(context))).toEqual({ currency: 'EUR', amountFiat: 22_720n });
});

it('sells to a bank account: a connection with its code, and its Lightning address', async () => {
  const { adapter, context } = await start();
  const { connections } = adapter;
  if (!connections) throw new Error('no connections');
  const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiaryName: 'Alice Nakamoto', lightningUsername: 'alice' };
  const made = valueOf(await connections.create(context, { name: 'Savings', direction: 'sell', network: 'lightning', ...bank }));
  const waiting = valueOf(await connections.read(context, made));
  expect(waiting.status).toBe('code_required');
  expect(await connections.confirm(context, waiting, '000000')).toMatchObject({ ok: 'code-wrong' });
  const confirmed = await connections.confirm(context, waiting, '123456');
  expect(confirmed).toMatchObject({ ok: true, value: { status: 'active', lightningAddress: 'alice@dev.bringin.xyz' } });
  const connection = (confirmed.ok === true ? { ...confirmed.value } : {}) as Json;
  const quote = await selling(adapter, context, 'SEPA');
  const offer = valueOf(await adapter.quote(context, quote));
  expect(offer.requires).toEqual(['connection']);
  const placed = valueOf(await adapter.placeOrder(context, { quote, offer, inputs: { connection } }));
  expect(placed.paymentInfo).toMatchObject({ kind: 'lightning_address', value: 'alice@dev.bringin.xyz', amountSats: 250_000n });
});

it('an order whose answer was lost may have been made', async () => {
  const { adapter, control, context } = await start();
  const quote = await selling(adapter, context, 'Card balance');
  const offer = valueOf(await adapter.quote(context, quote));
  control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
  await expect(adapter.placeOrder(context, { quote, offer, inputs: {} })).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
});
