/** The live reference over real HTTP: two price feeds that can do everything wrong, and offers that are compared with them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTicker, type RunningTicker, type TickerFault } from '../../src/feeds/ticker.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';

type Offer = { provider: { id: string }; quote_id: string; amount_fiat: number; amount_sats: number; cost_bps?: number; cost_vs_median_bps?: number };
type Feed = { name: string; state: string; btc_price?: number };
type Body = {
  offers: Offer[];
  excluded: { provider: { id: string }; rule: string }[];
  policy: { reference?: { btc_price: number; source: string; disputed?: true; observed_on: string; feeds?: Feed[] } };
};

const price = 9_180_000;
const clock = movableClock();
let gateway: TestGateway;
let ticker: RunningTicker;
let wallet: Wallet;
let sessionId: string;
let moved = 0;
beforeAll(async () => {
  ticker = await startTicker({ prices: { EUR: price }, now: clock.now });
  const feeds = [
    { name: 'one', url: `${ticker.url}/one/EUR`, bid: '/bid', ask: '/ask', time: '/time' },
    { name: 'two', url: `${ticker.url}/two/EUR`, bid: '/data/bid', ask: '/data/ask', time: '/timestamp' },
  ];
  const simulator = { quoteTtlS: 3600 };
  gateway = await startTestGateway(
    {
      alpine: { simulator },
      borealis: { simulator: { ...simulator, spreadBps: 300 } },
      cobalt: { simulator: { ...simulator, spreadBps: 80, estimate: true } },
    },
    { clock, config: { routing: { reference: { EUR: { feeds } } } } },
  );
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => {
  await gateway.close();
  await ticker.close();
});
/** Changes the price a little and lets the gateway read it. */
const nextReading = async (): Promise<void> => {
  moved += 1;
  ticker.control.price('EUR', price + (moved % 2) * 2);
  await gateway.pass(15_001);
};
beforeEach(async () => {
  ticker.control.set('one');
  ticker.control.set('two');
  await nextReading();
});

const offers = async (): Promise<Body> => {
  const { status, body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 });
  expect(status).toBe(200);
  return body as unknown as Body;
};
const statesOf = ({ policy }: Body): Record<string, string> => Object.fromEntries((policy.reference?.feeds ?? []).map(({ name, state }) => [name, state]));
const costOf = ({ amount_fiat: fiat, amount_sats: sats }: Offer, market: number): number =>
  Number((BigInt(fiat) * 100_000_000n - BigInt(sats) * BigInt(market)) * 10_000n) / Number(BigInt(fiat) * 100_000_000n);

it('costs are told against two tickers that agree, to a basis point', async () => {
  const body = await offers();
  expect(body.policy.reference).toMatchObject({ source: 'live', btc_price: price + (moved % 2) * 2 });
  expect(body.policy.reference?.feeds).toEqual([
    { name: 'one', state: 'used', btc_price: price + (moved % 2) * 2 },
    { name: 'two', state: 'used', btc_price: price + (moved % 2) * 2 },
  ]);
  expect(body.offers).toHaveLength(3);
  for (const offer of body.offers) {
    expect(offer).not.toHaveProperty('cost_vs_median_bps');
    expect(Math.abs((offer.cost_bps ?? Infinity) - costOf(offer, price))).toBeLessThanOrEqual(1);
  }
});

describe('one of two that', () => {
  const bad: [TickerFault, string, source: string][] = [
    ['lies', 'disagrees', 'median-of-offers'],
    ['stale', 'stale', 'one-feed'],
    ['words', 'malformed', 'one-feed'],
    ['crossed', 'crossed', 'one-feed'],
  ];
  it.each(bad)('%s is named, and decides nothing', async (fault, state, source) => {
    ticker.control.set('two', fault);
    await nextReading();
    const body = await offers();
    expect(statesOf(body)['two']).toBe(state);
    expect([body.policy.reference?.source, body.excluded]).toEqual([source, []]);
    for (const offer of body.offers) expect([offer.cost_bps, typeof offer.cost_vs_median_bps]).toEqual([undefined, 'number']);
    ticker.control.set('two');
    await nextReading();
    expect((await offers()).policy.reference?.source).toBe('live');
  });

  it('is away is believed for what it said, for a minute', async () => {
    ticker.control.set('two', 'away');
    await nextReading();
    expect((await offers()).policy.reference?.source).toBe('live');
    for (let n = 0; n < 4; n += 1) await nextReading();
    const body = await offers();
    expect([body.policy.reference?.source, statesOf(body)]).toEqual(['one-feed', { one: 'used', two: 'away' }]);
  });

  it('says the same for ten minutes is frozen', async () => {
    ticker.control.set('two', 'frozen');
    await nextReading();
    for (let n = 0; n < 39; n += 1) await nextReading();
    expect(statesOf(await offers())['two']).toBe('used');
    await nextReading();
    await nextReading();
    expect(statesOf(await offers())).toEqual({ one: 'used', two: 'frozen' });
  });
});

it('with both unreachable, the offers are compared with each other, and the response says so', async () => {
  ticker.control.set('one', 'away');
  ticker.control.set('two', 'words');
  for (let n = 0; n < 5; n += 1) await nextReading();
  const { policy, offers: ranked } = await offers();
  expect(policy.reference).toMatchObject({
    source: 'median-of-offers',
    feeds: [
      { name: 'one', state: 'away' },
      { name: 'two', state: 'malformed' },
    ],
  });
  expect(ranked.every((offer) => offer.cost_bps === undefined && offer.cost_vs_median_bps !== undefined)).toBe(true);
  expect((await metrics()).match(/^ramp_references_not_live (\d+)/m)?.[1]).toBe('1');
});
const metrics = async (): Promise<string> => await (await fetch(`${gateway.url}/metrics`)).text();

it('an offer far from the market is excluded; a market far from most offers is not believed', async () => {
  const simulators = Object.values(gateway.simulators).map(({ control }) => control.options);
  const before = simulators.map(({ spreadBps }) => spreadBps);
  const spreads = (...all: number[]): void => simulators.forEach((options, index) => (options.spreadBps = all[index] ?? 0));
  try {
    spreads(0, 100, 1200);
    expect((await offers()).excluded).toMatchObject([{ provider: { id: 'cobalt' }, rule: 'off-reference' }]);
    spreads(1190, 1200, 1210);
    const body = await offers();
    expect([body.excluded, body.policy.reference]).toEqual([[], expect.objectContaining({ source: 'live', disputed: true })]);
    expect(body.offers.every((offer) => offer.cost_bps === undefined && offer.cost_vs_median_bps !== undefined)).toBe(true);
    expect(await metrics()).toContain('ramp_reference_disputed_total{currency="EUR"}');
  } finally {
    spreads(...before.map((one) => one ?? 0));
  }
});

it('no quote waits for a feed that hangs', async () => {
  ticker.control.set('one', 'hangs');
  ticker.control.set('two', 'hangs');
  const { one } = ticker.control.asked;
  clock.move(15_001);
  let isRead = false;
  const reading = gateway.server.tick().finally(() => (isRead = true));
  await until('the feed is being asked', async () => await Promise.resolve(ticker.control.asked.one > one ? true : undefined));
  const { policy } = await offers();
  // The feeds do not respond while the gateway waits for them. The offers came before the gateway gave up.
  expect([isRead, policy.reference?.source]).toEqual([false, 'live']);
  await reading;
});

it('the price of the market at the quote and at the fill is stored with the fill', async () => {
  const best = (await offers()).offers[0];
  const placed = await wallet.call('/order', { session_id: sessionId, quote_id: best?.quote_id });
  expect(placed.status).toBe(200);
  const orderId = String(placed.body['order_id']);
  const quotedAt = price + (moved % 2) * 2;
  await nextReading();
  const control = gateway.simulators[best?.provider.id ?? '']?.control;
  const upstream = [...(control?.orders.values() ?? [])].at(-1);
  await control?.pay(upstream?.id ?? '');
  await gateway.database.sql`update orders set next_check_on = to_timestamp(0) where id = ${orderId}`;
  const fill = await gateway.passUntil('it is filled', async () => {
    const rows = await gateway.database.sql<{ quoted: number; filled: number }[]>`
      select reference_quoted::int as quoted, reference_filled::int as filled from fills where order_id = ${orderId}`;
    return rows[0];
  });
  expect(fill).toEqual({ quoted: quotedAt, filled: price + (moved % 2) * 2 });
});

it('one instance at a time asks the feeds, and the others use its result', async () => {
  await nextReading();
  const { one } = ticker.control.asked;
  await gateway.restart();
  await gateway.pass(0);
  expect([ticker.control.asked.one, (await offers()).policy.reference?.source]).toEqual([one, 'live']);
});
