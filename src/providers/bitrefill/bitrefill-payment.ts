/** Returns how to pay a Bitrefill order. An order that contradicts itself or cannot be paid is not shown. Pure. */
import { bech32 } from '@scure/base';
import { bitcoinUri, checkPayoutAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { withoutLightningScheme, readBitcoinLink } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import { defined } from '../../domain/defined.ts';
import type { PaymentInfo } from '../spec.ts';
import type { Payment } from './bitrefill-wire.ts';

export type Wanted = { network: BitcoinNetwork; method: string; sats: bigint; now: number };

/**
 * Maps the payment. The `payment.address` of a Lightning order is the on-chain fallback of its invoice. It is not shown, because a customer who sees
 * both might pay twice.
 */
export const paymentInfoOf = (payment: Payment, wanted: Wanted): { paymentInfo: PaymentInfo } | { problem: string } => {
  if (wanted.method === 'lightning') return byInvoice(payment, wanted);
  return wanted.method === 'bitcoin' ? onchain(payment, wanted) : altcoin(payment, wanted);
};

const byInvoice = ({ lightningInvoice, BIP21 = '' }: Payment, { network, sats, now }: Wanted): { paymentInfo: PaymentInfo } | { problem: string } => {
  const value = withoutLightningScheme(lightningInvoice ?? readBitcoinLink(BIP21, network)?.invoice ?? '');
  const invoice = decodeInvoice(value);
  if (!invoice) return { problem: 'the order has no invoice that can be paid' };
  if (invoice.network !== network) return { problem: 'the invoice is for another network' };
  if (invoice.amountMsat !== sats * 1000n) return { problem: "the invoice's amount differs from the order's" };
  if (invoiceExpiry(invoice) <= now) return { problem: 'the invoice has already expired' };
  return { paymentInfo: { kind: 'invoice', value, amountSats: sats } };
};

/** Reads an on-chain payment. Bitrefill's link must agree with the order, but may leave the amount out. The link that we show has the amount. */
const onchain = ({ address: told, BIP21 }: Payment, { network, sats }: Wanted): { paymentInfo: PaymentInfo } | { problem: string } => {
  const link = BIP21 === undefined ? undefined : readBitcoinLink(BIP21, network);
  const given = told ?? link?.address ?? '';
  const checked = checkPayoutAddress(given, network);
  if ('problem' in checked || given.includes(':')) return { problem: 'the order has no bitcoin address of this network' };
  if (BIP21 !== undefined && (link?.address !== checked.address || (link.amountSats ?? sats) !== sats))
    return { problem: 'the bitcoin: link contradicts the order' };
  return { paymentInfo: { kind: 'onchain', value: checked.address, amountSats: sats, bip21: bitcoinUri(checked.address, sats) } };
};

/**
 * Matches a single word, as the addresses of all coins are, unless a wallet would read it as a bech32 bitcoin address, a bitcoin invoice or an LNURL.
 * A link is not a single word.
 */
const otherAddress = /^(?!ln(?:bc|tb|sb|url)|(?:bc|tb|bcrt)1)[a-z0-9]{20,128}$/i;
/** Another coin's invoice in the form of BOLT11, with an amount. */
const otherInvoice = /^ln(?!bc|tb|sb)[a-z]{2,8}\d{1,15}[munp]?1[ac-hj-np-z02-9]{110,}$/;
const bitcoinInvoice = /^ln(?:bc|tb|sb)/i;
const coinAmount = /^\d{1,20}(?:\.\d{1,30})?(?:e-\d{1,2})?$/i;
const coinCode = /^[a-z0-9][a-z0-9._-]{0,15}$/i;

const isOtherInvoice = (text: string): boolean =>
  text.length <= 4296 && otherInvoice.test(text.toLowerCase()) && bech32.decodeUnsafe(text, false) !== undefined;

/**
 * Reads a payment in another coin. Units differ per coin and are undocumented, so the amount is Bitrefill's own string. Only the forms of the amount
 * and the address are checked, because we do not know the coin. An invoice in bitcoin is judged like a Lightning order's.
 */
const altcoin = (payment: Payment, wanted: Wanted): { paymentInfo: PaymentInfo } | { problem: string } => {
  const { address, lightningInvoice, altcoinPrice, altcoinCode } = payment;
  const { method, sats } = wanted;
  const isInvoice = method.startsWith('lightning');
  const value = isInvoice ? lightningInvoice && withoutLightningScheme(lightningInvoice) : address;
  if (value === undefined) return { problem: 'the order has no address or invoice to pay' };
  if (isInvoice && bitcoinInvoice.test(value)) return byInvoice(payment, wanted);
  if (!(isInvoice ? isOtherInvoice(value) : otherAddress.test(value)))
    return { problem: 'the order is to be paid in another coin, but its address or invoice does not have the form of one' };
  // An invoice carries its own amount.
  if (altcoinPrice === undefined && !isInvoice) return { problem: 'the order states no amount in the coin that was chosen' };
  if (altcoinPrice !== undefined && !(coinAmount.test(altcoinPrice) && /[1-9]/.test(altcoinPrice.replace(/e.*/i, ''))))
    return { problem: 'the amount in the coin that was chosen cannot be read' };
  if (altcoinCode !== undefined && !coinCode.test(altcoinCode)) return { problem: "the coin's name cannot be read" };
  return { paymentInfo: { kind: 'altcoin', value, amountSats: sats, ...defined({ altcoinAmount: altcoinPrice }), altcoinCode: altcoinCode ?? method } };
};
