/** How a simulated seller writes its orders and errors: as in the standard, or with its deviations. */
import type { Deviation, SimulatedOrder } from './lsps1.simulator-state.ts';

export type Wording = { now: () => number; has: (deviation: Deviation) => boolean };
export type Lies = { totalOff: number; state: string | undefined; expired: boolean };

export const createWording = ({ now, has }: Wording) => {
  const sat = (n: number): number | string => (has('number-amounts') ? n : n.toString());
  const time = (ms: number): number | string => (has('unix-times') ? Math.floor(ms / 1000) : new Date(ms).toISOString());
  const word = (state: string): string => {
    const older = state === 'REFUNDED' && has('cancelled-for-refunded') ? 'CANCELLED' : state;
    return has('lower-case-states') ? older.toLowerCase() : older;
  };
  const amounts = (fee: number, order: SimulatedOrder, { totalOff }: Lies): object =>
    has('fee-in-msat') ? { fee_total_msat: sat(fee * 1000) } : { fee_total_sat: sat(fee), order_total_sat: sat(fee + order.clientSats + totalOff) };

  const payment = (order: SimulatedOrder, lies: Lies): object => {
    const expires_at = time(lies.expired ? now() - 1000 : order.expiresOn);
    if (has('flat-payment')) {
      const state = order.payments.onchain === 'EXPECT_PAYMENT' ? order.payments.bolt11 : order.payments.onchain;
      return {
        state: word(state),
        ...amounts(order.feeSats, order, lies),
        expires_at,
        lightning_invoice: order.invoice,
        onchain_address: order.onchain?.address ?? null,
      };
    }
    const { onchain } = order;
    return {
      bolt11: { state: word(order.payments.bolt11), expires_at, ...amounts(order.feeSats, order, lies), invoice: order.invoice },
      ...(onchain && {
        onchain: {
          state: word(order.payments.onchain),
          expires_at,
          ...amounts(onchain.feeSats, order, lies),
          address: onchain.address,
          min_onchain_payment_confirmations: 1,
          min_fee_for_0conf: 253,
          refund_onchain_address: order.refundOnchain ?? null,
        },
      }),
    };
  };
  const orderState = (order: SimulatedOrder): string => {
    if (!has('extra-order-states') || order.state !== 'CREATED') return order.state;
    return Object.values(order.payments).every((state) => state === 'EXPECT_PAYMENT') ? 'EXPECT_PAYMENT' : 'OPENING';
  };

  return {
    sat,
    order: (order: SimulatedOrder, lies: Lies): object => ({
      order_id: order.id,
      lsp_balance_sat: sat(order.lspSats),
      client_balance_sat: sat(order.clientSats),
      required_channel_confirmations: order.confirmations,
      funding_confirms_within_blocks: order.fundingWithin,
      channel_expiry_blocks: order.leaseBlocks,
      token: order.token,
      created_at: time(order.createdOn),
      announce_channel: order.announce,
      order_state: lies.state ?? word(orderState(order)),
      payment: payment(order, lies),
      channel: order.channel
        ? { funded_at: time(order.channel.fundedOn), funding_outpoint: order.channel.outpoint, expires_at: time(order.channel.expiresOn) }
        : null,
    }),
    refuse: (status: number, code: number, message: string, property?: string): Response => {
      const sent = has('errors-under-200') ? 200 : status;
      if (has('text-errors')) return Response.json({ message }, { status: sent });
      const error = { code, message, data: { ...(property === undefined ? {} : { property }), message } };
      return Response.json({ error }, { status: sent });
    },
  };
};
