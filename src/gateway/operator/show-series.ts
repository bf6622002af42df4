/**
 * Figures over time, for the console's charts: which providers offer, which win and why others do not, and how much of what was quoted was delivered.
 */
import type { Stage } from '../../domain/order.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Figure } from '../../ports/figures.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { int } from '../outward.ts';
import { Problem } from '../problem.ts';
import { logAction, type Operator } from './log-action.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** The longest period that can be shown by the hour and by the day. A chart cannot show more points. */
const longest = { hour: 8 * day, day: 731 * day } as const;
/** The most figures in one answer, which is then several megabytes long. */
const mostFigures = 20_000;
const usual = { hour: day, day: 30 * day } as const;
const time = (ms: number): string => new Date(ms).toISOString();

export type SeriesRequest = {
  from?: string | undefined;
  to?: string | undefined;
  step?: 'hour' | 'day' | undefined;
  provider?: string | undefined;
  ramp?: Ramp | undefined;
  currency?: string | undefined;
  option?: string | undefined;
};

export const readSeries = async (gateway: Gateway, operator: Operator, request: SeriesRequest) => {
  const { provider, ramp, currency, option, step = 'day' } = request;
  const to = request.to === undefined ? gateway.now() : Date.parse(request.to);
  const from = request.from === undefined ? to - usual[step] : Date.parse(request.from);
  if (to <= from) throw invalid('/to', 'must be later than from');
  if (to - from > longest[step])
    throw invalid(
      '/from',
      `figures by the ${step} cover at most ${longest[step] / day} days: ask for less time${step === 'hour' ? ', or for figures by the day' : ''}`,
    );
  await logAction(gateway, operator, 'series.read', provider ?? 'all');
  const figures = await gateway.stores.figures.read({ from, to, step, providerId: provider, ramp, currency, option, most: mostFigures + 1 });
  if (figures.length > mostFigures)
    throw invalid(
      '/from',
      `the answer would have more than ${mostFigures} figures: ask for less time, for days instead of hours, or for one provider, ramp, currency or option`,
    );
  const { missing, countedOn } = await gateway.stores.figures.progress(from, to);
  return {
    from: time(from),
    to: time(to),
    step,
    ...(countedOn === undefined ? {} : { counted_on: time(countedOn) }),
    hours_to_count: missing,
    decisions: grouped(figures, ['decided', 'without-offer'], keyOf('')).map((rows) => ({
      ...headOf(rows),
      decisions: sum(rows, 'decided'),
      without_offer: sum(rows, 'without-offer'),
    })),
    offers: grouped(figures, ['offered', 'won', 'excluded', 'refused', 'failed'], keyOf('')).map((rows) => ({
      ...headOf(rows),
      provider: rows[0].providerId,
      offers: sum(rows, 'offered'),
      won: sum(rows, 'won'),
      excluded: sum(rows, 'excluded'),
      refused: sum(rows, 'refused'),
      failed: sum(rows, 'failed'),
      behind_best_bps: mean(rows.filter(({ what }) => what === 'offered')),
    })),
    missing: grouped(figures, ['excluded', 'refused', 'failed'], ({ on: _on, ...one }) => keyOf('what')({ ...one, on: 0 })).map((rows) => {
      const { on: _on, ...head } = headOf(rows);
      return { ...head, provider: rows[0].providerId, kind: rows[0].what as 'excluded', reason: rows[0].reason, count: sum(rows) };
    }),
    stages: figures
      .filter(({ what }) => what === 'stage')
      .map((row) => ({ ...headOf([row]), provider: row.providerId, stage: row.reason as Stage, orders: int(row.n) })),
    fills: figures
      .filter(({ what }) => what === 'filled')
      .map((row) => ({
        ...headOf([row]),
        provider: row.providerId,
        fills: int(row.n),
        quoted_sats: int(row.quotedSats),
        delivered_sats: int(row.deliveredSats),
        pay: row.pay.toString(),
        receive: row.receive.toString(),
      })),
  };
};

type Rows = readonly [Figure, ...Figure[]];

/** Groups the figures that make up one point of a chart. */
const grouped = (figures: readonly Figure[], kinds: readonly Figure['what'][], key: (figure: Figure) => string): Rows[] => {
  const wanted = figures.filter(({ what }) => kinds.includes(what));
  return [...Map.groupBy(wanted, key).values()].flatMap(([first, ...others]): Rows[] => (first ? [[first, ...others]] : []));
};
const keyOf =
  (more: 'what' | '') =>
  ({ on, providerId, ramp, currency, option, reason, what }: Figure): string =>
    JSON.stringify([on, providerId, ramp, currency, option, ...(more === 'what' ? [what, reason] : [])]);
const headOf = ([{ on, ramp, currency, option }]: Rows) => ({ on: time(on), ramp: ramp as Ramp, currency, option });
const sum = (rows: readonly Figure[], kind?: Figure['what']): number =>
  int(rows.filter(({ what }) => kind === undefined || what === kind).reduce((total, { n }) => total + n, 0n));

/** Returns how far the ranked offers were behind the best offer, on average, in whole basis points. Returns null if there were none. */
const mean = (rows: readonly Figure[]): number | null => {
  const n = rows.reduce((total, row) => total + row.n, 0n);
  const bps = rows.reduce((total, row) => total + row.bps, 0n);
  return n === 0n ? null : Math.round(Number(bps) / Number(n));
};

const invalid = (pointer: string, detail: string): Problem => new Problem('invalid-request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
