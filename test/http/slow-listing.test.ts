import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

/** Takes every connection and never says a word. */
const mute: Server = createServer(() => undefined);
let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
  const base_url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } } },
    { blocks: { mute: { kind: 'fiat-on-ramp', base_url, breaker: { volume_threshold: 1000 } } } },
  );
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
});
afterAll(async () => {
  await gateway.close();
  mute.closeAllConnections();
  await new Promise((done) => mute.close(done));
});

const offers = async (max_wait_ms: number) => {
  const started = Date.now();
  const { body } = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, max_wait_ms });
  return { ms: Date.now() - started, body };
};

it('a provider whose listing hangs makes nobody wait beyond max_wait_ms, and no later request at all', { timeout: 20_000 }, async () => {
  const first = await offers(600);
  expect(first.ms).toBeLessThan(900);
  expect(first.body['offers']).toMatchObject([{ provider: { id: 'alpine' } }]);
  expect(first.body['failed']).toMatchObject([{ provider: { id: 'mute' }, reason: 'timeout' }]);
  expect((first.body['policy'] as { waited_ms: number }).waited_ms).toBeGreaterThan(250);
  // The first read has failed, and the pause before the next one is over.
  await new Promise((done) => setTimeout(done, 7800 - first.ms));
  const later = await offers(2500);
  expect(later.ms).toBeLessThan(900);
  expect(later.body['failed']).toMatchObject([{ provider: { id: 'mute' }, reason: 'timeout' }]);
});
