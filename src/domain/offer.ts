import type { FaultKind } from './fault-kind.ts';
import type { ExchangeRamp } from './ramp.ts';
import type { HaircutFrom, Standing } from './record.ts';
import type { Limits, Refusal } from './refusal.ts';

/** A value that survives JSON: what adapters put into stored, opaque fields. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export const conditions = ['account', 'connection', 'proof', 'invoice'] as const;
export type Condition = (typeof conditions)[number];

/** What a customer should know of an offer before ordering it. */
export const offerWarnings = ['fee-mismatch', 'expires-before-arrival', 'price-is-last-observed', 'large-channel'] as const;
export type OfferWarning = (typeof offerWarnings)[number];

/** What a seller of liquidity delivers, and how euros travel. */
export const deliveries = ['channel', 'redemption', 'payment'] as const;
export const euroDeliveries = ['card_balance', 'bank_transfer_started'] as const;

/**
 * What is known of an offer or an order beside its amounts. The names are the outward ones, of which /offers and the orders of liquidity show all
 * that do not start with `provider_`; a name that is not here does not compile. Written by adapters, and read back from where they are stored.
 */
export type Facts = {
  /** The provider's own figure, for checks only. */
  provider_btc_price?: string | number;
  /** buy: the currency in the provider's own spelling. */
  currency?: string;
  on_chain_fallback?: boolean;
  /** sell */
  delivered_to?: (typeof euroDeliveries)[number];
  matched_by?: MatchedBy;
  transaction_id?: string;
  /** liquidity */
  inbound_sats?: string | number;
  lease_blocks?: string | number;
  delivered_as?: (typeof deliveries)[number];
  connect_to?: string;
  observed_on?: string;
  least_pay_sats?: number;
  funding_outpoint?: string;
  channel_expires_on?: string;
  /** Our reference, where a provider repeats it with the order. */
  user_ref?: string;
};
/** How a payment is recognised as an order's: by an invoice or address of its own, or by nothing but its amount. */
export type MatchedBy = 'order_id' | 'amount';

/** One provider's priced answer to one request. Amounts are in the units of the ramp (ramp.ts), times in Unix milliseconds. */
export type ProviderOffer = {
  /** All that the customer pays, fee included. */
  pay: bigint;
  /** All that the customer gets. For liquidity: the sats that end up spendable on the customer's side. */
  receive: bigint;
  /** The part of `pay` (buy), of the gross result (sell) or `pay − receive` (liquidity) that is fee. */
  fee: bigint;
  /** Honoured until `expiresOn`; otherwise an estimate. */
  binding: boolean;
  expiresOn?: number;
  /** An upstream order that already exists as this offer (LSPS1): placing it sends nothing. */
  reservation?: { upstreamOrderId: string; acceptUntil: number };
  /** How to pay what is reserved: the gateway keeps it sealed and hands it back with placeOrder. */
  secret?: string;
  /** The adapter's own notes for placeOrder (upstream quote id, option …). Stored with the route, never shown. */
  upstream: Json;
  facts: Facts;
  /** What the offer answers to, for the echo rules: the currency and option the provider named. */
  echo?: { currency?: string; option?: string };
  /** Open conditions the customer has to meet before ordering. */
  requires: Condition[];
  warnings: OfferWarning[];
};

/** What was asked, as far as the rules of ranking need it. */
export type Asked = ExchangeAsked | ChannelAsked;
export type ExchangeAsked = { ramp: ExchangeRamp; fixed: 'pay' | 'receive'; amount: bigint; currency: string; option: string };
export type ChannelAsked = { ramp: 'liquidity'; inboundSats: bigint; clientSats: bigint; leaseBlocks?: number };

/** Money for sats or sats for money: what was asked for has a price. */
export const asksExchange = (asked: Asked): asked is ExchangeAsked => 'fixed' in asked;

/** How the provider of a candidate is treated by the ranking: declared in the configuration, or learnt by everybody's formula. */
export type Terms = {
  /** Configured haircut of an estimate: where the record starts from, and all there is for liquidity. */
  haircutBps: number;
  /** What the provider delivered before; absent where the operator does not rank by it. */
  standing?: Standing;
  /** For display: all its orders of this ramp, currency and option that were filled. */
  record?: { orders: number; quotedSats: bigint; deliveredSats: bigint; since: number };
  preferenceBps: number;
  /** How long money needs to arrive by the asked option; a binding offer that expires earlier ranks as indicative. */
  arrivalSeconds?: number;
  /** Listed limits of the provider for the asked option, in ramp units, inclusive. */
  limits?: Limits;
  /** How this provider names the asked currency and option, where that is not the merged name; echoes are held against it. */
  named?: { currency: string; option: string };
};

/** An answered offer before the rules. */
export type Candidate = { providerId: string; offer: ProviderOffer; terms: Terms; latencyMs: number };

export const exclusionRules = [
  'wrong-currency',
  'wrong-option',
  'amount-not-as-asked',
  'amount-underused',
  'amount-invalid',
  'outside-own-limits',
  'expires-too-soon',
  'too-good',
  'off-reference',
  'declined-your-order',
  'lease-not-promised',
  'lease-too-short',
  'inbound-too-small',
  'client-balance-too-small',
] as const;
export type ExclusionRule = (typeof exclusionRules)[number];

/** `until`: of `declined-your-order`, when it is over. */
export type Excluded = { providerId: string; rule: ExclusionRule; offer: ProviderOffer; deviationBps?: number; limitBps?: number; until?: number };
/** Providers that declined an order of the customer who asks, or made a worse one, and until when they stand back. */
export type Declined = Readonly<Record<string, number>>;
export type Refused = { providerId: string; refusal: Refusal };
export type Failed = { providerId: string; reason: FaultKind; retryable: boolean; latencyMs?: number; retryOn?: number };

/**
 * A candidate with its place. `behindBestBps` is rounded up, negative when it gives more than rank 1 (without haircut or preference). Since
 * version 2 of the route: the haircut that it was ranked with, where that came from, and P of the formula.
 */
export type RankedOffer = Candidate & {
  rank: number;
  countsAsBinding: boolean;
  behindBestBps: number;
  warnings: OfferWarning[];
  haircutPpm?: number;
  haircutFrom?: HaircutFrom;
  priorSats?: bigint;
};
