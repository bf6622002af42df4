import { errorText } from '../domain/error-text.ts';
import { settleClaims } from './following/claim-withdrawal.ts';
import { followOrders } from './following/follow-orders.ts';
import { refuseLostKey } from './refuse-lost-key.ts';
import { deliveriesSwitch, ordersSwitch, refreshSwitches, switched } from './switches.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { backgroundParts } from '../ports/metric-list.ts';
import type { Retention } from '../ports/stores.ts';
import { lookAgain } from './ordering/recheck-withheld.ts';
import { closeReceiptDays } from './receipts/close-days.ts';
import { refreshAccounts } from './accounts/refresh-account.ts';
import { countHours } from './figures/count-hours.ts';
import { addMissing } from './pricing/record.ts';
import { readFeeds } from './pricing/reference.ts';
import { settleIntents } from './ordering/settle-intents.ts';

export type TickBudget = {
  /** For how long new work is started. */ ms: number;
  /** The most deliveries, orders and so on to take, in all parts. */ calls: number;
};
type PartName = (typeof backgroundParts)[number];
export type Scheduled = Record<Exclude<PartName, 'reference'>, number>;

export type Part = {
  name: PartName;
  /** The part's share of all calls, in per cent. A part without a share needs only the database, or has a limit of its own. */
  share?: number;
  batch: number;
  /** Does at most `limit` pieces of work. Returns how many it found. */
  work: (limit: number) => Promise<number>;
};

/**
 * Returns the parts of the background work: webhooks, lost answers, withheld attempts, lost claims, orders, accounts, the record, figures, receipts
 * and market prices. Any number of instances may run them at the same time. No part waits for another, because each is slowed down by different
 * servers: webhooks by receivers, orders by providers, prices by feeds. The record, figures and receipts need only the database.
 */
export const scheduledParts = (gateway: Gateway, drain: (limit: number) => Promise<number>): Part[] => {
  const unlessHeld = async (name: string, work: () => Promise<number>): Promise<number> =>
    switched(gateway.state.switches, name, gateway.now()) === undefined ? await work() : 0;
  return [
    { name: 'deliveries', share: 25, batch: 20, work: async (limit) => await unlessHeld(deliveriesSwitch, async () => await drain(limit)) },
    { name: 'intents', share: 15, batch: 10, work: async (limit) => await unlessHeld(ordersSwitch, async () => await settleIntents(gateway, limit)) },
    { name: 'intents', share: 5, batch: 10, work: async (limit) => await lookAgain(gateway, limit) },
    { name: 'claims', share: 10, batch: 10, work: async (limit) => await settleClaims(gateway, limit) },
    { name: 'orders', share: 30, batch: 20, work: async (limit) => await followOrders(gateway, limit) },
    { name: 'accounts', share: 15, batch: 10, work: async (limit) => await refreshAccounts(gateway, limit) },
    { name: 'record', batch: 50, work: async (limit) => await addMissing(gateway, limit) },
    { name: 'figures', batch: 1, work: async (limit) => await countHours(gateway, limit) },
    { name: 'receipts', batch: 1, work: async (limit) => await closeReceiptDays(gateway, limit) },
    {
      name: 'reference',
      batch: 1,
      work: async () => {
        await readFeeds(gateway);
        return 0;
      },
    },
  ];
};

/** The calls that a part may make: its own, and those that other parts of the same tick have left over. */
type Calls = { own: number; spare: { calls: number } };

/**
 * Runs one part until it finds nothing to do, or its time or calls are used up. Takes no new rows once the instance is stopping, because the database
 * is closed soon after. Returns how much it did. If it fails, the failure is logged and counted, and the next tick tries again.
 */
export const runPart = async (gateway: Gateway, part: Part, ms: number, { own, spare }: Calls): Promise<number> => {
  const until = gateway.now() + ms;
  let left = own;
  let done = 0;
  try {
    await refreshSwitches(gateway);
    while (gateway.now() < until && gateway.state.leaving !== true) {
      const limit = Math.min(part.batch, left + spare.calls);
      if (limit <= 0) break;
      const borrowed = Math.max(0, limit - left);
      spare.calls -= borrowed;
      left -= limit - borrowed;
      const n = await part.work(limit);
      done += n;
      left += limit - n;
      // A queue gives only a few rows of one host or provider at a time, so a short batch does not mean that there are no more.
      if (n === 0) break;
    }
  } catch (error) {
    gateway.log('error', 'scheduled_failed', { part: part.name, error: errorText(error) });
    gateway.count('scheduled_failed_total', { part: part.name });
  }
  spare.calls += left;
  return done;
};

/**
 * Runs all parts side by side, once. On Workers a Cron trigger does this every minute, with few calls: each part has its share of them, and what a
 * part does not need goes to the others. On Node each part runs in a loop of its own instead (entry/node-server.ts).
 */
export const runScheduled = async (gateway: Gateway, drain: (limit: number) => Promise<number>, { ms, calls }: TickBudget): Promise<Scheduled> => {
  const done: Scheduled = { deliveries: 0, intents: 0, claims: 0, orders: 0, accounts: 0, record: 0, figures: 0, receipts: 0 };
  const spare = { calls: 0 };
  await refuseLostKey(gateway);
  await refreshSwitches(gateway);
  await Promise.all(
    scheduledParts(gateway, drain).map(async (part) => {
      const own = part.share === undefined ? { own: calls, spare: { calls: 0 } } : { own: Math.floor((calls * part.share) / 100), spare };
      const n = await runPart(gateway, part, ms, own);
      if (part.name !== 'reference') done[part.name] += n;
    }),
  );
  return done;
};

export type RetentionDays = {
  quotes_days: number;
  sessions_days: number;
  people_days: number;
  notices_days: number;
  deliveries_days: number;
  idempotency_hours: number;
  operator_log_days: number;
  fills_days: number;
  figures_days: number;
};
const day = 86_400_000;

/**
 * The bounds of one call of pruneOld. Each pass deletes at most `limit` rows of each kind. Passes are repeated until nothing is left or a bound is
 * reached, so that deletion keeps up with new rows. A pass leaves out the kinds of which the previous pass deleted fewer than `limit` rows, and those
 * that failed: to find that nothing is left to delete, PostgreSQL may have to read all rows that are kept.
 */
const longestPruneMs = 60_000;
const mostPasses = 600;

export const pruneOld = async (gateway: Gateway, retention: RetentionDays, limit = 1000): Promise<Record<string, number>> => {
  const now = gateway.now();
  const before: Retention = {
    quotesBefore: now - retention.quotes_days * day,
    sessionsBefore: now - retention.sessions_days * day,
    ownedBefore: now - gateway.settings.sessions.owner_days * day,
    noticesBefore: now - retention.notices_days * day,
    deliveriesBefore: now - retention.deliveries_days * day,
    idempotencyBefore: now - retention.idempotency_hours * 3_600_000,
    peopleBefore: now - retention.people_days * day,
    operatorBefore: now - retention.operator_log_days * day,
    fillsBefore: now - retention.fills_days * day,
    figuresBefore: now - retention.figures_days * day,
  };
  const sums: Record<string, number> = {};
  let errors: Record<string, unknown> = {};
  let kinds: string[] | undefined;
  for (let passes = 0; passes < mostPasses && kinds?.length !== 0 && gateway.now() - now < longestPruneMs; passes += 1) {
    const { counts, failed } = await gateway.stores.prune(before, limit, kinds);
    for (const [name, n] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + n;
    errors = { ...errors, ...failed };
    kinds = Object.entries(counts).flatMap(([name, n]) => (n < limit ? [] : [name]));
  }
  for (const [kind, error] of Object.entries(errors)) {
    gateway.log('error', 'prune_failed', { kind, error: errorText(error) });
    gateway.count('scheduled_failed_total', { part: 'retention' });
  }
  return sums;
};
