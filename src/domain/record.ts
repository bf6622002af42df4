/**
 * What a provider delivered against what it quoted, and the haircut that its next offer is ranked with. Everybody's figures pass the same
 * formulas, nobody's name counts. Amounts in sats, shares in parts per million (ppm), times in Unix milliseconds. Pure: the store keeps the sums.
 */
import { divCeil, divFloor } from './money.ts';
import { fiatAndSats, isExchange, sides, type ExchangeRamp, type Ramp } from './ramp.ts';

/** Sats quoted and sats delivered. */
export type Sums = { quotedSats: bigint; deliveredSats: bigint };
/** The same fills under two decays: `slow` remembers for weeks, `fast` notices a provider that has just turned. */
export type Windows = { slow: Sums; fast: Sums };

/** What an offer is judged by, as it stood when it was decided; stored with the route, so that the haircut can be computed again. */
export type Standing = {
  /** Of this provider, ramp, currency and option: all counted fills of what did not bind. */
  estimates?: Windows;
  /** Of this provider and ramp: only fills of what bound and fell short. */
  broken?: Windows;
  /** The operator fixed the haircut of its estimates, or cleared its record. */
  operator?: 'pinned' | 'reset';
};
export const haircutSources = ['configured', 'record', 'operator'] as const;
export type HaircutFrom = (typeof haircutSources)[number];

const million = 1_000_000n;
const dayMs = 86_400_000;
/** So many sats delivered as quoted stand before the first fill of an estimate; three times the offer's own size where that is more. */
const priorSats = 1_000_000n;
const brokenPriorSats = 100_000n;
const lateAfterMs = 3_600_000;

export const emptyWindows = (): Windows => ({ slow: { quotedSats: 0n, deliveredSats: 0n }, fast: { quotedSats: 0n, deliveredSats: 0n } });

/** The UTC day of a moment, counted from 1970. */
export const utcDay = (ms: number): number => Math.floor(ms / dayMs);

// ---- decay -----------------------------------------------------------------------------------------------------------------------------

/** Rounds down. A sum that a correction took below zero fades towards zero from there. */
const faded = (sats: bigint, numerator: bigint, denominator: bigint): bigint => (sats * numerator) / denominator;

const decayedSums = (sums: Sums, days: number, numerator: bigint, denominator: bigint): Sums => {
  let { quotedSats, deliveredSats } = sums;
  for (let day = 0; day < days && (quotedSats !== 0n || deliveredSats !== 0n); day += 1) {
    quotedSats = faded(quotedSats, numerator, denominator);
    deliveredSats = faded(deliveredSats, numerator, denominator);
  }
  return { quotedSats, deliveredSats };
};

/** Sums of an earlier day as they count `days` later: 15/16 a day, of the fast pair 3/4, in whole steps. A clock that went back changes nothing. */
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

/** P of the estimates' formula for an offer of so many sats. */
export const priorOf = (sats: bigint): bigint => worse(priorSats, 3n * sats);

const brokenPpm = (windows: Windows | undefined): bigint => (windows ? worse(brokenShare(windows.slow), brokenShare(windows.fast)) : 0n);

const estimatePpm = ({ slow, fast }: Windows, h0Ppm: bigint, sats: bigint): bigint =>
  [priorSats, priorOf(sats)].map((prior) => worse(estimateShare(slow, h0Ppm, prior), estimateShare(fast, h0Ppm, prior))).reduce(worse);

/**
 * What an offer of `sats` is ranked lower by. What binds is cut for broken promises alone; an estimate for the worse of those and of what
 * estimates delivered, starting from the configured haircut. Between nothing and all: a bonus could be farmed by orders to oneself.
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
  /** Whether the offer bound, as it was ranked. */
  binding: boolean;
  quotedPay: bigint;
  quotedReceive: bigint;
  /** As the provider's status told; nothing for an order that was paid and never filled. */
  toldPay?: bigint;
  toldReceive?: bigint;
  /** What the withdrawal link pays, where it was read. */
  linkReceive?: bigint;
  quotedOn: number;
  filledOn: number;
  /** A live reference at both moments, hundredths per bitcoin. */
  referenceQuoted?: bigint;
  referenceFilled?: bigint;
};

/** Which sum a fill belongs to. Kept promises, fills that measure the market and liquidity belong to none. */
export type Counted = Sums & {
  row: 'estimates' | 'broken' | 'none';
  /** Whether it says anything of the provider: also of a promise kept, not of a market that moved or of a customer who paid less. */
  tells: boolean;
};

const nothingCounted: Counted = { row: 'none', quotedSats: 0n, deliveredSats: 0n, tells: false };

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Less was paid, at no worse a price: the customer's doing. */
const paidLess = ({ quotedPay, quotedReceive, toldPay, toldReceive }: Fill): boolean =>
  toldPay !== undefined && toldReceive !== undefined && toldPay < quotedPay && toldReceive * quotedPay >= quotedReceive * toldPay;

/**
 * How a fill counts. A fill more than an hour after its quote teaches about an estimate only against a live reference at both moments: else it
 * would measure the market. Delivered is the least of what was told, what the link pays, and half a per cent above the quote.
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

/** Sold sats are counted by the share of the quoted fiat that arrived, as the provider tells it: there is no link to hold against it. */
const deliveredSats = (fill: Fill, ramp: ExchangeRamp, expected: bigint, moved: boolean): bigint => {
  const told = fill.toldReceive ?? 0n;
  const most = divFloor(expected * 1005n, 1000n);
  if (sides[ramp].receive === 'sats') return lesser(lesser(told, fill.linkReceive ?? told), most);
  const [before, after] = moved ? [fill.referenceQuoted ?? 1n, fill.referenceFilled ?? 1n] : [1n, 1n];
  return lesser(divFloor(expected * told * before, fill.quotedReceive * after), most);
};

/** What later news of the same fill changes in a row's sums, undecayed: it was due all the time. */
export const correction = (before: Counted, after: Counted): { row: 'estimates' | 'broken'; change: Sums }[] => {
  const rows = ['estimates', 'broken'] as const;
  return rows.flatMap((row) => {
    const of = (counted: Counted): Sums => (counted.row === row ? counted : { quotedSats: 0n, deliveredSats: 0n });
    const [old, fresh] = [of(before), of(after)];
    const change = { quotedSats: fresh.quotedSats - old.quotedSats, deliveredSats: fresh.deliveredSats - old.deliveredSats };
    return change.quotedSats === 0n && change.deliveredSats === 0n ? [] : [{ row, change }];
  });
};
