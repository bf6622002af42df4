/** A purchase inside workerd: adapter and simulated provider in one isolate, with the node's proof, a lost answer and a slow one. */
import { expect, it } from 'vitest';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import { signNodeMessage } from '../../bitcoin/node-signature.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { createFiatOnRampSimulator } from './fiat-on-ramp.simulator.ts';
import type { SimulatorOptions } from './fiat-on-ramp.simulator-state.ts';
import { provider } from './index.ts';
import type { ClaimingBuyer, BuyQuoteRequest, CallContext, FollowedOrder } from '../spec.ts';
import { behind, contextOf, valueOf } from '../../../test/workerd/in-process.ts';

const url = 'https://provider.example';
const nodeKey = '11'.repeat(32);

const start = (options: Partial<SimulatorOptions> = {}, settings: object = {}) => {
  const { app, control } = createFiatOnRampSimulator({ id: 'alpha', ...options }, () => url);
  const { deps } = behind(app, { NODE_KEY: nodeKey });
  const { buy } = provider.create(deps, provider.settings.parse({ base_url: url, ...settings }));
  if (!buy?.claim) throw new Error('no buy ramp');
  return { adapter: buy, control };
};
/** Opens a session, and returns a context for calls in it. */
const opened = async (adapter: ClaimingBuyer): Promise<CallContext> => {
  const begun = await adapter.beginSession(contextOf());
  const { token } = valueOf(begun);
  const context = contextOf(begun.customer === undefined ? {} : { customer: begun.customer });
  const proof = token === undefined ? undefined : { signature: signNodeMessage(token, nodeKey), nodePubkey: publicKeyOf(nodeKey) };
  const { customer } = await adapter.openSession(context, proof);
  return customer === undefined ? context : contextOf({ customer });
};
const buying = async (adapter: ClaimingBuyer, context: CallContext): Promise<BuyQuoteRequest> => {
  const option = valueOf(await adapter.catalogue(context)).options.find(({ name }) => name === 'SEPA');
  if (!option) throw new Error('no SEPA');
  return { ramp: 'buy', fixed: 'pay', amount: 10_000n, option };
};
const followed: Omit<FollowedOrder, 'upstreamOrderId'> = {
  orderId: 'ours',
  createdOn: 0,
  pay: 10_000n,
  receive: 107_952n,
  fee: 90n,
  upstream: {},
  facts: { currency: 'EUR' },
};

it('buys: session with proof, price, order, payment, withdrawal link', async () => {
  const { adapter, control } = start({ proof: 'demanded' }, { proof: 'demanded', catalogue_key_env: 'NODE_KEY' });
  const context = await opened(adapter);
  const quote = await buying(adapter, context);
  const offer = valueOf(await adapter.quote(context, quote));
  expect(offer).toMatchObject({ pay: 10_000n, receive: 107_952n, fee: 90n, binding: true });
  const placed = valueOf(await adapter.placeOrder(context, { quote, offer, inputs: {} }));
  expect(placed).toMatchObject({ stage: 'awaiting_payment', pay: 10_000n, receive: 107_952n, fee: 90n, paymentInfo: { kind: 'fiat' } });
  const [made] = control.history.orders;
  expect(placed.upstreamOrderId).toBe(made?.orderId);
  const order = { ...followed, upstreamOrderId: made?.orderId ?? '' };
  await control.pay(order.upstreamOrderId);
  expect(valueOf(await adapter.readOrders(context, order))).toMatchObject([{ stage: 'filled', rawStatus: 'filled', pay: 10_000n, receive: 107_952n }]);
  const { lnurl } = valueOf(await adapter.claim(context, { order }));
  const { withdrawal } = control.orders.get(order.upstreamOrderId) ?? {};
  expect(decodeLnurl(lnurl)).toBe(`${url}/lnurlw/${withdrawal?.secret}`);
});

it('an answer that was lost may have been an order, and the session shows it', async () => {
  const { adapter, control } = start();
  const context = await opened(adapter);
  const quote = await buying(adapter, context);
  const offer = valueOf(await adapter.quote(context, quote));
  control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
  await expect(adapter.placeOrder(context, { quote, offer, inputs: {} })).rejects.toMatchObject({ kind: 'unreachable', taken: 'maybe' });
  const found = valueOf(await adapter.readOrders(context));
  expect(found).toMatchObject([{ stage: 'awaiting_payment', pay: 10_000n }]);
  expect(found.map(({ upstreamOrderId }) => upstreamOrderId)).toEqual(control.history.orders.map(({ orderId }) => orderId));
});

it('a provider that is slower than the deadline is cut off', async () => {
  const { adapter, control } = start();
  const context = await opened(adapter);
  const quote = await buying(adapter, context);
  control.setFault({ endpoint: 'quote', fault: 'latency', ms: 200, times: 1 });
  await expect(adapter.quote({ ...context, signal: AbortSignal.timeout(20) }, quote)).rejects.toMatchObject({ kind: 'timeout', taken: 'maybe' });
});

it.each([
  ['endless', 'malformed'],
  ['gzip-bomb', 'malformed'],
  ['html200', 'malformed'],
  ['redirect', 'malformed'],
  ['503', 'server'],
] as const)('%s instead of a price is a fault', async (fault, kind) => {
  const { adapter, control } = start();
  const context = await opened(adapter);
  const quote = await buying(adapter, context);
  control.setFault({ endpoint: 'quote', fault, times: 1 });
  await expect(adapter.quote(context, quote)).rejects.toMatchObject({ kind });
});
