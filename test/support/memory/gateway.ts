/**
 * A gateway for tests of use cases, composed like the product, but with stores in memory and scripted providers, without a socket or a database.
 * Its clock moves only when the test moves it or the code sleeps.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import * as z from 'zod';
import { stringify } from 'yaml';
import { parseConfig } from '../../../src/config/providers-config.ts';
import { freshSecrets, readSecrets } from '../../../src/config/secrets.ts';
import type { PayoutKind } from '../../../src/domain/payout.ts';
import { quoteIdOf } from '../../../src/domain/route-id.ts';
import { composeInstance } from '../../../src/entry/compose.ts';
import { connect } from '../../../src/entry/database-node.ts';
import { placeOrder, type PlaceOrderRequest } from '../../../src/gateway/ordering/place-order.ts';
import { priceBuy } from '../../../src/gateway/pricing/price-buy.ts';
import { Problem } from '../../../src/gateway/problem.ts';
import type { OpenSession } from '../../../src/gateway/sessions/read-session.ts';
import { noMetrics } from '../../../src/entry/gauges.ts';
import type { Gateway } from '../../../src/ports/gateway.ts';
import type { Order } from '../../../src/ports/orders.ts';
import type { Scope } from '../../../src/ports/scope.ts';
import { defineProvider, type ProviderModule } from '../../../src/providers/spec.ts';
import { scriptedBuyer, type ScriptedBuyer } from './scripted-buyer.ts';
import { memoryStores } from './stores.ts';

type Logged = { level: string; event: string; fields: Record<string, unknown> };

const began = Date.UTC(2026, 10, 21);

/** Makes the gateway. `providers` maps each provider's id to the members of its configuration block that differ from the defaults below. */
export const memoryGateway = (
  providers: Record<string, Record<string, unknown>> = { alpine: {} },
  config: { routing?: object; orders?: object } = {},
  quoteLifeMs = 60_000,
) => {
  const clock = { now: began };
  const now = (): number => clock.now;
  const buyers: Record<string, ScriptedBuyer> = Object.fromEntries(Object.keys(providers).map((id) => [id, scriptedBuyer(now, { quoteLifeMs })]));
  const buyer = (id = 'alpine'): ScriptedBuyer => {
    const found = buyers[id];
    if (!found) throw new Error(`no provider ${id}`);
    return found;
  };
  const scripted = defineProvider({
    kind: 'scripted',
    ramps: ['buy'],
    settings: z.strictObject({ base_url: z.url() }),
    create: ({ providerId }) => ({ buy: buyer(providerId).adapter }),
  }) as ProviderModule; // no code reads its settings
  const modules = new Map([['scripted', scripted]]);
  const blocks = Object.entries(providers).map(([id, block]) => [
    id,
    { kind: 'scripted', base_url: 'https://api.buyer.example', late_commit_max_s: 1, retry: { attempts: 0 }, ...block },
  ]);
  const routing = { expiry_margin_s: 0, shortest_life_s: 0, ...config.routing };
  const text = stringify({
    mode: 'sandbox',
    network: 'regtest',
    proof_of_ownership: 'never',
    orders: config.orders ?? {},
    routing,
    providers: Object.fromEntries(blocks),
  });
  const parsed = parseConfig(text, { fileName: 'memory.yaml', modules });
  if (!parsed.ok) throw new Error(parsed.mistakes.join('; '));
  const secrets = readSecrets(freshSecrets(randomBytes), parsed.config);
  if (!secrets.ok) throw new Error(secrets.mistakes.join('; '));

  const logs: Logged[] = [];
  let ids = 0;
  const composed = composeInstance({
    config: parsed.config,
    secrets: secrets.secrets,
    modules,
    http: async () => await Promise.reject(new Error('no network here')),
    sender: async () => await Promise.resolve({ outcome: 'blocked', statusClass: 'memory' }),
    log: (level, event, fields = {}) => void logs.push({ level, event, fields }),
    metrics: noMetrics,
    now,
    random: () => 0.5,
    // The ids differ in their first digits, because a rank replaces the last digits of a route's id.
    uuid: () => `${String((ids += 1)).padStart(8, '0')}-0000-4000-8000-000000000000`,
    randomSecret: (bytes) => String((ids += 1)).padStart(Math.ceil((bytes * 4) / 3), 'x'),
    // Sleeping moves the clock and lets other work run. Sleeps that overlap do not add up.
    sleep: async (ms) => {
      const wakes = clock.now + ms;
      await new Promise((done) => setTimeout(done));
      clock.now = Math.max(clock.now, wakes);
    },
    instance: 'memory',
    outlivesRequest: true,
  });
  const { stores, events, deliveries, declined } = memoryStores(now);
  const running: Promise<unknown>[] = [];
  // This client never connects, because no query is made with it.
  const unasked = composed.onDatabase(connect('postgres://nobody@127.0.0.1:1/none', 1), {
    grouped: false,
    migrated: async () => await Promise.resolve(true),
    background: (work) => void running.push(work.catch(() => undefined)),
  });
  const gateway: Gateway = { ...unasked, stores };
  const scope: Scope = { gateway, requestId: 'req_1' };
  const session: OpenSession = {
    idHash: 'session-hash',
    customerId: '11111111-1111-4111-8111-111111111111',
    createdOn: began,
    lastUsedOn: began,
    expiresOn: began + 86_400_000,
    challenge: '',
    upstream: new Map(),
  };
  /** Prices 100 euros by SEPA. Returns the quote id of the best provider, or of the provider `id`. */
  const quote = async (id?: string, more: { payout_kinds?: PayoutKind[] } = {}): Promise<string> => {
    const { route, routeId } = await priceBuy(scope, session, { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, ...more });
    const rank = id === undefined ? 1 : route.offers.findIndex((offer) => offer.providerId === id) + 1;
    if (route.offers[rank - 1] === undefined) throw new Error(`no offer: ${JSON.stringify([route.refused, route.failed])}`);
    return quoteIdOf(routeId, rank);
  };
  const request = (quoteId: string, more: Partial<PlaceOrderRequest> = {}): PlaceOrderRequest => ({
    ramp: 'buy',
    own: {},
    quoteId,
    inputs: { order: {} },
    count: async () => await Promise.resolve(),
    countPricing: async () => await Promise.resolve(),
    refuseReusedKey: async () => await Promise.resolve(),
    ...(more as object),
  });
  return {
    gateway,
    scope,
    session,
    clock,
    buyer,
    logs,
    events,
    deliveries,
    /** By customer: the providers that are excluded after a refusal, and the time until which. */
    declined,
    quote,
    request,
    /** Places an order and returns it as it was confirmed. */
    placed: async (more: Partial<PlaceOrderRequest> = {}): Promise<Order> => {
      const answer = JSON.parse(await placeOrder(scope, session, request(await quote(), more))) as { order_id: string };
      const order = await stores.orders.findAny(answer.order_id);
      if (!order) throw new Error('no order');
      return order;
    },
    /** Waits for work that continues after the response. */
    idle: async (): Promise<void> => void (await Promise.all(running)),
    intentOf: async (quoteId: string) => await stores.intents.findByQuote(quoteId, session.customerId),
    calls: (verb: ScriptedBuyer['calls'][number], id?: string): number => buyer(id).calls.filter((one) => one === verb).length,
  };
};

/** Returns the problem that the work throws. */
export const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
  const ended: unknown = await work.catch((error: unknown) => error);
  if (!(ended instanceof Problem)) throw new Error(`no problem: ${String(ended)}`, { cause: ended });
  expect(ended.code).not.toBe('internal');
  return ended;
};
