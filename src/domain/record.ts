/**
 * Compares what a provider delivered with what it quoted, and computes the haircut by which its next offer ranks lower. The formulas are the same for
 * every provider. Sums are in sats, shares in parts per million (ppm), times in Unix milliseconds. These functions are pure: the store keeps the
 * sums.
 */
import { divCeil, divFloor } from './money.ts';
import { fiatAndSats, isExchange, sides, type ExchangeRamp, type Ramp } from './ramp.ts';

/** Sats quoted and sats delivered. */
export type Sums = { quotedSats: bigint; deliveredSats: bigint };
/** The same fills under two decays: `slow` remembers for weeks, `fast` notices a provider that has just turned bad. */
export type Windows = { slow: Sums; fast: Sums };

/** The sums by which an offer was judged. They are stored with the route, so that the haircut can be computed again. */
export type Standing = {
  /** All fills of estimates that counted, for this provider, ramp, currency and option. */
  estimates?: Windows;
  /** The fills of binding offers that fell short, for this provider and ramp. Other fills of binding offers are not in these sums. */
  broken?: Windows;
  /** Set if the operator fixed the haircut of the provider's estimates in the configuration (`pinned`), or cleared its record (`reset`). */
  operator?: 'pinned' | 'reset';
};
export const haircutSources = ['configured', 'record', 'operator'] as const;
export type HaircutFrom = (typeof haircutSources)[number];

const million = 1_000_000n;
const dayMs = 86_400_000;
/**
 * When the configured haircut is combined with the record, it weighs as much as fills of this many sats. For a large estimate, that is three times
 * the offer (priorOf).
 */
const priorSats = 1_000_000n;
const brokenPriorSats = 100_000n;
const lateAfterMs = 3_600_000;

export const emptyWindows = (): Windows => ({ slow: { quotedSats: 0n, deliveredSats: 0n }, fast: { quotedSats: 0n, deliveredSats: 0n } });

/** Returns the number of the UTC day, counted from 1970. */
export const utcDay = (ms: number): number => Math.floor(ms / dayMs);

// ---- decay -----------------------------------------------------------------------------------------------------------------------------

/** Rounds towards zero, so a sum that a correction has made negative also fades to zero. */
const faded = (sats: bigint, numerator: bigint, denominator: bigint): bigint => (sats * numerator) / denominator;

const decayedSums = (sums: Sums, days: number, numerator: bigint, denominator: bigint): Sums => {
  let { quotedSats, deliveredSats } = sums;
  for (let day = 0; day < days && (quotedSats !== 0n || deliveredSats !== 0n); day += 1) {
    quotedSats = faded(quotedSats, numerator, denominator);
    deliveredSats = faded(deliveredSats, numerator, denominator);
  }
  return { quotedSats, deliveredSats };
};

/**
 * Returns what is left of the sums after `days` days: each day leaves 15/16 of the slow sums and 3/4 of the fast ones. If the clock was set back,
 * nothing changes.
 */
export const decayed = ({ slow, fast }: Windows, days: number): Windows => ({
  slow: decayedSums(slow, days, 15n, 16n),
  fast: decayedSums(fast, days, 3n, 4n),
});

export const added = ({ slow, fast }: Windows, more: Sums): Windows => ({ slow: plus(slow, more), fast: plus(fast, more) });
const plus = (a: Sums, b: Sums): Sums => ({ quotedSats: a.quotedSats + b.quotedSats, deliveredSats: a.deliveredSats + b.deliveredSats });

// ---- the haircut -----------------------------------------------------------------------------------------------------------------------

const brokenShare = ({ quotedSats: q, deliveredSats: d }: Sums): bigint => divCeil(million * (q - d), brokenPriorSats + q);
const estimateShare = ({ quotedSats: q, deliveredSats: d }: Sums, h0Ppm: bigint, prior: bigint): bigint =>
  divCeil(h0Ppm * prior + million * (q - d), prior + q);

const worse = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const clamped = (ppm: bigint): number => Number(ppm < 0n ? 0n : ppm > million ? million : ppm);

/** Returns P of the formula for estimates: the weight of the configured haircut, in sats, for an offer of `sats`. */
export const priorOf = (sats: bigint): bigint => worse(priorSats, 3n * sats);

const brokenPpm = (windows: Windows | undefined): bigint => (windows ? worse(brokenShare(windows.slow), brokenShare(windows.fast)) : 0n);

const estimatePpm = ({ slow, fast }: Windows, h0Ppm: bigint, sats: bigint): bigint =>
  [priorSats, priorOf(sats)].map((prior) => worse(estimateShare(slow, h0Ppm, prior), estimateShare(fast, h0Ppm, prior))).reduce(worse);

/**
 * Returns the haircut of an offer of `sats`, and where it comes from. A binding offer is cut only for broken promises. An estimate is cut either for
 * broken promises or for what earlier estimates delivered, starting from the configured haircut; the larger cut counts. If the operator has fixed the
 * haircut of estimates, only that counts. A haircut is never negative, because a provider could earn such a bonus with orders to itself.
 */
export const haircutOf = (standing: Standing | undefined, binding: boolean, h0Ppm: number, sats: bigint): { ppm: number; from: HaircutFrom } => {
  const configured = binding ? 0 : h0Ppm;
  if (!standing) return { ppm: configured, from: 'configured' };
  const { estimates, broken, operator } = standing;
  if (!binding && operator === 'pinned') return { ppm: configured, from: 'operator' };
  const seen = [broken, binding ? undefined : estimates].some((windows) => windows && windows.slow.quotedSats > 0n);
  const ppm = binding ? brokenPpm(broken) : worse(brokenPpm(broken), estimatePpm(estimates ?? emptyWindows(), BigInt(h0Ppm), sats));
  return { ppm: clamped(ppm), from: seen ? 'record' : operator === 'reset' ? 'operator' : 'configured' };
};

// ---- what a fill teaches ---------------------------------------------------------------------------------------------------------------

/** One order that was paid. Amounts are in the ramp's units (ramp.ts). */
export type Fill = {
  ramp: Ramp;
  /** Whether the offer was ranked as binding. */
  binding: boolean;
  quotedPay: bigint;
  quotedReceive: bigint;
  /** The fee in the quote, in hundredths of the fiat unit. All of it may be fixed, so that a smaller payment buys at a worse price. */
  quotedFee?: bigint;
  /** The amounts that the provider's status reported. Absent for an order that was paid but never filled. */
  toldPay?: bigint;
  toldReceive?: bigint;
  /** What the withdrawal link pays, if it was read. */
  linkReceive?: bigint;
  quotedOn: number;
  filledOn: number;
  /** When the gateway first saw the whole payment, and until when a payment was in time (paymentDueBy). */
  paidOn?: number;
  dueBy?: number;
  /** The live reference price at the time of the quote and at the time of the fill, in hundredths per bitcoin. */
  referenceQuoted?: bigint;
  referenceFilled?: bigint;
};

/** The row of sums that a fill adds to. Kept promises, liquidity and fills that only measure the market add to no row. */
export type Counted = Sums & {
  row: 'estimates' | 'broken' | 'none';
  /**
   * Whether the fill says anything about the provider (countFill). A kept promise does. A late fill of an estimate, for example, does not if a
   * reference price is missing and something was delivered.
   */
  tells: boolean;
};

const nothingCounted: Counted = { row: 'none', quotedSats: 0n, deliveredSats: 0n, tells: false };

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Used for payment options that do not state how long their money takes to arrive. */
export const usualArrivalSeconds = 86_400;
/** How long sats may take to arrive for a sale. */
const satsArriveSeconds = { lightning: 600, onchain: 3_600 };

/**
 * Returns the latest time at which the payment for an order is in time: the order's expiry, plus the time that the money takes to arrive. For a later
 * payment, the provider does not owe the quoted price. Returns undefined for an order without an expiry.
 */
export const paymentDueBy = (order: {
  ramp: Ramp;
  expiresOn?: number | undefined;
  arrivalSeconds?: number | undefined;
  network?: 'lightning' | 'onchain' | undefined;
}): number | undefined => {
  const { ramp, expiresOn, arrivalSeconds = usualArrivalSeconds, network = 'onchain' } = order;
  return expiresOn === undefined ? undefined : expiresOn + 1000 * (ramp === 'sell' ? satsArriveSeconds[network] : arrivalSeconds);
};

const isPaidLate = ({ paidOn, dueBy }: Fill): boolean => paidOn !== undefined && dueBy !== undefined && paidOn > dueBy;

/**
 * Returns what a lower payment buys at the quoted price if the whole fee is fixed. Anyone can pay a small part of a large order, so a fixed fee must
 * not look like a broken promise.
 */
const forLess = ({ ramp, quotedPay, quotedReceive, quotedFee: fee = 0n }: Fill, pay: bigint): bigint => {
  if (ramp === 'sell') return worse(0n, divFloor((quotedReceive + fee) * pay, quotedPay) - fee);
  return pay <= fee ? 0n : divFloor(quotedReceive * (pay - fee), quotedPay - fee);
};

/**
 * If the provider says that only a part was paid, returns the fill reduced to that part. Returns undefined if such a fill says nothing about the
 * provider, because its price is no worse than quoted, or because a fixed fee explains it.
 */
const ofThePaidPart = (fill: Fill): Fill | undefined => {
  const { quotedPay, quotedReceive, toldPay = quotedPay, toldReceive = 0n } = fill;
  if (toldPay >= quotedPay) return fill;
  const receive = forLess(fill, toldPay);
  const isFair = toldReceive * quotedPay >= quotedReceive * toldPay || toldReceive >= receive;
  return isFair ? undefined : { ...fill, quotedPay: toldPay, quotedReceive: receive };
};

/**
 * Decides how a fill counts. An estimate that was filled more than an hour after its quote counts only if there was a live reference price at both
 * times, or if nothing was delivered; otherwise the fill would measure the market, not the provider. For the same reason, a binding offer that was
 * paid late does not count, nor does any order that was paid late and never filled. For bought sats, the delivered amount is the smallest of the
 * reported amount, the link's amount, and the expected amount plus half a per cent.
 */
export const countFill = (fill: Fill): Counted => {
  const { ramp } = fill;
  if (!isExchange(ramp)) return nothingCounted;
  if (fill.quotedPay <= 0n || fill.quotedReceive <= 0n) return nothingCounted;
  const paid = ofThePaidPart(fill);
  const { sats: quoted } = fiatAndSats(ramp, { pay: (paid ?? fill).quotedPay, receive: (paid ?? fill).quotedReceive });
  const paidLate = isPaidLate(fill);
  if (fill.toldReceive === undefined) {
    if (paidLate) return { row: 'none', quotedSats: quoted, deliveredSats: 0n, tells: false };
    return { row: fill.binding ? 'broken' : 'estimates', quotedSats: quoted, deliveredSats: 0n, tells: true };
  }
  const { referenceQuoted: before, referenceFilled: after } = fill;
  const late = fill.filledOn - fill.quotedOn > lateAfterMs && !fill.binding;
  const moved = late && before !== undefined && after !== undefined && before > 0n && after > 0n;
  const expected = moved && sides[ramp].receive === 'sats' ? divFloor(quoted * before, after) : quoted;
  const delivered = deliveredSats(paid ?? fill, ramp, expected, moved);
  if (!paid || (late && !moved && delivered > 0n) || (fill.binding && paidLate))
    return { row: 'none', quotedSats: expected, deliveredSats: delivered, tells: false };
  const missing = expected - delivered;
  if (!fill.binding) return { row: 'estimates', quotedSats: expected, deliveredSats: delivered, tells: true };
  return { row: missing > 1n && missing * 1000n > expected ? 'broken' : 'none', quotedSats: expected, deliveredSats: delivered, tells: true };
};

/**
 * Returns the sats that count as delivered. On a sale they follow from the share of the quoted fiat that the provider reported as paid out; there is
 * no link to compare with.
 */
const deliveredSats = (fill: Fill, ramp: ExchangeRamp, expected: bigint, moved: boolean): bigint => {
  const told = fill.toldReceive ?? 0n;
  const most = divFloor(expected * 1005n, 1000n);
  if (sides[ramp].receive === 'sats') return lesser(lesser(told, fill.linkReceive ?? told), most);
  const [before, after] = moved ? [fill.referenceQuoted ?? 1n, fill.referenceFilled ?? 1n] : [1n, 1n];
  return lesser(divFloor(expected * told * before, fill.quotedReceive * after), most);
};

/**
 * Returns whether a later report of the same fill leaves more sats missing than the earlier report did. A later report that says nothing about the
 * provider never does; an earlier one counts as if it left nothing missing.
 */
export const fallsShorter = (before: Counted, after: Counted): boolean => {
  const missing = ({ quotedSats, deliveredSats }: Counted): bigint => quotedSats - deliveredSats;
  return after.tells && missing(after) > (before.tells ? missing(before) : 0n);
};

/** Returns the change to each row's sums when a later report corrects a fill. The change is not decayed. */
export const correction = (before: Counted, after: Counted): { row: 'estimates' | 'broken'; change: Sums }[] => {
  const rows = ['estimates', 'broken'] as const;
  return rows.flatMap((row) => {
    const of = (counted: Counted): Sums => (counted.row === row ? counted : { quotedSats: 0n, deliveredSats: 0n });
    const [old, fresh] = [of(before), of(after)];
    const change = { quotedSats: fresh.quotedSats - old.quotedSats, deliveredSats: fresh.deliveredSats - old.deliveredSats };
    return change.quotedSats === 0n && change.deliveredSats === 0n ? [] : [{ row, change }];
  });
};
