/**
 * The market price of a bitcoin, as this instance knows it. In the background, the instance that holds the lease reads the feeds and stores the
 * readings of each currency in a row that all instances read. So no request ever waits for a feed.
 */
import type { ExchangeAsked } from '../../domain/offer.ts';
import type { DecisionPolicy } from '../../domain/policy.ts';
import { feedRead, judgeFeeds, type FeedReading, type FeedsJudged } from '../../domain/reference.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Feed, ReferenceState } from '../../ports/reference.ts';
import { leaseFor } from '../lease.ts';

export const noReference = (): ReferenceState => ({ readOn: 0, byCurrency: new Map() });

const readEveryMs = 15_000;
/** How old the rows in memory may be: `freshMs` for a request, `knownMs` for background work, which reads them again sooner. */
const [freshMs, knownMs] = [15_000, 5_000];
const feedDeadlineMs = 4_000;
/**
 * Returns the age from which a reading is stale. On Workers feeds are read once a minute (by Cron), so a reading must last even if one minute is
 * missed.
 */
const oldestMs = ({ outlivesRequest }: Gateway): number => (outlivesRequest ? 60_000 : 150_000);
const liveBoundBps = 1000;

const configured = ({ settings }: Gateway): (readonly [currency: string, feeds: readonly Feed[]])[] =>
  Object.entries(settings.routing.reference ?? {}).flatMap(([currency, { feeds }]) => (feeds ? [[currency, feeds] as const] : []));

const knowAgain = async (gateway: Gateway, olderThanMs: number): Promise<void> => {
  const state = gateway.state.reference;
  const now = gateway.now();
  if (Math.abs(now - state.readOn) < olderThanMs || configured(gateway).length === 0) return;
  const before = state.readOn;
  state.readOn = now;
  try {
    state.byCurrency = new Map((await gateway.stores.reference.read()).map((row) => [row.currency, row]));
  } catch (error) {
    state.readOn = before;
    gateway.log('warn', 'reference_not_read', { error: error instanceof Error ? error.name : 'unknown' });
  }
};

/**
 * Called by the price requests for buying and selling. The first request waits for the rows, in parallel with its other reads. Later ones use the
 * last known rows, while these are read again in the background.
 */
export const refreshReference = async (gateway: Gateway): Promise<void> => {
  const isFirst = gateway.state.reference.readOn === 0;
  const known = knowAgain(gateway, freshMs);
  if (isFirst) await known;
  else gateway.background(known);
};

const judged = (gateway: Gateway, feeds: readonly Feed[], readings: readonly FeedReading[], maxAgeMs: number): FeedsJudged => {
  // Another instance may have a different configuration. Feeds that are not configured on this instance do not count.
  const voices = feeds.map(({ name, venue, averages }) => ({ ...(readings.find((one) => one.name === name) ?? { name }), venue, averages }));
  return judgeFeeds(voices, gateway.now(), maxAgeMs);
};

/** Returns the price that offers in this currency are compared with, and how each feed was judged. */
export const referenceFor = (gateway: Gateway, { currency }: ExchangeAsked): Pick<DecisionPolicy, 'reference' | 'feeds'> => {
  const wanted = gateway.settings.routing.reference?.[currency];
  if (!wanted) return {};
  const { btc_price: fixed, max_deviation_bps: bound, feeds } = wanted;
  const own = bound === undefined ? {} : { maxDeviationBps: bound };
  if (!feeds) return fixed === undefined ? {} : { reference: { btcPrice: BigInt(fixed), observedOn: gateway.now(), ...own } };
  const result = judged(gateway, feeds, gateway.state.reference.byCurrency.get(currency)?.readings ?? [], oldestMs(gateway));
  if (result.state === 'away') return { feeds: result.feeds };
  const { price: btcPrice, observedOn } = result;
  const reference =
    result.state === 'live'
      ? { btcPrice, observedOn, source: 'live' as const, maxDeviationBps: bound ?? liveBoundBps }
      : // If several feeds are configured and none confirms the price, the price excludes no offer.
        { btcPrice, observedOn, source: 'one-feed' as const, ...(feeds.length === 1 ? own : {}) };
  return { reference, feeds: result.feeds };
};

/** Reads the feeds of each currency whose row is due. Called by background work. */
export const readFeeds = async (gateway: Gateway): Promise<void> => {
  const wanted = configured(gateway);
  if (wanted.length === 0) return;
  await knowAgain(gateway, knownMs);
  const names = wanted.map(([currency]) => currency);
  if ([...gateway.state.reference.byCurrency.keys()].some((currency) => !names.includes(currency))) await gateway.stores.reference.keepOnly(names);
  await Promise.all(wanted.map(async ([currency, feeds]) => await readCurrency(gateway, currency, feeds)));
};

const readCurrency = async (gateway: Gateway, currency: string, feeds: readonly Feed[]): Promise<void> => {
  const now = gateway.now();
  const known = gateway.state.reference.byCurrency.get(currency);
  // A row from the future was written before the clock was set back.
  if (known && Math.abs(now - known.readOn) < readEveryMs) return;
  const lease = leaseFor(gateway, currency);
  if (!(await gateway.stores.reference.take(currency, { before: now - readEveryMs, now }, lease))) return;
  const readings = await Promise.all(
    feeds.map(async (feed) => {
      const answer = await gateway.readFeed(feed, AbortSignal.timeout(feedDeadlineMs));
      return feedRead(
        feed.name,
        answer,
        known?.readings.find((one) => one.name === feed.name),
        gateway.now(),
      );
    }),
  );
  const result = judged(gateway, feeds, readings, oldestMs(gateway));
  const row = { currency, readings, state: result.state, ...(result.state === 'live' ? { price: result.price } : {}), readOn: gateway.now() };
  await gateway.stores.reference.save(row, lease);
  gateway.state.reference.byCurrency.set(currency, row);
  tell(gateway, currency, result, known?.state);
};

const tell = (gateway: Gateway, currency: string, { state, feeds }: FeedsJudged, before: FeedsJudged['state'] | undefined): void => {
  for (const feed of feeds) gateway.count('feed_reads_total', { currency, feed: feed.name, state: feed.state });
  if (state === before) return;
  const note = feeds.map((feed) => `${feed.name} ${feed.state}`).join(', ');
  gateway.log(state === 'live' ? 'info' : 'warn', state === 'live' ? 'reference_live' : 'reference_not_live', { subject: currency, state, note });
};
