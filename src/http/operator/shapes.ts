/** What an operator sees. Stored data of others is in it as masked JSON without a fixed form. */
import { z } from '@hono/zod-openapi';
import { intentStates, stages } from '../../domain/order.ts';
import { ramps } from '../../domain/ramp.ts';
import { keptAmount, orderState, time } from '../shapes.ts';

const text = z.string();
const masked = z.unknown();
const amount = z.string().openapi({ description: 'In the units of the ramp' });
const ramp = z.enum(ramps);
const stage = z.enum(stages);
const placing = z.enum(intentStates);

export const found = z.object({
  order_id: text,
  provider: text,
  ramp,
  placing,
  request_id: text,
  customer: text,
  created_on: time,
  stage: stage.optional(),
  upstream_order_id: text.optional(),
  pay: amount.optional(),
  receive: amount.optional(),
});

const order = z.object({
  ...orderState,
  stage_on: time,
  raw_status: text,
  checked_on: time.optional(),
  checks: z.int(),
  next_check_on: time.optional(),
  final: z.boolean(),
  created_on: time,
  changed_on: time,
  expires_on: time.optional(),
  follow_until: time,
  pay: amount,
  receive: amount,
  fee: amount,
  quoted_pay: amount,
  quoted_receive: amount,
  binding: z.boolean(),
  app: text.optional(),
  terms: masked,
  facts: masked,
  upstream: masked,
});

const deliveryState = z.enum(['due', 'delivered', 'dead', 'superseded', 'disabled']);

export const dossier = z.object({
  order_id: text,
  where: text,
  ramp,
  provider: text,
  upstream_order_id: text.optional(),
  customer: text,
  order: order.optional(),
  events: z.array(z.object({ sequence: z.int(), at: time, from: stage.optional(), to: stage, raw_status: text, source: text, note: text.optional() })),
  placing: z.object({
    id: text,
    quote_id: text,
    state: placing,
    attempts: z.int(),
    request_id: text,
    idempotency_key: text.optional().openapi({ description: 'Whether one was given, not which' }),
    created_on: time,
    sent_on: time.optional(),
    dead_on: time,
    next_try_on: time,
    in_hand_of: text.optional(),
    known_before: z.array(text).optional(),
    evidence: masked.optional(),
    answered: z.boolean(),
    quote: masked,
  }),
  turns: z
    .array(z.object({ order_id: text, quote_id: text, provider: text, state: placing, evidence: masked.optional() }))
    .optional()
    .openapi({ description: 'Of a request with failover that moved: the attempt at each provider, in order' }),
  claim: z.object({ state: text, attempts: z.int(), created_on: time, next_try_on: time, expires_on: time.optional() }).optional(),
  notices: z.array(z.object({ id: text, received_on: time, purpose: text, genuine: z.boolean(), count: z.int() })),
  deliveries: z.array(
    z.object({
      id: text,
      type: text,
      sequence: z.int(),
      host: text,
      state: deliveryState,
      attempts: z.int(),
      last_outcome: text.optional(),
      created_on: time,
      due_on: time.optional(),
      done_on: time.optional(),
    }),
  ),
  route: z.union([z.object({ id: text, request_id: text, created_on: time, decision: masked }), text]).openapi({ description: 'Or that it is no longer kept' }),
});

export const attention = z.object({
  review: z.array(found),
  unknown: z.array(found),
  disputed: z.array(found).openapi({ description: 'Paid, and filled with less than was ordered' }),
  twins: z.array(found).openapi({ description: 'Orders that share one order at their provider: one payment may have been reported for both' }),
  claims_in_review: z.array(text),
  dead_letters: z.array(
    z.object({
      id: text,
      subject_id: text,
      type: text,
      host: text,
      state: deliveryState,
      attempts: z.int(),
      created_on: time,
      last_outcome: text.optional(),
    }),
  ),
  switches: z.array(z.object({ name: text, mode: text, reason: text, set_on: time, set_by: text, until: time.optional() })),
});

const sums = z.object({ quoted_sats: keptAmount, delivered_sats: keptAmount });
/** Sums as they count today. One pair remembers for weeks, the other for days. */
const windows = { slow: sums, fast: sums };

export const record = z.object({
  learning: z.enum(['off', 'shown', 'ranked']),
  since: time,
  providers: z.array(
    z.object({
      provider: z.string(),
      orders: z.int(),
      quoted_sats: keptAmount,
      delivered_sats: keptAmount,
      refused: z.int(),
      price_changed: z.int(),
      wins: z.int(),
      wins_lost_by_haircut: z.int(),
      time_to_fill_ms: z.object({ p50: z.int(), p95: z.int() }).nullable(),
      promises: z.array(z.object({ ramp: ramp, haircut_ppm: z.int(), ...windows, reset_on: time.optional() })),
      options: z.array(
        z.object({
          ramp: ramp,
          currency: z.string(),
          option: z.string(),
          estimate_haircut_ppm: z.int(),
          haircut_from: z.enum(['configured', 'record', 'operator']),
          ...windows,
          all: z.object({ orders: z.int(), quoted_sats: keptAmount, delivered_sats: keptAmount, since: time }),
          reset_on: time.optional(),
        }),
      ),
    }),
  ),
});
