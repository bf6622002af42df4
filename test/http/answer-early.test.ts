import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { timed } from '../support/stopwatch.ts';

let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  const simulator = { quoteTtlS: 3600 };
  gateway = await startTestGateway(
    { alpine: { simulator }, borealis: { simulator }, cobalt: { simulator } },
    { config: { routing: { answer_early: { after_ms: 500, offers: 2 } } } },
  );
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => await gateway.close());

const slow = (id: string): void => gateway.simulators[id]?.control.setFault({ endpoint: 'quote', fault: 'latency', times: 1, ms: 1500 });
const ask = async () => {
  const began = Date.now();
  const priced = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
  const { ms, value } = await timed(async () => await wallet.call('/offers', priced));
  const { body } = value;
  const ids = (list: string) => (body[list] as { provider: { id: string }; reason?: string }[]).map((one) => `${one.provider.id} ${one.reason ?? ''}`.trim());
  return { ms, elapsedMs: Date.now() - began, offers: ids('offers').toSorted(), failed: ids('failed').toSorted() };
};

it('responds after the configured time as soon as there are the configured number of offers', async () => {
  expect(await ask()).toMatchObject({ offers: ['alpine', 'borealis', 'cobalt'], failed: [] });
  slow('cobalt');
  const early = await ask();
  expect(early).toMatchObject({ offers: ['alpine', 'borealis'], failed: ['cobalt timeout'] });
  expect(early.elapsedMs).toBeGreaterThanOrEqual(495);
  expect(early.ms).toBeLessThan(1200);
});

it('waits longer while there are fewer offers', async () => {
  slow('borealis');
  slow('cobalt');
  const waited = await ask();
  expect(waited.elapsedMs).toBeGreaterThanOrEqual(1400);
  expect(waited.offers.length).toBeGreaterThanOrEqual(2);
  expect(waited.offers).toContain('alpine');
});
