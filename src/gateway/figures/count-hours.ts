/** Background work for the console: counts figures by hour, and notes that this instance is running. */
import { errorText } from '../../domain/error-text.ts';
import { isRecent } from '../../domain/is-recent.ts';
import type { Gateway } from '../../ports/gateway.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const seenEveryMs = 15_000;
/** After an hour was counted, it is due again in a minute at the earliest, so looking this often finds it soon enough. */
const lookEveryMs = 10_000;
/** How far the clock of the instance that deletes old decisions and fills may be ahead of this instance's clock. */
const clockSpreadMs = hourMs;
const retryMs = 10 * 60_000;
/** Few enough that a statement ends long before the database's limit of 30 seconds. */
const mostRows = 5_000;

/**
 * Looks for due hours up to `limit` times, and counts those whose rows have changed. Returns how many times it found due hours. An hour that cannot
 * be counted stops no other: it is tried again ten minutes later. Once no hour is due, the next look is ten seconds later.
 */
export const countHours = async (gateway: Gateway, limit: number): Promise<number> => {
  const now = gateway.now();
  if (isRecent(gateway.state.figuresIdleOn, now, lookEveryMs)) return 0;
  const { quotes_days: quotes, fills_days: fills } = gateway.settings.retention;
  const keptFrom = { decisions: now - quotes * dayMs + clockSpreadMs, fills: now - fills * dayMs + clockSpreadMs };
  for (let times = 0; times < limit; times += 1) {
    // A count may take long, and an instance that is not seen for two minutes looks as if it had stopped.
    await noteSeen(gateway);
    const found = await gateway.stores.figures.countDue({ now, keptFrom, mostRows });
    if (!found) {
      gateway.state.figuresIdleOn = now;
      return times;
    }
    if (!found.failed) continue;
    const { hour, source, error } = found.failed;
    gateway.log('error', 'figures_failed', { kind: source, where: new Date(hour).toISOString(), error: errorText(error) });
    gateway.count('scheduled_failed_total', { part: 'figures' });
    await gateway.stores.figures.postpone(hour, source, now + retryMs);
  }
  return limit;
};

/** Notes that this instance is running and which of its circuits are open, so that every instance can show it. */
const noteSeen = async ({ state, providers, stores, now }: Gateway): Promise<void> => {
  const at = now();
  if (isRecent(state.seenOn, at, seenEveryMs)) return;
  state.seenOn = at;
  const circuits = providers.flatMap(({ id, guard }) => guard.health().opened.map((one) => ({ provider: id, ...one })));
  await stores.figures.seen({ name: state.instance, version: state.version, startedOn: state.startedOn, clock: at, circuits });
};
