/** Runs a purchase from the amount to the bitcoin, without a screen: holds what is known and what is going on, and what the customer may do next. */
import type { BuyOrder, Money, Offer, Offers, OrderState, PaymentOption, Ramp, RampErrorCode, Runtime, Withdrawal } from '@ramp-gateway/client';
import type { RampBuyNews } from './public.ts';

export type Query = { pay: string; currency: string; by: string };
export type State = {
  step: 'loading' | 'amount' | 'offers' | 'order';
  /** The ways to pay. Undefined until they are known: until then nothing can be bought, but open orders can be reached. */
  options?: PaymentOption[] | undefined;
  /** This customer's open orders, newest first, and then finished ones that may still change, or whose bitcoin may not have been collected yet. */
  open: OrderState[];
  query?: Query | undefined;
  offers?: Offers | undefined;
  /** The offer that its provider did not honour, if any. `offers` then holds the offers to take instead. */
  instead?: Offer | undefined;
  /**
   * The ids of offers that were ordered before the page was left, or in another tab, and may have become orders. Like `unsure`, they block any other
   * order.
   */
  unresolved: readonly string[];
  /**
   * The offer, if any, that may or may not have become an order. Until the outcome is known or the offer is given up, nothing else may be ordered.
   */
  unsure?: Offer | undefined;
  order?: OrderState | undefined;
  withdrawal?: Withdrawal | undefined;
  /** Why a finished order has no code: usually because the bitcoin has been collected. */
  noCode?: Trouble | undefined;
  /** Set if the order was filled with less than was ordered, or if more was charged. */
  short?: { sats: string; quotedSats: string } | undefined;
  working?: Work | undefined;
  /** Whether the present work takes so long that the screen should say so. */
  isSlow: boolean;
  /** Whether the gateway does not answer at the moment, although an order is being followed. */
  isAway: boolean;
  trouble?: Trouble | undefined;
};
export type Work = 'loading' | 'comparing' | 'ordering' | 'withdrawing';
export type Trouble = {
  code: RampErrorCode;
  action: string;
  message: string;
  requestId?: string | undefined;
  /** Whether the gateway does not know the customer whom this browser remembers. The browser forgets that customer only once they confirm it. */
  isStranger: boolean;
};
export type FlowNeeds = {
  ramp: Ramp;
  runtime: Pick<Runtime, 'after' | 'sleep' | 'now'>;
  changed: (state: State) => void;
  tell: (news: RampBuyNews) => void;
};
export type Flow = ReturnType<typeof createFlow>;

const slowMs = 4000;
const awayMs = 5000;
/** For how many finished orders we check whether the code is still valid. */
const mostCollected = 3;
/** Only codes of orders that finished at most this long ago are checked. Hardly any code is valid for longer. */
const collectedMs = 86_400_000;
const isTemporary = ({ action }: Trouble): boolean => action === 'retry' || action === 'wait';
/** Returns whether the problem says that a finished order has no valid code now. Its provider may still give another one. */
export const isWithoutCode = ({ code }: Trouble): boolean => code === 'order-not-withdrawable' || code === 'withdrawal-expired';

export const createFlow = ({ ramp, runtime, changed, tell }: FlowNeeds) => {
  let state: State = { step: 'loading', open: [], unresolved: [], isSlow: false, isAway: false };
  let work = new AbortController();
  let following = new AbortController();
  let current: BuyOrder | undefined;
  const told = new Set<string>();
  /** Whether another tab has changed something since the open orders were last read. */
  let isStale = false;
  let isRereading = false;
  /** Once this is true, the element shows another flow, or none: what is still under way here must not replace it. */
  let isStopped = false;
  /** How many reads of the open orders have begun, and which read is shown. The answer to an earlier read never replaces that to a later one. */
  const reads = { begun: 0, shown: 0 };

  const set = (change: Partial<State>): void => {
    if (isStopped) return;
    state = { ...state, ...change };
    changed(state);
  };
  const fail = (error: unknown): Trouble => {
    const trouble = troubleOf(error);
    set({ trouble });
    const { isStranger: _, ...detail } = trouble;
    tell({ name: 'error', detail });
    return trouble;
  };

  /** Runs one piece of work at a time: aborts the work that was started before. */
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
    const { withdrawal } = state;
    if (!order || state.working || (withdrawal && withdrawal.expiresOn.getTime() > runtime.now())) return;
    set({ withdrawal: undefined, noCode: undefined });
    await run('withdrawing', async (signal) => {
      try {
        const code = await order.withdraw({ ...(acceptShort ? { acceptShort } : {}), signal });
        // The customer may have left for another order's screen at the moment of the answer.
        if (current === order) set({ withdrawal: code, short: undefined });
      } catch (error) {
        const { amount_sats: sats, quoted_amount_sats: quotedSats } = problemOf(error);
        if (troubleOf(error).code !== 'order-short' || typeof sats !== 'number' || typeof quotedSats !== 'number') throw error;
        set({ short: { sats: String(sats), quotedSats: String(quotedSats) } });
      }
    });
  };

  /**
   * Reads the code of a finished order. Some providers call an order finished as soon as they give its link, so the bitcoin may still be there. If
   * there is no valid code, returns the reason. The provider is not asked for another code here: that happens only when the customer wants one.
   */
  const codeOf = async (order: BuyOrder, signal?: AbortSignal): Promise<Pick<State, 'withdrawal' | 'noCode'>> => {
    try {
      const withdrawal = await order.withdraw({ onlyHeld: true, ...(signal ? { signal } : {}) });
      if (withdrawal.expiresOn.getTime() > runtime.now()) return { withdrawal };
      return { noCode: { code: 'withdrawal-expired', action: 'contact-support', message: 'The code has expired.', isStranger: false } };
    } catch (error) {
      return { noCode: troubleOf(error) };
    }
  };
  const collect = async (order: BuyOrder): Promise<void> => {
    const { signal } = following;
    const code = await codeOf(order, signal);
    if (current === order && !signal.aborted && !state.working) set(code);
  };
  /**
   * Returns the recently finished orders whose code is still valid, has expired (on the order's screen, the customer can ask for another), or cannot
   * be read at the moment.
   */
  const uncollected = async (orders: BuyOrder[], signal?: AbortSignal): Promise<BuyOrder[]> => {
    const since = runtime.now() - collectedMs;
    const isRecent = ({ raw }: BuyOrder): boolean => Date.parse(String(raw['order_status_date'])) >= since;
    const newest = orders.filter((one) => one.final && one.stage === 'finished' && isRecent(one)).slice(0, mostCollected);
    const codes = await Promise.all(newest.map(async (order) => await codeOf(order, signal)));
    const mayBeThere = ({ withdrawal, noCode }: Pick<State, 'withdrawal' | 'noCode'>): boolean =>
      withdrawal !== undefined || noCode?.code === 'withdrawal-expired' || (noCode !== undefined && isTemporary(noCode) && !isWithoutCode(noCode));
    return newest.filter((_, n) => mayBeThere(codes[n] ?? {}));
  };
  /** Reads the customer's orders. Returns the open ones, and a function that returns the finished ones whose bitcoin may not have been collected. */
  const readOrders = async (signal?: AbortSignal) => {
    const { orders, pending } = await ramp.open(signal, true);
    // A disputed order may be finished and still not be final. Such orders come last.
    const open = orders.filter(({ final }) => !final).toSorted((a, b) => Number(a.stage === 'finished') - Number(b.stage === 'finished'));
    return { open, finished: async () => await uncollected(orders, signal), pending };
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
    // A code that expires on this screen is replaced only when the customer asks for another: they may just be using it.
    if (order.stage === 'filled' && !state.withdrawal) void withdraw(false);
    if (order.stage === 'finished' && !state.withdrawal && !state.noCode && !state.trouble && !state.working && current) void collect(current);
  };

  /** Follows the order until it is final or the customer leaves its screen. If the gateway does not answer, keeps asking. */
  const follow = async (order: BuyOrder): Promise<void> => {
    if (isStopped) return;
    following.abort();
    const { signal } = (following = new AbortController());
    current = order;
    set({ step: 'order', order, withdrawal: undefined, noCode: undefined, short: undefined, isAway: false, trouble: undefined });
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

  /**
   * Reads the orders that are still open from an earlier visit. Repeats each order request whose answer never came: a repeat orders nothing twice.
   */
  const readOpen = async (signal: AbortSignal): Promise<{ open: BuyOrder[]; finished: BuyOrder[]; unresolved: string[]; warned: boolean }> => {
    const { open, finished, pending } = await readOrders(signal);
    const unresolved: string[] = [];
    let warned = false;
    for (const one of pending)
      try {
        open.unshift(await one.again(signal));
      } catch (error) {
        // Only an abort or an unreachable gateway ends the loop. An error about one order must not keep the customer from the others.
        const isPending = like(error).pending === true;
        if (signal.aborted || (isPending && like(error).problem === undefined)) throw error;
        if (isPending) unresolved.push(one.offerId);
        warned = fail(error).action === 'contact-support' || warned;
      }
    return { open, finished: await finished(), unresolved, warned };
  };

  /** Reads and shows the open orders. */
  const listOpen = async (signal?: AbortSignal): Promise<void> => {
    isStale = false;
    const mine = (reads.begun += 1);
    const { open, finished, pending } = await readOrders(signal);
    const shown = [...open, ...(await finished())];
    if (mine < reads.shown) return;
    reads.shown = mine;
    // The request that this tab is sending would be listed as pending, too. So the list is read again once that request is done.
    if (state.working === 'ordering') isStale = true;
    else set({ open: shown, unresolved: pending.map(({ offerId }) => offerId) });
  };
  /** Reads the ways to pay, unless some are known. A customer with an open order can reach it without them. */
  const listOptions = async (signal: AbortSignal): Promise<void> => {
    if (!state.options?.length) set({ options: await ramp.options(signal) });
  };
  const mayReread = (): boolean => state.step === 'amount' || (state.step === 'offers' && state.working !== 'ordering');
  /**
   * Reads the open orders again if another tab has changed them, and once more if a tab changes them during that read. The customer need not wait. If
   * the read fails, the old list stays.
   */
  const reread = async (): Promise<void> => {
    if (isRereading) return;
    isRereading = true;
    while (isStale && mayReread()) await listOpen().catch(() => undefined);
    isRereading = false;
  };

  /** Shows the order if exactly one is open and nothing is unclear. Otherwise shows the screen with the amount, which lists the open orders. */
  const load = async (signal: AbortSignal): Promise<void> => {
    const { open, finished, unresolved, warned } = await readOpen(signal);
    set({ open: [...open, ...finished], unresolved });
    const [first] = open;
    // An order's own screen would hide the warning, and the request that the warning is about is not repeated.
    if (first && open.length === 1 && unresolved.length === 0 && !warned) return void follow(first);
    const isFirst = open.length === 0 && finished.length === 0 && unresolved.length === 0;
    if (!isFirst) set({ step: 'amount' });
    await listOptions(signal);
    set({ step: 'amount' });
    void reread();
  };

  const without = ({ id }: Offer): string[] => state.unresolved.filter((one) => one !== id);
  /** Returns what is open if some other offer may have become an order: nothing else may be ordered then. */
  const pendingBeside = async (offer: Offer, signal: AbortSignal): Promise<Pick<State, 'open' | 'unresolved'> | undefined> => {
    const { orders: open, pending } = await ramp.open(signal);
    const unresolved = pending.map(({ offerId }) => offerId).filter((id) => id !== offer.id);
    return unresolved.length > 0 ? { open, unresolved } : undefined;
  };

  return {
    state: (): State => state,
    /** Call this when another tab of this customer has ordered something, or has news of an order. */
    changedElsewhere: (): void => {
      isStale = true;
      void reread();
    },
    start: async (): Promise<void> => await run('loading', load),
    /**
     * Forgets the customer whom the gateway no longer knows, with all orders that this browser could reach for them, and begins with a new one. Call
     * it only after the customer has confirmed that.
     */
    forget: async (): Promise<void> => {
      await run('loading', async (signal) => {
        // This only reads: nothing is forgotten yet.
        const { recovery: refused } = await ramp.forget((kept) => kept);
        try {
          // The gateway may know this browser again, or another tab may have begun anew: then nothing is forgotten.
          await ramp.open(signal);
        } catch (error) {
          if (!troubleOf(error).isStranger) throw error;
          // Another tab may have begun anew since the secret was sent: only what was refused is forgotten.
          await ramp.forget((kept) => (kept.recovery === refused ? {} : kept));
        }
        leave();
        const nothing = { offers: undefined, instead: undefined, unsure: undefined, order: undefined, withdrawal: undefined, noCode: undefined };
        set({ ...nothing, step: 'loading', short: undefined, isAway: false });
        await load(signal);
      });
    },
    /** Goes back to the screen with the amount, and reads the open orders. */
    begin: async (): Promise<void> => {
      leave();
      set({ step: 'amount', offers: undefined, instead: undefined, unsure: undefined, order: undefined, trouble: undefined });
      await run('loading', async (signal) => {
        await listOpen(signal);
        await listOptions(signal);
      });
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
        // Another tab's order may still be pending, and a page that was frozen has not heard of it. So the pending orders are read again here.
        const others = state.unsure?.id === offer.id ? undefined : await pendingBeside(offer, signal);
        if (others) return set({ ...others, step: 'amount', offers: undefined, instead: undefined });
        try {
          const order = await ramp.buy(offer, { atLeast: leastOf(offer), signal });
          set({ unsure: undefined, unresolved: without(offer), open: [order, ...state.open] });
          once('ordered', order);
          void follow(order);
        } catch (error) {
          if (signal.aborted) throw error;
          const instead = offersIn(error);
          if (instead) set({ offers: { best: instead[0], all: instead, not: [], raw: {} }, instead: offer, step: 'offers' });
          set({ unsure: like(error).pending === true ? offer : undefined, unresolved: without(offer) });
          throw error;
        }
      });
      void reread();
    },
    /** Gives up the orders that may or may not have been made. If they were, they appear among the open orders and, unpaid, expire. */
    giveUp: async (offerIds: readonly string[]): Promise<void> => {
      await run('loading', async (signal) => {
        const { pending } = await ramp.open(signal);
        for (const one of pending) if (offerIds.includes(one.offerId)) await one.forget();
        set({ step: 'amount', offers: undefined, unsure: undefined });
        await listOpen(signal);
      });
    },
    show: async (order: OrderState): Promise<void> => {
      await run('loading', async (signal) => void follow(await ramp.find(order.id, signal)));
    },
    withdraw,
    /** Stops waiting, because the customer no longer wants to. What was ordered stays ordered. */
    cancel: (): void => {
      work.abort();
      set({ working: undefined, isSlow: false });
    },
    /** Returns the signed receipts of the order as JSON, for the customer to keep. */
    receipt: async (): Promise<string | undefined> => {
      const order = current;
      if (!order) return undefined;
      const { receipts } = await ramp.route(order);
      return JSON.stringify({ order_id: order.id, receipts }, undefined, 2);
    },
    /** Ends the flow for good. */
    stop: (): void => {
      isStopped = true;
      work.abort();
      leave();
    },
  };
};

/** Returns the least amount to accept: what a binding offer promises, or 1 % less than an estimate. */
const leastOf = ({ gets, binding }: Offer): bigint => (binding ? gets.units : (gets.units * 99n) / 100n);

const textsOf = (amounts: { pays: Money | undefined; gets: Money | undefined }): { pays?: string; gets?: string } =>
  Object.fromEntries(Object.entries({ pays: amounts.pays, gets: amounts.gets }).flatMap(([name, money]) => (money ? [[name, String(money)]] : [])));

type Like = Partial<Trouble> & { problem?: Readonly<Record<string, unknown>> | undefined; offers?: Offer[] | undefined; pending?: boolean };
const like = (error: unknown): Like => (typeof error === 'object' && error !== null ? error : {});
const problemOf = (error: unknown): Readonly<Record<string, unknown>> => like(error).problem ?? {};
const offersIn = (error: unknown): Offer[] | undefined => {
  const { offers } = like(error);
  return offers && offers.length > 0 ? offers : undefined;
};
/** Describes whatever was thrown. Anything that is not a RampError is a defect of ours, and is shown as one (`internal`). */
const troubleOf = (error: unknown): Trouble => {
  const { code = 'internal', action = 'contact-support', message = String(error), requestId } = like(error);
  const { errors } = problemOf(error);
  const isStranger = Array.isArray(errors) && errors.some((one: { pointer?: unknown }) => one.pointer === '/recovery_secret');
  return { code, action, message, requestId, isStranger };
};
