import { errorText } from '../domain/error-text.ts';
import { settleClaims } from './following/claim-withdrawal.ts';
import { followOrders } from './following/follow-orders.ts';
import { deliveriesSwitch, ordersSwitch, refreshSwitches, switched } from './switches.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Retention } from '../ports/stores.ts';
import { lookAgain } from './ordering/recheck-withheld.ts';
import { closeReceiptDays } from './receipts/close-days.ts';
import { refreshAccounts } from './accounts/refresh-account.ts';
import { addMissing } from './pricing/record.ts';
import { readFeeds } from './pricing/reference.ts';
import { settleIntents } from './ordering/settle-intents.ts';

export type TickBudget = { /** How long new work is started. */ ms: number; /** The most deliveries, orders and so on to take. */ calls: number };
export type Scheduled = {
  deliveries: number;
  intents: number;
  claims: number;
  orders: number;
  accounts: number;
  record: number;
  receipts: number;
};

/**
 * Runs the background work, most urgent first: webhooks, lost answers, withheld attempts, lost claims, orders, accounts, the record and receipts. In
 * parallel, reads the price feeds. Any number of instances may run this at the same time. On Node it runs in a loop, on Workers by a Cron trigger. A
 * part that fails does not stop the others: the failure is logged and counted, and the next tick tries again.
 */
export const runScheduled = async (gateway: Gateway, drain: (limit: number) => Promise<number>, budget: TickBudget): Promise<Scheduled> => {
  const until = gateway.now() + budget.ms;
  const left = { calls: budget.calls };
  const done: Scheduled = { deliveries: 0, intents: 0, claims: 0, orders: 0, accounts: 0, record: 0, receipts: 0 };
  const part = async (name: keyof Scheduled, batch: number, work: (limit: number) => Promise<number>): Promise<void> => {
    try {
      while (left.calls > 0 && gateway.now() < until) {
        const limit = Math.min(batch, left.calls);
        const n = await work(limit);
        done[name] += n;
        left.calls -= n;
        // We take only a few deliveries per host at a time, so a short batch does not mean that there are no more.
        if (name === 'deliveries' ? n === 0 : n < limit) return;
      }
    } catch (error) {
      failed(gateway, name, error);
    }
  };
  // This runs in parallel with everything else: prices must not grow old while orders are followed, and orders must not wait for a feed.
  const reference = readFeeds(gateway).catch((error: unknown) => failed(gateway, 'reference', error));
  if (gateway.outlivesRequest) gateway.background(reference);
  await refreshSwitches(gateway);
  const held = (name: string): boolean => switched(gateway.state.switches, name, gateway.now()) !== undefined;
  if (!held(deliveriesSwitch)) await part('deliveries', 20, drain);
  if (!held(ordersSwitch)) await part('intents', 10, (limit) => settleIntents(gateway, limit));
  await part('intents', 10, (limit) => lookAgain(gateway, limit));
  await part('claims', 10, (limit) => settleClaims(gateway, limit));
  await part('orders', 20, (limit) => followOrders(gateway, limit));
  await part('accounts', 10, (limit) => refreshAccounts(gateway, limit));
  await part('record', 50, (limit) => addMissing(gateway, limit));
  await part('receipts', 1, (limit) => closeReceiptDays(gateway, limit));
  if (!gateway.outlivesRequest) await reference;
  return done;
};

const failed = (gateway: Gateway, part: keyof Scheduled | 'reference', error: unknown): void => {
  gateway.log('error', 'scheduled_failed', { part, error: errorText(error) });
  gateway.count('scheduled_failed_total', { part });
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
};
const day = 86_400_000;

/**
 * The bounds of one call of pruneOld. Each pass deletes at most `limit` rows of each kind. Passes are repeated until nothing is left or a bound is
 * reached, so that deletion keeps up with new rows.
 */
const longestPruneMs = 60_000;
const mostPasses = 600;

export const pruneOld = async (gateway: Gateway, retention: RetentionDays, limit = 1000): Promise<Record<string, number>> => {
  const now = gateway.now();
  const before: Retention = {
    quotesBefore: now - retention.quotes_days * day,
    sessionsBefore: now - retention.sessions_days * day,
    noticesBefore: now - retention.notices_days * day,
    deliveriesBefore: now - retention.deliveries_days * day,
    idempotencyBefore: now - retention.idempotency_hours * 3_600_000,
    peopleBefore: now - retention.people_days * day,
    operatorBefore: now - retention.operator_log_days * day,
    fillsBefore: now - retention.fills_days * day,
  };
  const sums: Record<string, number> = {};
  let errors: Record<string, unknown> = {};
  for (let passes = 0; passes < mostPasses && gateway.now() - now < longestPruneMs; passes += 1) {
    const { counts, failed } = await gateway.stores.prune(before, limit);
    for (const [name, n] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + n;
    errors = { ...errors, ...failed };
    if (Object.values(counts).every((n) => n < limit)) break;
  }
  for (const [kind, error] of Object.entries(errors)) {
    gateway.log('error', 'prune_failed', { kind, error: errorText(error) });
    gateway.count('scheduled_failed_total', { part: 'retention' });
  }
  return sums;
};
