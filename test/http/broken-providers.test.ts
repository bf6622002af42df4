import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, walletFrom, type TestGateway } from '../support/gateway.ts';
import { timed } from '../support/stopwatch.ts';

const deadlineMs = 2500;

let gateway: TestGateway;
let wallet: Wallet;
let sessionId: string;
beforeAll(async () => {
  const good = { quoteTtlS: 3600 };
  gateway = await startTestGateway(
    {
      alpine: { simulator: good },
      borealis: { simulator: { ...good, spreadBps: 30 } },
      cobalt: { simulator: { ...good, spreadBps: 60 } },
      victim: { simulator: { ...good, spreadBps: -50 } },
    },
    { config: { routing: { quote_deadline_ms: deadlineMs, late_grace_ms: 0 }, trusted_proxies: ['127.0.0.1'] } },
  );
  wallet = createWallet(gateway.url);
  ({ sessionId } = await wallet.open());
  await offers();
});
afterEach(() => gateway.simulators['victim']?.control.clearFaults());
afterAll(async () => await gateway.close());

type Offers = {
  offers: { provider: { id: string }; quote_id: string }[];
  excluded: { provider: { id: string }; rule: string }[];
  refused: { provider: { id: string }; reason: string }[];
  failed: { provider: { id: string }; reason: string; retry_on?: string }[];
};
const offers = async (): Promise<Offers> =>
  (await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).body as unknown as Offers;
const healthy = (answer: Offers): string[] => answer.offers.map((one) => one.provider.id).filter((id) => id !== 'victim');
/** Waits until the circuit is closed again, so that one test does not affect the next. */
const rested = async (): Promise<void> => {
  await gateway.passUntil('the victim is asked again', async () => ((await offers()).offers.some((one) => one.provider.id === 'victim') ? true : undefined));
};

it.each([
  ['latency', 'timeout'],
  ['500', 'server'],
  ['html200', 'malformed'],
  ['truncated', 'malformed'],
  ['endless', 'malformed'],
  ['drip', 'timeout'],
  ['reset', 'unreachable'],
  ['gzip-bomb', 'malformed'],
  ['huge-header', 'malformed'],
  ['redirect', 'malformed'],
] as const)('%s costs nothing but its own answer', async (fault, reason) => {
  await rested();
  const memory = process.memoryUsage().rss;
  gateway.simulators['victim']?.control.setFault({ endpoint: 'quote', fault, times: 1, ms: 60_000, to: `${gateway.simulators['alpine']?.url ?? ''}/features` });
  const before = gateway.simulators['alpine']?.control.history.requests.length ?? 0;
  const { ms, value: answer } = await timed(offers);
  // No provider is waited for beyond the deadline, or asked again after it. collect-offers.test.ts checks the deadline to the millisecond.
  expect(ms).toBeLessThan(2 * deadlineMs);
  expect(healthy(answer)).toEqual(['alpine', 'borealis', 'cobalt']);
  expect(answer.failed).toMatchObject([{ provider: { id: 'victim' }, reason }]);
  expect((gateway.simulators['alpine']?.control.history.requests.length ?? 0) - before).toBe(1);
  expect(process.memoryUsage().rss - memory).toBeLessThan(60_000_000);
});

it.each([
  ['wrong-currency', 'wrong-currency'],
  ['wrong-option', 'wrong-option'],
  ['absurd-price', 'too-good'],
  ['expired-quote', 'expires-too-soon'],
  ['negative-fee', 'amount-invalid'],
] as const)('%s is excluded as %s', async (fault, rule) => {
  await rested();
  gateway.simulators['victim']?.control.setFault({ endpoint: 'quote', fault, times: 1 });
  expect((await offers()).excluded).toMatchObject([{ provider: { id: 'victim' }, rule }]);
});

it('429 is a back-off of its own, not a broken circuit', async () => {
  await rested();
  gateway.simulators['victim']?.control.setFault({ endpoint: 'quote', fault: '429', times: 1 });
  expect((await offers()).failed).toMatchObject([{ reason: 'rate-limited' }]);
  const asked = gateway.simulators['victim']?.control.history.requests.length;
  expect((await offers()).failed).toMatchObject([{ reason: 'rate-limited' }]);
  expect(gateway.simulators['victim']?.control.history.requests.length).toBe(asked);
  await rested();
});

it('an upstream session that ended is opened anew within the same request', async () => {
  await rested();
  gateway.simulators['victim']?.control.setFault({ endpoint: 'quote', fault: 'session-expired', times: 1 });
  expect((await offers()).offers.map((one) => one.provider.id)).toContain('victim');
});

it('a quote whose session has ended at its provider cannot be ordered; a new quote can', async () => {
  await rested();
  const quoteAtVictim = async () => (await offers()).offers.find((one) => one.provider.id === 'victim')?.quote_id;
  const order = async (quoteId: string | undefined) => await wallet.call('/order', { session_id: sessionId, quote_id: quoteId });
  const quoteId = await quoteAtVictim();
  gateway.simulators['victim']?.control.setFault({ endpoint: 'order', fault: 'session-expired', times: 1 });
  const gone = await order(quoteId);
  expect([gone.status, gone.body['code'], gone.body['action']]).toEqual([410, 'quote-expired', 'requote']);
  expect((await order(quoteId)).status).toBe(410);
  expect((await order(await quoteAtVictim())).status).toBe(200);
});

it('one network opens no circuit, with however many sessions; several do, and it closes by time, and /providers tells', async () => {
  await rested();
  gateway.simulators['victim']?.control.setFault({ endpoint: 'quote', fault: '500' });
  const circuit = async () =>
    ((await wallet.call('/providers')).body['providers'] as { id: string; circuits: { quote: string } }[]).find((one) => one.id === 'victim')?.circuits.quote;
  const failureFrom = async (ip: string) => {
    const other = walletFrom(gateway.url, ip);
    const { sessionId: theirs } = await other.open();
    const { body } = await other.call('/offers', { session_id: theirs, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    return (body as unknown as Offers).failed[0];
  };
  for (let i = 0; i < 20; i += 1) await failureFrom(i % 2 === 0 ? `2001:db8:1:${i}::1` : '203.0.113.7:51008');
  expect(await circuit()).toBe('closed');
  let retryOn = 0;
  for (let i = 0; i < 150; i += 1) {
    const failed = await failureFrom(`198.51.${i}.7`);
    if (failed?.reason === 'circuit-open') {
      retryOn = Date.parse(failed.retry_on ?? '');
      break;
    }
  }
  expect(retryOn).toBeGreaterThan(gateway.clock.now() - 1000);
  expect(await circuit()).not.toBe('closed');
  gateway.simulators['victim']?.control.clearFaults();
  await rested();
  expect(await circuit()).toBe('closed');
});

it('two of four die in mid-flight: prices change, other orders go on, orders there wait and recover when they are back', async () => {
  await rested();
  const [best] = (await offers()).offers;
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: best?.quote_id });
  expect(best?.provider.id).toBe('victim');
  const orderId = String(order.body['order_id']);
  const upstream = gateway.simulators['victim']?.control.history.orders.at(-1)?.orderId ?? '';
  gateway.simulators['victim']?.control.setFault({ endpoint: '*', fault: 'reset' });
  gateway.simulators['borealis']?.control.setFault({ endpoint: '*', fault: 'reset' });
  const during = await offers();
  expect(during.offers.map((one) => one.provider.id)).toEqual(['alpine', 'cobalt']);
  expect((await wallet.call('/order', { session_id: sessionId, quote_id: during.offers[0]?.quote_id })).status).toBe(200);
  const status = async () => ((await wallet.call('/order-status', { session_id: sessionId, order_id: orderId })).body[orderId] as { stage: string }).stage;
  expect(await status()).toBe('awaiting_payment');
  gateway.simulators['victim']?.control.clearFaults();
  gateway.simulators['borealis']?.control.clearFaults();
  await gateway.simulators['victim']?.control.pay(upstream);
  await gateway.passUntil('filled', async () => ((await status()) === 'filled' ? true : undefined));
});
