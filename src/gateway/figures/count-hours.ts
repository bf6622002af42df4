/** Background work for the console: counts figures by hour, and notes that this instance is running. */
import { errorText } from '../../domain/error-text.ts';
import { isRecent } from '../../domain/is-recent.ts';
import type { Gateway } from '../../ports/gateway.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const seenEveryMs = 15_000;
/** After an hour was counted, it is due again in a minute at the earliest, so looking this often finds it soon enough. */
const lookEveryMs = 10_000;
/** The clock of the instance that deletes old decisions and fills may be ahead of this instance's clock by this much. */
const clockSpreadMs = hourMs;
const retryMs = 10 * 60_000;
/** The calls of the last minutes stay in memory for this long after an operator last asked for them. */
const unaskedMs = 5 * 60_000;
/**
 * The most rows that one step counts. Kept small so that a step takes only a few milliseconds: customers' requests need the same processors. A
 * step takes about 3 ms, and about 0.1 ms more for each decision that it reads.
 */
export const rowsOfStep = 16;
/**
 * A step is followed by a pause, unless its hours had no rows. Together, the two last `pauseShare` × the number of instances × the time of the step.
 * So all instances together count for about a tenth of the time, unless `longestPauseMs` cuts the pause short.
 */
const pauseShare = 10;
const longestPauseMs = 2_000;
/** A piece of work is this many steps, which take one or two seconds with their pauses. */
const stepsOfPiece = 40;

/**
 * Takes up to `limit` pieces of work: steps that look for due hours and count those whose rows have changed. Returns how many pieces it took. An hour
 * that cannot be counted stops no other: it is tried again ten minutes later. Once no hour is due, the next look is ten seconds later.
 */
export const countHours = async (gateway: Gateway, limit: number): Promise<number> => {
  const now = gateway.now();
  forgetCalls(gateway, now);
  if (isRecent(gateway.state.figuresIdleOn, now, lookEveryMs)) return 0;
  const { quotes_days: quotes, fills_days: fills } = gateway.settings.retention;
  const keptFrom = { decisions: now - quotes * dayMs + clockSpreadMs, fills: now - fills * dayMs + clockSpreadMs };
  let steps = 0;
  while (steps < limit * stepsOfPiece && gateway.state.leaving !== true) {
    // A count may take long, and an instance that is not seen for two minutes looks as if it had stopped.
    await noteSeen(gateway);
    const began = gateway.now();
    const found = await gateway.stores.figures.countDue({ now, keptFrom, mostRows: rowsOfStep });
    if (!found) {
      gateway.state.figuresIdleOn = now;
      break;
    }
    steps += 1;
    if (found.failed) {
      const { hour, source, error } = found.failed;
      gateway.log('error', 'figures_failed', { kind: source, where: new Date(hour).toISOString(), error: errorText(error) });
      gateway.count('scheduled_failed_total', { part: 'figures' });
      await gateway.stores.figures.postpone(hour, source, now + retryMs);
    }
    if (found.isEmpty) continue;
    const tookMs = Math.max(0, gateway.now() - began);
    await gateway.sleep(Math.min(longestPauseMs, tookMs * (pauseShare * Math.max(1, found.instances) - 1)));
  }
  return Math.ceil(steps / stepsOfPiece);
};

/**
 * Forgets the calls of the last minutes once no operator has asked for them for a while. The next answer reads them again. A read that has already
 * begun continues with the calls that it knew.
 */
const forgetCalls = ({ state }: Gateway, now: number): void => {
  const { seconds, askedOn = 0 } = state.recentCalls;
  if (seconds.size > 0 && !isRecent(askedOn, now, unaskedMs)) state.recentCalls = { seconds: new Map() };
};

/** Notes that this instance is running and which of its circuits are open, so that every instance can show it. */
const noteSeen = async ({ state, providers, stores, now }: Gateway): Promise<void> => {
  const at = now();
  if (isRecent(state.seenOn, at, seenEveryMs)) return;
  state.seenOn = at;
  const circuits = providers.flatMap(({ id, guard }) => guard.health().opened.map((one) => ({ provider: id, ...one })));
  await stores.figures.seen({ name: state.instance, version: state.version, startedOn: state.startedOn, clock: at, circuits });
};
