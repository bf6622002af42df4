/**
 * Decides which offers may not take part in the ranking, and why. The route lists every excluded offer and the rule that it broke. Amounts are in
 * ramp units, times in Unix milliseconds.
 */
import {
  asksExchange,
  type Asked,
  type Candidate,
  type ChannelAsked,
  type Declined,
  type Excluded,
  type ExchangeAsked,
  type ExclusionRule,
  type Facts,
  type ProviderOffer,
} from './offer.ts';
import type { DecisionPolicy } from './policy.ts';
import { bpsDown, isSafe, mostSats, satsPerBtc } from './money.ts';
import type { Fraction } from './net-result.ts';
import { beatsByMore, compareNet, deviationBps, exchangedOf, netOf, priceOf } from './net-result.ts';
import { namesDiffer } from './option-name.ts';
import { exchanged, isFiatFixed, sides, type ExchangeRamp } from './ramp.ts';

export type Ruling = {
  accepted: Candidate[];
  excluded: Excluded[];
  priceCheck?: 'weak';
  /** Set when the live reference would have excluded more than half of the sound offers, so we do not believe it. */
  referenceDisputed?: true;
};

const usualShortestLifeMs = 30_000;
/**
 * The smallest allowed share, in basis points. A buy offer must use at least this share of the requested fiat amount. In a sell offer for a fixed
 * payout, the requested amount must be at least this share of the payout.
 */
export const leastUsedBps = 9_950n;

/** Applies every rule. The result depends only on the arguments; the sequence of the candidates does not change which of them are excluded. */
export const applyRules = (asked: Asked, candidates: Candidate[], policy: DecisionPolicy, now: number, declined: Declined = {}): Ruling => {
  const excluded: Excluded[] = [];
  const sound: Candidate[] = [];
  for (const candidate of candidates) {
    const rule = brokenRule(asked, candidate, policy.shortestLifeMs, now);
    if (rule === undefined) sound.push(flagFee(asked, candidate, policy));
    else excluded.push({ providerId: candidate.providerId, offer: candidate.offer, rule });
  }
  if (!asksExchange(asked)) return { accepted: withoutDeclined(sound, declined, now, excluded), excluded };
  const { near, far, disputed } = againstReference(asked, sound, policy);
  const trusted = policy.reference?.source === 'live' && !disputed;
  const honest = withoutOutliers(asked, near, policy.outlierBps, trusted, excluded);
  const accepted = withoutDeclined(honest, declined, now, excluded);
  return {
    accepted,
    excluded: [...excluded, ...far],
    ...(differTooMuch(asked, accepted, policy.outlierBps) ? { priceCheck: 'weak' } : {}),
    ...(disputed ? { referenceDisputed: true } : {}),
  };
};

/**
 * Returns whether there are exactly two offers and they are far apart. In that case we cannot tell which of the two is right, so the price counts as
 * unchecked. Always false for liquidity, where honest fees may differ by more than the bound.
 */
export const differTooMuch = (asked: Asked, accepted: Candidate[], outlierBps: number): boolean => {
  const [a, b] = accepted;
  if (!asksExchange(asked) || accepted.length !== 2 || !a || !b) return false;
  const [netA, netB] = [netOf(asked, a.offer), netOf(asked, b.offer)];
  return beatsByMore(netA, netB, outlierBps) || beatsByMore(netB, netA, outlierBps);
};

/**
 * Excludes offers that are too good to be true. With three offers or more, each offer that beats the median of the others by more than the bound is
 * excluded, best first, until two are left. It must beat the median both with and without its fee, because a small fixed fee alone is not a lie. If
 * the number of others is even, their median is the better of the middle two, so that offers that lie and agree with each other are still found if
 * they are a minority. `trusted`: a live reference has confirmed every candidate, so none is too good.
 */
const withoutOutliers = (asked: ExchangeAsked, candidates: Candidate[], outlierBps: number, trusted: boolean, excluded: Excluded[]): Candidate[] => {
  if (trusted) return candidates;
  let left = candidates
    .map((candidate): Judged => ({ candidate, net: netOf(asked, candidate.offer), price: exchangedOf(asked, candidate.offer) }))
    .sort((a, b) => compareNet(b.net, a.net) || compareNet(b.price, a.price));
  for (;;) {
    const found = left.length > 2 && bestIsFarAhead(left, outlierBps) ? left.find((one) => isTooGood(one, left, outlierBps)) : undefined;
    if (!found) return left.map(({ candidate }) => candidate);
    const others = left.filter((one) => one !== found);
    const { providerId, offer } = found.candidate;
    excluded.push({ providerId, rule: 'too-good', offer, deviationBps: deviationBps(found.net, middleOf(others, 'net')), limitBps: outlierBps });
    left = others;
  }
};

/**
 * Excludes providers that recently went back on an offer to this customer, unless no other offer is left. Their offers do take part in
 * the search for outliers, which comes first: without them, a false price could be the only one left, with nothing to compare it with.
 */
const withoutDeclined = (candidates: Candidate[], declined: Declined, now: number, excluded: Excluded[]): Candidate[] => {
  const untilOf = ({ providerId }: Candidate): number => declined[providerId] ?? 0;
  const left = candidates.filter((one) => untilOf(one) <= now);
  if (left.length === 0) return candidates;
  for (const one of candidates)
    if (untilOf(one) > now) excluded.push({ providerId: one.providerId, rule: 'declined-your-order', offer: one.offer, until: untilOf(one) });
  return left;
};

type Judged = { candidate: Candidate; net: Fraction; price: Fraction };

/**
 * Returns whether the best offer is too far ahead of the others. Expects the offers sorted by net result, best first. If the best offer is not too
 * far ahead, no offer is. For nearly every request this check is enough, and the sorting in isTooGood is not needed.
 */
const bestIsFarAhead = ([best, ...others]: Judged[], bps: number): boolean => {
  const middle = others[Math.floor((others.length - 1) / 2)];
  return best !== undefined && middle !== undefined && beatsByMore(best.net, middle.net, bps);
};

const isTooGood = (one: Judged, left: Judged[], bps: number): boolean => {
  const others = left.filter((other) => other !== one);
  return beatsByMore(one.net, middleOf(others, 'net'), bps) && beatsByMore(one.price, middleOf(others, 'price'), bps);
};

/** Returns the median, or the better of the middle two if there is an even number. Throws RangeError for an empty list. */
const middleOf = (others: Judged[], by: 'net' | 'price'): Fraction => {
  const sorted = others.map((other) => other[by]).sort((a, b) => compareNet(b, a));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (!middle) throw new RangeError('nothing to compare with');
  return middle;
};

const brokenRule = (asked: Asked, candidate: Candidate, shortestLifeMs: number | undefined, now: number): ExclusionRule | undefined => {
  const { offer, terms } = candidate;
  const named = asksExchange(asked) ? (terms.named ?? asked) : undefined;
  if (namesDiffer(offer.echo?.currency, named?.currency)) return 'wrong-currency';
  if (namesDiffer(offer.echo?.option, named?.option)) return 'wrong-option';
  if (!amountsAreSane(asked, offer)) return 'amount-invalid';
  const amountRule = asksExchange(asked) ? brokenAmountRule(asked, offer) : brokenChannelRule(asked, offer);
  if (amountRule) return amountRule;
  if (outsideLimits(candidate)) return 'outside-own-limits';
  return offer.expiresOn !== undefined && offer.expiresOn - now < (shortestLifeMs ?? usualShortestLifeMs) ? 'expires-too-soon' : undefined;
};

/**
 * Returns whether the amounts make sense. The API returns them and their price as JSON integers, so they must also be safe integers, and there are
 * not more than 21 million bitcoins.
 */
const amountsAreSane = (asked: Asked, offer: ProviderOffer): boolean => {
  const { pay, receive, fee } = offer;
  const { pay: paid, receive: received, fee: charged } = sides[asked.ramp];
  // A seller may give a channel away, but we believe that only if the channel's order already exists at the seller.
  const mayBeFree = paid === received && offer.reservation !== undefined;
  if (pay < (mayBeFree ? 0n : 1n) || fee < 0n || !isSafe(pay) || !isSafe(receive) || !isSafe(fee)) return false;
  if ((paid === 'sats' && pay > mostSats) || (received === 'sats' && receive > mostSats)) return false;
  if (paid === received) return receive >= 0n && fee === pay - receive;
  return receive > 0n && (charged !== paid || fee < pay) && isSafe(priceOf(asked, offer) ?? 0n);
};

/**
 * Compares the offer with the amount that was asked for. An amount in sats must be exactly as asked. An amount in fiat may differ a little, because a
 * sat is not divisible: a customer who buys may pay slightly less, and one who sells may get slightly more.
 */
const brokenAmountRule = (asked: ExchangeAsked, { pay, receive }: ProviderOffer): ExclusionRule | undefined => {
  const got = { pay, receive }[asked.fixed];
  if (!isFiatFixed(asked)) return got === asked.amount ? undefined : 'amount-not-as-asked';
  if (asked.fixed === 'receive') return receive < asked.amount || receive * leastUsedBps > asked.amount * 10_000n ? 'amount-not-as-asked' : undefined;
  if (pay > asked.amount) return 'amount-not-as-asked';
  return pay * 10_000n < asked.amount * leastUsedBps ? 'amount-underused' : undefined;
};

/** Compares the offered channel with what was asked for. A seller that does not state a lease or an inbound capacity has not promised one. */
const brokenChannelRule = (asked: ChannelAsked, { receive, facts }: ProviderOffer): ExclusionRule | undefined => {
  if (asked.leaseBlocks !== undefined) {
    const lease = factAmount(facts, 'lease_blocks');
    if (lease === undefined) return 'lease-not-promised';
    if (lease < BigInt(asked.leaseBlocks)) return 'lease-too-short';
  }
  if ((factAmount(facts, 'inbound_sats') ?? 0n) < asked.inboundSats) return 'inbound-too-small';
  return receive < asked.clientSats ? 'client-balance-too-small' : undefined;
};

const outsideLimits = ({ offer: { pay, receive }, terms: { limits = {} } }: Candidate): boolean =>
  (limits.minPay !== undefined && pay < limits.minPay) ||
  (limits.maxPay !== undefined && pay > limits.maxPay) ||
  (limits.minReceive !== undefined && receive < limits.minReceive) ||
  (limits.maxReceive !== undefined && receive > limits.maxReceive);

type Checked = { near: Candidate[]; far: Excluded[]; disputed: boolean };

/**
 * If the reference has a limit, excludes every offer that is too far from its price, in either direction: an offer far worse than the market is as
 * wrong as one that is too good to be true. A live reference that would exclude more than half of the offers is itself taken to be wrong.
 */
const againstReference = (asked: ExchangeAsked, sound: Candidate[], { reference }: DecisionPolicy): Checked => {
  const limitBps = reference?.maxDeviationBps;
  if (!reference || limitBps === undefined) return { near: sound, far: [], disputed: false };
  const near: Candidate[] = [];
  const far: Excluded[] = [];
  for (const candidate of sound) {
    const { distance, fair } = distanceFrom(asked, candidate.offer, reference.btcPrice);
    if (distance * 10_000n <= fair * BigInt(limitBps)) near.push(candidate);
    else far.push({ providerId: candidate.providerId, rule: 'off-reference', offer: candidate.offer, deviationBps: bpsDown(distance, fair), limitBps });
  }
  if (reference.source === 'live' && far.length * 2 > sound.length) return { near: sound, far: [], disputed: true };
  return { near, far, disputed: false };
};

/** Returns how far the fiat amount is from `fair`, which is what the sats cost at `price`. Both results are scaled by 1e8. */
const distanceFrom = ({ ramp }: ExchangeAsked, offer: ProviderOffer, price: bigint): { distance: bigint; fair: bigint } => {
  const { fiat, sats } = exchanged(ramp, offer);
  const fair = sats * price;
  const gap = fiat * satsPerBtc - fair;
  return { distance: gap < 0n ? -gap : gap, fair };
};

/** Whether we compare the price that a provider states with the amounts that it offers. */
const feeIsJudged: Record<ExchangeRamp, boolean> = { buy: true, sell: false };

/** Adds a warning when the amounts are too far from what the stated price and fee give. The offer stays, because the customer orders the amounts. */
const flagFee = (asked: Asked, candidate: Candidate, { toleranceBps }: DecisionPolicy): Candidate => {
  if (!asksExchange(asked) || !feeIsJudged[asked.ramp]) return candidate;
  const price = factAmount(candidate.offer.facts, 'provider_btc_price');
  if (price === undefined || candidate.offer.warnings.includes('fee-mismatch')) return candidate;
  const { distance, fair } = distanceFrom(asked, candidate.offer, price);
  if (distance * 10_000n <= fair * BigInt(toleranceBps)) return candidate;
  return { ...candidate, offer: { ...candidate.offer, warnings: [...candidate.offer.warnings, 'fee-mismatch'] } };
};

/** Reads a whole number from the facts, which may hold it as a JSON number or as a string of digits. */
const factAmount = (facts: Facts, name: 'provider_btc_price' | 'inbound_sats' | 'lease_blocks'): bigint | undefined => {
  const fact = facts[name];
  if (typeof fact === 'number') return Number.isSafeInteger(fact) ? BigInt(fact) : undefined;
  return typeof fact === 'string' && /^\d{1,20}$/.test(fact) ? BigInt(fact) : undefined;
};
