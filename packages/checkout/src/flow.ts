/** A purchase from the amount to the bitcoin, without a screen: what is known, what is going on, and what the customer may do next. */
import type { BuyOrder, Money, Offer, Offers, OrderState, PaymentOption, Ramp, RampErrorCode, Runtime, Withdrawal } from '@ramp-gateway/client';
import type { RampBuyNews } from './public.ts';

export type Query = { pay: string; currency: string; by: string };
export type State = {
  step: 'loading' | 'amount' | 'offers' | 'order';
  /** The ways to pay. */
  options: PaymentOption[];
  /** Orders of this customer that are not final, newest first. */
  open: OrderState[];
  query?: Query | undefined;
  offers?: Offers | undefined;
  /** The offers are what is left after this one was not kept. */
  instead?: Offer | undefined;
  /** Whether this offer became an order is not known yet. Nothing else may be ordered until it is. */
  unsure?: Offer | undefined;
  order?: OrderState | undefined;
  withdrawal?: Withdrawal | undefined;
  /** It was filled with less than was ordered. */
  short?: { sats: string; quotedSats: string } | undefined;
  working?: Work | undefined;
  /** It takes longer than people wait without a word. */
  isSlow: boolean;
  /** The order is followed, but the gateway does not answer at the moment. */
  isAway: boolean;
  trouble?: Trouble | undefined;
};
export type Work = 'loading' | 'comparing' | 'ordering' | 'withdrawing';
export type Trouble = { code: RampErrorCode; action: string; message: string; requestId?: string | undefined };
export type FlowNeeds = {
  ramp: Ramp;
  runtime: Pick<Runtime, 'after' | 'sleep'>;
  changed: (state: State) => void;
  tell: (news: RampBuyNews) => void;
};
export type Flow = ReturnType<typeof createFlow>;

const slowMs = 4000;
const awayMs = 5000;
/** After these nobody knows whether there is an order. */
const leavesUnknown: readonly string[] = ['unreachable', 'malformed-answer', 'order-pending', 'idempotency-in-progress', 'internal', 'storage-unavailable'];
const isTemporary = ({ action }: Trouble): boolean => action === 'retry' || action === 'wait';

export const createFlow = ({ ramp, runtime, changed, tell }: FlowNeeds) => {
  let state: State = { step: 'loading', options: [], open: [], isSlow: false, isAway: false };
  let work = new AbortController();
  let following = new AbortController();
  let current: BuyOrder | undefined;
  const told = new Set<string>();

  const set = (change: Partial<State>): void => {
    state = { ...state, ...change };
    changed(state);
  };
  const fail = (error: unknown): Trouble => {
    const trouble = troubleOf(error);
    set({ trouble });
    tell({ name: 'error', detail: trouble });
    return trouble;
  };

  /** One thing at a time: what was started before is given up. */
  const run = async (working: Work, doIt: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    work.abort();
    const mine = (work = new AbortController());
    set({ working, trouble: undefined, isSlow: false });
    const calm = runtime.after(slowMs, () => set({ isSlow: true }));
    try {
      await doIt(mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) fail(error);
    } finally {
      calm();
      if (!mine.signal.aborted) set({ working: undefined, isSlow: false });
    }
  };

  const withdraw = async (acceptShort: boolean): Promise<void> => {
    const order = current;
    if (!order || state.withdrawal || state.working) return;
    await run('withdrawing', async (signal) => {
      try {
        set({ withdrawal: await order.withdraw({ ...(acceptShort ? { acceptShort } : {}), signal }), short: undefined });
      } catch (error) {
        const { amount_sats: sats, quoted_amount_sats: quotedSats } = problemOf(error);
        if (troubleOf(error).code !== 'order-short' || typeof sats !== 'number' || typeof quotedSats !== 'number') throw error;
        set({ short: { sats: String(sats), quotedSats: String(quotedSats) } });
      }
    });
  };

  const once = (name: 'ordered' | 'filled' | 'finished', order: OrderState): void => {
    if (told.has(`${name} ${order.id}`)) return;
    told.add(`${name} ${order.id}`);
    const { id: orderId, stage, provider, pays, gets } = order;
    tell({ name, detail: { orderId, stage, provider: provider.name, ...textsOf({ pays, gets }) } });
  };

  const seen = (order: OrderState): void => {
    set({ order, isAway: false, trouble: state.isAway ? undefined : state.trouble });
    if (order.stage === 'filled' || order.stage === 'finished') once('filled', order);
    if (order.stage === 'finished') once('finished', order);
    if (order.stage === 'filled') void withdraw(false);
  };

  /** Until it is final, or another screen is wanted. A gateway that is away is asked again. */
  const follow = async (order: BuyOrder): Promise<void> => {
    following.abort();
    const { signal } = (following = new AbortController());
    current = order;
    set({ step: 'order', order, withdrawal: undefined, short: undefined, isAway: false, trouble: undefined });
    for (;;)
      try {
        for await (const now of order.updates(signal, () => set({ isAway: true }))) seen(now);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isTemporary(troubleOf(error))) return void fail(error);
        set({ isAway: true });
        await runtime.sleep(awayMs, signal).catch(() => undefined);
      }
  };
  const leave = (): void => {
    following.abort();
    current = undefined;
  };

  /** What was open when the page was left; what was being ordered then is asked for again, which orders nothing twice. */
  const readOpen = async (signal: AbortSignal): Promise<BuyOrder[]> => {
    const { orders, pending } = await ramp.open(signal);
    for (const one of pending)
      try {
        orders.unshift(await one.again(signal));
      } catch (error) {
        if (signal.aborted || leavesUnknown.includes(troubleOf(error).code)) throw error;
        fail(error);
      }
    return orders;
  };

  return {
    state: (): State => state,
    start: async (): Promise<void> => {
      await run('loading', async (signal) => {
        const options = await ramp.options(signal);
        const open = await readOpen(signal);
        set({ options, open });
        const [first] = open;
        if (first && open.length === 1) void follow(first);
        else set({ step: 'amount' });
      });
    },
    /** To the amount, with what is open. */
    begin: async (): Promise<void> => {
      leave();
      set({ step: 'amount', offers: undefined, instead: undefined, unsure: undefined, order: undefined, trouble: undefined });
      await run('loading', async (signal) => set({ open: (await ramp.open(signal)).orders }));
    },
    compare: async (query: Query): Promise<void> => {
      set({ query });
      await run('comparing', async (signal) => {
        const offers = await ramp.offers(query, signal);
        set({ offers, instead: undefined, unsure: undefined, step: 'offers' });
        const { best } = offers;
        tell({ name: 'offer', detail: { offers: offers.all.length, ...(best ? { provider: best.provider.name, ...textsOf(best) } : {}) } });
      });
    },
    order: async (offer: Offer): Promise<void> => {
      if (state.working === 'ordering') return;
      await run('ordering', async (signal) => {
        try {
          const order = await ramp.buy(offer, { atLeast: leastOf(offer), signal });
          set({ unsure: undefined, open: [order, ...state.open] });
          once('ordered', order);
          void follow(order);
        } catch (error) {
          if (signal.aborted) throw error;
          const instead = offersIn(error);
          if (instead) set({ offers: { best: instead[0], all: instead, not: [], raw: {} }, instead: offer, step: 'offers' });
          set({ unsure: leavesUnknown.includes(troubleOf(error).code) ? offer : undefined });
          throw error;
        }
      });
    },
    show: async (order: OrderState): Promise<void> => {
      await run('loading', async (signal) => void follow(await ramp.find(order.id, signal)));
    },
    withdraw,
    /** Given up by the customer; what was ordered stays ordered. */
    cancel: (): void => {
      work.abort();
      set({ working: undefined, isSlow: false });
    },
    /** The signed decisions about the order, to keep. */
    receipt: async (): Promise<string | undefined> => {
      const order = current;
      if (!order) return undefined;
      const { receipts } = await ramp.route(order);
      return JSON.stringify({ order_id: order.id, receipts }, undefined, 2);
    },
    stop: (): void => {
      work.abort();
      leave();
    },
  };
};

/** The offer itself where it binds; a hundredth less where it is an estimate. */
const leastOf = ({ gets, binding }: Offer): bigint => (binding ? gets.units : (gets.units * 99n) / 100n);

const textsOf = (amounts: { pays: Money | undefined; gets: Money | undefined }): { pays?: string; gets?: string } =>
  Object.fromEntries(Object.entries({ pays: amounts.pays, gets: amounts.gets }).flatMap(([name, money]) => (money ? [[name, String(money)]] : [])));

type Like = Partial<Trouble> & { problem?: Readonly<Record<string, unknown>> | undefined; offers?: Offer[] | undefined };
const like = (error: unknown): Like => (typeof error === 'object' && error !== null ? error : {});
const problemOf = (error: unknown): Readonly<Record<string, unknown>> => like(error).problem ?? {};
const offersIn = (error: unknown): Offer[] | undefined => {
  const { offers } = like(error);
  return offers && offers.length > 0 ? offers : undefined;
};
/** Whatever was thrown. What is no RampError is a defect of ours, and is told as one. */
const troubleOf = (error: unknown): Trouble => {
  const { code = 'internal', action = 'contact-support', message = String(error), requestId } = like(error);
  return { code, action, message, requestId };
};
