/** What the console's charts show: figures by hour, the hours that have been counted, and the instances that are running. No row names a person. */
import { isNotNull } from 'drizzle-orm';
import { index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { Figure, FigureSource } from '../ports/figures.ts';
import { amount, moment } from './columns.ts';

const figures = {
  hour: moment('hour').notNull(),
  what: text('what').$type<Figure['what']>().notNull(),
  providerId: text('provider_id').notNull(),
  ramp: text('ramp').notNull(),
  currency: text('currency').notNull(),
  option: text('option').notNull(),
  reason: text('reason').notNull(),
  n: amount('n').notNull(),
  bps: amount('bps').notNull(),
  quotedSats: amount('quoted_sats').notNull(),
  deliveredSats: amount('delivered_sats').notNull(),
  pay: amount('pay').notNull(),
  receive: amount('receive').notNull(),
};

/** The figures of one hour. A column that the kind of figure does not use is 0 or empty (ports/figures.ts). */
export const hourlyFigures = pgTable('hourly_figures', figures, (t) => [
  primaryKey({ columns: [t.hour, t.what, t.providerId, t.ramp, t.currency, t.option, t.reason] }),
]);
/** The figures of those rows of an hour that have been counted so far, while the hour is counted in several steps. Nobody is shown these. */
export const partialFigures = pgTable('partial_figures', figures, (t) => [
  primaryKey({ name: 'partial_figures_pk', columns: [t.hour, t.what, t.providerId, t.ramp, t.currency, t.option, t.reason] }),
]);

/** One row per hour and source. The instance that counts the hour holds the row's lock until the figures are stored. */
export const countedHours = pgTable(
  'counted_hours',
  {
    hour: moment('hour').notNull(),
    source: text('source').$type<FigureSource>().notNull(),
    /** What the source's rows of this hour looked like when they were counted: their number and their sums. Null: not counted yet. */
    mark: text('mark'),
    countedOn: moment('counted_on'),
    /** When to check whether the rows still have this mark. Null: they are no longer checked. */
    checkOn: moment('check_on'),
    /** While the hour is counted in several steps: the mark that it had at the first step. Null otherwise. */
    partMark: text('part_mark'),
    /** While the hour is counted in several steps: the rows before this time were added to `partial_figures`. Null otherwise. */
    partTo: moment('part_to'),
    /** How long the steps so far have taken. */
    partMs: integer('part_ms'),
  },
  (t) => [primaryKey({ columns: [t.hour, t.source] }), index('counted_hours_due').on(t.checkOn).where(isNotNull(t.checkOn))],
);

/** The instances of the gateway. Each writes its own row every 15 seconds. */
export const instances = pgTable('instances', {
  name: text('name').primaryKey(),
  version: text('version').notNull(),
  startedOn: moment('started_on').notNull(),
  /** When the instance last wrote its row, by the database's clock. */
  seenOn: moment('seen_on').notNull(),
  /** The same moment by the instance's own clock. */
  clock: moment('clock').notNull(),
  /** The instance's circuits that are not closed. */
  circuits: json('circuits').notNull(),
});
