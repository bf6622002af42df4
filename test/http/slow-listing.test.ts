import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { timed } from '../support/stopwatch.ts';

/** Accepts every connection and never answers. */
const mute: Server = createServer(() => undefined);
let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
  const base_url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  gateway = await startTestGateway(
    { alpine: { simulator: { quoteTtlS: 3600 } } },
    { config: { routing: { quote_deadline_ms: 2500 } }, blocks: { mute: { kind: 'fiat-on-ramp', base_url, breaker: { volume_threshold: 1000 } } } },
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
  const ask = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, max_wait_ms };
  const { ms, value } = await timed(async () => await wallet.call('/offers', ask));
  return { ms, body: value.body };
};

it('a provider whose listing hangs delays the first request by at most max_wait_ms, and later requests not at all', async () => {
  const first = await offers(2000);
  expect(first.ms).toBeLessThan(2300);
  expect(first.body['offers']).toMatchObject([{ provider: { id: 'alpine' } }]);
  expect(first.body['failed']).toMatchObject([{ provider: { id: 'mute' }, reason: 'timeout' }]);
  expect((first.body['policy'] as { waited_ms: number }).waited_ms).toBeGreaterThan(250);
  // The first read has failed, and the pause before the next one is over.
  expect(await gateway.server.idle()).toBe(true);
  gateway.clock.move(5_100);
  const later = await offers(2500);
  expect(later.ms).toBeLessThan(900);
  expect(later.body['failed']).toMatchObject([{ provider: { id: 'mute' }, reason: 'timeout' }]);
});

it('before the first listing, every price is a problem that may be retried: no option is said to be unknown', async () => {
  const base_url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const cold = await startTestGateway({}, { blocks: { mute: { kind: 'fiat-on-ramp', base_url, breaker: { volume_threshold: 1000 } } } });
  try {
    const { call, open } = createWallet(cold.url);
    const session = await open();
    for (const path of ['/offers', '/quote']) {
      const ask = { session_id: session.sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 2_147_483_647, max_wait_ms: 300 };
      const { status, body } = await call(path, ask);
      expect([path, status, body['code'], body['retry_after_ms']]).toEqual([path, 503, 'temporary-reduced-capacity', 1000]);
    }
  } finally {
    mute.closeAllConnections();
    await cold.close();
  }
});
