/** What adapters of channel sellers do in the same way. Pure. */
import { bitcoinUri } from '../../bitcoin/address.ts';
import type { OfferWarning, ProviderOffer } from '../../domain/offer.ts';
import type { PaymentInfo, PlacedOrder } from '../spec.ts';

export type PayWith = 'lightning' | 'onchain';

/** `payTo`: the invoice or the address. */
export const toPaymentInfo = (payWith: PayWith, payTo: string, pay: bigint): PaymentInfo =>
  payWith === 'lightning'
    ? { kind: 'invoice', value: payTo, amountSats: pay }
    : { kind: 'onchain', value: payTo, amountSats: pay, bip21: bitcoinUri(payTo, pay) };

/** Returns an order that exists at the seller, and that nobody can pay. The gateway reports that, and follows the order. */
export const unpayable = (orderId: string, { pay, receive, fee }: ProviderOffer, problem: string): PlacedOrder => ({
  upstreamOrderId: orderId,
  stage: 'awaiting_payment',
  pay,
  receive,
  fee,
  paymentInfo: { kind: 'none', problem },
});

/** From this size on, the customer's node must support large channels (BOLT 2 and 9, option_support_large_channel), which we cannot see. */
const largeChannelSats = 16_777_216n;
export const warningsFor = ({ lspSats, clientSats }: { lspSats: bigint; clientSats: bigint }): OfferWarning[] =>
  lspSats + clientSats >= largeChannelSats ? ['large-channel'] : [];

/** Returns a node's addresses with Tor's last, since not every wallet has Tor. */
export const torLast = (addresses: readonly string[]): string[] => {
  const isTor = (address: string): boolean => address.includes('.onion:');
  return [...addresses.filter((one) => !isTor(one)), ...addresses.filter(isTor)];
};
