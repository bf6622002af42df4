/** A provider of the buy ramp in this process, on the history's own clock. It records every order that it made, and fails as the history wants. */
import * as z from 'zod';
import { ProviderFault } from '../../src/providers/fault.ts';
import { defineProvider, type Answer, type ClaimingBuyer, type OrderEvidence, type PlacedOrder, type ProviderModule } from '../../src/providers/spec.ts';
import type { Random } from '../fuzz/random.ts';
import type { Profile } from './replicas.ts';

/**
 * What becomes of one POST. `lost`: an order is made, but the response is lost. `late`: the same, and the order can be read only later. `never`:
 * there is neither an order nor a response. `worse`: the order is for fewer sats than the quote.
 */
export type Outcome = 'ok' | 'lost' | 'late' | 'never' | 'refused' | 'not-sent' | 'garbled' | 'worse';
type Quote = { session: string; pay: bigint; receive: bigint; fee: bigint; expiresOn: number };
export type FakeOrder = {
  id: string;
  quoteId: string;
  session: string;
  intentId: string;
  status: 'placed' | 'filled' | 'finished';
  visibleFrom: number;
  noticeUrl: string;
};
export type FakeProvider = {
  id: Profile;
  orders: FakeOrder[];
  /** Returns the outcome of the next POST. */
  outcome: () => Outcome;
  /** Returns whether a read or a price fails now. */
  fails: () => boolean;
  /** Runs while a POST is on its way. */
  meanwhile: () => Promise<void>;
};

const lateMs = 900;
const quoteLifeMs = 6000;
const option = { currency: 'EUR', name: 'SEPA', upstream: {}, feePpm: 9000, minFiat: 1000n, maxFiat: 1_000_000n };

/** Returns one module for all providers. It finds a provider in `providers` by the id of the configuration block. */
export const fakeBuyer = (providers: ReadonlyMap<string, FakeProvider>, clock: { now: number }, random: Random): ProviderModule =>
  defineProvider({
    kind: 'fake-buyer',
    ramps: ['buy'],
    settings: z.strictObject({ base_url: z.url() }),
    create: (deps) => {
      const found = providers.get(deps.providerId);
      if (!found) throw new Error(`no such provider: ${deps.providerId}`);
      return { buy: adapterOf(found, clock, random) };
    },
  }) as ProviderModule; // no code reads its settings

/** Quotes belong to the provider, so they outlive the instance that asked for them. */
const quotesOf = new WeakMap<FakeProvider, Map<string, Quote>>();

const adapterOf = (provider: FakeProvider, clock: { now: number }, random: Random): ClaimingBuyer => {
  const quotes = quotesOf.get(provider) ?? new Map<string, Quote>();
  quotesOf.set(provider, quotes);
  const refuse = { ok: false, refusal: { reason: 'declined' } } as const;
  const failing = (): void => {
    if (provider.fails()) throw new ProviderFault('unreachable', 'told to');
  };
  const make = (quoteId: string, quote: Quote, noticeUrl: string, late: boolean): FakeOrder => {
    const made: FakeOrder = {
      id: random.uuid(),
      quoteId,
      session: quote.session,
      intentId: /\/order\/([\w-]+)\//.exec(noticeUrl)?.[1] ?? 'none',
      status: 'placed',
      visibleFrom: clock.now + (late ? lateMs : 0),
      noticeUrl,
    };
    provider.orders.push(made);
    return made;
  };
  const placed = (order: FakeOrder, quote: Quote): Answer<PlacedOrder> => ({
    ok: true,
    value: {
      upstreamOrderId: order.id,
      stage: order.status === 'placed' ? 'awaiting_payment' : order.status,
      rawStatus: order.status,
      pay: quote.pay,
      receive: quote.receive,
      fee: quote.fee,
      expiresOn: clock.now + 3_600_000,
      paymentInfo: { kind: 'fiat', paymentDetails: { iban: 'CH4431999123000889012', reference: order.id } },
    },
  });
  const evidenceOf = (order: FakeOrder): OrderEvidence => {
    const quote = quotes.get(order.quoteId);
    return {
      upstreamOrderId: order.id,
      stage: order.status === 'placed' ? 'awaiting_payment' : order.status,
      rawStatus: order.status,
      ...(quote ? { pay: quote.pay, receive: quote.receive, fee: quote.fee } : {}),
    };
  };
  return {
    catalogue: async () =>
      await Promise.resolve({
        ok: true,
        value: { options: [option], features: { quotes: true, estimates: false, on_chain_fallback: false, webhook: true } },
      }),
    beginSession: async () => await Promise.resolve({ ok: true, value: { expiresOn: clock.now + 3_600_000 }, customer: random.uuid() }),
    openSession: async (context) => await Promise.resolve({ ok: true, value: { expiresOn: clock.now + 3_600_000 }, customer: context.customer ?? '' }),
    quote: async (context, { amount }) => {
      failing();
      const id = random.uuid();
      const pay = amount;
      const fee = (pay * 9n) / 1000n;
      const quote: Quote = {
        session: context.customer ?? '',
        pay,
        fee,
        receive: ((pay - fee) * 100_000_000n) / 9_180_000n,
        expiresOn: clock.now + quoteLifeMs,
      };
      quotes.set(id, quote);
      const { receive, expiresOn } = quote;
      return await Promise.resolve({
        ok: true,
        value: { pay, receive, fee, binding: true, expiresOn, upstream: { quote: id }, facts: {}, requires: [], warnings: [] },
      });
    },
    placeOrder: async (_context, { offer, noticeUrl = '' }) => {
      const outcome = provider.outcome();
      if (outcome === 'not-sent') throw new ProviderFault('unreachable', 'told to', { taken: 'no' });
      await provider.meanwhile();
      const quoteId = String((offer.upstream as { quote: string }).quote);
      const quote = quotes.get(quoteId);
      const before = provider.orders.find((one) => one.quoteId === quoteId);
      if (!quote || outcome === 'never') throw new ProviderFault('timeout', 'told to');
      if (before) {
        if (provider.id === 'same') return placed(before, quote);
        if (provider.id === 'rejects') return refuse;
        if (provider.id === 'unknown') throw new ProviderFault('malformed', 'a string');
      }
      if (clock.now >= quote.expiresOn || outcome === 'refused') return refuse;
      const order = make(quoteId, quote, noticeUrl, outcome === 'late');
      if (outcome === 'lost' || outcome === 'late') throw new ProviderFault('timeout', 'told to');
      if (outcome === 'garbled') throw new ProviderFault('malformed', 'told to');
      return placed(order, outcome === 'worse' ? { ...quote, receive: quote.receive - 1n } : quote);
    },
    readOrders: async (context, order) => {
      failing();
      const own = provider.orders.filter((one) => one.visibleFrom <= clock.now && one.session === context.customer);
      return await Promise.resolve({ ok: true, value: own.filter((one) => order === undefined || one.id === order.upstreamOrderId).map(evidenceOf) });
    },
    claim: async () => await Promise.resolve(refuse),
  };
};
