/** The shapes of answers about orders: each ramp's order call, and the entries of its status call. */
import * as z from 'zod';
import { euroDeliveries } from '../domain/offer.ts';
import { reviewReasons } from '../domain/order.ts';
import { fillWarnings } from '../gateway/following/judge-order-fill.ts';
import { fiatPayment, satsPayment } from './payment-shapes.ts';
import { problemCode } from './problem-code.ts';
import { bought, charged, exchanged as exchangedAmounts, liquidityFacts } from './price-shapes.ts';
import { fiat, orderState, payoutForm, product, providerRef, sats, time, uuid } from './shapes.ts';

const ordered = { order_id: uuid, ...orderState, provider: providerRef, expires_on: time.optional() };
/** A provider that was tried before, and what ended that attempt. */
export const turn = z.object({ provider: providerRef, reason: problemCode });
const estimate = { is_estimate: z.boolean(), next_check_on: time.optional() };
/** `currency_code` is ours, not FLS01's. An order that was found at the provider after a restore has it only if the provider reports the currency. */
const exchanged = { ...exchangedAmounts, currency_code: z.string().optional() };
export const euroDelivery = z.enum(euroDeliveries);
export const matchedBy = z.enum(['order_id', 'amount']);
const sale = { delivered_to: euroDelivery.optional(), matched_by: matchedBy.optional() };
const channel = { product, pay_with: z.string(), amount_sats: sats, ...bought, ...liquidityFacts };

export const fillWarning = z.enum(fillWarnings);
export const reviewReason = z.enum(reviewReasons);
const warnings = z.array(fillWarning).optional();
const linkSats = sats.optional();

export const buyWithdrawal = z.object({ order_id: uuid, withdrawal_expiration_date: time, lnurlw: z.string(), link_sats: linkSats, warnings });
/** Besides `is_proven`, one member is present: it has the name of the kind of destination. */
export const payoutTo = z.object({
  lightning_address: z.string().optional(),
  lnurl: z.string().optional(),
  invoice: z.string().optional(),
  node_pubkey: z.string().optional(),
  onchain: z.string().optional(),
  is_proven: z.boolean(),
});
const pushed = { payout: payoutForm.optional(), payout_to: payoutTo.optional() };
export const buyOrder = z.object({
  ...ordered,
  payment_info: fiatPayment,
  ...exchanged,
  quote_id: uuid.optional(),
  moved_from: z.array(turn).optional(),
  ...pushed,
});
export const sellOrder = z.object({ ...ordered, payment_info: satsPayment, ...exchanged, ...charged, ...estimate, ...sale });
export const liquidityOrder = z.object({ ...ordered, payment_info: satsPayment, ...channel, ...estimate });

const status = {
  ...orderState,
  order_status_date: time,
  final: z.boolean(),
  quote_id: uuid,
  provider: providerRef,
  expires_on: time.optional(),
  next_check_on: time.optional(),
  disputed: z.literal(true).optional(),
  review_reason: reviewReason.optional(),
  warnings,
};
const quoted = { quoted_amount_sats: sats, quoted_amount_fiat: fiat };

export const buyOrderState = z.object({
  ...status,
  payment_info: fiatPayment.optional(),
  ...exchanged,
  ...charged,
  ...quoted,
  on_chain_fallback: z.boolean(),
  link_sats: linkSats,
  ...pushed,
  payout_id: z.string().optional(),
  payout_on: time.optional(),
});
export const sellOrderState = z.object({ ...status, payment_info: satsPayment.optional(), ...exchanged, ...charged, ...quoted, ...sale });
export const redemption = z.object({ lnurl: z.string().optional(), link: z.string().optional() });
export const liquidityOrderState = z.object({
  ...status,
  payment_info: satsPayment.optional(),
  ...channel,
  redemption: redemption.optional(),
  redemption_means: z.string().optional(),
});

/** The orders, keyed by order id. */
export const buyOrders = z.record(uuid, buyOrderState);
export const sellOrders = z.record(uuid, sellOrderState);
export const liquidityOrders = z.record(uuid, liquidityOrderState);
