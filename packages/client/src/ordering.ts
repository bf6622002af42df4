/** Orders the offer that the customer chose, so that neither a lost answer nor a killed process makes a second order or loses the first. */
import { badInput, given, RampError, readAs } from './error.ts';
import type { InSession } from './in-session.ts';
import { offerOf, type Offer } from './offer.ts';
import { createOrder, orderState, type Order, type OrderState } from './order.ts';
import type { Runtime } from './runtime.ts';
import type { Placing, State } from './state.ts';
import type { Asked, RampName } from './words.ts';

/** An order request whose outcome this client does not know, for example because its process ended or the gateway did not answer. */
export type Pending<One extends Order = Order> = {
  ramp: RampName;
  offerId: string;
  /** Repeats the same request. Returns the order, whether it was already made or is made now. */
  again: (signal?: AbortSignal) => Promise<One>;
  /** Drops a request that the customer no longer wants. If the gateway made an order of it, `open` still shows that order; unpaid, it expires. */
  forget: () => Promise<void>;
};
/**
 * What is open: `orders` that are not final (unless the final ones were asked for, too), newest first, and `pending` requests, whose outcome is not
 * known.
 */
export type OpenOrders<One extends Order = Order> = { orders: One[]; pending: Pending<One>[] };
type Needs = { runtime: Runtime; state: State; inSession: InSession };

/** Returns whether the error of one request leaves its outcome unknown. Other errors say that this request ordered nothing, or what it ordered. */
const leavesUnknown = ({ code, action, problem }: RampError): boolean =>
  problem === undefined ||
  ['order-pending', 'idempotency-in-progress', 'internal', 'storage-unavailable'].includes(code) ||
  (code === 'quote-used' && action === 'wait');

/**
 * Returns whether an error is final: whether it settles what became of the offer, including an order that an earlier request may have made. With `contact-support` or
 * `read-order`, only an error that names the order is final; others, such as `internal`, may come before the gateway has looked for the order.
 */
const isTelling = ({ action, orderId }: RampError): boolean =>
  action === 'requote' || action === 'ask-user' || (orderId !== undefined && (action === 'contact-support' || action === 'read-order'));

/**
 * How long a pending request is kept. After an hour, most offers can no longer be ordered, and if the request led to an order, that order is in the
 * gateway's list. So the request is forgotten.
 */
const pendingMs = 3_600_000;

const pathOf = <Step extends '/order' | '/order-status'>(ramp: RampName, step: Step) =>
  `${ramp === 'buy' ? '' : `/${ramp}`}${step}` as Step | `/sell${Step}` | `/liquidity${Step}`;

export const createOrdering = ({ runtime, state, inSession }: Needs) => {
  const list = async (ramp: RampName, body: Asked<'/order-status'>, signal?: AbortSignal) => await inSession(pathOf(ramp, '/order-status'), body, { signal });
  const shown = (ramp: RampName, id: string, raw: Parameters<typeof orderState>[2] | undefined): OrderState =>
    readAs('the order', () => orderState(ramp, id, given(raw, id)));

  const read = async (ramp: RampName, id: string, signal?: AbortSignal): Promise<OrderState> => {
    const answer = await list(ramp, { order_id: id }, signal);
    return shown(ramp, id, answer[id]);
  };
  const handle = (first: OrderState): Order => createOrder(runtime, first, async (signal) => await read(first.ramp, first.id, signal));

  /**
   * Returns whether an offer became an order. With failover, the gateway's list may show a different offer for that order: the one that was ordered
   * in the end. So the gateway is asked about the offer by its id.
   */
  const wasOrdered = async (ramp: RampName, offerId: string, signal?: AbortSignal): Promise<boolean> => {
    try {
      await list(ramp, { order_id: offerId }, signal);
      return true;
    } catch (error) {
      if (!(error instanceof RampError) || error.code !== 'order-not-found') throw error;
      return error.orderId !== undefined;
    }
  };

  const forget = async (offerId: string): Promise<void> => {
    await state.change((kept) => {
      const { [offerId]: known, ...placings } = kept.placings ?? {};
      return known ? { ...kept, placings } : kept;
    });
  };

  /** Sends the request. `isUnsure`: an earlier request for this offer may have ordered it. */
  const send = async (offerId: string, placing: Placing, isUnsure: boolean, signal?: AbortSignal): Promise<Order> => {
    const { ramp, idempotencyKey: key } = placing;
    const failed = (error: RampError): void => {
      isUnsure ||= leavesUnknown(error);
    };
    /** Orders the offer, or reads the order that it became. */
    const order = async (): Promise<OrderState> => {
      try {
        const raw = await inSession(pathOf(ramp, '/order'), placing.body as Asked<'/order'>, { signal, key, failed });
        isUnsure = true;
        return shown(ramp, raw.order_id, raw);
      } catch (error) {
        // With `errors`, the quote was ordered for another invoice or connection: that order is not what was asked for.
        const isOrdered = error instanceof RampError && error.code === 'quote-used' && error.action === 'read-order' && !error.problem?.['errors'];
        if (!isOrdered || error.orderId === undefined) throw error;
        isUnsure = true;
        return await read(ramp, error.orderId, signal);
      }
    };
    try {
      const first = await order();
      // If this fails, `open` drops the entry later: from now on, the gateway's list shows the order.
      await forget(offerId).catch(() => undefined);
      return handle(first);
    } catch (error) {
      if (!(error instanceof RampError)) throw error;
      // A busy gateway, for example, refuses a repeated request before it looks for the order of the first one.
      error.pending = isUnsure && !isTelling(error);
      if (!error.pending) await forget(offerId).catch(() => undefined);
      const offers = error.problem?.['offers'];
      if (Array.isArray(offers)) {
        const raws = offers as Parameters<typeof offerOf>[1][];
        error.offers = readAs('a list of offers', () => raws.map((raw) => offerOf(ramp, raw)));
      }
      throw error;
    }
  };

  const open = async (ramp: RampName, signal?: AbortSignal, andFinal?: boolean): Promise<OpenOrders> => {
    const listed = Object.entries(await list(ramp, { limit: 200 }, signal));
    const states = listed.map(([id, raw]) => shown(ramp, id, raw));
    const known = new Set(listed.map(([, raw]) => raw.quote_id));
    const pending: OpenOrders['pending'] = [];
    for (const [offerId, placing] of Object.entries((await state.read()).placings ?? {})) {
      if (placing.ramp !== ramp) continue;
      const isListed = known.has(offerId) || placing.on + pendingMs < runtime.now();
      if (isListed || (await wasOrdered(ramp, offerId, signal))) {
        await forget(offerId);
        // It became an order after the list was read, or the list shows it under another offer.
        if (!isListed) return await open(ramp, signal, andFinal);
      } else pending.push({ ramp, offerId, again: async (again) => await send(offerId, placing, true, again), forget: async () => await forget(offerId) });
    }
    return { orders: states.filter(({ final }) => !final || andFinal).map(handle), pending };
  };

  return {
    read: async (ramp: RampName, id: string, signal?: AbortSignal): Promise<Order> => handle(await read(ramp, id, signal)),
    /**
     * Stores the request, then sends it. While its outcome is unknown, ordering the same offer again sends the same request, in any tab or process.
     */
    place: async (ramp: RampName, offer: Pick<Offer, 'id'>, body: Record<string, unknown>, signal?: AbortSignal): Promise<Order> => {
      if (typeof offer?.id !== 'string') throw badInput('offer', 'missing (`best` is undefined if there are no offers)');
      const placing: Placing = { ramp, body: { ...body, quote_id: offer.id }, idempotencyKey: runtime.id(), on: runtime.now() };
      const kept = await state.change((now) => (now.placings?.[offer.id] ? now : { ...now, placings: { ...now.placings, [offer.id]: placing } }));
      const stored = kept.placings?.[offer.id] ?? placing;
      return await send(offer.id, stored, stored.idempotencyKey !== placing.idempotencyKey, signal);
    },
    open,
  };
};
