/**
 * Two simulated price feeds over real HTTP that misbehave on demand. `/one/EUR` writes prices as strings, `/two/EUR` as numbers. For the sandbox and
 * for tests.
 */
import { Hono } from 'hono';
import { serveSimulator, type Serving } from '../providers/kit/serve.simulator.ts';

export const tickerFaults = ['lies', 'stale', 'frozen', 'away', 'hangs', 'words', 'crossed'] as const;
export type TickerFault = (typeof tickerFaults)[number];
export type TickerOptions = {
  /** Prices by currency, in hundredths per bitcoin. */
  prices: { [currency: string]: number };
  /** The step, in hundredths, in which the price moves up and down, so that it does not look frozen. The price moves by at most three steps. */
  moves?: number;
  now?: () => number;
};
type Name = 'one' | 'two';
export type TickerControl = {
  set: (feed: Name, fault?: TickerFault) => void;
  price: (currency: string, hundredths: number) => void;
  /** How often each feed was read. */
  asked: { one: number; two: number };
};

const staleMs = 300_000;
const spread = 500;
const text = (hundredths: number): string => `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;

const createTicker = ({ prices, moves = 0, now = Date.now }: TickerOptions) => {
  const faults = new Map<Name, TickerFault>();
  const frozen = new Map<string, { price: number }>();
  const control: TickerControl = {
    set: (feed, fault) => {
      frozen.clear();
      if (fault) faults.set(feed, fault);
      else faults.delete(feed);
    },
    price: (currency, hundredths) => void (prices[currency] = hundredths),
    asked: { one: 0, two: 0 },
  };
  const priceNow = (feed: Name, currency: string): number | undefined => {
    const price = prices[currency];
    if (price === undefined) return undefined;
    const moved = price + moves * ((Math.floor(now() / 5000) % 7) - 3);
    const fault = faults.get(feed);
    if (fault === 'lies') return Math.round(moved * 1.2);
    if (fault !== 'frozen') return moved;
    const key = `${feed} ${currency}`;
    if (!frozen.has(key)) frozen.set(key, { price: moved });
    return frozen.get(key)?.price;
  };

  const app = new Hono();
  app.get('/:feed{one|two}/:currency', async (c) => {
    const feed = c.req.param('feed') as Name;
    control.asked[feed] += 1;
    const fault = faults.get(feed);
    const price = priceNow(feed, c.req.param('currency'));
    if (price === undefined) return c.json({ error: 'no such market' }, 404);
    if (fault === 'away') return c.text('gone', 503);
    if (fault === 'hangs') return await new Promise<Response>(() => undefined);
    const half = fault === 'crossed' ? -spread : spread;
    const [bid, ask] = fault === 'words' ? ['n/a', 'n/a'] : [text(price - half), text(price + half)];
    const stamp = now() - (fault === 'stale' ? staleMs : 0);
    if (feed === 'one') return c.json({ bid, ask, time: new Date(stamp).toISOString() });
    const written = (figure: string): string => (fault === 'words' ? `"${figure}"` : figure);
    const body = `{"data":{"bid":${written(bid)},"ask":${written(ask)}},"timestamp":${Math.floor(stamp / 1000)}}`;
    return c.body(body, 200, { 'content-type': 'application/json' });
  });
  /**
   * Takes commands, as in the other simulators: `{"do": "lies", "args": ["one"]}`, `{"do": "well", "args": ["one"]}`, `{"do": "price", "args":
   * ["EUR", 9180000]}`.
   */
  app.post('/__control', async (c) => {
    const { do: action, args } = await c.req.json<{ do: string; args: [string, number?] }>();
    if (action === 'price') control.price(args[0], args[1] ?? 0);
    else
      control.set(
        args[0] as Name,
        tickerFaults.find((fault) => fault === action),
      );
    return c.json({});
  });
  return { app, control };
};

export type RunningTicker = Serving & { control: TickerControl };
export const startTicker = async (options: TickerOptions): Promise<RunningTicker> => await serveSimulator(0, () => createTicker(options));
