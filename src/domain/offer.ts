import type { FaultKind } from './fault-kind.ts';
import type { PayoutKind } from './payout.ts';
import type { ExchangeRamp } from './ramp.ts';
import type { HaircutFrom, Standing } from './record.ts';
import type { Limits, Refusal } from './refusal.ts';

/** A value that JSON preserves, for the opaque fields that adapters store. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** `payout`: the order must name the destination of the sats. The gateway adds it to the offers of providers that push their payouts. */
export const conditions = ['account', 'connection', 'proof', 'invoice', 'payout'] as const;
export type Condition = (typeof conditions)[number];

/** What a customer should know about an offer before ordering it. */
export const offerWarnings = ['fee-mismatch', 'expires-before-arrival', 'price-is-last-observed', 'large-channel'] as const;
export type OfferWarning = (typeof offerWarnings)[number];

/** How a liquidity seller delivers (`deliveries`), and how euros are paid out (`euroDeliveries`). */
export const deliveries = ['channel', 'redemption', 'payment'] as const;
export const euroDeliveries = ['card_balance', 'bank_transfer_started'] as const;

/**
 * What we know about an offer or an order, in addition to its amounts. Adapters write these facts, and we read them back from the store. They have
 * the API's names: liquidity offers and liquidity orders show every fact whose name does not start with `provider_`. A name that is not listed here
 * does not compile.
 */
export type Facts = {
  /** The price that the provider states, for checks only. */
  provider_btc_price?: string | number;
  /** For buy: the currency in the provider's own spelling. */
  currency?: string;
  on_chain_fallback?: boolean;
  /**
   * For buy, if the provider pushes its payouts: the kinds of destination that the provider pays to and that the customer said they can name. The
   * gateway writes this fact.
   */
  payout_kinds?: PayoutKind[];
  /** For a pushed payout that was made: the payment hash of the Lightning payment, or the id of the transaction. Shown to the customer. */
  payout_id?: string;
  /** For a pushed payout that was made: when the provider sent it, in RFC 3339. Shown to the customer. */
  payout_on?: string;
  /**
   * Set if the provider may book a payment to another open order of the customer when the amounts differ by no more than this. Then the customer
   * cannot have two open orders there whose amounts to pay are that close.
   */
  amount_tolerance_bps?: number;
  /** For sell: how the euros are paid out. */
  delivered_to?: (typeof euroDeliveries)[number];
  matched_by?: MatchedBy;
  transaction_id?: string;
  /** Set if the request for the order was sent more than once, so that the provider may have made another order for it. */
  sent_again?: true;
  /**
   * The ids, at the provider, of earlier payments of the account that could be mistaken for this order's payment. None of them is for this order.
   * Earlier releases stored all of the account's latest payments.
   */
  earlier_payments?: string[];
  /** For liquidity, as are the facts that follow, down to `channel_expires_on`. */
  inbound_sats?: string | number;
  lease_blocks?: string | number;
  delivered_as?: (typeof deliveries)[number];
  connect_to?: string;
  observed_on?: string;
  least_pay_sats?: number;
  funding_outpoint?: string;
  channel_expires_on?: string;
  /** Our own reference, if the provider returns it with the order. */
  user_ref?: string;
};
/** How we know that a payment belongs to an order: by the order's own invoice or address, or only by the amount. */
export type MatchedBy = 'order_id' | 'amount';

/** One provider's priced answer to one request. Amounts are in the ramp's units (ramp.ts), times in Unix milliseconds. */
export type ProviderOffer = {
  /** All that the customer pays, fee included. */
  pay: bigint;
  /** All that the customer gets. For liquidity: the sats on the customer's side of the channel, which they can spend. */
  receive: bigint;
  /** The fee: part of `pay` (buy), part of the gross result (sell), or `pay − receive` (liquidity). */
  fee: bigint;
  /** Whether the provider honours the offer until `expiresOn`. If not, the offer is an estimate. */
  binding: boolean;
  expiresOn?: number;
  /** An upstream order that already exists for this offer (LSPS1). Ordering the offer then sends nothing to the provider. */
  reservation?: {
    upstreamOrderId: string;
    acceptUntil: number;
    /** Hash of the refund address that the seller was given; empty if it was given none. */ refundHash?: string;
  };
  /** How to pay the reserved order. The gateway seals this and hands it back to placeOrder. */
  secret?: string;
  /** The adapter's own data for placeOrder (upstream quote id, option …). Stored with the route, never shown. */
  upstream: Json;
  facts: Facts;
  /** The currency and option that the provider named in its offer. If they are not the requested ones, the offer is excluded. */
  echo?: { currency?: string; option?: string };
  /** What the customer still has to do before ordering. */
  requires: Condition[];
  warnings: OfferWarning[];
};

/** The part of the request that the ranking rules need. */
export type Asked = ExchangeAsked | ChannelAsked;
export type ExchangeAsked = { ramp: ExchangeRamp; fixed: 'pay' | 'receive'; amount: bigint; currency: string; option: string };
export type ChannelAsked = { ramp: 'liquidity'; inboundSats: bigint; clientSats: bigint; leaseBlocks?: number };

/** Returns whether the request exchanges fiat and sats, so that its offers have a price. */
export const asksExchange = (asked: Asked): asked is ExchangeAsked => 'fixed' in asked;

/** What the ranking takes into account about a candidate's provider: its configuration and its record. The formula is the same for all providers. */
export type Terms = {
  /** The configured haircut of an estimate, in basis points. For buy and sell, the record may adjust it; for liquidity it stays as configured. */
  haircutBps: number;
  /** The provider's record by which the offer is ranked, and what the operator decided about that record. Absent if there is neither. */
  standing?: Standing;
  /** For display: the provider's filled orders of this ramp, currency and option since `since`. */
  record?: { orders: number; quotedSats: bigint; deliveredSats: bigint; since: number };
  preferenceBps: number;
  /** How long money takes to arrive by the requested option. A binding offer that expires before the money can arrive ranks as indicative. */
  arrivalSeconds?: number;
  /** The limits that the provider lists for the requested option, in ramp units, inclusive. */
  limits?: Limits;
  /** This provider's own names for the requested currency and option. An `echo` is compared with them. */
  named?: { currency: string; option: string };
};

/** An offer before the exclusion rules. */
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

/** `until`: the time until which the rule `declined-your-order` excludes the provider. */
export type Excluded = { providerId: string; rule: ExclusionRule; offer: ProviderOffer; deviationBps?: number; limitBps?: number; until?: number };
/** For each provider that went back on an offer to this customer, for example by declining the order: the time until which it is excluded. */
export type Declined = Readonly<Record<string, number>>;
export type Refused = { providerId: string; refusal: Refusal };
/** `orderMade`: the id of the order that the provider made for this request, although we could not use its answer. */
export type Failed = { providerId: string; reason: FaultKind; retryable: boolean; latencyMs?: number; retryOn?: number; orderMade?: string };

/**
 * A candidate with its rank. `behindBestBps` is rounded up; it is negative when the offer, before haircut and preference, is worth more than the
 * offer at rank 1. Routes of version 2 also hold the haircut by which the offer was ranked, the source of that haircut, and `priorSats`, which is the
 * P of the formula in record.ts.
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
