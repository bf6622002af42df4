/** The shapes of the three ramps' price answers, member by member. */
import * as z from 'zod';
import { conditions, deliveries, exclusionRules, offerWarnings } from '../domain/offer.ts';
import { faultKinds } from '../domain/fault-kind.ts';
import { decisive, policyNames, tieBreaks } from '../domain/ranking.ts';
import { haircutSources } from '../domain/record.ts';
import { feedStates } from '../domain/reference.ts';
import { refusalReasons } from '../domain/refusal.ts';
import { referenceSources } from '../domain/route.ts';
import {
  blocks,
  bps,
  btcPrice,
  count,
  fiat,
  milliseconds,
  payoutForm,
  payoutKind,
  ppm,
  product,
  providerId,
  providerRef,
  sats,
  seconds,
  smallId,
  time,
  uuid,
} from './shapes.ts';

export const delivery = z.enum(deliveries);
/** What a liquidity seller states about its offer or order. What it does not state is absent. */
export const liquidityFacts = {
  inbound_sats: sats.optional(),
  lease_blocks: blocks.optional(),
  delivered_as: delivery.optional(),
  connect_to: z.string().optional(),
  observed_on: time.optional(),
  least_pay_sats: sats.optional(),
  funding_outpoint: z.string().optional(),
  channel_expires_on: time.optional(),
};

// ---- an offer --------------------------------------------------------------------------------------------------------------------------

export const offerWarning = z.enum([...offerWarnings, 'price-check-weak']);
export const condition = z.enum(conditions);
export const haircutSource = z.enum(haircutSources);
export const deliveryRecord = z.object({ orders: count, quoted_sats: sats, delivered_sats: sats, since: time });
const warnings = z.array(offerWarning);
const offered = {
  rank: count,
  quote_id: uuid,
  provider: providerRef,
  is_estimate: z.boolean(),
  expires_on: time.optional(),
  accept_by: time,
  behind_best_bps: bps,
  haircut_ppm: ppm,
  haircut_from: haircutSource,
  record: deliveryRecord.optional(),
  requires: z.array(condition),
  warnings,
  latency_ms: milliseconds,
};
export const exchanged = { amount_fiat: fiat, amount_sats: sats, currency_id: smallId, payment_option_id: smallId };
const inCurrency = { ...exchanged, currency_code: z.string() };
export const charged = { btc_price: btcPrice, order_fee: fiat };
const priced = { ...charged, fee_bps: bps, cost_bps: bps.optional(), cost_vs_median_bps: bps.optional(), arrival_seconds: seconds.optional() };
export const bought = { pay_sats: sats, fee_sats: sats, client_sats: sats };

/** How the customer gets the sats. Absent in answers of earlier releases, in which customers always withdrew the sats. */
const handedOver = { payout: payoutForm.optional(), payout_kinds: z.array(payoutKind).optional() };
export const buyOffer = z.object({ ...offered, ...inCurrency, ...priced, expected_sats: sats, on_chain_fallback: z.boolean(), ...handedOver });
export const sellOffer = z.object({ ...offered, ...inCurrency, ...priced, expected_fiat: fiat });
export const liquidityOffer = z.object({ ...offered, ...bought, ...liquidityFacts, fee_ppm: ppm.optional() });

const quoted = { quote_id: true, is_estimate: true, expires_on: true, accept_by: true, provider: true } as const;
const quotedExchange = {
  ...quoted,
  amount_fiat: true,
  amount_sats: true,
  currency_id: true,
  payment_option_id: true,
  btc_price: true,
  order_fee: true,
} as const;
const open = { requires: true, warnings: true } as const;
export const buyQuote = buyOffer.pick({ ...quotedExchange, payout: true, payout_kinds: true }).extend({
  requires: z.array(condition).optional(),
  warnings: warnings.optional(),
});
export const sellQuote = sellOffer.pick({ ...quotedExchange, ...open });
export const liquidityQuote = liquidityOffer.pick({
  ...quoted,
  ...open,
  pay_sats: true,
  fee_sats: true,
  client_sats: true,
  inbound_sats: true,
  lease_blocks: true,
  observed_on: true,
  fee_ppm: true,
  connect_to: true,
  delivered_as: true,
});

// ---- providers that are not ranked --------------------------------------------------------------------------------------------------------

export const exclusionRule = z.enum(exclusionRules);
export const refusalReason = z.enum(refusalReasons);
export const faultKind = z.enum(faultKinds);
const exchangeLimits = {
  min_amount_fiat: fiat.optional(),
  max_amount_fiat: fiat.optional(),
  min_amount_sats: sats.optional(),
  max_amount_sats: sats.optional(),
};
const channelLimits = { min_pay_sats: sats.optional(), max_pay_sats: sats.optional(), min_amount_sats: sats.optional(), max_amount_sats: sats.optional() };
const excludedAs = { provider: providerRef, rule: exclusionRule, deviation_bps: bps.optional(), limit_bps: bps.optional(), until: time.optional() };
const refusedAs = { provider: providerRef, reason: refusalReason, connect_to: z.string().optional() };

export const failure = z.object({
  provider: providerRef,
  reason: faultKind,
  retryable: z.boolean(),
  latency_ms: milliseconds.optional(),
  retry_on: time.optional(),
});
export const exchangeExclusion = z.object({ ...excludedAs, amount_fiat: fiat.optional(), amount_sats: sats.optional() });
export const exchangeRefusal = z.object({ ...refusedAs, ...exchangeLimits });
export const liquidityExclusion = z.object({ ...excludedAs, pay_sats: sats, is_estimate: z.boolean() });
export const liquidityRefusal = z.object({ ...refusedAs, ...channelLimits });
const exchangeReasons = { excluded: z.array(exchangeExclusion), refused: z.array(exchangeRefusal), failed: z.array(failure) };
const liquidityReasons = { excluded: z.array(liquidityExclusion), refused: z.array(liquidityRefusal), failed: z.array(failure) };

export const limits = { exchange: z.object(exchangeLimits), liquidity: z.object(channelLimits) };

/** Returns the members that a problem with a ramp's prices or orders may have in addition. */
const asProblem = <R extends { excluded: z.ZodType; refused: z.ZodType; failed: z.ZodType }, L extends z.ZodType, O extends z.ZodType>(
  { excluded, refused, failed }: R,
  within: L,
  offer: O,
) => ({
  limits: within.optional(),
  excluded: excluded.optional(),
  refused: refused.optional(),
  failed: failed.optional(),
  offers: z.array(offer).optional(),
});
export const problemMembers = {
  buy: asProblem(exchangeReasons, limits.exchange, buyOffer),
  sell: asProblem(exchangeReasons, limits.exchange, sellOffer),
  liquidity: { ...asProblem(liquidityReasons, limits.liquidity, liquidityOffer), connect_to: z.string().optional() },
};

// ---- the whole answer ----------------------------------------------------------------------------------------------------------------------

export const policyName = z.enum(policyNames);
export const decidedBy = z.enum(decisive);
export const tieBreak = z.enum(tieBreaks);
export const referenceSource = z.enum(referenceSources);
export const feedState = z.enum(feedStates);
export const learning = z.enum(['off', 'shown', 'ranked']);
export const feedVerdict = z.object({ name: z.string(), state: feedState, btc_price: btcPrice.optional() });
export const reference = z.object({
  btc_price: btcPrice,
  source: referenceSource,
  observed_on: time,
  disputed: z.literal(true).optional(),
  feeds: z.array(feedVerdict).optional(),
});
const policy = {
  name: policyName,
  decided_by: decidedBy,
  tie_breaks: z.array(tieBreak),
  preference_bps: z.record(providerId, bps),
  preference_decided: z.boolean(),
  indicative_haircut_bps: bps,
  learning: learning.optional(),
  record_snapshot: z.string().optional(),
  max_wait_ms: milliseconds,
  waited_ms: milliseconds,
  answered_on: time,
};
export const exchangePolicy = z.object({
  ...policy,
  reference: reference.optional(),
  price_check: z.literal('weak').optional(),
  outlier_bps: bps,
  tolerance_bps: bps,
});
export const liquidityPolicy = z.object(policy);
const hint = z.string().optional();
const exchangeAnswer = {
  offers_id: uuid,
  hint,
  amount_fiat: fiat.optional(),
  amount_sats: sats.optional(),
  currency_id: smallId,
  payment_option_id: smallId,
  ...exchangeReasons,
  policy: exchangePolicy,
};
export const buyOffers = z.object({ ...exchangeAnswer, offers: z.array(buyOffer) });
export const sellOffers = z.object({ ...exchangeAnswer, offers: z.array(sellOffer) });
const liquidityAnswer = z.object({
  offers_id: uuid,
  hint,
  product,
  amount_sats: sats,
  pay_with: z.string(),
  lease_blocks: blocks.optional(),
  offers: z.array(liquidityOffer),
  ...liquidityReasons,
  policy: liquidityPolicy,
});
export const liquidityOffers = liquidityAnswer.extend({ firm_quotes_left: count.optional() });

/** Quoted and delivered sums as decimal strings, because a sum may outgrow a JSON integer. */
export const storedSums = z.object({ quoted_sats: z.string(), delivered_sats: z.string() });
export const storedWindows = z.object({ slow: storedSums, fast: storedSums });
/** The position of a receipt in the tree of its day, once that day is closed (docs/receipts.md). */
export const inclusion = z.object({ day: z.string(), index: count, size: count, proof: z.array(z.string()), root: z.string(), signed_root: z.string() });
export const receiptKind = z.enum(['decision', 'filled', 'link']);
export const receipt = z.object({ kind: receiptKind, receipt: z.string(), made_on: time, inclusion: inclusion.optional() });
export const operatorHand = z.enum(['pinned', 'reset']);
export const rankedFigures = z.object({
  provider: providerId,
  pay: z.string(),
  receive: z.string(),
  fee: z.string(),
  binding: z.boolean(),
  counts_as_binding: z.boolean(),
  haircut_bps: bps,
  haircut_ppm: ppm,
  h0_ppm: ppm.optional(),
  prior_sats: z.string().optional(),
  estimates: storedWindows.optional(),
  broken: storedWindows.optional(),
  operator: operatorHand.optional(),
  preference_bps: bps,
  tie_key: z.string(),
});
/** What POST /route adds: the stored figures by which the offers were ranked, and the receipts. */
const decision = {
  receipt: z.string(),
  receipts: z.array(receipt),
  request_id: z.string(),
  tie_seed: z.string().optional(),
  version: count,
  chosen_rank: count.optional(),
  ranked: z.array(rankedFigures),
};
export const buyRoute = buyOffers.extend({ ramp: z.literal('buy'), ...decision });
export const sellRoute = sellOffers.extend({ ramp: z.literal('sell'), ...decision });
export const liquidityRoute = liquidityAnswer.extend({ ramp: z.literal('liquidity'), ...decision });
export const route = z.discriminatedUnion('ramp', [buyRoute, sellRoute, liquidityRoute]);
