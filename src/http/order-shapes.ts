/** The shapes of answers about orders: each ramp's order call, and the entries of its status call. */
import { z } from '@hono/zod-openapi';
import { euroDeliveries } from '../domain/offer.ts';
import { bought, charged, exchanged, liquidityFacts, product } from './price-shapes.ts';
import { anyAmount, keptAmount, orderState, paymentInfo, providerRef, time, uuid } from './shapes.ts';

const ordered = { order_id: uuid, ...orderState, provider: providerRef, expires_on: time.optional(), payment_info: paymentInfo };
const estimate = { is_estimate: z.boolean(), next_check_on: time.optional() };
const sale = { delivered_to: z.enum(euroDeliveries).optional(), matched_by: z.enum(['order_id', 'amount']).optional() };
const channel = { product, pay_with: z.string(), amount_sats: anyAmount, ...bought, ...liquidityFacts };

export const buyOrder = z.object({ ...ordered, ...exchanged });
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
  payment_info: paymentInfo.optional().openapi({ description: 'While it can be paid: as the ordering call gave it' }),
};
const quotedSats = { quoted_amount_sats: keptAmount };
const redemption = {
  redemption: z
    .object({ lnurl: z.string().optional(), link: z.string().optional() })
    .optional()
    .openapi({ description: 'What a channel or link is redeemed with: whoever has it has the money' }),
  redemption_means: z.string().optional(),
};

/** By order id. */
export const buyStatus = z.record(uuid, z.object({ ...status, ...exchanged, ...charged, ...quotedSats, on_chain_fallback: z.boolean() }));
export const sellStatus = z.record(uuid, z.object({ ...status, ...exchanged, ...charged, ...quotedSats, ...sale }));
export const liquidityStatus = z.record(uuid, z.object({ ...status, ...channel, ...redemption }));
