/** A buy provider in this process. Its verbs return sound results, unless a test writes another verb into `script`. */
import { encodeLnurl } from '../../../src/bitcoin/lnurl.ts';
import type { Answer, ClaimingBuyer, OrderEvidence, PlacedOrder } from '../../../src/providers/spec.ts';

type Made = OrderEvidence & { upstreamOrderId: string; quote: string; session: string; pay: bigint; receive: bigint; fee: bigint };
export type ScriptedBuyer = {
  adapter: ClaimingBuyer;
  sound: ClaimingBuyer;
  script: Partial<ClaimingBuyer>;
  orders: Made[];
  calls: (keyof ClaimingBuyer)[];
  /** Its price: the sats that it sells for 100 euros. */
  price: { receive: bigint };
};

const option = { currency: 'EUR', name: 'SEPA', upstream: {}, feePpm: 9000, minFiat: 1000n, maxFiat: 1_000_000n };

export const scriptedBuyer = (now: () => number, { quoteLifeMs = 60_000 } = {}): ScriptedBuyer => {
  const orders: Made[] = [];
  const price = { receive: 107_869n };
  let made = 0;
  const next = (of: string): string => `${of}-${(made += 1)}`;
  const quotes = new Map<string, { pay: bigint; receive: bigint; fee: bigint }>();
  const placed = (order: Made): Answer<PlacedOrder> => ({
    ok: true,
    value: {
      upstreamOrderId: order.upstreamOrderId,
      stage: 'awaiting_payment',
      rawStatus: order.rawStatus,
      pay: order.pay,
      receive: order.receive,
      fee: order.fee,
      expiresOn: now() + 3_600_000,
      paymentInfo: { kind: 'fiat', paymentDetails: { iban: 'CH4431999123000889012', reference: order.upstreamOrderId } },
    },
  });
  const sound: ClaimingBuyer = {
    catalogue: async () =>
      await Promise.resolve({
        ok: true,
        value: { options: [option], features: { quotes: true, estimates: false, on_chain_fallback: true, webhook: true } },
      }),
    beginSession: async () => await Promise.resolve({ ok: true, value: { expiresOn: now() + 3_600_000 }, customer: next('session') }),
    openSession: async ({ customer = '' }) => await Promise.resolve({ ok: true, value: { expiresOn: now() + 3_600_000 }, customer }),
    quote: async (_context, { amount }) => {
      const quote = next('quote');
      const terms = { pay: amount, fee: 90n, receive: (price.receive * amount) / 10_000n };
      quotes.set(quote, terms);
      return await Promise.resolve({
        ok: true,
        value: { ...terms, binding: true, expiresOn: now() + quoteLifeMs, upstream: { quote }, facts: {}, requires: [], warnings: [] },
      });
    },
    placeOrder: async ({ customer = '' }, { offer }) => {
      const { quote } = offer.upstream as { quote: string };
      const terms = quotes.get(quote);
      if (!terms) return { ok: false, refusal: { reason: 'declined' } };
      const order: Made = orders.find((one) => one.quote === quote) ?? {
        ...terms,
        quote,
        session: customer,
        upstreamOrderId: next('order'),
        stage: 'awaiting_payment',
        rawStatus: 'placed',
      };
      if (!orders.includes(order)) orders.push(order);
      return await Promise.resolve(placed(order));
    },
    readOrders: async ({ customer }, order) => {
      const own = orders.filter((one) => one.session === customer && (order === undefined || one.upstreamOrderId === order.upstreamOrderId));
      return await Promise.resolve({ ok: true, value: own.map(({ quote: _quote, session: _session, ...evidence }) => evidence) });
    },
    claim: async (_context, { order }) =>
      await Promise.resolve({
        ok: true,
        value: { lnurl: encodeLnurl(`https://api.buyer.example/w/${order.upstreamOrderId}/${next('link')}`), expiresOn: now() + 600_000 },
      }),
  };
  const script: Partial<ClaimingBuyer> = {};
  const calls: (keyof ClaimingBuyer)[] = [];
  const adapter = Object.fromEntries(
    (Object.keys(sound) as (keyof ClaimingBuyer)[]).map((verb) => [
      verb,
      async (...given: unknown[]): Promise<unknown> => {
        calls.push(verb);
        return await ((script[verb] ?? sound[verb]) as (...all: unknown[]) => Promise<unknown>)(...given);
      },
    ]),
  ) as unknown as ClaimingBuyer;
  return { adapter, sound, script, orders, calls, price };
};
