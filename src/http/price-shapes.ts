/** The shapes of the three ramps' price answers, member by member. */
import { z } from '@hono/zod-openapi';
import { conditions, deliveries, exclusionRules, offerWarnings } from '../domain/offer.ts';
import { faultKinds } from '../domain/fault-kind.ts';
import { decisive, policyNames, tieBreaks } from '../domain/ranking.ts';
import { haircutSources } from '../domain/record.ts';
import { feedStates } from '../domain/reference.ts';
import { refusalReasons } from '../domain/refusal.ts';
import { referenceSources } from '../domain/route.ts';
import { anyAmount, keptAmount, providerRef, smallId, time, uuid } from './shapes.ts';

const bps = z.int();
export const product = z.enum(['recharge', 'inbound', 'turbo']).openapi({
  description: 'recharge: sats to your own invoice; inbound: a channel you can receive through; turbo: a channel with balance on both sides',
});

/** What a liquidity seller delivers. What it does not state is absent. */
export const liquidityFacts = {
  inbound_sats: anyAmount.optional(),
  lease_blocks: z.int().optional(),
  delivered_as: z.enum(deliveries).optional(),
  connect_to: z.string().optional().openapi({ description: 'The node to connect to first' }),
  observed_on: time.optional().openapi({ description: 'When the price was seen, if it is an earlier one' }),
  least_pay_sats: anyAmount.optional().openapi({ description: 'The lower end of an estimate' }),
  funding_outpoint: z.string().optional(),
  channel_expires_on: time.optional(),
};

// ---- an offer --------------------------------------------------------------------------------------------------------------------------

const warnings = z.array(z.enum([...offerWarnings, 'price-check-weak']));
const offered = {
  rank: z.int(),
  quote_id: uuid,
  provider: providerRef,
  is_estimate: z.boolean(),
  expires_on: time.optional().openapi({ description: 'When the payment must have arrived' }),
  accept_by: time.openapi({ description: 'Order before this time' }),
  behind_best_bps: bps,
  haircut_ppm: z.int().openapi({ description: 'How much lower this offer ranks, in parts per million' }),
  haircut_from: z.enum(haircutSources),
  record: z
    .object({ orders: z.int(), quoted_sats: keptAmount, delivered_sats: keptAmount, since: time })
    .optional()
    .openapi({ description: 'What this provider delivered against its quotes, by this option' }),
  requires: z.array(z.enum(conditions)).openapi({ description: 'What is missing before this can be ordered' }),
  warnings,
  latency_ms: z.int(),
};
export const exchanged = { amount_fiat: keptAmount, amount_sats: keptAmount, currency_id: smallId, payment_option_id: smallId };
export const charged = { btc_price: keptAmount, order_fee: keptAmount };
const priced = {
  ...charged,
  fee_bps: bps,
  cost_bps: bps.optional().openapi({ description: 'What the whole exchange costs against the market price of policy.reference (live or configured)' }),
  cost_vs_median_bps: bps
    .optional()
    .openapi({ description: 'Instead of cost_bps where no market price is known: against the middle of the offers or a lone ticker' }),
  arrival_seconds: z.int().optional(),
};
export const bought = { pay_sats: keptAmount, fee_sats: keptAmount, client_sats: keptAmount };

const expected = keptAmount.openapi({ description: 'What arrives less the haircut; offers rank by this per unit paid' });
const buyOffer = z.object({ ...offered, ...exchanged, ...priced, expected_sats: expected, on_chain_fallback: z.boolean() });
const sellOffer = z.object({ ...offered, ...exchanged, ...priced, expected_fiat: expected });
const liquidityOffer = z.object({ ...offered, ...bought, ...liquidityFacts, fee_ppm: z.int().optional() });

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
export const buyQuote = buyOffer.pick(quotedExchange).extend({
  warnings: warnings.optional().openapi({ description: 'price-check-weak: two offers differ so much that nobody can tell which price is right' }),
});
export const sellQuoteShape = sellOffer.pick({ ...quotedExchange, ...open });
export const liquidityQuoteShape = liquidityOffer.pick({
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

// ---- those who are not ranked ------------------------------------------------------------------------------------------------------------

const exchangeLimits = {
  min_amount_fiat: anyAmount.optional(),
  max_amount_fiat: anyAmount.optional(),
  min_amount_sats: anyAmount.optional(),
  max_amount_sats: anyAmount.optional(),
};
const liquidityLimits = {
  min_pay_sats: anyAmount.optional(),
  max_pay_sats: anyAmount.optional(),
  min_amount_sats: anyAmount.optional(),
  max_amount_sats: anyAmount.optional(),
};
const excludedAs = { provider: providerRef, rule: z.enum(exclusionRules), deviation_bps: bps.optional(), limit_bps: bps.optional(), until: time.optional() };
const refusedAs = { provider: providerRef, reason: z.enum(refusalReasons), connect_to: z.string().optional() };
const failed = z.object({
  provider: providerRef,
  reason: z.enum(faultKinds),
  retryable: z.boolean(),
  latency_ms: z.int().optional(),
  retry_on: time.optional(),
});
const exchangeReasons = {
  excluded: z.array(z.object({ ...excludedAs, amount_fiat: keptAmount.optional(), amount_sats: keptAmount.optional() })),
  refused: z.array(z.object({ ...refusedAs, ...exchangeLimits })),
  failed: z.array(failed),
};
const liquidityReasons = {
  excluded: z.array(z.object({ ...excludedAs, pay_sats: keptAmount, is_estimate: z.boolean() })),
  refused: z.array(z.object({ ...refusedAs, ...liquidityLimits })),
  failed: z.array(failed),
};

/** In a problem, where the request tells the ramp. */
export const problemMembers = {
  limits: z
    .object({ ...exchangeLimits, ...liquidityLimits })
    .optional()
    .openapi({ description: 'Other limits to ask within' }),
  excluded: z
    .array(
      z.object({
        ...excludedAs,
        amount_fiat: keptAmount.optional(),
        amount_sats: keptAmount.optional(),
        pay_sats: keptAmount.optional(),
        is_estimate: z.boolean().optional(),
      }),
    )
    .optional(),
  refused: z.array(z.object({ ...refusedAs, ...exchangeLimits, ...liquidityLimits })).optional(),
  failed: z.array(failed).optional(),
  offers: z
    .array(z.union([buyOffer, sellOffer, liquidityOffer]))
    .optional()
    .openapi({ description: 'price-changed: the current offers' }),
};

// ---- the whole answer ----------------------------------------------------------------------------------------------------------------------

const policy = {
  name: z.enum(policyNames),
  decided_by: z.enum(decisive),
  tie_breaks: z.array(z.enum(tieBreaks)),
  preference_bps: z.record(z.string(), bps).openapi({ description: 'Declared preferences other than 0, by provider' }),
  preference_decided: z.boolean(),
  indicative_haircut_bps: bps,
  reference: z
    .object({
      btc_price: keptAmount,
      source: z.enum(referenceSources),
      observed_on: time,
      disputed: z.literal(true).optional().openapi({ description: 'It would have excluded more than half of the sound offers, and so excluded none' }),
      feeds: z
        .array(z.object({ name: z.string(), state: z.enum(feedStates), btc_price: keptAmount.optional() }))
        .optional()
        .openapi({ description: 'The public tickers of this currency, and what each was worth' }),
    })
    .optional(),
  price_check: z.literal('weak').optional().openapi({ description: 'Two offers differ, and nothing can judge between them' }),
  learning: z.enum(['off', 'shown', 'ranked']).optional(),
  record_snapshot: z.string().optional(),
  max_wait_ms: z.int(),
  waited_ms: z.int(),
  answered_on: time,
};
const hint = z.string().optional().openapi({ description: 'Without any offer: what the providers said, and the amounts at which they begin or end' });
const exchangeAnswer = {
  offers_id: uuid,
  hint,
  amount_fiat: keptAmount.optional(),
  amount_sats: keptAmount.optional(),
  currency_id: smallId,
  payment_option_id: smallId,
  ...exchangeReasons,
  policy: z.object({ ...policy, outlier_bps: bps, tolerance_bps: bps }),
};
export const buyOffers = z.object({ ...exchangeAnswer, offers: z.array(buyOffer) });
export const sellOffersShape = z.object({ ...exchangeAnswer, offers: z.array(sellOffer) });
const liquidityAnswer = z.object({
  offers_id: uuid,
  hint,
  product,
  amount_sats: anyAmount,
  pay_with: z.string(),
  lease_blocks: z.int().optional(),
  offers: z.array(liquidityOffer),
  ...liquidityReasons,
  policy: z.object(policy),
});
export const liquidityOffersShape = liquidityAnswer.extend({ firm_quotes_left: z.int().optional() });

const sums = z.object({ quoted_sats: z.string(), delivered_sats: z.string() });
/** Quoted and delivered sums, under a slow and a fast decay. */
const windows = z.object({ slow: sums, fast: sums });
/** The position of a receipt in the tree of its day, once that day is closed (docs/receipts.md). */
const inclusion = z.object({ day: z.string(), index: z.int(), size: z.int(), proof: z.array(z.string()), root: z.string(), signed_root: z.string() });
/** What POST /route adds: the stored figures that ranked the offers, and the receipts made from them. */
const decision = {
  receipt: z.string().openapi({ description: 'The signed decision, a compact JWS' }),
  receipts: z.array(z.object({ kind: z.enum(['decision', 'filled', 'link']), receipt: z.string(), made_on: time, inclusion: inclusion.optional() })),
  request_id: z.string(),
  version: z.int(),
  chosen_rank: z.int().optional(),
  ranked: z.array(
    z.object({
      provider: z.string(),
      pay: z.string(),
      receive: z.string(),
      fee: z.string(),
      binding: z.boolean(),
      counts_as_binding: z.boolean(),
      haircut_bps: bps,
      haircut_ppm: z.int(),
      h0_ppm: z.int().optional(),
      prior_sats: z.string().optional(),
      estimates: windows.optional(),
      broken: windows.optional(),
      operator: z.enum(['pinned', 'reset']).optional(),
      preference_bps: bps,
      tie_key: z.string(),
    }),
  ),
};
export const routeAnswer = z.union([buyOffers.extend(decision), sellOffersShape.extend(decision), liquidityAnswer.extend(decision)]);
