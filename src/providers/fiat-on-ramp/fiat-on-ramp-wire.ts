/**
 * FLS01 v1.0 as providers speak it: only what we read, forgiving where the standard is unclear or the field differs from it.
 * Source: the text of FLS01 fiat_on_ramp v1.0 (github.com/breez/fiatlink) and the one public server (github.com/Amperstrand/fiatlink-flask).
 */
import { z } from 'zod';
import { optional, readTime, wireBoolean, wireFiat, wireInteger, wireSats, wireText } from '../kit/wire-values.ts';

/** Another date form than RFC 3339 is no expiry that we could keep; it is left out. */
const softTime = z
  .unknown()
  .optional()
  .transform((value) => (typeof value === 'string' ? readTime(value) : undefined));

export const verifyWire = z.object({ session_id: wireText.min(1), token: optional(wireText), expires_on: softTime });
export const sessionWire = z.object({ session_id: optional(wireText), expires_on: softTime });

const flag = z.unknown();
/** An array of objects, one object, a list of names (A3). */
export const featuresWire = z.object({
  supported_features: z.union([z.array(z.union([z.string(), z.record(z.string(), flag)])), z.record(z.string(), flag)]).nullish(),
});

export const optionWire = z.object({
  option: wireText.refine((name) => name.trim() !== ''),
  id: wireInteger,
  fee_rate: optional(z.union([z.number(), z.string().transform(Number)])),
  min_amount: optional(wireFiat),
  max_amount: optional(wireFiat),
});
export const currencyWire = z.object({ currency_id: wireInteger, currency_code: optional(wireText), payment_options: z.array(z.unknown()).nullish() });
/** Array of one-key objects, of many-key objects, one object keyed by code, a flat array (A4). */
export const paymentOptionsWire = z.object({ currencies: z.union([z.array(z.record(z.string(), z.unknown())), z.record(z.string(), z.unknown())]).nullish() });

/** `amount_sats`, or `amount_btc` as it was called before 2024; sats both. */
export const quoteWire = z.object({
  quote_id: wireText.min(1),
  amount_fiat: wireFiat,
  amount_sats: optional(wireSats),
  amount_btc: optional(wireSats),
  currency_id: optional(wireInteger),
  payment_option_id: optional(wireInteger),
  is_estimate: optional(wireBoolean),
  btc_price: optional(wireFiat),
  order_fee: optional(wireFiat),
  expires_on: softTime,
});

export const orderWire = z.object({
  order_id: wireText.min(1),
  order_status: optional(wireText),
  amount_fiat: optional(wireFiat),
  amount_sats: optional(wireSats),
  amount_btc: optional(wireSats),
  currency_id: optional(wireInteger),
  payment_option_id: optional(wireInteger),
  order_fee: optional(wireFiat),
  expires_on: softTime,
  payment_info: z.unknown().optional(),
});

/** An entry of /order-status; also the shape of a flat answer (A9). */
export const statusEntryWire = z.object({
  order_id: optional(wireText),
  order_status: wireText,
  amount_fiat: optional(wireFiat),
  amount_sats: optional(wireSats),
  amount_btc: optional(wireSats),
  currency_id: optional(wireInteger),
  payment_option_id: optional(wireInteger),
  order_fee: optional(wireFiat),
  order_status_date: softTime,
  expires_on: softTime,
});
export const statusWire = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown()), z.null()]);

const withdrawalWire = z.object({ order_id: optional(wireText), withdrawal_expiration_date: softTime, lnurlw: wireText });

/** An error may come as a text or an object under HTTP 200. Made once: making a schema costs more than using it. */
export const quoteReply = z.union([quoteWire, z.string(), z.object({ message: z.string() })]);
export const statusReply = z.union([statusWire, z.string()]);
export const withdrawalReply = z.union([withdrawalWire, z.string()]);
