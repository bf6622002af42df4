import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import { sending } from '../../../test/support/resilience.ts';
import type { Asked, ProviderOffer } from '../../domain/offer.ts';
import { ProviderFault } from '../../providers/fault.ts';
import type { Provider } from '../../ports/providers.ts';
import { collectOffers, type Ask, type Asking } from './collect-offers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const asked: Asked = { ramp: 'buy', fixed: 'pay', amount: 10_000n, currency: 'EUR', option: 'SEPA' };
const offer = (receive: bigint): ProviderOffer => ({
  pay: 10_000n,
  receive,
  fee: 90n,
  binding: true,
  upstream: null,
  facts: {},
  requires: [],
  warnings: [],
});
const after = async <T>(ms: number, answer: () => T): Promise<T> => {
  await new Promise((done) => setTimeout(done, ms));
  return answer();
};
const never = async (): Promise<never> => await new Promise<never>(() => undefined);

/**
 * Collects offers, with timers that the test moves. `asks`: each provider's answer. `usual`: how many quick answers each provider has given before.
 */
const collecting = async (
  asks: Record<string, () => Promise<Asking>>,
  {
    blocks = {},
    routing = {},
    maxWaitMs,
    usual = 0,
  }: { blocks?: Record<string, Record<string, unknown>>; routing?: object; maxWaitMs?: number; usual?: number } = {},
) => {
  const providers = Object.fromEntries(Object.keys(asks).map((id) => [id, blocks[id] ?? {}]));
  const world = memoryGateway(providers, { routing: { quote_deadline_ms: 2500, late_grace_ms: 2000, ...routing } });
  const gateway = { ...world.gateway, now: () => Date.now() };
  const terms = { haircutBps: 0, preferenceBps: 0 };
  const askOf = ([id, ask]: [string, () => Promise<Asking>]): Ask => {
    const provider = gateway.providers.find((one): one is Provider => one.id === id);
    if (!provider) throw new Error(`no provider ${id}`);
    return { provider, terms, ask };
  };
  for (const { guard } of gateway.providers)
    for (let n = 0; n < usual; n += 1)
      await sending(guard).call('quote', { deadlineMs: 2500, idempotent: true, isPrice: true }, async () => await Promise.resolve());
  const began = Date.now();
  let tookMs: number | undefined;
  const collected = collectOffers(
    { gateway, requestId: 'req_1' },
    { asked, asks: Object.entries(asks).map(askOf), session: { idHash: 'session' }, maxWaitMs },
  ).finally(() => (tookMs = Date.now() - began));
  // The result is awaited below, after the timers have run. This only avoids an unhandled rejection.
  collected.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(10_000);
  const { route, shadow, offerings } = await collected;
  const failed = route.failed.map((one) => `${one.providerId} ${one.reason}`).toSorted((a, b) => a.localeCompare(b));
  return { ...world, route, shadow, offerings, failed, tookMs, winners: route.offers.map((one) => one.providerId) };
};

it('decides as soon as all have answered, best first', async () => {
  const { winners, tookMs, failed } = await collecting({
    alpine: async () => await after(40, () => ({ offer: offer(107_000n) })),
    cobalt: async () => await after(10, () => ({ offer: offer(108_000n) })),
    dune: async () => await after(70, () => ({ refusal: { reason: 'declined' } })),
  });
  expect([winners, tookMs, failed]).toEqual([['cobalt', 'alpine'], 70, []]);
});

it('waits for no provider beyond the deadline: one that hangs has failed and costs no other offer', async () => {
  const { winners, tookMs, failed, route } = await collecting({ alpine: async () => await after(30, () => ({ offer: offer(107_000n) })), mute: never });
  expect([winners, tookMs, failed]).toEqual([['alpine'], 2500, ['mute timeout']]);
  expect(route.failed[0]).toMatchObject({ retryable: true, latencyMs: 2500 });
});

it('if our own database fails during a call, no provider is blamed and the request can be repeated', async () => {
  const down = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });
  const asks = {
    alpine: async () => await after(10, () => ({ offer: offer(107_000n) })),
    dune: async () => await after(20, () => Promise.reject(new Error('the statement failed', { cause: down }))),
  };
  await expect(collecting(asks)).rejects.toMatchObject({ cause: { code: '55P03' } });
  const defective = { ...asks, dune: async () => await after(20, () => Promise.reject(new TypeError('a bug of ours'))) };
  expect(await collecting(defective)).toMatchObject({ winners: ['alpine'], failed: ['dune malformed'] });
});

it.each(['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ETIMEDOUT', 'CERT_HAS_EXPIRED'])(
  'a provider’s socket that fails with %s is its failure, not our database',
  async (code) => {
    const cause = Object.assign(new Error('the socket failed'), { code });
    const asks = {
      alpine: async () => await after(10, () => ({ offer: offer(107_000n) })),
      dune: async () => await after(20, () => Promise.reject(new ProviderFault('unreachable', code, { cause }))),
    };
    expect(await collecting(asks)).toMatchObject({ winners: ['alpine'], failed: ['dune unreachable'] });
  },
);

it('waits for a provider that is slower than usual while no other provider has an offer', async () => {
  const { winners, tookMs } = await collecting({ alpine: async () => await after(900, () => ({ offer: offer(107_000n) })) }, { usual: 20 });
  expect([winners, tookMs]).toEqual([['alpine'], 900]);
  const beside = await collecting(
    { alpine: async () => await after(900, () => ({ offer: offer(107_000n) })), cobalt: async () => await after(10, () => ({ offer: offer(106_000n) })) },
    { usual: 20 },
  );
  expect([beside.winners, beside.tookMs, beside.failed]).toEqual([['cobalt'], 300, ['alpine timeout']]);
});

it('does not wait longer than the customer wants to wait', async () => {
  const slow = { alpine: async () => await after(30, () => ({ offer: offer(107_000n) })), mute: never };
  expect((await collecting(slow, { maxWaitMs: 600 })).tookMs).toBe(600);
  // 300 ms is the least, because a shorter time would reach no provider. A time longer than the configured one is cut.
  expect((await collecting(slow, { maxWaitMs: 1 })).tookMs).toBe(300);
  expect((await collecting(slow, { maxWaitMs: 60_000 })).tookMs).toBe(2500);
});

it('an answer that comes late changes no decision that was made', async () => {
  const { winners, offerings, failed, tookMs } = await collecting({
    alpine: async () => await after(30, () => ({ offer: offer(107_000n) })),
    late: async () => await after(2600, () => ({ offer: offer(120_000n) })),
  });
  expect([winners, [...offerings.keys()], failed, tookMs]).toEqual([['alpine'], ['alpine'], ['late timeout'], 2500]);
});

it("a shadow provider's offer is kept apart, and its faults are not shown", async () => {
  const { winners, shadow, failed, route } = await collecting(
    {
      alpine: async () => await after(30, () => ({ offer: offer(107_000n) })),
      better: async () => await after(30, () => ({ offer: offer(109_000n) })),
      broken: async () => await Promise.reject(new ProviderFault('server', 'x')),
      unwilling: async () => await Promise.resolve({ refusal: { reason: 'declined' } }),
    },
    { blocks: { better: { mode: 'shadow' }, broken: { mode: 'shadow' }, unwilling: { mode: 'shadow' } } },
  );
  expect([winners, shadow.map((one) => [one.providerId, one.offer.receive]), failed, route.refused]).toEqual([['alpine'], [['better', 109_000n]], [], []]);
});

it('no free slot or session at the moment is a temporary failure, not a refusal', async () => {
  const { failed, route } = await collecting({
    full: async () => await Promise.resolve({ refusal: { reason: 'busy' } }),
    unwilling: async () => await Promise.resolve({ refusal: { reason: 'declined' } }),
  });
  expect([failed, route.failed[0]?.retryable, route.refused]).toEqual([['full busy'], true, [{ providerId: 'unwilling', refusal: { reason: 'declined' } }]]);
});

it("a defect of ours is logged and not counted as the provider's fault", async () => {
  const { winners, failed, logs } = await collecting({
    alpine: async () => await after(30, () => ({ offer: offer(107_000n) })),
    odd: async () => await Promise.reject(new TypeError('undefined is not a function')),
  });
  expect([winners, failed]).toEqual([['alpine'], ['odd malformed']]);
  expect(logs.filter((one) => one.event === 'defect')).toMatchObject([{ level: 'error', fields: { provider: 'odd', where: 'quote' } }]);
});

it('answers early if configured: with enough offers, from the configured moment on', async () => {
  const routing = { answer_early: { after_ms: 500, offers: 2 } };
  const quick = { alpine: async () => await after(30, () => ({ offer: offer(107_000n) })) };
  const two = { ...quick, cobalt: async () => await after(60, () => ({ offer: offer(108_000n) })), mute: never };
  expect(await collecting(two, { routing })).toMatchObject({ tookMs: 500, failed: ['mute timeout'] });
  const later = { ...quick, cobalt: async () => await after(900, () => ({ offer: offer(108_000n) })), mute: never };
  expect(await collecting(later, { routing })).toMatchObject({ tookMs: 900, winners: ['cobalt', 'alpine'] });
  expect(await collecting({ ...quick, mute: never }, { routing })).toMatchObject({ tookMs: 2500, winners: ['alpine'] });
});
