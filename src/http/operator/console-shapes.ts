/** The shapes of what the operator's console shows besides single orders: the overview, and figures over time. */
import * as z from 'zod';
import { operations } from '../../ports/metric-list.ts';
import { providerModes } from '../../gateway/switches.ts';
import { faultKind } from '../price-shapes.ts';
import { bitcoinNetwork, circuit, lastFault, providerMode } from '../service/providers.ts';
import { bps, count, milliseconds, ppm, providerId, ramp, sats, stage, time } from '../shapes.ts';
import { switchInForce } from './shapes.ts';

const text = z.string();
const amount = z.string();

// ---- the overview --------------------------------------------------------------------------------------------------------------------------

export const operation = z.enum(operations);
export const runtimeMode = z.enum(['sandbox', 'live']);
export const offerMode = z.enum(providerModes);
export const credentials = z.enum(['none', 'set', 'missing', 'refused']);
export const missingKind = z.enum(['excluded', 'refused', 'failed']);
export const openCircuit = z.object({ instance: text, operation, state: circuit, since: time, reason: faultKind });
/** `answered` includes refusals and excluded offers: the provider did answer. */
export const callFigures = z.object({ answered: count, failed: count, answered_ppm: ppm.nullable(), p95_ms: milliseconds.nullable() });
export const missingOffers = z.object({ kind: missingKind, reason: text, count });
export const overviewProvider = z.object({
  provider: providerId,
  name: text,
  ramps: z.array(ramp),
  sandbox: z.boolean(),
  mode: offerMode,
  configured_mode: providerMode,
  switch: switchInForce.optional(),
  switch_version: text,
  credentials,
  credentials_refused_on: time.optional(),
  open_circuits: z.array(openCircuit),
  last_success_on: time.optional(),
  last_fault: lastFault.optional(),
  last_15_minutes: callFigures,
  last_24_hours: callFigures,
  missing_24_hours: z.array(missingOffers),
  open_orders: count,
});
export const waiting = z.object({
  review: count,
  late: count,
  unknown: count,
  disputed: count,
  twins: count,
  claims_in_review: count,
  dead_letters: count,
  failing_webhooks: count,
  ill_providers: count,
  switches: count,
  more: z.boolean(),
});
export const runningInstance = z.object({
  instance: text,
  version: text,
  started_on: time,
  seen_on: time,
  clock_ahead_ms: milliseconds,
  answers: z.boolean(),
});
export const holds = z.object({ orders: switchInForce.optional(), deliveries: switchInForce.optional() });
export const overview = z.object({
  answered_on: time,
  instance: text,
  version: text,
  mode: runtimeMode,
  network: bitcoinNetwork,
  holds,
  waiting,
  providers: z.array(overviewProvider),
  instances: z.array(runningInstance),
  figures_on: time.optional(),
  hours_to_count: count,
});

// ---- figures over time ---------------------------------------------------------------------------------------------------------------------

export const step = z.enum(['hour', 'day']);
const of = { provider: providerId, ramp, currency: text, option: text };
export const decidedFigures = z.object({ on: time, ramp, currency: text, option: text, decisions: count, without_offer: count });
export const offerFigures = z.object({
  on: time,
  ...of,
  offers: count,
  won: count,
  excluded: count,
  refused: count,
  failed: count,
  behind_best_bps: bps.nullable(),
});
export const missingFigures = z.object({ ...of, kind: missingKind, reason: text, count });
export const stageFigures = z.object({ on: time, ...of, stage, orders: count });
export const fillFigures = z.object({ on: time, ...of, fills: count, quoted_sats: sats, delivered_sats: sats, pay: amount, receive: amount });
export const series = z.object({
  from: time,
  to: time,
  step,
  counted_on: time.optional(),
  hours_to_count: count,
  decisions: z.array(decidedFigures),
  offers: z.array(offerFigures),
  missing: z.array(missingFigures),
  stages: z.array(stageFigures),
  fills: z.array(fillFigures),
});
