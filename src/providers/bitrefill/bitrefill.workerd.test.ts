/** Capacity bought inside workerd: adapter and simulated Thor in one isolate, down to the LNURL. */
import { expect, it } from 'vitest';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import { createBitrefillSimulator } from './bitrefill.simulator.ts';
import { provider } from './index.ts';
import type { LiquidityQuoteRequest } from '../spec.ts';
import { behind, contextOf, valueOf } from '../../../test/workerd/in-process.ts';

const url = 'https://thor.example';
const block = { base_url: `${url}/v1`, api_key_env: 'THOR_KEY', api_secret_env: 'THOR_SECRET', receipt_email: 'shop@example.com' };
const request: LiquidityQuoteRequest = { ramp: 'liquidity', product: 'turbo', amountSats: 1_000_000n, payWith: 'lightning', announce: false, firm: false };
const context = () => contextOf({ idempotencyKey: 'intent-1' });
const start = (secrets: Record<string, string> = { THOR_KEY: 'thor-key', THOR_SECRET: 'thor-secret' }) => {
  const { app, control } = createBitrefillSimulator({ id: 'bitrefill' }, () => url);
  const { liquidity } = provider.create(behind(app, secrets).deps, provider.settings.parse(block));
  if (!liquidity) throw new Error('no liquidity ramp');
  return { adapter: liquidity, control };
};

it('lists, prices, orders, and shows the LNURL once it is paid', async () => {
  const { adapter, control } = start();
  expect(valueOf(await adapter.catalogue(context())).map(({ product, minSats }) => [product, minSats])).toEqual([
    ['recharge', 500n],
    ['inbound', 500_000n],
    ['turbo', 500_000n],
  ]);
  const offer = valueOf(await adapter.quote(context(), request));
  expect(offer).toMatchObject({ pay: 1_057_100n, receive: 1_000_000n, fee: 57_100n, binding: false });
  const placed = valueOf(await adapter.placeOrder(context(), { quote: request, offer, inputs: {} }));
  const id = placed.upstreamOrderId ?? '';
  expect(placed).toMatchObject({ stage: 'awaiting_payment', pay: 1_057_090n, paymentInfo: { kind: 'invoice', value: control.order(id).invoice } });
  const order = { orderId: 'ours', upstreamOrderId: id, createdOn: 0, pay: 1_057_090n, receive: 1_000_000n, fee: 57_090n, upstream: {}, facts: {} };
  expect(valueOf(await adapter.readOrders(context(), order))).toMatchObject([{ stage: 'awaiting_payment' }]);
  await control.pay(id);
  const [evidence] = valueOf(await adapter.readOrders(context(), order));
  expect(evidence).toMatchObject({ stage: 'filled', rawStatus: 'success', pay: 1_057_090n });
  const lnurl = evidence === undefined ? undefined : adapter.redemption?.(evidence)?.lnurl;
  expect(decodeLnurl(lnurl ?? '')).toContain(control.order(id).k1);
});

it('wrong credentials are told apart from a provider that is down', async () => {
  const { adapter } = start({ THOR_KEY: 'thor-key', THOR_SECRET: 'other' });
  await expect(adapter.quote(context(), request)).rejects.toMatchObject({ kind: 'rejected-credentials', taken: 'no' });
});

it('an order whose answer was lost may have been made', async () => {
  const { adapter, control } = start();
  const offer = valueOf(await adapter.quote(context(), request));
  control.setFault({ endpoint: 'POST /order', fault: 'lost-answer', times: 1 });
  await expect(adapter.placeOrder(context(), { quote: request, offer, inputs: {} })).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
  expect(control.state.orders.size).toBe(1);
});
