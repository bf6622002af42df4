/** Checks a new order before anybody is asked to pay it. Pure. */
import { checkPayoutAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { withoutLightningScheme } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import { decodeLnurl, encodeLnurl } from '../../bitcoin/lnurl.ts';
import { customerLink } from '../../domain/links.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import type { PayWith } from '../kit/channel-order.ts';
import type { Settings } from './blocktank-settings.ts';
import { rawStatusOf, statesOf } from './blocktank-stage.ts';
import type { Terms } from './blocktank-terms.ts';
import type { InfoWire, OrderWire } from './blocktank-wire.ts';

/** An order that can be sold. `payTo` is the invoice or the address, never both: only one of them may be used. */
export type Made = {
  orderId: string;
  pay: bigint;
  receive: bigint;
  fee: bigint;
  payTo: string;
  expiresOn: number;
  channelExpiresOn: number | undefined;
  /** Whether a wallet can open the channel: the order has an LNURL that the gateway would show. */
  isRedeemable: boolean;
  rawStatus: string;
};
export type Checks = {
  network: BitcoinNetwork;
  now: number;
  payWith: PayWith;
  loopbackHttp: boolean;
  /** Where an LNURL may lead. */
  payoutHosts: readonly string[];
  info: InfoWire;
  settings: Settings;
};

const broken = (what: string): never => {
  throw new ProviderFault('malformed', what);
};

/**
 * Returns the order if it is what was asked for and can be paid. Refuses an order that cannot be paid in time. Throws
 * `malformed` for an order that contradicts the request or itself.
 */
export const toMade = (order: OrderWire, terms: Terms, checks: Checks): { made: Made } | { refusal: Refusal } => {
  const { network, now, payWith, settings } = checks;
  const pay = order.feeSat ?? broken('the order has no feeSat');
  contradict(order, pay, terms, checks);
  const end = order.orderExpiresAt;
  if (typeof end !== 'number') return broken('the expiry of the order cannot be read');
  const { bolt11Invoice, onchain } = order.payment ?? {};
  const invoice = bolt11Invoice?.request === undefined ? undefined : checkedInvoice(bolt11Invoice.request, pay, checks);
  const address = onchain?.address === undefined ? undefined : checkedAddress(onchain.address, network);
  if (end <= now) return broken('the order had already expired when it was made');
  const payTo = (payWith === 'lightning' ? invoice?.text : address) ?? broken('the order lacks the requested way to pay');
  const margin = (payWith === 'lightning' ? settings.expiry_margin_s : settings.onchain_margin_s) * 1000;
  const expiresOn = payWith === 'lightning' ? Math.min(end - margin, invoice?.expiresOn ?? end) : end - margin;
  // Too little time is left to pay and to open the channel.
  if (expiresOn <= now) return { refusal: { reason: payWith === 'onchain' ? 'payment-method-unsupported' : 'declined' } };
  return {
    made: {
      orderId: order.id,
      pay,
      receive: terms.clientSats,
      fee: pay - terms.clientSats,
      payTo,
      expiresOn,
      channelExpiresOn: order.channelExpiresAt,
      isRedeemable: isRedeemable(order, checks),
      rawStatus: rawStatusOf(order),
    },
  };
};

const dayMs = 86_400_000;

/** Throws if the order is not the one that was asked for, or is not from a node in /info. */
const contradict = (order: OrderWire, pay: bigint, terms: Terms, { info, now, settings }: Checks): void => {
  if (order.lspBalanceSat !== terms.lspSats || order.clientBalanceSat !== terms.clientSats) broken("the order's balances differ from those requested");
  if (order.channelExpiryWeeks !== terms.weeks) broken("the order's lease differs from the one requested");
  // The weeks count from the order's end, so the channel's end may be a little later. Clocks may differ by up to a day.
  if (order.channelExpiresAt !== undefined && order.channelExpiresAt < now + terms.weeks * 7 * dayMs - dayMs) broken('the channel ends before its lease does');
  if (pay < terms.clientSats || pay < 0n) broken("feeSat is less than the customer's balance");
  const key = order.lspNode?.pubkey;
  if (!info.nodes.some(({ pubkey }) => pubkey === key)) broken('the order names a seller node that /info does not list');
  if (settings.lsp_node !== undefined && settings.lsp_node !== key) broken('the order is from a different node than requested');
  const { order: state, payment } = statesOf(order);
  if (!/^(?:created|)$/.test(state) || !/^(?:created|)$/.test(payment)) broken('the new order is not in the state created');
};

const checkedInvoice = (request: string, pay: bigint, { network, now }: Checks): { text: string; expiresOn: number } => {
  const text = withoutLightningScheme(request);
  const invoice = decodeInvoice(text) ?? broken('the invoice cannot be paid');
  if (invoice.network !== network) broken('the invoice is for another network');
  if (invoice.amountMsat !== pay * 1000n) broken("the invoice's amount differs from the order's");
  const expiresOn = invoiceExpiry(invoice);
  return expiresOn > now ? { text, expiresOn } : broken('the invoice has already expired');
};

const checkedAddress = (given: string, network: BitcoinNetwork): string => {
  const checked = checkPayoutAddress(given.trim(), network);
  return 'problem' in checked ? broken('the address cannot be used for a payment') : checked.address;
};

/** Returns the LNURL with which a wallet opens the channel, in upper-case bech32. Undefined if the order has none that can be read. */
export const lnurlOf = ({ lnurl }: Pick<OrderWire, 'lnurl'>, loopbackHttp: boolean): string | undefined => {
  const read = lnurl === undefined ? undefined : decodeLnurl(lnurl, { loopbackHttp });
  return read === undefined ? undefined : encodeLnurl(read);
};

/**
 * Returns whether a new order has an LNURL on the seller's own hosts. The gateway does not show an LNURL on other hosts, so nobody could open the
 * channel with it.
 */
const isRedeemable = ({ lnurl }: OrderWire, { payoutHosts, loopbackHttp }: Checks): boolean => {
  const read = lnurl === undefined ? undefined : decodeLnurl(lnurl, { loopbackHttp });
  return read !== undefined && customerLink(read, payoutHosts, loopbackHttp) !== undefined;
};
