/**
 * Finds what a bitcoin costs, from public tickers. The price is `live` when two feeds agree on it and neither of the two copies the other. So a
 * single feed that lies, lags or hangs cannot make a price live. Prices are in hundredths of the fiat unit per bitcoin, times in Unix milliseconds.
 * These functions are pure.
 */

/**
 * Why a feed's price is not used. `away`: the feed could not be read. `malformed`: its answer is not a ticker. `crossed`: its bid is above its ask.
 * `stale`: its price is too old, or its time stamp too far in the future.
 */
export const feedFaults = ['away', 'malformed', 'crossed', 'stale'] as const;
export type FeedFault = (typeof feedFaults)[number];
/** `repeats`: another usable feed of the same venue is listed before this one. */
export const feedStates = ['used', 'frozen', 'disagrees', 'repeats', ...feedFaults] as const;
export type FeedState = (typeof feedStates)[number];

/** The last reading of one feed. While the feed is down, the figures that it gave last (`said`) are used until they are too old. */
export type FeedReading = {
  name: string;
  fault?: FeedFault;
  said?: {
    price: bigint;
    /** The figures as the feed wrote them. */
    text: string;
    /** The time of the price: the feed's own time stamp, or the time of the reading if it gives none. */
    at: number;
    /** The time from which the feed has given exactly these figures. */
    since: number;
  };
};
/** A feed's last reading, with the venue whose price it gives and the venues that it averages. */
export type Voice = FeedReading & { venue: string; averages: readonly string[] };
export type FeedVerdict = { name: string; state: FeedState; btcPrice?: bigint };
export type FeedsJudged = { feeds: FeedVerdict[] } & (
  | { state: 'live' | 'alone'; price: bigint; /** The time of the oldest price that was used. */ observedOn: number }
  | { state: 'away' }
);

/** The result of reading a feed once. */
export type FeedAnswer = { price: bigint; text: string; stamp?: number } | { fault: FeedFault };

const oldestReadMs = 60_000;
const frozenMs = 600_000;
const agreeBps = 100n;

/** Returns what we know about a feed after reading it. A time stamp that is too far ahead is as stale as one that is too old. */
export const feedRead = (name: string, answer: FeedAnswer, before: FeedReading | undefined, now: number): FeedReading => {
  if ('fault' in answer) return { name, fault: answer.fault, ...(answer.fault === 'away' && before?.said ? { said: before.said } : {}) };
  const { price, text, stamp = now } = answer;
  const since = before?.said?.text === text ? Math.min(before.said.since, now) : now;
  // A stale reading keeps its figures, so that `since` still shows how long the feed has given the same ones.
  return { name, ...(Math.abs(now - stamp) > oldestReadMs ? { fault: 'stale' as const } : {}), said: { price, text, at: Math.min(stamp, now), since } };
};

type Usable = { voice: Voice; price: bigint; at: number };

/** Judges a currency's feeds at the time `now`. A reading older than `maxAgeMs` is not used. */
export const judgeFeeds = (voices: readonly Voice[], now: number, maxAgeMs: number): FeedsJudged => {
  const states = new Map<Voice, FeedState>();
  const usable: Usable[] = [];
  for (const voice of voices) {
    const state = stateOf(voice, usable, now, maxAgeMs);
    if (state !== undefined) states.set(voice, state);
    else if (voice.said) usable.push({ voice, price: voice.said.price, at: voice.said.at });
  }
  const group = agreeing(usable);
  const used = group ?? (usable.length > 0 && fits(usable) ? usable : []);
  for (const one of usable) states.set(one.voice, used.includes(one) ? 'used' : 'disagrees');
  const feeds = voices.map((voice): FeedVerdict => {
    const state = states.get(voice) ?? 'away';
    return { name: voice.name, state, ...(voice.said && (state === 'used' || state === 'disagrees') ? { btcPrice: voice.said.price } : {}) };
  });
  if (used.length === 0) return { state: 'away', feeds };
  return { state: group ? 'live' : 'alone', price: median(used.map(({ price }) => price)), observedOn: Math.min(...used.map(({ at }) => at)), feeds };
};

/** Returns why a feed is not used, or undefined if it may be. */
const stateOf = ({ fault, said, venue }: Voice, usable: Usable[], now: number, maxAgeMs: number): FeedState | undefined => {
  if (!said || (fault !== undefined && fault !== 'away')) return fault ?? 'away';
  if (Math.abs(now - said.at) > maxAgeMs) return fault ?? 'stale';
  if (now - said.since >= frozenMs) return 'frozen';
  return usable.some((other) => other.voice.venue === venue) ? 'repeats' : undefined;
};

const fits = (group: Usable[]): boolean => {
  const prices = group.map(({ price }) => price);
  const [low, high] = [least(prices), -least(prices.map((price) => -price))];
  return high * 10_000n <= low * (10_000n + agreeBps);
};
const least = (values: bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a));
const spread = (group: Usable[]): bigint => (group.at(-1)?.price ?? 0n) - (group[0]?.price ?? 0n);

/** Returns whether the group holds two feeds that do not copy each other. */
const isIndependent = (group: Usable[]): boolean =>
  group.some((a) => group.some((b) => a !== b && !a.voice.averages.includes(b.voice.venue) && !b.voice.averages.includes(a.voice.venue)));

/**
 * Returns the largest independent group of feeds that agree; of groups of the same size, the one whose prices are closest together. Returns undefined
 * if there is none, or if another group of that size has no feed in common with it: then we cannot tell which of the two is right.
 */
const agreeing = (usable: Usable[]): Usable[] | undefined => {
  const sorted = usable.toSorted((a, b) => (a.price < b.price ? -1 : a.price > b.price ? 1 : 0));
  const groups = sorted
    .map((_, from) => sorted.slice(from).filter((one) => fits([sorted[from] ?? one, one])))
    .filter(isIndependent)
    .sort((a, b) => b.length - a.length || (spread(a) < spread(b) ? -1 : spread(a) > spread(b) ? 1 : 0));
  const [best] = groups;
  const isDoubted = groups.some((other) => other.length === best?.length && !other.some((one) => best.includes(one)));
  return isDoubted ? undefined : best;
};

/** Returns the median. If there is an even number of prices, it is the mean of the middle two, rounded down. */
const median = (prices: bigint[]): bigint => {
  const sorted = prices.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const [a = 0n, b = 0n] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (a + b) / 2n;
};
