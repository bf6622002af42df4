/**
 * The record as this instance knows it: the sums that all instances have added to, and their hash. A request reads them again when they are older
 * than 30 seconds, or older than a second if this instance has added to them. So the next customer is not sent to a provider that has just failed
 * another customer. Requests never read single fills. If the database does not answer, the last known sums stay in use.
 */
import type { ExchangeAsked, Terms } from '../../domain/offer.ts';
import type { RuleVersion } from '../../domain/policy.ts';
import type { Ramp } from '../../domain/ramp.ts';
import { decayed, utcDay, type Standing } from '../../domain/record.ts';
import { defect } from '../../ports/defect.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Provider } from '../../ports/providers.ts';
import type { RecordRows, RecordState } from '../../ports/record.ts';
import { defaultHaircutBps } from './haircut.ts';
import { isRecent } from '../../domain/is-recent.ts';

export const noRecord = (): RecordState => ({ readOn: 0, hash: '', version: 1, options: new Map(), broken: new Map() });

const freshMs = 30_000;
const freshAfterNewsMs = 1_000;

/** Notes that this instance has counted a fill or read a withdrawal link. */
export const noteNews = ({ state }: Gateway): void => void (state.record.hasNews = true);

/**
 * Quotes from instances of the previous release live for minutes. If no such instance has stored a quote for this long, none of them gets orders
 * either.
 */
const oldReaderMs = 15 * 60_000;

export const refreshRecord = async (gateway: Gateway): Promise<void> => {
  const state = gateway.state.record;
  const now = gateway.now();
  if (isRecent(state.readOn, now, state.hasNews === true ? freshAfterNewsMs : freshMs)) return;
  const { hasNews = false } = state;
  state.hasNews = false;
  const before = state.readOn;
  // Only one request at a time waits for this read. Before the first read has succeeded, every request waits.
  if (before > 0) state.readOn = now;
  try {
    Object.assign(state, await readRecord(gateway, now));
  } catch (error) {
    state.readOn = before;
    state.hasNews ||= hasNews;
    if (before === 0) throw error;
    gateway.log('warn', 'record_not_read', { error: error instanceof Error ? error.name : 'unknown' });
  }
};

const readRecord = async (gateway: Gateway, now: number): Promise<RecordState> => {
  const { learning, route_version: wanted } = gateway.settings.routing;
  const store = gateway.stores.record;
  const rows: RecordRows = learning === 'off' ? { estimates: [], broken: [] } : await store.read();
  const today = utcDay(now);
  return {
    readOn: now,
    hash: gateway.hash(JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))),
    version: wanted === 'auto' ? ((await store.oldReaders(now - oldReaderMs)) ? 1 : 2) : wanted,
    options: new Map(rows.estimates.map((row) => [optionKey(row.providerId, row.ramp, row), { ...row, windows: decayed(row.windows, today - row.day) }])),
    broken: new Map(rows.broken.map((row) => [rampKey(row.providerId, row.ramp), { ...row, windows: decayed(row.windows, today - row.day) }])),
  };
};

const rampKey = (providerId: string, ramp: Ramp): string => `${providerId} ${ramp}`;
const optionKey = (providerId: string, ramp: Ramp, { currency, option }: { currency: string; option: string }): string =>
  `${providerId} ${ramp} ${currency}\n${option}`;

/**
 * Returns the version by which routes are written and ranked. Unless the version is configured, it is 2 once the previous release has stored no route
 * for 15 minutes, and 1 before that.
 */
export const routeVersion = ({ state }: Gateway): RuleVersion => state.record.version;

/** Returns how the record is used and the hash of its sums, for the policy that is stored with the route. */
export const learnt = ({ settings, state }: Gateway): { learning: 'off' | 'shown' | 'ranked'; recordSnapshot?: string } => {
  const { learning } = settings.routing;
  return { learning, ...(learning === 'off' ? {} : { recordSnapshot: state.record.hash }) };
};

/** Returns what lowers the rank of this provider's offers: the configured haircut, its past deliveries, and the operator's decision. */
export const haircutTerms = (gateway: Gateway, provider: Provider, asked: ExchangeAsked): Pick<Terms, 'haircutBps' | 'standing' | 'record'> => {
  const { routing } = gateway.settings;
  const { haircut_bps: pinned } = provider.core;
  const haircutBps = pinned ?? defaultHaircutBps(routing);
  if (routeVersion(gateway) === 1) return { haircutBps };
  const { options, broken } = gateway.state.record;
  const row = options.get(optionKey(provider.id, asked.ramp, asked));
  const promises = broken.get(rampKey(provider.id, asked.ramp));
  if (!row && !promises && pinned === undefined) return { haircutBps };
  const cleared = [row, promises].some((one) => one?.resetOn !== undefined);
  const operator = pinned === undefined ? (cleared ? 'reset' : undefined) : 'pinned';
  const ranked: Standing =
    routing.learning === 'ranked' ? { ...(row ? { estimates: row.windows } : {}), ...(promises ? { broken: promises.windows } : {}) } : {};
  const standing: Standing = { ...ranked, ...(operator ? { operator } : {}) };
  return {
    haircutBps,
    ...(Object.keys(standing).length === 0 ? {} : { standing }),
    ...(row && row.all.orders > 0 ? { record: row.all } : {}),
  };
};

/** A paid order that was never filled counts as not delivered only after this time. */
const unfilledMs = 14 * 86_400_000;
/** How long we wait before we try again to count an order that could not be counted. */
const againMs = 10 * 60_000;
const mostLeftOut = 500;

/**
 * Adds orders that the record lacks. An order that cannot be counted is logged and left out for a while, so that it stops no other. At most 500 such
 * orders are left out at a time (`mostLeftOut`). Returns how many orders were checked.
 */
export const addMissing = async (gateway: Gateway, limit: number): Promise<number> => {
  const { notRecorded } = gateway.state;
  const now = gateway.now();
  for (const [order, until] of notRecorded) if (until <= now || until > now + againMs || notRecorded.size > mostLeftOut) notRecorded.delete(order);
  return await gateway.stores.record.addMissing(now, now - unfilledMs, limit, [...notRecorded.keys()], (order, error) => {
    notRecorded.set(order, now + againMs);
    defect(gateway.log, 'record_order', error, { order });
    gateway.count('scheduled_failed_total', { part: 'record' });
  });
};
