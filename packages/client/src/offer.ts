import { dateOf, mapped } from './mapped.ts';
import { defined } from '../../../src/domain/defined.ts';
import { given, readAs, type Open } from './error.ts';
import { moneyOf, type Money } from './money.ts';
import type { Answer, PayoutKind, ProviderRef, RampName } from './words.ts';

type RawOffer = Answer<'/offers'>['offers'][number] | Answer<'/sell/offers'>['offers'][number] | Answer<'/liquidity/offers'>['offers'][number];
type RawOffers = Answer<'/offers'> | Answer<'/sell/offers'> | Answer<'/liquidity/offers'>;

/** One provider's price, ranked against the other providers' prices. */
export type Offer = {
  /** Identifies the offer when you order it. It is the gateway's `quote_id`. */
  id: string;
  ramp: RampName;
  /** 1 is the best. */
  rank: number;
  provider: ProviderRef;
  /** All that the customer pays. */
  pays: Money;
  /** All that the customer gets. Liquidity: what is theirs to spend; see `inboundSats` for what they can receive. */
  gets: Money;
  /** The provider's fee. `pays` and `gets` already take it into account. */
  fee: Money;
  /** Whether the provider honours the price until `acceptBy`. If not, the price is an estimate. */
  binding: boolean;
  /** The whole cost against the market price, in basis points; absent if no market price is known. */
  costBps?: number;
  /**
   * Replaces `costBps` if no market price is known: the cost compared with the median of the offers, or with the only price feed that answered. Do
   * not show it as the cost.
   */
  costVsMedianBps?: number;
  /** The time before which the offer must be ordered. */
  acceptBy: Date;
  /** The time before which the customer's money must have arrived. */
  payBefore?: Date;
  inboundSats?: bigint;
  leaseBlocks?: number;
  /** The node to connect to first: `pubkey@host:port`. */
  connectTo?: string;
  /** What the customer needs before the offer can be ordered. `payout`: the order must say where the sats go (`payoutTo`). */
  requires: Open<'account' | 'connection' | 'payout'>[];
  /** Buying, if the provider sends the sats itself: the kinds of destination that `payoutTo` may name. Absent if the customer withdraws the sats. */
  payoutKinds?: Open<PayoutKind>[];
  /** Warnings worth showing, such as `expires-before-arrival`. */
  warnings: string[];
  /** The offer as the gateway sent it, with members of later versions. */
  raw: Readonly<Record<string, unknown>>;
};

/** A provider that made no offer, and why. */
export type NotOffered = {
  provider: ProviderRef;
  /** `excluded`: the provider made an offer, and a rule removed it. `refused`: the provider will not make one. `failed`: it could not. */
  kind: 'excluded' | 'refused' | 'failed';
  /** The rule, or the reason: `below-minimum`, `too-good`, `timeout` … */
  reason: string;
  /** Limits to ask within, for `below-minimum` and `above-maximum`. */
  min?: Money;
  max?: Money;
  /** `peer-not-connected`: connect to this node and ask again. */
  connectTo?: string;
};

export type Offers = {
  /** The first of `all`. */
  best: Offer | undefined;
  /** Best first. */
  all: Offer[];
  not: NotOffered[];
  raw: Readonly<Record<string, unknown>>;
};

type Amounts = {
  currency_code?: string;
  currency_id?: number;
  amount_fiat?: number | null;
  amount_sats?: number | null;
  order_fee?: number | null;
  pay_sats?: number | null;
  client_sats?: number | null;
  fee_sats?: number | null;
};
/** Returns what the customer pays and gets, and the fee, from the API's amounts. */
export const sidesOf = (ramp: RampName, raw: Amounts) => {
  // An order that the gateway found at the provider and adopted has no currency code.
  const currency = raw.currency_code ?? `currency ${raw.currency_id}`;
  if (ramp === 'liquidity') return { pays: moneyOf(raw.pay_sats, 'sat'), gets: moneyOf(raw.client_sats, 'sat'), fee: moneyOf(raw.fee_sats, 'sat') };
  const [fiat, sats] = [moneyOf(raw.amount_fiat, currency), moneyOf(raw.amount_sats, 'sat')];
  return { ...(ramp === 'buy' ? { pays: fiat, gets: sats } : { pays: sats, gets: fiat }), fee: moneyOf(raw.order_fee, currency) };
};

type Facts = {
  payout_kinds?: string[];
  cost_bps?: number;
  cost_vs_median_bps?: number;
  inbound_sats?: number;
  lease_blocks?: number;
  connect_to?: string;
  expires_on?: string;
};

export const offerOf = (ramp: RampName, raw: RawOffer): Offer => {
  const { pays, gets, fee } = sidesOf(ramp, raw);
  const facts: Facts = raw;
  return {
    id: given(raw.quote_id, 'quote_id'),
    ramp,
    rank: raw.rank,
    provider: raw.provider,
    pays: given(pays, 'pays'),
    gets: given(gets, 'gets'),
    fee: given(fee, 'fee'),
    binding: !raw.is_estimate,
    acceptBy: new Date(given(raw.accept_by, 'accept_by')),
    ...defined({
      payBefore: mapped(facts.expires_on, dateOf),
      costBps: facts.cost_bps,
      costVsMedianBps: facts.cost_vs_median_bps,
      inboundSats: mapped(facts.inbound_sats, BigInt),
      leaseBlocks: facts.lease_blocks,
      connectTo: facts.connect_to,
      payoutKinds: facts.payout_kinds,
    }),
    requires: raw.requires,
    warnings: raw.warnings,
    raw,
  };
};

type Limits = {
  min_amount_fiat?: number;
  max_amount_fiat?: number;
  min_amount_sats?: number;
  max_amount_sats?: number;
  min_pay_sats?: number;
  max_pay_sats?: number;
};
type RawNot = Limits & { provider: ProviderRef; rule?: string; reason?: string; connect_to?: string };

const kinds = ['excluded', 'refused', 'failed'] as const;
const notOffered = (kind: NotOffered['kind'], one: RawNot, currency: string): NotOffered => {
  const min = moneyOf(one.min_amount_fiat, currency) ?? moneyOf(one.min_amount_sats ?? one.min_pay_sats, 'sat');
  const max = moneyOf(one.max_amount_fiat, currency) ?? moneyOf(one.max_amount_sats ?? one.max_pay_sats, 'sat');
  return {
    provider: one.provider,
    kind,
    reason: one.reason ?? one.rule ?? 'unknown',
    ...defined({ min, max, connectTo: one.connect_to }),
  };
};

export const offersOf = (ramp: RampName, raw: RawOffers, currency: string): Offers =>
  readAs('a list of offers', () => {
    const all = raw.offers.map((one) => offerOf(ramp, one));
    return {
      best: all[0],
      all,
      not: kinds.flatMap((kind) => (raw[kind] as RawNot[]).map((one) => notOffered(kind, one, currency))),
      raw,
    };
  });
