/** Checks DFX's answer to an order before the customer sees how to pay. An answer that is wrong in any part is a refusal or a fault. Pure. */
import { readBic, readIban } from '../../banking/bank-account.ts';
import { withoutLightningScheme } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import { defined } from '../../domain/defined.ts';
import type { ExchangeRamp } from '../../domain/ramp.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, CatalogueOption, PlacedOrder } from '../spec.ts';
import { notesOf } from './dfx-catalogue.ts';
import { buyPrice, sellPrice } from './dfx-price.ts';
import { refusalIn } from './dfx-refusal.ts';
import type { BuyOrderReply, SellOrderReply } from './dfx-order-wire.ts';
import type { QuoteReply } from './dfx-wire.ts';

/** DFX matches a payment to an order if the amount is off by at most this many basis points. So two open orders must differ by more. */
export const toleranceBps = 100;

type Made = { id: number; order: PlacedOrder } | { refusal: Refusal };
const wrong = (what: string): ProviderFault => new ProviderFault('malformed', what);

/** What is asked of DFX. `amount`: sats, or hundredths of the currency. `isInstant`: whether the customer pays by SEPA Instant. */
export type Asked = { ramp: ExchangeRamp; fixed: 'pay' | 'receive'; amount: bigint; currency?: string; isInstant?: boolean };

/**
 * Returns the currencies that the answer names. No member states the order's currency, but the steps of the price name it, and so does the code for
 * banking apps.
 */
const currenciesIn = ({ priceSteps = [] }: Pick<BuyOrderReply, 'priceSteps'>, code: string | undefined): string[][] => {
  const lines = code?.split(/\r?\n/) ?? [];
  const coded = lines[0] === 'BCD' ? lines[7]?.slice(0, 3) : lines[0] === 'SPC' ? lines[19] : undefined;
  const steps = priceSteps.flatMap(({ from, to }) => [from ?? [], to ?? []].flat());
  return [steps, coded === undefined ? [] : [coded]].filter((names) => names.length > 0);
};
const isInCurrency = (named: string[][], currency: string | undefined): boolean =>
  currency === undefined || named.every((names) => names.some((name) => name.toUpperCase() === currency.toUpperCase()));

/**
 * Reads what orders of both ramps have in common. The fixed amount must be as requested, and the figures must agree. The gateway judges the other
 * amount.
 */
const commonOf = (reply: QuoteReply & { id?: number | undefined; uid?: string | undefined }, asked: Asked) => {
  const refusal = refusalIn(reply, asked, true);
  if (refusal) return { refusal };
  const priced = asked.ramp === 'buy' ? buyPrice(asked, reply) : sellPrice(asked, reply);
  if ('refusal' in priced) return priced;
  if (priced.price[asked.fixed] !== asked.amount) throw wrong('the order is for another amount');
  const { id, uid } = reply;
  if (id === undefined || uid === undefined) throw wrong('the order has no id');
  const { btcPrice, ...amounts } = priced.price;
  const facts = { amount_tolerance_bps: toleranceBps, ...(btcPrice === undefined ? {} : { provider_btc_price: btcPrice.toString() }) };
  return { id, order: { upstreamOrderId: uid, stage: 'awaiting_payment' as const, rawStatus: 'WaitingForPayment', ...amounts, facts } };
};

const dayMs = 86_400_000;

export const toBuyOrder = (reply: BuyOrderReply, asked: Asked, { now, order_days }: { now: number; order_days: number }): Made => {
  const common = commonOf(reply, asked);
  if ('refusal' in common) return common;
  if (!isInCurrency(currenciesIn(reply, reply.paymentRequest), asked.currency)) throw wrong('the order is in another currency');
  if (asked.isInstant === true && reply.sepaInstant === false) throw wrong('an instant transfer was ordered, but the bank takes none');
  const iban = reply.iban === undefined ? undefined : readIban(reply.iban);
  if (iban === undefined || reply.name === undefined) throw wrong('the order has no readable IBAN, or does not name the owner of the account');
  const bic = reply.bic === undefined ? undefined : readBic(reply.bic);
  // A bank account that is only this customer's needs no reference. Any other account receives the payments of all customers.
  if (reply.remittanceInfo === undefined && reply.isPersonalIban !== true) throw wrong('the order has no payment reference');
  const paymentDetails = defined({
    provider_name: reply.name,
    provider_iban: iban,
    provider_bic: bic,
    provider_reference: reply.remittanceInfo,
    provider_bank: reply.bank,
    provider_address: addressIn(reply),
  });
  return { id: common.id, order: { ...common.order, expiresOn: now + order_days * dayMs, paymentInfo: { kind: 'fiat', paymentDetails } } };
};

const addressIn = ({ street, number, zip, city, country }: BuyOrderReply): string | undefined => {
  const lines = [[street, number], [zip, city], [country]].map((line) => line.filter((part) => part !== undefined && part !== '').join(' '));
  const address = lines.filter((line) => line !== '').join(', ');
  return address === '' ? undefined : address;
};

type Sale = { iban: string; network: AdapterDeps['network']; now: number };

/** The invoice is the only way to pay that is shown: DFX's LNURL takes any amount, and never expires. */
export const toSellOrder = (reply: SellOrderReply, asked: Asked, { iban, network, now }: Sale): Made => {
  const common = commonOf(reply, asked);
  if ('refusal' in common) return common;
  const { pay } = common.order;
  if (!isInCurrency(currenciesIn(reply, undefined), asked.currency)) throw wrong('the order is in another currency');
  if (reply.beneficiary?.iban === undefined) throw wrong('the order does not say which bank account it pays to');
  if (readIban(reply.beneficiary.iban) !== iban) throw wrong('the order would pay to another bank account');
  if (reply.paymentRequest === undefined) throw wrong('the order has no invoice');
  const value = withoutLightningScheme(reply.paymentRequest);
  const invoice = decodeInvoice(value);
  if (!invoice) throw wrong('the invoice cannot be read');
  if (invoice.network !== network) throw wrong('the invoice is for another network');
  if (invoice.amountMsat !== pay * 1000n) throw wrong('the invoice is for another amount');
  const expiresOn = invoiceExpiry(invoice);
  if (expiresOn <= now) throw wrong('the invoice has expired');
  return { id: common.id, order: { ...common.order, expiresOn, matchedBy: 'amount', paymentInfo: { kind: 'invoice', value, amountSats: pay } } };
};

/** Writes the body of an order or of a price as text, because the amount must keep its digits: 0.00107869, not 0.0010786900000000001. */
export const bodyWith = (members: object, { ramp, fixed, amount }: Asked): string => {
  const isFiat = (ramp === 'buy') === (fixed === 'pay');
  return `${JSON.stringify(members).slice(0, -1)},"${fixed === 'pay' ? 'amount' : 'targetAmount'}":${toDisplay(amount, isFiat ? 2 : 8)}}`;
};

/** Writes an amount in display units: 8760n with 2 places is 87.60. */
const toDisplay = (amount: bigint, places: number): string => {
  const digits = amount.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
};

/** Returns DFX's id of the currency: an order can name it only by id. Throws if the offer is from an earlier release, which did not keep the id. */
export const currencyIdOf = ({ option }: { option: CatalogueOption }): number => {
  const { currency } = notesOf(option.upstream);
  if (currency === undefined) throw new ProviderFault('malformed', 'the stored offer has no currency id', { taken: 'no' });
  return currency;
};
