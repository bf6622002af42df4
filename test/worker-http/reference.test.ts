/** The live reference on real workerd: Cron reads the feeds and stores a row, and requests read the row. */
import { afterAll, beforeAll, expect } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { tickerKey } from '../../src/config/ticker-key.ts';
import { startTicker, type RunningTicker } from '../../src/feeds/ticker.simulator.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { needsPostgres } from '../support/postgres.ts';
import { until } from '../support/gateway.ts';
import { startTestWorker, type TestWorker } from './start-worker.ts';

let worker: TestWorker;
let ticker: RunningTicker;
let simulators: RunningSimulator[];
beforeAll(async () => {
  ticker = await startTicker({ prices: { EUR: 9_180_000 } });
  simulators = await Promise.all([
    startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 }),
    startFiatOnRampSimulator({ id: 'cobalt', quoteTtlS: 3600, spreadBps: 50 }),
  ]);
  const [alpine, cobalt] = simulators.map(({ url }) => url);
  worker = await startTestWorker({ alpine: alpine ?? '', cobalt: cobalt ?? '', [tickerKey]: ticker.url });
});
afterAll(async () => {
  await worker.close();
  await Promise.all([...simulators, ticker].map((one) => one.close()));
});

type Body = { offers: { cost_bps?: number; cost_vs_median_bps?: number }[]; policy: { reference: { source: string; feeds: { state: string }[] } } };

needsPostgres('Cron reads the feeds, and requests state costs compared with them', async () => {
  const wallet = createWallet(worker.url);
  const { sessionId } = await wallet.open();
  const options = await wallet.call('/payment-options', { session_id: sessionId, currency_code: 'EUR' });
  const [euro] = Object.values(
    (options.body['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[])[0] ?? {},
  );
  const sepa = euro?.payment_options.find((one) => one.option === 'SEPA');
  const offers = async (): Promise<Body> =>
    (await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: euro?.currency_id, payment_option_id: sepa?.id })).body as never;
  const before = await offers();
  expect(before.policy.reference).toMatchObject({ source: 'median-of-offers', feeds: [{ state: 'away' }, { state: 'away' }] });
  expect(before.offers.map((one) => [one.cost_bps, typeof one.cost_vs_median_bps])).toEqual([
    [undefined, 'number'],
    [undefined, 'number'],
  ]);

  ticker.control.set('two', 'lies');
  await worker.wake();
  expect(ticker.control.asked).toEqual({ one: 1, two: 1 });
  ticker.control.set('two');
  // Background work reads the feeds again only after 15 s, and requests reread the stored row only after 15 s.
  const live = await until('the reference is live', async () => {
    await worker.wake();
    // The pause keeps these requests, which go on for 15 s or more, within the session's limit on quotes.
    await new Promise((done) => setTimeout(done, 700));
    const body = await offers();
    return body.policy.reference.source === 'live' ? body : undefined;
  });
  // The fee is 0.90 EUR of 100.00 EUR. Alpine sells at the market's price, Cobalt half a per cent above it. Sats are whole, and costs are rounded up.
  expect(live.offers.map((one) => one.cost_bps)).toEqual([91, 140]);
});
