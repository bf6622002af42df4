/** The shapes of answers about orders: each ramp's order call, and the entries of its status call. */
import { z } from '@hono/zod-openapi';
import { euroDeliveries } from '../domain/offer.ts';
import { fillWarnings } from '../gateway/following/judge-order-fill.ts';
import { codes } from './problem.ts';
import { bought, charged, exchanged, liquidityFacts, product } from './price-shapes.ts';
import { anyAmount, keptAmount, orderState, paymentInfo, providerRef, time, uuid } from './shapes.ts';

const ordered = { order_id: uuid, ...orderState, provider: providerRef, expires_on: time.optional(), payment_info: paymentInfo };
/** In the answer, and in the problem if nobody took the order. */
export const movedFrom = z
  .array(z.object({ provider: providerRef, reason: z.enum(codes) }))
  .optional()
  .openapi({ description: 'With failover: the providers tried before, in order, and the problem code that ended each' });
const estimate = { is_estimate: z.boolean(), next_check_on: time.optional() };
const sale = { delivered_to: z.enum(euroDeliveries).optional(), matched_by: z.enum(['order_id', 'amount']).optional() };
const channel = { product, pay_with: z.string(), amount_sats: anyAmount, ...bought, ...liquidityFacts };

const fillWarningsShape = z
  .array(z.enum(fillWarnings))
  .optional()
  .openapi({ description: 'filled-differently: other amounts than were ordered; link-pays-less: the link pays less than the order says' });
const linkSats = keptAmount.optional().openapi({ description: 'What the withdrawal link said that it pays, when it was given out' });

export const buyWithdrawal = z.object({
  order_id: uuid,
  withdrawal_expiration_date: time,
  lnurlw: z.string(),
  link_sats: linkSats,
  warnings: fillWarningsShape,
});
export const buyOrder = z.object({
  ...ordered,
  ...exchanged,
  quote_id: uuid.optional().openapi({ description: 'With failover: the quote that was ordered' }),
  moved_from: movedFrom,
});
export const sellOrderShape = z.object({ ...ordered, ...exchanged, ...charged, ...estimate, ...sale });
export const liquidityOrderShape = z.object({ ...ordered, ...channel, ...estimate });

const status = {
  ...orderState,
  order_status_date: time,
  final: z.boolean(),
  quote_id: uuid,
  provider: providerRef,
  expires_on: time.optional().openapi({ description: 'While it can be paid' }),
  next_check_on: time.optional(),
  disputed: z.literal(true).optional().openapi({ description: 'It was filled with less than was ordered: the rest stays owed, whatever is taken' }),
  warnings: fillWarningsShape,
  payment_info: paymentInfo.optional().openapi({ description: 'While it can be paid: as the ordering call gave it' }),
};
const quotedSats = { quoted_amount_sats: keptAmount, quoted_amount_fiat: keptAmount };
const redemption = {
  redemption: z
    .object({ lnurl: z.string().optional(), link: z.string().optional() })
    .optional()
    .openapi({ description: 'What redeems the channel or link: whoever has it has the money' }),
  redemption_means: z.string().optional(),
};

/** By order id. */
export const buyStatus = z.record(uuid, z.object({ ...status, ...exchanged, ...charged, ...quotedSats, on_chain_fallback: z.boolean(), link_sats: linkSats }));
export const sellStatus = z.record(uuid, z.object({ ...status, ...exchanged, ...charged, ...quotedSats, ...sale }));
export const liquidityStatus = z.record(uuid, z.object({ ...status, ...channel, ...redemption }));
