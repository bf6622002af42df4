import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';

const places = 6;
let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
const sockets: Socket[] = [];
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } }, { config: { limits: { in_flight: places, verify_per_minute: 10_000 } } });
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await wallet.call('/payment-options', { session_id: sessionId });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await gateway.close();
});

const asked = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };

it('bodies that never arrive do not take slots from other requests', async () => {
  const start = 'POST /order-status HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":';
  await Promise.all(
    Array.from(
      { length: places * 3 },
      async () =>
        await new Promise<void>((sent) => {
          const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(start, () => sent()));
          sockets.push(socket.on('error', () => undefined));
        }),
    ),
  );
  await new Promise((done) => setTimeout(done, 200));
  expect((await wallet.call('/health/live')).status).toBe(200);
  expect((await wallet.call('/order-status', { session_id: sessionId })).status).toBe(200);
  expect((await wallet.call('/quote', { session_id: sessionId, ...asked })).status).toBe(200);
});

it('quotes are refused first; status reads have slots of their own, and /health/live always works', async () => {
  gateway.simulators['alpine']?.control.setFault({ endpoint: 'quote', fault: 'latency', times: 4, ms: 1500 });
  const slow = Array.from({ length: 4 }, async () => await wallet.call('/quote', { session_id: sessionId, ...asked }));
  const shed = await until('quotes are shed', async () => {
    const answer = await wallet.call('/quote', { session_id: sessionId, ...asked });
    return answer.body['code'] === 'temporary-reduced-capacity' ? answer : undefined;
  });
  expect([shed.status, shed.body['retryable']]).toEqual([503, true]);
  expect((await wallet.call('/order-status', { session_id: sessionId })).status).toBe(200);
  expect((await wallet.call('/health/live')).status).toBe(200);
  await Promise.all(slow);
});

it('a provider without a free slot has not refused, and an order still gets through to it', async () => {
  const one = { concurrency: { in_flight: 1, queue: 0 } };
  const dear = [
    { code: 'EUR', id: 1, price: 9_180_000, options: [{ name: 'SEPA', id: 1, feeRate: 0.009, min: 25_000, max: 1_000_000, pay: 'details' as const }] },
  ];
  const narrow = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600 }, block: one },
    eiger: { simulator: { quoteTtlS: 3600, currencies: dear } },
  });
  try {
    const wallets = [createWallet(narrow.url), createWallet(narrow.url)] as const;
    const sessions = await Promise.all(wallets.map(async (each) => (await each.open()).sessionId));
    // The sessions at the providers are open.
    await narrow.server.idle();
    const quote = async (i: 0 | 1) => await wallets[i].call('/quote', { session_id: sessions[i], ...asked });
    expect((await quote(1)).status).toBe(200);
    const accepted = await quote(0);
    expect(accepted.status).toBe(200);
    narrow.simulators['alpine']?.control.setFault({ endpoint: 'quote', fault: 'latency', times: 1, ms: 1200 });
    const slow = quote(0);
    await new Promise((done) => setTimeout(done, 200));
    const shed = await quote(1);
    expect([shed.status, shed.body['code'], shed.body['retryable'], shed.body['limits']]).toEqual([503, 'temporary-reduced-capacity', true, undefined]);
    expect(shed.body['failed']).toMatchObject([{ provider: { id: 'alpine' }, reason: 'busy', retryable: true }]);
    expect(shed.body['refused']).toMatchObject([{ provider: { id: 'eiger' }, reason: 'below-minimum' }]);
    expect((await wallets[0].call('/order', { session_id: sessions[0], quote_id: accepted.body['quote_id'] })).status).toBe(200);
    expect((await slow).status).toBe(200);
  } finally {
    await narrow.close();
  }
});
