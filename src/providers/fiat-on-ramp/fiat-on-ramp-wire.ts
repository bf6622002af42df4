/**
 * Wire schemas of FLS01 v1.0 as providers speak it: only the members that we read, and forgiving where the standard is unclear or providers differ
 * from it. Source: the text of FLS01 fiat_on_ramp v1.0 (github.com/breez/fiatlink) and a public server (github.com/Amperstrand/fiatlink-flask).
 */
import * as z from 'zod';
import { readTime } from '../kit/read-time.ts';
import { optional, wireBoolean, wireEnd, wireFiat, wireId, wireInteger, wireFirst, wireKey, wireSats, wireText } from '../kit/wire-values.ts';

export const verifyWire = z.object({ session_id: wireId, token: optional(wireText), expires_on: wireEnd });
export const sessionWire = z.object({ session_id: optional(wireId), expires_on: wireEnd });

const flag = z.unknown();
/** `supported_features` may be an array of objects, one object or a list of names. */
export const featuresWire = z.object({
  supported_features: z.union([wireFirst(100).pipe(z.array(z.union([z.string(), z.record(z.string(), flag)]))), z.record(z.string(), flag)]).nullish(),
});

/** A limit that cannot be read ("unlimited", 2^63-1, 1e20) counts as no limit. */
const limit = optional(wireFiat).catch(undefined);
export const optionWire = z.object({
  option: wireText.refine((name) => name.trim() !== ''),
  id: wireInteger,
  fee_rate: optional(z.union([z.number(), z.string().transform(Number)])),
  min_amount: limit,
  max_amount: limit,
});
export const currencyWire = z.object({ currency_id: wireInteger, currency_code: optional(wireText), payment_options: z.array(z.unknown()).nullish() });
/** `currencies` may be an array of objects with one key or several, one object keyed by code, or a flat array. */
export const paymentOptionsWire = z.object({
  currencies: z.union([wireFirst(500).pipe(z.array(z.record(z.string(), z.unknown()))), z.record(z.string(), z.unknown())]).nullish(),
});

/** The amount is in `amount_sats`, or in `amount_btc`, its name before 2024. Both are in sats. */
export const quoteWire = z.object({
  quote_id: wireId,
  amount_fiat: wireFiat,
  amount_sats: optional(wireSats),
  amount_btc: optional(wireSats),
  currency_id: optional(wireInteger),
  payment_option_id: optional(wireInteger),
  is_estimate: optional(wireBoolean),
  btc_price: optional(wireFiat),
  order_fee: optional(wireFiat),
  expires_on: wireEnd,
});

export const orderWire = z.object({
  order_id: wireKey,
  order_status: optional(wireText),
  amount_fiat: optional(wireFiat),
  amount_sats: optional(wireSats),
  amount_btc: optional(wireSats),
  currency_id: optional(wireInteger),
  payment_option_id: optional(wireInteger),
  order_fee: optional(wireFiat),
  expires_on: wireEnd,
  payment_info: z.unknown().optional(),
});

/** One entry of /order-status. Some providers return a single entry alone instead of a map. */
export const statusIdWire = z.object({ order_id: optional(wireKey), order_status: wireText });
export const statusEntryWire = statusIdWire.extend({
  amount_fiat: optional(wireFiat),
  amount_sats: optional(wireSats),
  amount_btc: optional(wireSats),
  order_fee: optional(wireFiat),
  order_status_date: z.unknown().optional().transform(readTime),
  expires_on: wireEnd,
});
export const statusWire = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown()), z.null()]);

export const withdrawalReply = z.object({ order_id: optional(wireId), withdrawal_expiration_date: wireEnd, lnurlw: wireText });

/** With status 200, an answer may be an error: a string or an object. The schemas are constants, because making one costs more than using it. */
export const quoteReply = z.union([quoteWire, z.string(), z.object({ message: z.string() })]);
export const statusReply = z.union([statusWire, z.string()]);
