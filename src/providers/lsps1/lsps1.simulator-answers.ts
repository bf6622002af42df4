/** How a simulated seller writes its orders and errors: as in the standard, or with the deviations in its options. */
import { bitcoinUri } from '../../bitcoin/address.ts';
import type { Deviation, SimulatedOrder } from './lsps1.simulator-state.ts';

export type Wording = { now: () => number; has: (deviation: Deviation) => boolean };
export type Lies = { totalOff: number; state: string | undefined; expired: boolean };

export const createWording = ({ now, has }: Wording) => {
  const sat = (n: number): number | string => (has('amounts-with-unit') ? `${n} sats` : has('number-amounts') ? n : n.toString());
  const time = (ms: number): number | string => (has('milliseconds') ? ms : has('unix-times') ? Math.floor(ms / 1000) : new Date(ms).toISOString());
  const word = (state: string, of: 'ORDER' | 'PAYMENT'): string => {
    const older = state === 'REFUNDED' && has('cancelled-for-refunded') ? 'CANCELLED' : state;
    const long = has('prefixed-states') ? `${of}_STATE_${older}` : older;
    return has('lower-case-states') ? long.toLowerCase() : long;
  };
  const amounts = (fee: number, order: SimulatedOrder, { totalOff }: Lies): object => {
    if (has('fee-in-msat')) return { fee_total_msat: has('number-amounts') ? fee * 1000 : (fee * 1000).toString() };
    return {
      ...(has('no-fee') ? {} : { fee_total_sat: sat(fee) }),
      ...(has('no-total') ? {} : { order_total_sat: sat(fee + order.clientSats + totalOff) }),
    };
  };
  const invoiceOf = ({ invoice }: SimulatedOrder): string => (has('invoice-as-link') ? `lightning:${invoice.toUpperCase()}` : invoice);
  const addressOf = (order: SimulatedOrder, address: string, feeSats: number): string =>
    has('address-as-link') ? `${bitcoinUri(address, BigInt(feeSats + order.clientSats))}&lightning=${order.invoice}`.toUpperCase() : address;

  const payment = (order: SimulatedOrder, lies: Lies): object => {
    if (order.isFree || has('no-payment')) return {};
    const expires_at = time(lies.expired ? now() - 1000 : order.expiresOn);
    if (has('flat-payment')) {
      const state = order.payments.onchain === 'EXPECT_PAYMENT' ? order.payments.bolt11 : order.payments.onchain;
      return {
        state: word(state, 'PAYMENT'),
        ...amounts(order.feeSats, order, lies),
        expires_at,
        lightning_invoice: invoiceOf(order),
        onchain_address: order.onchain?.address ?? null,
      };
    }
    const { onchain } = order;
    return {
      bolt11: has('no-bolt11')
        ? null
        : { state: word(order.payments.bolt11, 'PAYMENT'), expires_at, ...amounts(order.feeSats, order, lies), invoice: invoiceOf(order) },
      ...(onchain && {
        onchain: {
          state: word(order.payments.onchain, 'PAYMENT'),
          expires_at,
          ...amounts(onchain.feeSats, order, lies),
          address: addressOf(order, onchain.address, onchain.feeSats),
          min_onchain_payment_confirmations: has('zero-conf-words') ? 'zero-conf' : 1,
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

  /** Writes the whole document as the deviations say: its member names and its envelope. */
  const shown = (document: object): object => {
    const named = has('camel-case') ? (camel(document) as object) : document;
    if (has('in-result')) return { jsonrpc: '2.0', id: 1, result: named };
    if (has('in-data')) return { success: true, data: named };
    return has('in-order') ? { status: 'ok', order: named } : named;
  };
  const idOf = (order: SimulatedOrder): object => {
    const id = has('numeric-ids') ? Number(order.id) : order.id;
    return has('id-for-order-id') ? { id } : { order_id: id };
  };

  return {
    sat,
    shown,
    order: (order: SimulatedOrder, lies: Lies): object =>
      shown({
        ...idOf(order),
        lsp_balance_sat: sat(order.lspSats),
        client_balance_sat: sat(order.clientSats),
        required_channel_confirmations: has('zero-conf-words') && order.confirmations === 0 ? 'zero-conf' : order.confirmations,
        funding_confirms_within_blocks: order.fundingWithin,
        channel_expiry_blocks: has('short-lease') ? Math.ceil(order.leaseBlocks / 10) : order.leaseBlocks,
        token: order.token,
        created_at: time(order.createdOn),
        announce_channel: order.announce || has('announces'),
        order_state: lies.state ?? word(orderState(order), 'ORDER'),
        payment: payment(order, lies),
        ...(order.channel
          ? {
              channel: {
                funded_at: time(order.channel.fundedOn),
                funding_outpoint: order.channel.outpoint,
                expires_at: time(order.channel.expiresOn),
              },
            }
          : has('no-channel-member')
            ? {}
            : { channel: null }),
      }),
    refuse: (status: number, code: number, message: string, property?: string): Response => {
      const sent = has('errors-under-200') ? 200 : has('errors-under-500') ? 500 : status;
      const json = (body: object): Response => Response.json(body, { status: sent });
      const sentence = property === undefined ? message : `${property}: ${message}`;
      if (has('text-errors')) return json({ message: sentence });
      if (has('error-and-message')) return json({ statusCode: sent, message: sentence, error: 'Bad Request' });
      if (has('message-lists')) return json({ statusCode: sent, message: [sentence], error: 'Bad Request' });
      if (has('error-lists')) return json({ errors: [{ code: 'INVALID', message: sentence }] });
      if (has('detail-errors')) return json({ detail: sentence });
      if (has('plain-text-errors')) return new Response(sentence, { status: sent, headers: { 'content-type': 'text/plain; charset=utf-8' } });
      if (has('page-errors')) {
        const page = `<!doctype html><title>Error</title><script>connect(peer)</script><p>${sentence}</p>`;
        return new Response(page, { status: sent, headers: { 'content-type': 'text/html' } });
      }
      if (has('empty-errors')) return new Response('', { status: sent });
      return json({ error: { code, message, data: { ...(property === undefined ? {} : { property }), message } } });
    },
  };
};

const camel = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.replaceAll(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase()), camel(inner)]),
  );
};
