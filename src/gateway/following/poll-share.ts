/**
 * What one network's unpaid orders may cost in polls. Orders that nobody pays are free, and each is followed for weeks: without a limit, one caller
 * could fill the queue with them. Each instance keeps its own count, as it does for the limits on requests.
 */
import type { Gateway, PollSlot } from '../../ports/gateway.ts';
import type { Order } from '../../ports/orders.ts';

/** On average, the unpaid orders of a network get one poll in this time. On Workers, a Cron trigger has only a few calls a minute. */
const everyMs = ({ outlivesRequest }: Gateway): number => (outlivesRequest ? 1_000 : 10_000);
/** A /48 (domain/network.ts), and an app whose customers have no network here, may have as many polls as 16 networks. */
const networksOfWide = 16;
/** Polls that a network did not use in the last minute may be used at once. */
const burstMs = 60_000;
const mostKept = 10_000;

/**
 * Returns when to poll an unpaid order: at `wantedOn`, or later if its network has used up its polls up to that time. Orders whose network is not
 * known share the budget of their app. Those of no app share one budget.
 */
export const pollOn = (gateway: Gateway, { appId }: Pick<Order, 'appId'>, networkKey: string | undefined, wantedOn: number): number => {
  const { pollSlots } = gateway.state;
  const now = gateway.now();
  const counted = budgetsOf(appId, networkKey).map(({ key, networks }) => ({ key, ms: everyMs(gateway) / networks }));
  if (pollSlots.size > mostKept) for (const [key, slot] of pollSlots) if (usedUntil(slot, now) <= now) pollSlots.delete(key);
  return counted.reduce((latest, { key, ms }) => {
    const used = usedUntil(pollSlots.get(key), now);
    pollSlots.set(key, { notedOn: now, until: used + ms });
    return Math.max(latest, Math.ceil(used - burstMs));
  }, wantedOn);
};

/**
 * Returns the time until which a slot's polls are used up, but never a past time. If the clock was set back since that time was noted, returns the
 * current time.
 */
const usedUntil = (slot: PollSlot | undefined, now: number): number => (slot && slot.notedOn <= now ? Math.max(now, slot.until) : now);

const budgetsOf = (appId: string | undefined, networkKey: string | undefined): { key: string; networks: number }[] => {
  if (networkKey === undefined) return [appId === undefined ? { key: 'unknown', networks: 1 } : { key: `app ${appId}`, networks: networksOfWide }];
  const [own = '', wide] = networkKey.split(' ');
  return [{ key: own, networks: 1 }, ...(wide === undefined ? [] : [{ key: wide, networks: networksOfWide }])];
};
