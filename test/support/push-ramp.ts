/**
 * A kind of provider that pushes its payouts, for tests. It speaks FLS01 to FLS01's simulator, except that the customer never withdraws: the test
 * says what the provider shows of a payout.
 */
import type { PayoutKind, PayoutTo } from '../../src/domain/payout.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import type { Answer, ProviderModule } from '../../src/providers/spec.ts';

export type PushRamp = {
  module: [string, ProviderModule];
  /** The destinations that the provider was given, in the sequence of its orders: at placing, and with each read of an order. */
  placed: (PayoutTo | undefined)[];
  read: (PayoutTo | undefined)[];
  /** What the provider shows of the payout of an order, by its own id. */
  shown: Map<string, { payout_id?: string; payout_on?: string }>;
  /** The orders for which the provider says that it has paid out only half. */
  short: Set<string>;
  tolerance: { bps: number | undefined };
};

export const pushRamp = (kind: string, kinds: readonly [PayoutKind, ...PayoutKind[]]): PushRamp => {
  const ramp: Omit<PushRamp, 'module'> = { placed: [], read: [], shown: new Map(), short: new Set(), tolerance: { bps: undefined } };
  const fls01 = providerModules.get('fiat-on-ramp');
  if (!fls01) throw new Error('FLS01 is not registered');
  const module: ProviderModule = {
    ...fls01,
    kind,
    create: (deps, settings) => {
      const { buy } = fls01.create(deps, settings);
      if (!buy?.claim) throw new Error('FLS01 has no claim');
      return {
        buy: {
          ...buy,
          claim: undefined,
          payoutKinds: kinds,
          quote: async (context, request) =>
            mapped(await buy.quote(context, request), (offer) =>
              ramp.tolerance.bps === undefined ? offer : { ...offer, facts: { ...offer.facts, amount_tolerance_bps: ramp.tolerance.bps } },
            ),
          placeOrder: async (context, request) => {
            ramp.placed.push(request.inputs.payoutTo);
            return await buy.placeOrder(context, request);
          },
          readOrders: async (context, order) => {
            if (order) ramp.read.push(order.payoutTo);
            return mapped(await buy.readOrders(context, order), (rows) =>
              rows.map((row) => ({
                ...row,
                facts: { ...row.facts, ...ramp.shown.get(row.upstreamOrderId ?? '') },
                ...(ramp.short.has(row.upstreamOrderId ?? '') && row.receive !== undefined ? { receive: row.receive / 2n } : {}),
              })),
            );
          },
        },
      };
    },
  };
  return { ...ramp, module: [kind, module] };
};

const mapped = <T>(answer: Answer<T>, change: (value: T) => T): Answer<T> => (answer.ok ? { ...answer, value: change(answer.value) } : answer);
