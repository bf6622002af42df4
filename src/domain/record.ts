/**
 * Compares what a provider delivered with what it quoted, and computes the haircut of its next offer. The formulas are the same for every
 * provider; no name counts. Amounts in sats, shares in parts per million (ppm), times in Unix milliseconds. Pure: the store keeps the sums.
 */
import { divCeil, divFloor } from './money.ts';
import { fiatAndSats, isExchange, sides, type ExchangeRamp, type Ramp } from './ramp.ts';

/** Sats quoted and sats delivered. */
export type Sums = { quotedSats: bigint; deliveredSats: bigint };
/** The same fills under two decays: `slow` remembers for weeks, `fast` notices a provider that has just turned bad. */
export type Windows = { slow: Sums; fast: Sums };

/** The sums that judged an offer, stored with the route so that the haircut can be computed again. */
export type Standing = {
  /** All counted fills of estimates of this provider, ramp, currency and option. */
  estimates?: Windows;
  /** Only fills of binding offers that fell short, of this provider and ramp. */
  broken?: Windows;
  /** Set when the operator fixed the haircut of its estimates, or cleared its record. */
  operator?: 'pinned' | 'reset';
};
export const haircutSources = ['configured', 'record', 'operator'] as const;
export type HaircutFrom = (typeof haircutSources)[number];

const million = 1_000_000n;
const dayMs = 86_400_000;
/** An estimate's record starts as if this many sats had been delivered as quoted, or three times the offer's size if that is more. */
const priorSats = 1_000_000n;
const brokenPriorSats = 100_000n;
const lateAfterMs = 3_600_000;

export const emptyWindows = (): Windows => ({ slow: { quotedSats: 0n, deliveredSats: 0n }, fast: { quotedSats: 0n, deliveredSats: 0n } });

/** The UTC day number, counted from 1970. */
export const utcDay = (ms: number): number => Math.floor(ms / dayMs);

// ---- decay -----------------------------------------------------------------------------------------------------------------------------

/** Rounds down. A sum that a correction made negative fades towards zero, too. */
const faded = (sats: bigint, numerator: bigint, denominator: bigint): bigint => (sats * numerator) / denominator;

const decayedSums = (sums: Sums, days: number, numerator: bigint, denominator: bigint): Sums => {
  let { quotedSats, deliveredSats } = sums;
  for (let day = 0; day < days && (quotedSats !== 0n || deliveredSats !== 0n); day += 1) {
    quotedSats = faded(quotedSats, numerator, denominator);
    deliveredSats = faded(deliveredSats, numerator, denominator);
  }
  return { quotedSats, deliveredSats };
};

/** How sums count `days` later: 15/16 for each day, 3/4 for the fast pair, in whole steps. A clock that went back changes nothing. */
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

/** P of the formula for estimates, for an offer of that many sats. */
export const priorOf = (sats: bigint): bigint => worse(priorSats, 3n * sats);

const brokenPpm = (windows: Windows | undefined): bigint => (windows ? worse(brokenShare(windows.slow), brokenShare(windows.fast)) : 0n);

const estimatePpm = ({ slow, fast }: Windows, h0Ppm: bigint, sats: bigint): bigint =>
  [priorSats, priorOf(sats)].map((prior) => worse(estimateShare(slow, h0Ppm, prior), estimateShare(fast, h0Ppm, prior))).reduce(worse);

/**
 * How much lower an offer of `sats` ranks. A binding offer is cut only for broken promises. An estimate is cut for those or for what estimates
 * delivered, whichever is worse, starting from the configured haircut. Never a bonus: a provider could farm it with orders to itself.
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

/** One order that was paid. Amounts in the ramp's units (ramp.ts). */
export type Fill = {
  ramp: Ramp;
  /** Whether the offer was ranked as binding. */
  binding: boolean;
  quotedPay: bigint;
  quotedReceive: bigint;
  /** As the provider's status reported it; 0 for an order that was paid and never filled. */
  toldPay?: bigint;
  toldReceive?: bigint;
  /** What the withdrawal link pays, if it was read. */
  linkReceive?: bigint;
  quotedOn: number;
  filledOn: number;
  /** The live reference price at both moments, hundredths per bitcoin. */
  referenceQuoted?: bigint;
  referenceFilled?: bigint;
};

/** The sum that a fill adds to. Kept promises, liquidity and fills that only measure the market add to none. */
export type Counted = Sums & {
  row: 'estimates' | 'broken' | 'none';
  /** Whether a fill says anything about the provider. A kept promise does; a market that moved or a customer who paid less does not. */
  tells: boolean;
};

const nothingCounted: Counted = { row: 'none', quotedSats: 0n, deliveredSats: 0n, tells: false };

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The customer paid less, and the price was no worse. */
const paidLess = ({ quotedPay, quotedReceive, toldPay, toldReceive }: Fill): boolean =>
  toldPay !== undefined && toldReceive !== undefined && toldPay < quotedPay && toldReceive * quotedPay >= quotedReceive * toldPay;

/**
 * How a fill counts. An estimate filled more than an hour after its quote counts only with a live reference at both moments; otherwise it would
 * measure the market. Delivered is the least of what was reported, what the link pays, and the quote plus half a per cent.
 */
export const countFill = (fill: Fill): Counted => {
  const { ramp } = fill;
  if (!isExchange(ramp)) return nothingCounted;
  const { sats: quoted } = fiatAndSats(ramp, { pay: fill.quotedPay, receive: fill.quotedReceive });
  if (fill.quotedPay <= 0n || fill.quotedReceive <= 0n) return nothingCounted;
  if (fill.toldReceive === undefined) return { row: fill.binding ? 'broken' : 'estimates', quotedSats: quoted, deliveredSats: 0n, tells: true };
  const { referenceQuoted: before, referenceFilled: after } = fill;
  const late = fill.filledOn - fill.quotedOn > lateAfterMs && !fill.binding;
  const moved = late && before !== undefined && after !== undefined && before > 0n && after > 0n;
  const expected = moved && sides[ramp].receive === 'sats' ? divFloor(quoted * before, after) : quoted;
  const delivered = deliveredSats(fill, ramp, expected, moved);
  if (paidLess(fill) || (late && !moved)) return { row: 'none', quotedSats: expected, deliveredSats: delivered, tells: false };
  const missing = expected - delivered;
  if (!fill.binding) return { row: 'estimates', quotedSats: expected, deliveredSats: delivered, tells: true };
  return { row: missing > 1n && missing * 1000n > expected ? 'broken' : 'none', quotedSats: expected, deliveredSats: delivered, tells: true };
};

/** Sold sats count by the share of the quoted fiat that the provider says arrived. There is no link to compare with. */
const deliveredSats = (fill: Fill, ramp: ExchangeRamp, expected: bigint, moved: boolean): bigint => {
  const told = fill.toldReceive ?? 0n;
  const most = divFloor(expected * 1005n, 1000n);
  if (sides[ramp].receive === 'sats') return lesser(lesser(told, fill.linkReceive ?? told), most);
  const [before, after] = moved ? [fill.referenceQuoted ?? 1n, fill.referenceFilled ?? 1n] : [1n, 1n];
  return lesser(divFloor(expected * told * before, fill.quotedReceive * after), most);
};

/** What later news of the same fill changes in a row's sums, undecayed, since it was due all along. */
export const correction = (before: Counted, after: Counted): { row: 'estimates' | 'broken'; change: Sums }[] => {
  const rows = ['estimates', 'broken'] as const;
  return rows.flatMap((row) => {
    const of = (counted: Counted): Sums => (counted.row === row ? counted : { quotedSats: 0n, deliveredSats: 0n });
    const [old, fresh] = [of(before), of(after)];
    const change = { quotedSats: fresh.quotedSats - old.quotedSats, deliveredSats: fresh.deliveredSats - old.deliveredSats };
    return change.quotedSats === 0n && change.deliveredSats === 0n ? [] : [{ row, change }];
  });
};
