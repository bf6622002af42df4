/** A channel bought inside workerd: adapter and simulated seller in one isolate. */
import { expect, it } from 'vitest';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { provider } from './index.ts';
import { createBlocktankSimulator } from './blocktank.simulator.ts';
import type { LiquidityQuoteRequest } from '../spec.ts';
import { behind, contextOf, valueOf } from '../../../test/workerd/in-process.ts';

const request: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'inbound',
  amountSats: 1_000_000n,
  payWith: 'lightning',
  leaseBlocks: 4320,
  announce: false,
  firm: true,
  nodePubkey: '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619',
};
const start = () => {
  const { app, control } = createBlocktankSimulator({ id: 'tank', feeRates: { fast: 6, mid: 5, slow: 4 } }, () => 'https://seller.example');
  const { liquidity } = provider.create(behind(app).deps, provider.settings.parse({ base_url: 'https://seller.example/api' }));
  if (!liquidity) throw new Error('no liquidity ramp');
  return { adapter: liquidity, control };
};

it('an estimate, then a firm price; paid, its channel is opened for the proven node', async () => {
  const { adapter, control } = start();
  expect(valueOf(await adapter.catalogue(contextOf()))).toMatchObject([{ product: 'inbound', minSats: 20_000n, maxSats: 3_106_600n }, { product: 'turbo' }]);
  expect(valueOf(await adapter.quote(contextOf(), { ...request, firm: false }))).toMatchObject({ pay: 2169n, binding: false });
  expect(control.orders.size).toBe(0);
  const offer = valueOf(await adapter.quote(contextOf(), request));
  expect(offer).toMatchObject({ pay: 2169n, receive: 0n, fee: 2169n, binding: true });
  const placed = valueOf(await adapter.placeOrder(contextOf(), { quote: request, offer, inputs: {} }));
  const made = control.order();
  expect(placed).toMatchObject({
    upstreamOrderId: made.id,
    stage: 'awaiting_payment',
    paymentInfo: { kind: 'invoice', value: made.invoice, amountSats: 2169n },
  });
  expect(decodeInvoice(made.invoice)).toMatchObject({ amountMsat: 2_169_000n, payee: control.nodePubkey });
  const { pay, receive, fee, upstream, facts } = offer;
  const order = { orderId: 'ours', upstreamOrderId: made.id, createdOn: 0, pay, receive, fee, upstream, facts, nodePubkey: request.nodePubkey ?? '' };
  const stage = async (): Promise<unknown> => valueOf(await adapter.readOrders(contextOf(), order)).map((one) => one.stage);
  expect(await stage()).toEqual(['awaiting_payment']);
  control.pay();
  expect(await stage()).toEqual(['finished']);
  expect(control.order().channel).toMatchObject({ clientNodePubkey: request.nodePubkey });
});

it('an opening that takes longer than the read may: the order is paid', async () => {
  const { adapter, control } = start();
  const offer = valueOf(await adapter.quote(contextOf(), request));
  control.pay();
  control.setOptions({ openCallMs: 2_000 });
  const { pay, receive, fee, upstream, facts } = offer;
  const order = { orderId: 'ours', upstreamOrderId: control.order().id, createdOn: 0, pay, receive, fee, upstream, facts };
  const read = await adapter.readOrders(contextOf({ endsOn: Date.now() + 500 }), { ...order, nodePubkey: request.nodePubkey ?? '' });
  expect(valueOf(read)).toMatchObject([{ stage: 'paid', moneySeen: true }]);
});

it('an order whose answer was lost may have been made', async () => {
  const { adapter, control } = start();
  control.setFault({ endpoint: 'POST /channels', fault: 'lost-answer', times: 1 });
  await expect(adapter.quote(contextOf(), request)).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
  expect(control.orders.size).toBe(1);
});
