/** One wallet waits for its provider; the others do not wait with it, on the embedded database of `npm run dev:worker` either. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startTestWorker, type TestWorker } from './start-worker.ts';

let alpine: RunningSimulator;
let worker: TestWorker;
beforeAll(async () => {
  alpine = await startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 });
  worker = await startTestWorker({ alpine: alpine.url }, { embedded: true });
}, 60_000);
afterAll(async () => {
  await worker.close();
  await alpine.close();
});

it('orders at a slow provider run beside each other', { timeout: 60_000 }, async () => {
  const wallets = [];
  for (let n = 0; n < 3; n += 1) {
    const wallet = createWallet(worker.url);
    const { sessionId } = await wallet.open();
    await wallet.call('/payment-options', { session_id: sessionId });
    const { body } = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    wallets.push({ wallet, order: { session_id: sessionId, quote_id: body['quote_id'] } });
  }
  alpine.control.setFault({ endpoint: 'order', fault: 'latency', ms: 3000 });
  const from = Date.now();
  const answers = await Promise.all(
    wallets.map(async ({ wallet, order }) => {
      const { status, body } = await wallet.call('/order', order);
      return { status, provider: (body['provider'] as { id: string } | undefined)?.id, ms: Date.now() - from };
    }),
  );
  expect(answers.map(({ status, provider }) => [status, provider])).toEqual(Array(3).fill([200, 'alpine']));
  expect(Math.max(...answers.map((one) => one.ms))).toBeLessThan(5_500);
});
