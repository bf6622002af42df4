/**
 * Reads a quote in the form that nearly all answers have. Every price request reads a quote from every provider, and reading it by the schema takes
 * several times as long. A test checks that this reader and the schema agree.
 */
import type * as z from 'zod';
import { readEnd } from '../kit/read-time.ts';
import type { quoteWire } from './fiat-on-ramp-wire.ts';

type Quote = z.output<typeof quoteWire>;

/** Stands for a value that is not in its usual form. */
const odd = Symbol('odd');

const usualAmount = (value: unknown): bigint | undefined | typeof odd => {
  if (value === undefined || value === null) return undefined;
  return Number.isSafeInteger(value) ? BigInt(value as number) : odd;
};
const usualNumber = (value: unknown): number | undefined | typeof odd => {
  if (value === undefined || value === null) return undefined;
  // The schema reads -0 as 0.
  return Number.isSafeInteger(value) && value !== 0 ? (value as number) : odd;
};

/** Returns undefined for every form that only the schema can judge. */
export const readUsualQuote = (value: unknown): Quote | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const given = value as { [member in keyof Quote]?: unknown };
  const { quote_id, is_estimate } = given;
  if (typeof quote_id !== 'string' || !/^[\w-]{1,100}$/.test(quote_id) || typeof is_estimate !== 'boolean') return undefined;
  const amount_fiat = usualAmount(given.amount_fiat);
  const amount_sats = usualAmount(given.amount_sats);
  const amount_btc = usualAmount(given.amount_btc);
  const currency_id = usualNumber(given.currency_id);
  const payment_option_id = usualNumber(given.payment_option_id);
  const btc_price = usualAmount(given.btc_price);
  const order_fee = usualAmount(given.order_fee);
  if (amount_fiat === odd || amount_fiat === undefined || amount_sats === odd || amount_btc === odd) return undefined;
  if (currency_id === odd || payment_option_id === odd || btc_price === odd || order_fee === odd) return undefined;
  const expires_on = readEnd(given.expires_on);
  return { quote_id, amount_fiat, amount_sats, amount_btc, currency_id, payment_option_id, is_estimate, btc_price, order_fee, expires_on };
};
