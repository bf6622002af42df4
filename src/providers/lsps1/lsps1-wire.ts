/**
 * LSPS1 as sellers serve it over HTTP. Only what we read, and forgiving where sellers differ from the standard.
 * Source: bLIP-51 (github.com/lightning/blips), and the forms seen in public clients (README.md).
 */
import { z } from 'zod';
import { readTime } from '../kit/read-time.ts';
import { optional, wireEnd, wireInteger, wireSats, wireText } from '../kit/wire-values.ts';

/** An unreadable time is dropped. */
const softTime = z.unknown().optional().transform(readTime);
const amount = optional(wireSats);

const limits = z.object({
  min_required_channel_confirmations: optional(wireInteger),
  min_funding_confirms_within_blocks: optional(wireInteger),
  max_channel_expiry_blocks: optional(wireInteger),
  min_initial_client_balance_sat: amount,
  max_initial_client_balance_sat: amount,
  min_initial_lsp_balance_sat: amount,
  max_initial_lsp_balance_sat: amount,
  min_channel_balance_sat: amount,
  max_channel_balance_sat: amount,
});
const identity = z.object({ uris: z.array(z.unknown()).nullish().catch(undefined), public_key: z.unknown().optional() });
/** The limits are flat or under `options`. A document without the largest channel is no get_info. */
export const infoWire = z
  .preprocess((value) => {
    const options = typeof value === 'object' && value !== null && 'options' in value ? value.options : undefined;
    return typeof options === 'object' && options !== null && !Array.isArray(options) ? { ...(value as object), ...options } : value;
  }, limits.extend(identity.shape))
  .refine((info) => info.max_initial_lsp_balance_sat !== undefined || info.max_channel_balance_sat !== undefined, { path: ['max_channel_balance_sat'] });
export type InfoWire = z.output<typeof infoWire>;

/** One way to pay, nested under its name or, in older servers, the whole `payment`. */
export const paymentWire = z.object({
  state: optional(wireText),
  payment_state: optional(wireText),
  expires_at: wireEnd,
  fee_total_sat: amount,
  order_total_sat: amount,
  fee_total_msat: amount,
  total_fee_msat: amount,
  order_total_msat: amount,
  invoice: optional(wireText),
  lightning_invoice: optional(wireText),
  bolt11_invoice: optional(wireText),
  address: optional(wireText),
  onchain_address: optional(wireText),
});
export type PaymentWire = z.output<typeof paymentWire>;

const outpoint = optional(z.string().regex(/^[0-9a-f]{64}:\d{1,5}$/i)).catch(undefined);
const channelWire = z.object({ funded_at: softTime, funding_outpoint: outpoint, expires_at: softTime });
export const orderWire = z.object({
  order_id: z.string().min(1).max(128),
  order_state: optional(wireText),
  lsp_balance_sat: amount,
  client_balance_sat: amount,
  channel_expiry_blocks: optional(wireInteger),
  payment: z.record(z.string(), z.unknown()).nullish(),
  channel: channelWire.nullish().catch(undefined),
});
export type OrderWire = z.output<typeof orderWire>;

/** What servers send instead of an order, under 200 or 4xx: a JSON-RPC error, a message, a bare text. */
export const refusalWire = z.union([
  z.string(),
  z.object({ error: z.unknown() }).refine(({ error }) => error !== undefined),
  z.object({ message: z.string() }),
]);
