/** A channel bought inside workerd: adapter and simulated seller in one isolate. */
import { expect, it } from 'vitest';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { provider } from './index.ts';
import { createLsps1Simulator } from './lsps1.simulator.ts';
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
  const { app, control } = createLsps1Simulator({ id: 'north' });
  const { liquidity } = provider.create(behind(app).deps, provider.settings.parse({ base_url: 'https://seller.example' }));
  if (!liquidity) throw new Error('no liquidity ramp');
  return { adapter: liquidity, control };
};

it('a firm price is an order; paid, its channel opens', async () => {
  const { adapter, control } = start();
  expect(valueOf(await adapter.catalogue(contextOf()))).toMatchObject([{ product: 'inbound', minSats: 100_000n, maxSats: 10_000_000n }]);
  const offer = valueOf(await adapter.quote(contextOf(), request));
  // For a channel of 1,000,000 sats: 1,000 sats + 2,000 ppm + 2,400 ppm.
  expect(offer).toMatchObject({ pay: 5400n, receive: 0n, fee: 5400n, binding: true });
  const placed = valueOf(await adapter.placeOrder(contextOf(), { quote: request, offer, inputs: {} }));
  const [made] = control.orders.values();
  expect(placed).toMatchObject({
    upstreamOrderId: made?.id,
    stage: 'awaiting_payment',
    paymentInfo: { kind: 'invoice', value: made?.invoice, amountSats: 5400n },
  });
  expect(decodeInvoice(made?.invoice ?? '')).toMatchObject({ amountMsat: 5_400_000n, payee: control.nodePubkey });
  const id = made?.id ?? '';
  const order = { orderId: 'ours', upstreamOrderId: id, createdOn: 0, pay: 5400n, receive: 0n, fee: 5400n, upstream: offer.upstream, facts: offer.facts };
  const stage = async (): Promise<unknown> => valueOf(await adapter.readOrders(contextOf(), order)).map((one) => one.stage);
  expect(await stage()).toEqual(['awaiting_payment']);
  control.pay(id);
  expect(await stage()).toEqual(['paid']);
  control.open(id);
  expect(await stage()).toEqual(['finished']);
});

it('an order whose answer was lost may have been made', async () => {
  const { adapter, control } = start();
  control.setFault({ endpoint: 'create_order', fault: 'lost-answer', times: 1 });
  await expect(adapter.quote(contextOf(), request)).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
  expect(control.orders.size).toBe(1);
});
