/** A provider's words in the forms that occur in practice, from its wire to the wallet: a proxy rewrites a simulator's responses. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

type Json = Record<string, unknown>;
/** Rewrites a true response. A string is sent as it is, so that numbers can be written in forms that JSON.stringify would not use. */
let rewrite: (path: string, body: Json) => Json | string = (_path, body) => body;

const clock = movableClock();
let simulator: RunningSimulator;
let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
};
const proxy = createServer((request, response) => {
  void (async () => {
    const body = await textOf(request);
    const path = request.url ?? '';
    const answer = await fetch(simulator.url + path, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body === '' ? {} : { body }),
    });
    const told = rewrite(path, (await answer.json()) as Json);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(typeof told === 'string' ? told : JSON.stringify(told));
  })();
});

beforeAll(async () => {
  simulator = await startFiatOnRampSimulator({ id: 'lindenpay', now: clock.now, quoteTtlS: 3600, withdrawalTtlS: 1800 });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const base_url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  gateway = await startTestGateway(
    {},
    { clock, blocks: { lindenpay: { kind: 'fiat-on-ramp', base_url, repost: 'same' } }, config: { orders: { max_open: 100 } } },
  );
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => {
  await gateway.close();
  await new Promise((done) => proxy.close(done));
  await simulator.close();
});
beforeEach(() => {
  rewrite = (_path, body) => body;
});

const asked = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
const quote = async () => await wallet.call('/quote', { session_id: sessionId, ...asked });
const order = async () => await wallet.call('/order', { session_id: sessionId, quote_id: (await quote()).body['quote_id'] });
const status = async (orderId: unknown) => (await wallet.call('/order-status', { session_id: sessionId, order_id: orderId })).body[String(orderId)] as Json;
const onPath =
  (wanted: string, change: (body: Json) => Json | string) =>
  (path: string, body: Json): Json | string =>
    path === wanted ? change(body) : body;
const bank = { provider_iban: 'DE89370400440532013000', provider_name: 'Lindenpay GmbH' };
const paying = (details: Json | string, more: Json = {}) =>
  onPath('/order', (body) => {
    const { payment_info: _, ...rest } = { ...body, ...more };
    const whole = JSON.stringify({ ...rest, payment_info: { payment_details: 0 } });
    return whole.replace('"payment_details":0', `"payment_details":${typeof details === 'string' ? details : JSON.stringify(details)}`);
  });
const paymentOf = (body: Json) => body['payment_info'] as { payment_details: Json; epc_qr?: string };

describe('how an order is paid', () => {
  it('a reference beyond 2^53 reaches the wallet and the code digit for digit', async () => {
    rewrite = paying(`{"provider_iban":"${bank.provider_iban}","provider_name":"L","provider_reference":20261128175930417,"fee":1.10}`);
    const payment = paymentOf((await order()).body);
    expect(payment.payment_details).toMatchObject({ provider_reference: '20261128175930417', fee: '1.10' });
    expect(payment.epc_qr?.split('\n')[10]).toBe('20261128175930417');
  });

  it('the reference is the provider’s, not the first key that holds the letters', async () => {
    rewrite = paying({ transfer_preference: 'instant', customer_reference: 'user 4411', ...bank, payment_reference: 'LP-77Q2' });
    const payment = paymentOf((await order()).body);
    expect([payment.payment_details['provider_reference'], payment.epc_qr?.split('\n')[10]]).toEqual(['LP-77Q2', 'LP-77Q2']);
  });

  it('nested and labelled details and long codes arrive; what does not fit is shown to nobody', async () => {
    rewrite = paying({ bank_account: { iban: bank.provider_iban, reference: 'LP-77Q2' }, steps: [{ label: 'Code', value: 'x'.repeat(526) }] });
    expect(paymentOf((await order()).body).payment_details).toMatchObject({
      bank_account_iban: bank.provider_iban,
      bank_account_reference: 'LP-77Q2',
      provider_reference: 'LP-77Q2',
      steps_Code: 'x'.repeat(526),
    });
    rewrite = paying({ ...bank, code: 'x'.repeat(5000) });
    const withheld = await order();
    expect([withheld.status, withheld.body['code'], withheld.body['payment_info']]).toEqual([409, 'order-unpayable', undefined]);
  });

  it.each(['javascript:alert(1)', 'https://evil.example/pay', 'or go to https://evil.example/pay', 'https://127.0.0.1\\@evil.example/'])(
    'a link beside the payment link is held against the hosts: %s',
    async (link) => {
      rewrite = paying({ ...bank, checkout: link });
      const answer = await order();
      expect([answer.status, answer.body['code']]).toEqual([502, 'payout-link-refused']);
      expect(await status(answer.body['order_id'])).toMatchObject({ stage: 'review' });
    },
  );

  it('NOTPROVIDED is no BIC', async () => {
    rewrite = paying({ ...bank, provider_bic: 'NOTPROVIDED' });
    expect(paymentOf((await order()).body).epc_qr?.split('\n')[4]).toBe('');
  });
});

describe('until when', () => {
  const inMinutes = (minutes: number): number => Math.floor((clock.now() + minutes * 60_000) / 60_000) * 60_000;

  it.each<[string, (ms: number) => unknown]>([
    ['without seconds', (ms) => `${new Date(ms).toISOString().slice(0, 16)}Z`],
    ['as an HTTP date', (ms) => new Date(ms).toUTCString()],
    ['in seconds', (ms) => ms / 1000],
    ['in nanoseconds', (ms) => `${ms}000000`],
  ])('an end %s is the end: afterwards nothing is to be paid', async (_name, write) => {
    const end = inMinutes(30);
    rewrite = (path, body) => (path === '/quote' || path === '/order' ? { ...body, expires_on: write(end) } : body);
    const { body } = await order();
    expect(body['expires_on']).toBe(new Date(end).toISOString());
    // The provider says nothing more about the expiry, not even that it has passed.
    rewrite = onPath('/order-status', () => ({ order_status: 'placed' }));
    await gateway.pass(end - clock.now() + 1000);
    const after = await status(body['order_id']);
    expect([after['stage'], after['payment_info']]).toEqual(['expired', undefined]);
  });

  it('an end that nobody can read is not "no end"', async () => {
    rewrite = onPath('/quote', (body) => ({ ...body, expires_on: 'in two hours' }));
    expect((await quote()).status).toBe(503);
    rewrite = onPath('/order', (body) => ({ ...body, expires_on: 'in two hours' }));
    const answer = await order();
    expect([answer.status, answer.body['code']]).toEqual([409, 'order-unpayable']);
    expect(gateway.logs.some((line) => line.includes('the expiry of the order cannot be read'))).toBe(true);
  });

  it('nor is the end of a withdrawal, whose link stays the same', async () => {
    const { body } = await order();
    await simulator.control.pay(simulator.control.history.orders.at(-1)?.orderId ?? '');
    rewrite = onPath('/withdrawal', (told) => ({ ...told, withdrawal_expiration_date: 'soon' }));
    const withdraw = async () => await wallet.call('/withdrawal', { session_id: sessionId, order_id: body['order_id'] });
    const first = await withdraw();
    expect(first.status).toBe(200);
    expect(Date.parse(String(first.body['withdrawal_expiration_date'])) - clock.now()).toBeLessThanOrEqual(10 * 60_000);
    await gateway.pass(3600_000);
    const again = await withdraw();
    expect([again.status, again.body['lnurlw']]).toEqual([200, first.body['lnurlw']]);
  });
});

describe('whose order', () => {
  it('an answer that names another order moves ours nowhere, one that writes its id in capitals does', async () => {
    const { body } = await order();
    const other = '11111111-2222-4333-8444-555555555555';
    rewrite = onPath('/order-status', () => ({ order_id: other, order_status: 'finished' }));
    await gateway.pass(60_000);
    expect(await status(body['order_id'])).toMatchObject({ stage: 'awaiting_payment' });
    const id = simulator.control.history.orders.at(-1)?.orderId ?? '';
    await simulator.control.pay(id);
    rewrite = onPath('/order-status', (all) => ({ [id.toUpperCase()]: all[id] }));
    await gateway.pass(60_000);
    expect(await status(body['order_id'])).toMatchObject({ stage: 'filled' });
  });
});
