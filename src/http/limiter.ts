import { countersOf, type Network } from '../domain/network.ts';
import { Problem } from '../gateway/problem.ts';

/** An app of the `apps:` list whose key the caller showed. */
export type KnownApp = {
  id: string;
  allow: readonly string[];
  quotesPerMinute?: number | undefined;
  ordersPerMinute?: number | undefined;
  inFlight?: number | undefined;
  /** Whether the app was identified by a key that anybody can read. Then the app is only a label with limits, and has no rights. */
  isPublic: boolean;
};

/**
 * The kinds of use, each counted separately. `mails`: e-mails and text messages that a provider sends to the address or number that a caller named.
 */
export type LimitName =
  | 'verify'
  | 'sessions'
  | 'quotes'
  | 'orders'
  | 'routes'
  | 'account-steps'
  | 'account-reads'
  | 'order-reads'
  | 'withdrawals'
  | 'webhook-tests'
  | 'mails'
  | 'forged-notices'
  | 'operator-guesses';
/** Whose uses are counted together: those of one session, of one network (and of the /48 around it), or of one app. */
export type LimitScope = 'session' | 'network' | 'app';
export type Counter = {
  name: LimitName;
  scope: LimitScope;
  key: string;
  most: number;
  windowMs: number;
  /**
   * Whether `most` is the configured limit that holds for every session or network. False for an app, for a limit that is configured for one app, and
   * for a /48.
   */
  isUsual: boolean;
};
/** Counts one use. `allowed` is false once the window is used up. `remaining` is absent with Cloudflare's binding, which does not report it. */
export type Limiter = (counter: Counter) => Promise<{ allowed: boolean; remaining?: number; resetSeconds: number }>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/**
 * Creates a limiter with fixed windows. It is exact within one instance. A clock that is set back starts new windows. Windows that have ended are
 * dropped about once a minute.
 */
export const createLimiter = (now: () => number): Limiter => {
  const windows = new Map<string, { start: number; used: number; windowMs: number }>();
  const isOver = ({ start, windowMs }: { start: number; windowMs: number }, at: number): boolean => at < start || at - start >= windowMs;
  const swept = { start: now(), windowMs: minuteMs };
  return ({ name, scope, key, most, windowMs }) => {
    const at = now();
    if (isOver(swept, at)) {
      for (const [id, window] of windows) if (isOver(window, at)) windows.delete(id);
      swept.start = at;
    }
    const id = `${name} ${scope} ${key}`;
    let window = windows.get(id);
    if (!window || isOver(window, at)) windows.set(id, (window = { start: at, used: 0, windowMs }));
    const resetSeconds = Math.ceil((window.start + windowMs - at) / 1000);
    if (window.used >= most) return Promise.resolve({ allowed: false, remaining: 0, resetSeconds });
    window.used += 1;
    return Promise.resolve({ allowed: true, remaining: most - window.used, resetSeconds });
  };
};

/** The most uses per minute (of `mails`: per hour) by one session, one network and one app. */
export type Limits = Record<LimitName, Partial<Record<LimitScope, number>>>;
export type Caller = { network: Network; app: KnownApp | undefined };

/**
 * Returns what a call counts against: its session, and whoever is behind many sessions. That is the app if the call shows a secret key, because all
 * customers of a wallet's backend share its address; otherwise it is the network. A call with a publishable key counts by app and network, with the
 * app's own limit if it has one.
 */
export const countersFor = (limits: Limits, name: LimitName, { network, app }: Caller, sessionHash: string | undefined): Counter[] => {
  const { session, network: ofNetwork = Infinity, app: ofApp = Infinity } = limits[name];
  const windowMs = name === 'mails' ? hourMs : minuteMs;
  const own = ownLimitOf(name, app);
  const counters: Counter[] = [];
  if (sessionHash !== undefined && session !== undefined) counters.push({ name, scope: 'session', key: sessionHash, most: session, windowMs, isUsual: true });
  if (app && !app.isPublic) return [...counters, { name, scope: 'app', key: app.id, most: own ?? ofApp, windowMs, isUsual: false }];
  const prefix = app ? `${app.id} ` : '';
  for (const { key, most } of countersOf(network, own ?? ofNetwork))
    counters.push({ name, scope: 'network', key: prefix + key, most, windowMs, isUsual: own === undefined && key === network.own });
  return counters;
};

/** Returns the limit that is configured for this app, if it has one. */
const ownLimitOf = (name: LimitName, app: KnownApp | undefined): number | undefined => {
  if (name === 'orders') return app?.ordersPerMinute;
  if (name === 'order-reads') return app?.quotesPerMinute === undefined ? undefined : app.quotesPerMinute * readsPerQuote;
  return name === 'quotes' ? app?.quotesPerMinute : undefined;
};
/** How many reads of orders are allowed for each price request: a price costs a call to every provider; reading an order costs one call. */
export const readsPerQuote = 2;

const what: Record<LimitName, string> = {
  verify: 'requests for tokens',
  sessions: 'requests to open a session',
  quotes: 'requests for prices',
  orders: 'new orders',
  routes: 'requests for routes',
  'account-steps': 'requests about accounts and connections',
  'account-reads': 'reads of accounts and connections',
  'order-reads': 'reads of orders',
  withdrawals: 'requests for withdrawals',
  'webhook-tests': 'webhook tests',
  mails: 'requests that send an e-mail or a text message',
  'forged-notices': 'webhooks with a wrong token',
  'operator-guesses': 'requests with a wrong token',
};
const where: Record<LimitScope, string> = { session: 'in one session', network: 'from one network', app: 'for one app' };

/**
 * Counts one use against each limit, and throws `rate-limited` if one of them is used up. Sets the RateLimit fields of the IETF draft for the limit
 * with the least left, if the limiter reports what is left.
 */
export const enforceLimits = async (limiter: Limiter, counters: readonly Counter[], headers: Record<string, string>): Promise<void> => {
  let least = Infinity;
  for (const counter of counters) {
    const { name, scope, most, windowMs } = counter;
    const { allowed, remaining = Infinity, resetSeconds } = await limiter(counter);
    if (remaining < least) {
      least = remaining;
      headers['ratelimit-policy'] = `"${name}";q=${most};w=${windowMs / 1000}`;
      headers['ratelimit'] = `"${name}";r=${remaining};t=${resetSeconds}`;
    }
    if (!allowed)
      throw new Problem('rate-limited', `At most ${most} ${what[name]} ${windowMs === hourMs ? 'an hour' : 'a minute'} are allowed ${where[scope]}.`, {
        retryAfterMs: resetSeconds * 1000,
      });
  }
};

/** Counts one use, and returns whether all limits allow it. For work that can be left out without refusing the request. */
export const areWithin = async (limiter: Limiter, counters: readonly Counter[]): Promise<boolean> => {
  for (const counter of counters) if (!(await limiter(counter)).allowed) return false;
  return true;
};
