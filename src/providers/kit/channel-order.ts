/** What the adapters of channel sellers have in common. Pure. */
import { bitcoinUri } from '../../bitcoin/address.ts';
import type { Facts, OfferWarning, ProviderOffer } from '../../domain/offer.ts';
import type { LiquidityQuoteRequest, PaymentInfo, PlacedOrder } from '../spec.ts';

export type PayWith = 'lightning' | 'onchain';

/** `payTo`: the invoice or the address. */
export const toPaymentInfo = (payWith: PayWith, payTo: string, pay: bigint): PaymentInfo =>
  payWith === 'lightning'
    ? { kind: 'invoice', value: payTo, amountSats: pay }
    : { kind: 'onchain', value: payTo, amountSats: pay, bip21: bitcoinUri(payTo, pay) };

/** Returns an order that exists at the seller but that nobody can pay. The gateway reports this, and still follows the order. */
export const unpayable = (orderId: string, { pay, receive, fee }: ProviderOffer, problem: string): PlacedOrder => ({
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  pay,
  receive,
  fee,
  paymentInfo: { kind: 'none', problem },
});

/**
 * Returns whether the ordered channel has less inbound capacity than was offered, or a shorter lease than was requested or offered. The order for an
 * estimate is made later than its offer, and the seller's limits may have changed in between.
 */
export const fallsShort = (ordered: Facts, { leaseBlocks }: LiquidityQuoteRequest, { facts: offered }: ProviderOffer): boolean => {
  const lease = Math.max(leaseBlocks ?? 0, Number(offered.lease_blocks ?? 0));
  return Number(ordered.lease_blocks ?? 0) < lease || Number(ordered.inbound_sats ?? 0) < Number(offered.inbound_sats ?? 0);
};

/** From this size on, the customer's node must support large channels (BOLT 2 and 9, option_support_large_channel). We cannot see whether it does. */
const largeChannelSats = 16_777_216n;
export const warningsFor = ({ lspSats, clientSats }: { lspSats: bigint; clientSats: bigint }): OfferWarning[] =>
  lspSats + clientSats >= largeChannelSats ? ['large-channel'] : [];

/** An address without characters that could change how a wallet or a person reads it. An IPv6 address is in brackets. */
const peerForm = /^0[23][0-9a-f]{64}@(?:[a-z0-9_](?:[a-z0-9_.-]{0,253}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]):\d{1,5}$/i;
/** The most addresses that are kept from one seller's listing, because every customer gets the listings of all sellers. */
export const mostPeers = 20;
/** Returns the first addresses (`pubkey@host:port`) in what a seller says about its node. */
export const peersIn = (given: unknown): string[] =>
  (Array.isArray(given) ? given : [given])
    .slice(0, 5 * mostPeers)
    .filter((one): one is string => typeof one === 'string' && peerForm.test(one))
    .slice(0, mostPeers);

/** Returns a node's addresses with those of Tor last, because not every wallet can use Tor. */
export const torLast = (addresses: readonly string[]): string[] => {
  const isTor = (address: string): boolean => address.includes('.onion:');
  return [...addresses.filter((one) => !isTor(one)), ...addresses.filter(isTor)];
};
