/** The shapes of what an operator sees. Stored documents, such as a provider's own data, appear as masked JSON without a fixed form. */
import * as z from 'zod';
import { intentStates, stages } from '../../domain/order.ts';
import { settlings } from '../../gateway/operator/settle.ts';
import { orderLists } from '../../ports/operator.ts';
import { providerModes } from '../../gateway/switches.ts';
import { reviewReason } from '../order-shapes.ts';
import { deliveryRecord, haircutSource, learning } from '../price-shapes.ts';
import { circuits, lastFault } from '../service/providers.ts';
import { bps, count, milliseconds, orderState, ppm, providerId, ramp, sats, stage, time } from '../shapes.ts';

const text = z.string();
const masked = z.unknown();
const amount = z.string();
export const placing = z.enum(intentStates);
export const settling = z.enum(settlings);
export const orderList = z.enum(orderLists);
/** The stages that an operator may name for an order in review. */
export const namedStage = z.enum(stages).exclude(['review']);

export const found = z.object({
  order_id: text,
  provider: providerId,
  ramp,
  placing,
  request_id: text,
  customer: text,
  created_on: time,
  since: time,
  stage: stage.optional(),
  review_reason: reviewReason.optional(),
  upstream_order_id: text.optional(),
  currency: text.optional(),
  pay: amount.optional(),
  receive: amount.optional(),
  settlings: z.array(settling),
});

export const dossierOrder = z.object({
  ...orderState,
  stage_on: time,
  raw_status: text,
  checked_on: time.optional(),
  checks: count,
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
  min_receive: amount.optional(),
  max_pay: amount.optional(),
  told_pay: amount.optional(),
  told_receive: amount.optional(),
  told_fee: amount.optional(),
  told_on: time.optional(),
  link_receive: amount.optional(),
  link_read_on: time.optional(),
  disputed: z.boolean().optional(),
  short_released_on: time.optional(),
  binding: z.boolean(),
  app: text.optional(),
  terms: masked,
  facts: masked,
  upstream: masked,
});

export const deliveryState = z.enum(['due', 'delivered', 'dead', 'superseded', 'disabled']);
export const dossierEvent = z.object({ sequence: count, at: time, from: stage.optional(), to: stage, raw_status: text, source: text, note: text.optional() });
export const dossierPlacing = z.object({
  id: text,
  quote_id: text,
  state: placing,
  attempts: count,
  request_id: text,
  idempotency_key: text.optional(),
  created_on: time,
  sent_on: time.optional(),
  dead_on: time,
  next_try_on: time,
  in_hand_of: text.optional(),
  known_before: z.array(text).optional(),
  evidence: masked.optional(),
  answered: z.boolean(),
  quote: masked,
});
export const dossierTurn = z.object({ order_id: text, quote_id: text, provider: providerId, state: placing, evidence: masked.optional() });
export const dossierClaim = z.object({ state: text, attempts: count, created_on: time, next_try_on: time, expires_on: time.optional() });
export const dossierNotice = z.object({ id: text, received_on: time, purpose: text, genuine: z.boolean(), count });
export const dossierDelivery = z.object({
  id: text,
  type: text,
  sequence: count,
  host: text,
  state: deliveryState,
  attempts: count,
  last_outcome: text.optional(),
  created_on: time,
  due_on: time.optional(),
  done_on: time.optional(),
  may_send: z.boolean(),
});
export const decisionOutcome = z.enum(['offer', 'excluded', 'refused', 'failed']);
export const decisionRow = z.object({
  provider: providerId,
  outcome: decisionOutcome,
  rank: count.optional(),
  ordered: z.boolean(),
  pay: amount.optional(),
  receive: amount.optional(),
  fee: amount.optional(),
  binding: z.boolean().optional(),
  behind_best_bps: bps.optional(),
  reason: text.optional(),
});
export const dossierRoute = z.object({ id: text, request_id: text, created_on: time, decision: masked });

export const dossier = z.object({
  order_id: text,
  where: text,
  ramp,
  provider: providerId,
  upstream_order_id: text.optional(),
  customer: text,
  order: dossierOrder.optional(),
  events: z.array(dossierEvent),
  placing: dossierPlacing,
  turns: z.array(dossierTurn).optional(),
  claim: dossierClaim.optional(),
  notices: z.array(dossierNotice),
  deliveries: z.array(dossierDelivery),
  route: z.union([dossierRoute, text]),
  sequence: count,
  pin: text,
  settlings: z.array(settling),
  asked_providers: z.array(decisionRow),
  for_customer: text,
});
export const settled = z.object({ order_id: text, settling, done: text });
export const sentWebhook = z.object({ id: text, state: deliveryState });
export const deadLetter = z.object({
  id: text,
  subject_id: text,
  type: text,
  host: text,
  state: deliveryState,
  attempts: count,
  created_on: time,
  last_outcome: text.optional(),
});
export const listedWebhook = z.object({ ...deadLetter.shape, due_on: time.optional() });
export const failingWebhook = z.object({ ...deadLetter.shape, due_on: time });
export const illProvider = z.object({ provider: providerId, circuits, last_success_on: time.optional(), last_fault: lastFault.optional() });
export const switchInForce = z.object({ name: text, mode: text, reason: text, set_on: time, set_by: text, until: time.optional() });
export const keysInRotation = z.object({ purpose: text, keys: z.array(text) });
export const attention = z.object({
  review: z.array(found),
  late: z.array(found),
  unknown: z.array(found),
  disputed: z.array(found),
  twins: z.array(found),
  claims_in_review: z.array(text),
  dead_letters: z.array(deadLetter),
  failing_webhooks: z.array(failingWebhook),
  ill_providers: z.array(illProvider),
  switches: z.array(switchInForce),
  keys_in_rotation: z.array(keysInRotation),
});

export const sums = z.object({ quoted_sats: sats, delivered_sats: sats });
/** Quoted and delivered sats, in which older fills count less: `slow` remembers fills for weeks, `fast` for days. */
const windows = { slow: sums, fast: sums };
export const fillTimes = z.object({ p50: milliseconds, p95: milliseconds });
export const promiseRecord = z.object({ ramp, haircut_ppm: ppm, ...windows, reset_on: time.optional() });
export const optionRecord = z.object({
  ramp,
  currency: text,
  option: text,
  estimate_haircut_ppm: ppm,
  haircut_from: haircutSource,
  ...windows,
  all: deliveryRecord,
  reset_on: time.optional(),
});
export const providerRecord = z.object({
  provider: providerId,
  orders: count,
  quoted_sats: sats,
  delivered_sats: sats,
  refused: count,
  price_changed: count,
  wins: count,
  wins_lost_by_haircut: count,
  time_to_fill_ms: fillTimes.nullable(),
  promises: z.array(promiseRecord),
  options: z.array(optionRecord),
});
export const record = z.object({ learning, since: time, providers: z.array(providerRecord) });

export const switchMode = z.enum([...providerModes, 'configured']);
export const providerSwitch = z.object({ provider: providerId, mode: switchMode, reason: text, until: time.optional(), set_on: time, version: text });
