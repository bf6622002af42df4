/** A buy provider in this process that sends the bought sats itself. */
import { encodeInvoice } from '../../../src/bitcoin/bolt11.ts';
import { readDestination } from '../../../src/bitcoin/destination.ts';
import type { Facts } from '../../../src/domain/offer.ts';
import type { Stage } from '../../../src/domain/order.ts';
import type { PayoutKind } from '../../../src/domain/payout.ts';
import { refreshOrder } from '../../../src/gateway/following/follow-orders.ts';
import { placeOrder } from '../../../src/gateway/ordering/place-order.ts';
import { memoryGateway } from './gateway.ts';

export const invoiceFrom = (now: number, { paymentHash = 'ab'.repeat(32), expirySeconds = 3 * 86_400 } = {}): string =>
  encodeInvoice({
    network: 'regtest',
    timestamp: Math.floor(now / 1000),
    expirySeconds,
    paymentHash,
    paymentSecret: '01'.repeat(32),
    description: 'sats',
    payeePrivateKey: '02'.repeat(32),
  });

type Options = {
  /** The destination, for an order made `now`. */
  to?: (now: number) => readonly [PayoutKind, string];
  /** Facts that the provider adds to its offer, and to its answer to the order. */
  offered?: Facts;
  answered?: Facts;
  /** How long the provider takes to answer the order. */
  answersAfterMs?: number;
};

export const pushing = ({ to = () => ['lightning_address', 'alice@wallet.example'], offered = {}, answered = {}, answersAfterMs = 0 }: Options = {}) => {
  const world = memoryGateway();
  const { gateway, scope, clock, session } = world;
  const { adapter, sound, orders } = world.buyer();
  const payoutKinds: PayoutKind[] = ['lightning_address', 'invoice'];
  Object.assign(adapter, { payoutKinds, claim: undefined });
  adapter.quote = async (context, request) => {
    const answer = await sound.quote(context, request);
    return answer.ok ? { ...answer, value: { ...answer.value, facts: { ...offered, payout_kinds: payoutKinds } } } : answer;
  };
  adapter.placeOrder = async (context, request) => {
    const answer = await sound.placeOrder(context, request);
    clock.now += answersAfterMs;
    return answer.ok ? { ...answer, value: { ...answer.value, facts: answered } } : answer;
  };
  /** Orders to the destination. Throws a Problem if that is refused. */
  const order = async () => {
    const destination = readDestination(...to(clock.now), 'regtest');
    if ('problem' in destination) throw new Error(destination.problem);
    const quoteId = await world.quote(undefined, { payout_kinds: payoutKinds });
    const { order_id } = JSON.parse(await placeOrder(scope, session, world.request(quoteId, { own: { destination } } as object))) as { order_id: string };
    return await found(order_id);
  };
  const found = async (id: string) => {
    const one = await gateway.stores.orders.findAny(id);
    if (!one) throw new Error('no order');
    return one;
  };
  /** Makes the provider report this stage with these facts a minute later, and reads the order. */
  const says = async (id: string, stage: Stage, facts: Facts = {}) => {
    for (const one of orders) Object.assign(one, { stage, rawStatus: stage, facts });
    clock.now += 60_000;
    return await refreshOrder(scope, await found(id), 'read');
  };
  return { ...world, order, says };
};
