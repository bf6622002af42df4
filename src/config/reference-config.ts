/** `routing.reference`: the market price of a bitcoin, set by the operator or read from public price feeds. */
import * as z from 'zod';
import { isLoopback } from '../domain/public-address.ts';
import type { Feed } from '../ports/reference.ts';

/** Returns the name under which Kraken's answer lists a market: XBTEUR is under XXBTZEUR, but the two newer markets are under their own names. */
const krakenMarket = (currency: string): string => (currency === 'CHF' || currency === 'AUD' ? `XBT${currency}` : `XXBTZ${currency}`);

type Preset = { currencies: readonly string[]; averages?: readonly string[]; of: (currency: string) => Omit<Feed, 'name' | 'venue' | 'averages'> };
/**
 * Public price feeds that need no key. Kraken's answer has no time stamp; Coinbase's has the time of its last trade, Bitstamp's the time of the
 * answer.
 *
 * https://docs.kraken.com/api/docs/rest-api/get-ticker-information
 *
 * https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-ticker
 *
 * https://www.bitstamp.net/api/#tag/Tickers/operation/GetMarketTicker
 *
 * https://mempool.space/docs/api/rest#get-price: the mean of the five exchanges in backend/src/tasks/price-updater.ts of its repository, in whole
 * units, with the time at which it read them. It reads them only every few minutes, so this feed is `stale` most of the time.
 */
const presets = {
  kraken: {
    currencies: ['EUR', 'USD', 'GBP', 'CHF', 'CAD', 'AUD', 'JPY'],
    of: (currency) => ({
      url: `https://api.kraken.com/0/public/Ticker?pair=XBT${currency}`,
      bid: `/result/${krakenMarket(currency)}/b/0`,
      ask: `/result/${krakenMarket(currency)}/a/0`,
    }),
  },
  coinbase: {
    currencies: ['EUR', 'USD', 'GBP'],
    of: (currency) => ({ url: `https://api.exchange.coinbase.com/products/BTC-${currency}/ticker`, bid: '/bid', ask: '/ask', time: '/time' }),
  },
  bitstamp: {
    currencies: ['EUR', 'USD', 'GBP'],
    of: (currency) => ({ url: `https://www.bitstamp.net/api/v2/ticker/btc${currency.toLowerCase()}/`, bid: '/bid', ask: '/ask', time: '/timestamp' }),
  },
  mempool: {
    currencies: ['EUR', 'USD', 'GBP', 'CHF', 'CAD', 'AUD', 'JPY'],
    averages: ['bitfinex', 'bitflyer', 'coinbase', 'gemini', 'kraken'],
    of: (currency) => ({ url: 'https://mempool.space/api/v1/prices', price: `/${currency}`, time: '/time' }),
  },
} as const satisfies Record<string, Preset>;
const names = ['kraken', 'coinbase', 'bitstamp', 'mempool'] as const satisfies readonly (keyof typeof presets)[];

const pointer = z.string().regex(/^(?:\/(?:[^/~]|~[01])*)+$/, 'must be a JSON pointer such as /result/0/price');
const ownFeed = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a short lower-case name'),
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
    bid: pointer.optional().describe('JSON pointer to the best bid in the answer of the feed'),
    ask: pointer.optional(),
    price: pointer.optional().describe('JSON pointer to the price in the answer of the feed, instead of bid and ask'),
    time: pointer.optional().describe('JSON pointer to the time stamp in the answer of the feed: seconds, milliseconds or a date'),
  })
  .refine(({ bid, ask, price }) => (price === undefined ? bid !== undefined && ask !== undefined : bid === undefined && ask === undefined), {
    error: 'give either bid and ask, or price',
  });

const one = z
  .strictObject({
    feeds: z
      .array(z.union([z.enum(names), ownFeed], { error: `allowed: ${names.join(', ')}, or name, url and JSON pointers` }))
      .min(1)
      .max(8)
      .optional()
      .describe('Public price feeds. The reference is live while two feeds that do not copy each other agree'),
    btc_price: z.int().min(1).optional().describe('A fixed price instead of feeds, in hundredths of the fiat unit per bitcoin'),
    max_deviation_bps: z
      .int()
      .min(0)
      .max(10_000)
      .optional()
      .describe(
        'The largest allowed distance of an offer from the reference price, in basis points; offers that are further away are excluded. With a live reference the default is 1000, and none is excluded if that would be more than half of the offers. A fixed price, or a single configured feed, excludes offers only if this is given',
      ),
  })
  .refine(({ feeds, btc_price: price }) => (feeds === undefined) !== (price === undefined), { error: 'give either feeds or btc_price' });

/** A currency code as the gateway lists it. A setting under any other spelling would apply to no currency. */
export const currencyCode = z.string().regex(/^[A-Z0-9 ]{2,16}$/, 'must be a code in capitals, like EUR');

export const reference = z.record(currencyCode, one).superRefine((all, context) => {
  for (const [currency, { feeds = [] }] of Object.entries(all)) {
    const seen = new Set<string>();
    feeds.forEach((feed, index) => {
      const refuse = (message: string): void => context.addIssue({ code: 'custom', path: [currency, 'feeds', index], message, input: feed });
      const name = typeof feed === 'string' ? feed : feed.name;
      if (seen.has(name)) refuse(`two feeds have the name ${name}`);
      seen.add(name);
      if (typeof feed !== 'string') return;
      const { currencies }: Preset = presets[feed];
      if (!currencies.includes(currency)) refuse(`${feed} has no price in ${currency}, only in ${currencies.join(', ')}`);
    });
  }
});

type Given = z.output<typeof reference>;
export type References = { [currency: string]: Omit<Given[string], 'feeds'> & { feeds?: Feed[] | undefined } };

const known = new Set<string>([...names, ...presets.mempool.averages]);
/**
 * Returns which exchange a URL belongs to, so that an exchange's own feed and its preset do not count as two. On loopback, each URL counts as an
 * exchange of its own.
 */
const venueOf = (url: string): string => {
  const { hostname, href } = new URL(url);
  if (hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return href;
  return hostname.split('.').find((label) => known.has(label)) ?? hostname;
};

/**
 * Resolves feed names to feeds. `tickerUrl` replaces the origin of a feed on loopback: it is the address at which the sandbox's price feeds really
 * listen.
 */
export const resolveReferences = (given: Given | undefined, tickerUrl?: string): References | undefined =>
  given &&
  Object.fromEntries(
    Object.entries(given).map(([currency, { feeds, ...rest }]) => [
      currency,
      { ...rest, ...(feeds ? { feeds: feeds.map((feed) => (typeof feed === 'string' ? presetFeed(feed, currency) : own(feed, tickerUrl))) } : {}) },
    ]),
  );

const presetFeed = (name: keyof typeof presets, currency: string): Feed => {
  const preset: Preset = presets[name];
  return { name, venue: name, averages: preset.averages ?? [], ...preset.of(currency) };
};

const own = ({ url, name, ...pointers }: z.output<typeof ownFeed>, tickerUrl: string | undefined): Feed => {
  const { hostname, pathname, search } = new URL(url);
  const moved = tickerUrl !== undefined && isLoopback(hostname) ? `${new URL(tickerUrl).origin}${pathname}${search}` : url;
  const places = Object.fromEntries(Object.entries(pointers).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return { ...places, name, url: moved, venue: venueOf(url), averages: [] };
};

/** Returns notes about effects that a reader of the configuration may not expect. */
export const referenceNotes = (references: References | undefined): string[] =>
  Object.entries(references ?? {}).flatMap(([currency, { feeds, max_deviation_bps: bound }]) => {
    const path = `routing.reference.${currency}`;
    if (!feeds) return bound === undefined ? [`${path}.btc_price is shown and excludes no offer: set max_deviation_bps if it should`] : [];
    if (mayBeLive(feeds)) return [];
    return [
      `${path} does not have two independent feeds, so its price is never live${bound === undefined || feeds.length > 1 ? ', and excludes no offer' : ''}`,
    ];
  });

const mayBeLive = (feeds: readonly Feed[]): boolean =>
  feeds.some((a) => feeds.some((b) => a.venue !== b.venue && !a.averages.includes(b.venue) && !b.averages.includes(a.venue)));
