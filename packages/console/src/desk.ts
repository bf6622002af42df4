/** What the console knows and does, without the page that shows it. */
import {
  Away,
  createApi,
  Locked,
  Refused,
  type Api,
  type Attention,
  type Card,
  type Found,
  type Overview,
  type Search,
  type Series,
  type SettleRequest,
  type SwitchRequest,
} from './api.ts';
import { hashOf, type Place } from './place.ts';
import { showTime } from './show.ts';

export type Runtime = {
  fetch: typeof globalThis.fetch;
  /** Unix milliseconds by this computer's clock. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** SHA-256 as hex; undefined where the browser has none. */
  hash: (text: string) => Promise<string | undefined>;
  /** Whether somebody can see the page. */
  isSeen: () => boolean;
};

export const spans = {
  day: { step: 'hour', ms: 86_400_000 },
  month: { step: 'day', ms: 30 * 86_400_000 },
  quarter: { step: 'day', ms: 90 * 86_400_000 },
} as const;
export type Span = keyof typeof spans;

export type FoundList = { search: Search; rows: Found[]; next?: string | undefined; amountsFrom?: string | undefined; pricesFrom?: string | undefined };
/** What one screen shows. `trouble`: why it shows nothing, or nothing new. */
export type Sheet = { attention?: Attention; card?: Card; found?: FoundList; series?: Series; trouble?: string };
/** The question that the operator must confirm before an action. `lines` say what will happen. */
export type Asking = { title: string; lines: readonly string[]; yes: string; run: (api: Api) => Promise<string> };
export type State = {
  isOpen: boolean;
  whyLocked?: string | undefined;
  /** How the log of actions names this operator. */
  actor?: string | undefined;
  place: Place;
  span: Span;
  overview?: Overview | undefined;
  /** How far the gateway's clock is ahead of this computer's. Ages are by the gateway's clock. */
  aheadMs: number;
  /** The time since which the gateway has not answered, by the gateway's clock. */
  awaySince?: number | undefined;
  sheet: Sheet;
  notice?: { isBad: boolean; text: string } | undefined;
  asking?: Asking | undefined;
  isWorking: boolean;
};

/** How long until the console asks again. Each request is recorded as a read by this operator. */
const everyMs = 20_000;
const everyMsAway = 2000;
const soonMs = 3000;

export type Desk = ReturnType<typeof createDesk>;
export const createDesk = ({ fetch, now, sleep, hash, isSeen }: Runtime, changed: () => void) => {
  let api: Api | undefined;
  /** Counts the changes of token, screen and what it shows: a refresh that began before a change shows nothing of its own after it. */
  let turn = 0;
  /** Counts the refreshes: an older overview never replaces a newer one. */
  let [refreshes, newest] = [0, 0];
  /** Counts the loops: only the newest one goes on. */
  let loop = 0;
  let state: State = { isOpen: false, place: { screen: 'waiting' }, span: 'month', aheadMs: 0, sheet: {}, isWorking: false };
  const set = (change: Partial<State>): void => {
    state = { ...state, ...change };
    changed();
  };
  const gatewayNow = (): number => now() + state.aheadMs;

  const lock = (whyLocked?: string): void => {
    api = undefined;
    turn += 1;
    loop += 1;
    set({
      isOpen: false,
      whyLocked,
      actor: undefined,
      overview: undefined,
      sheet: {},
      notice: undefined,
      asking: undefined,
      awaySince: undefined,
      isWorking: false,
    });
  };

  const load = async (from: Api, { place, span, sheet }: State): Promise<Sheet> => {
    if (place.screen === 'waiting') return { attention: await from.attention() };
    if (place.screen === 'order') return { card: await from.card(place.id) };
    if (place.screen === 'list') {
      const { list, provider } = place;
      // What "show more" has added stays.
      return (sheet.found?.rows.length ?? 0) > pageSize ? sheet : { found: await firstPage(from, { list, ...(provider === undefined ? {} : { provider }) }) };
    }
    if (place.screen === 'wins') {
      const { step, ms } = spans[span];
      const to = gatewayNow();
      const series = await from.series({ step, from: new Date(to - ms).toISOString(), to: new Date(to).toISOString() });
      return { series, ...(place.provider === undefined ? {} : { found: await firstPage(from, { provider: place.provider, limit: 10 }) }) };
    }
    return sheet;
  };

  /** Reads the overview and what the screen shows. Returns whether the gateway answered. */
  const refresh = async (): Promise<boolean> => {
    const [asked, from] = [turn, api];
    if (!from) return false;
    refreshes += 1;
    const mine = refreshes;
    try {
      const [overview, sheet] = await Promise.all([from.overview(), load(from, state).catch(sheetOf)]);
      if (api !== from || mine < newest) return true;
      newest = mine;
      set({ isOpen: true, overview, aheadMs: Date.parse(overview.answered_on) - now(), awaySince: undefined, ...(turn === asked ? { sheet } : {}) });
      return true;
    } catch (error) {
      failed(from, error);
      return false;
    }
  };
  /** Shows why a request of the session `from` failed, unless the console was locked meanwhile. `say` completes the sentence about a refusal. */
  const failed = (from: Api, error: unknown, say = (text: string): string => text): void => {
    if (api !== from) return;
    const text = whyOf(error, state.isOpen);
    if (text === undefined) throw error;
    if (error instanceof Locked || !state.isOpen) lock(text);
    else if (error instanceof Away) {
      if (state.awaySince !== undefined) return;
      set({ awaySince: gatewayNow() });
      void keepAsking();
    } else set({ notice: { isBad: true, text: say(text) } });
  };

  const keepAsking = async (): Promise<void> => {
    loop += 1;
    for (const mine = loop; mine === loop;) {
      await sleep(state.awaySince === undefined ? everyMs : everyMsAway);
      if (mine === loop && isSeen()) await refresh();
    }
  };

  /** Does one thing, says what came of it, and reads the screen again. */
  const act = async (run: (api: Api) => Promise<string>): Promise<void> => {
    const from = api;
    if (!from || state.isWorking) return;
    const began = state.place;
    /** The operator may have gone to another screen meanwhile, such as that of another order. */
    const about = (text: string): string => {
      if (hashOf(state.place) === hashOf(began)) return text;
      return `${began.screen === 'order' ? `Order ${began.id}` : 'On the screen that you left'}: ${text}`;
    };
    const tell = (isBad: boolean, text: string): void => {
      if (api === from) set({ notice: { isBad, text: about(text) } });
    };
    set({ isWorking: true, notice: undefined });
    try {
      tell(false, await run(from));
    } catch (error) {
      if (error instanceof Away) tell(true, notAnswered);
      else failed(from, error, about);
    }
    if (api !== from) return;
    turn += 1;
    set({ asking: undefined });
    await refresh();
    set({ isWorking: false });
    // Refreshes once more after a moment: work that the action started may have ended meanwhile.
    await sleep(soonMs);
    if (api === from) await refresh();
  };

  /** Shows what a search finds. Returns undefined if it failed, or if the operator went elsewhere meanwhile. */
  const search = async (run: (api: Api) => Promise<Sheet>): Promise<Sheet | undefined> => {
    const from = api;
    if (!from) return undefined;
    turn += 1;
    const asked = turn;
    set({ isWorking: true });
    const sheet = (await run(from).catch((error: unknown) => failed(from, error))) ?? undefined;
    if (api !== from) return undefined;
    if (turn !== asked) {
      set({ isWorking: false });
      return undefined;
    }
    turn += 1;
    set({ isWorking: false, ...(sheet ? { sheet } : {}) });
    return sheet;
  };

  const go = async (place: Place): Promise<void> => {
    turn += 1;
    set({ place, sheet: {}, notice: undefined, asking: undefined });
    await refresh();
  };

  return {
    state: (): State => state,
    /** The time by the gateway's clock. */
    now: gatewayNow,
    unlock: async (token: string): Promise<void> => {
      api = createApi(fetch, token);
      const from = api;
      turn += 1;
      set({ isWorking: true, whyLocked: undefined });
      const actor = await hash(token);
      set({ actor: actor === undefined ? undefined : `token:${actor.slice(0, 8)}` });
      const isThere = await refresh();
      if (api !== from) return;
      set({ isWorking: false });
      if (isThere) await keepAsking();
    },
    lock: (): void => lock(),
    refresh,
    go,
    look: async (span: Span): Promise<void> => {
      turn += 1;
      set({ span, sheet: {} });
      await refresh();
    },
    /** Goes to the screen of searches, searches, and returns the id of the order if it is the only one. */
    find: async (words: string): Promise<string | undefined> => {
      if (state.place.screen !== 'find') void go({ screen: 'find' });
      set({ sheet: {}, notice: undefined });
      const sheet = await search(async (from) => await firstPage(from, searchOf(words)).then((found) => ({ found }), sheetOf));
      const { rows, next } = sheet?.found ?? { rows: [] };
      return next === undefined && rows.length === 1 ? rows[0]?.order_id : undefined;
    },
    more: async (): Promise<void> => {
      const { found } = state.sheet;
      if (found?.next === undefined) return;
      const asking = { ...found.search, cursor: found.next };
      await search(async (from) => {
        const page = await from.find(asking);
        return { ...state.sheet, found: { ...found, rows: [...found.rows, ...page.orders], next: page.next_cursor } };
      });
    },
    ask: (asking: Asking | undefined): void => set({ asking }),
    confirm: async (): Promise<void> => {
      if (state.asking) await act(state.asking.run);
    },
    act,
    note: (notice: State['notice']): void => set({ notice }),
  };
};

const notAnswered = 'The gateway did not answer, so it may or may not have done this. Once it answers again, check what it shows before you repeat the action.';

/** Reads what an operator wrote: anything, and a day after it, such as "100 EUR 2026-11-29". */
const searchOf = (words: string): Search => {
  const [, anything, day] = /^(.+?) (\d{4}-\d{2}-\d{2})$/.exec(words) ?? [];
  return anything === undefined || day === undefined ? { anything: words } : { anything, day };
};

const pageSize = 100;
const firstPage = async (from: Api, search: Search): Promise<FoundList> => {
  const { orders, next_cursor: next, amounts_from: amountsFrom, prices_from: pricesFrom } = await from.find(search);
  return { search, rows: orders, next, amountsFrom, pricesFrom };
};

/** Turns a refusal of the gateway into what the screen shows. Throws any other error again: it is about the whole console. */
const sheetOf = (error: unknown): Sheet => {
  if (!(error instanceof Refused)) throw error;
  return { trouble: error.message };
};

/** Returns a sentence about what went wrong; undefined for an error of the console itself. */
const whyOf = (error: unknown, wasOpen: boolean): string | undefined => {
  if (error instanceof Locked)
    return wasOpen
      ? 'The gateway no longer accepts this token. It was probably removed from the configuration. Enter another token.'
      : 'The gateway does not accept this token, or it has no console at this address. Check the token and the address.';
  if (error instanceof Away) return 'The gateway does not answer. Try again in a moment.';
  if (!(error instanceof Refused)) return undefined;
  const { code, detail } = error.problem;
  if (code === 'rate-limited') return `${detail} Wait a minute.`;
  if (code === 'order-changed') return 'The order has changed since you saw it, so nothing was done. Look at it again.';
  if (code !== 'switch-changed') return detail;
  const { switch: other } = error.problem;
  return other
    ? `Nothing was changed, because another operator was faster: ${other.set_by} set it to "${other.mode}" on ${showTime(other.set_on)} UTC: ${other.reason}`
    : 'Nothing was changed, because another operator was faster: the provider is back in its configured mode.';
};

/** Each of these returns a function that the console runs once the operator has confirmed the action. */
export const settling =
  (id: string, request: SettleRequest) =>
  async (api: Api): Promise<string> =>
    `Done: ${(await api.settle(id, request)).done}.`;
export const switching =
  (id: string, request: SwitchRequest, version: string) =>
  async (api: Api): Promise<string> => {
    const { mode } = await api.switchProvider(id, request, version);
    return mode === 'configured'
      ? `Done: ${id} is in its configured mode. Every instance obeys within 5 seconds.`
      : `Done: ${id} is set to "${mode}". Every instance obeys within 5 seconds.`;
  };
export const sending =
  (id: string) =>
  async (api: Api): Promise<string> => {
    await api.sendWebhook(id);
    return 'The webhook is being sent. Its outcome appears here in a moment.';
  };
