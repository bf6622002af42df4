/**
 * Counts figures by hour and reads them. An hour is never added to: it is counted again from its rows, in one transaction, whenever the rows no
 * longer look as they did (docs/decisions/2026-11-29-hourly-figures.md). So nothing is counted twice or half, however many instances count, whichever
 * of them stops, and whatever their clocks say.
 */
import { sql, type SQL } from 'drizzle-orm';
import {
  figureSources,
  type CallFigures,
  type Counting,
  type Figure,
  type FigureFilter,
  type FigureSource,
  type FigureStore,
  type Instance,
  type MissingFigure,
} from '../ports/figures.ts';
import { addUp, cutsOf, figuresOf, kindsOf, latencyBounds, marksOf, mergeSmall, noRows, rowsIn } from './count-figures.ts';
import { databaseAnswered, sqlState, type Database, type Transaction } from './database.ts';

const at = (ms: number): string => new Date(ms).toISOString();
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const hourOf = (ms: number): number => Math.floor(ms / hourMs) * hourMs;

/** How far back hours are counted, and up to what age a counted hour is checked again. Later changes are so rare that they are ignored. */
const oldestMs = 730 * dayMs;
const lastLookMs = 90 * dayMs;
/** An hour is checked again after a quarter of its age, so that a fresh one is seldom out of date and an old one costs little. */
const ageShare = 4;
const soonestMs = 60_000;
/**
 * After an hour has been counted, its next check is put off by this many times the duration of the count, so that counting takes up little of the
 * database's time.
 */
const workShare = 20;
/**
 * If an hour that ended longer ago than this has fewer rows than were counted, its rows are being deleted because of their age, and its figures stay.
 * If a more recent hour has fewer, somebody deleted a customer, and what is left is counted.
 */
const settledMs = dayMs;
/**
 * The SQLSTATE for a statement that the database stopped because it took too long. The database still answers, so this is no reason to leave other
 * hours uncounted.
 */
const tooSlow = '57014';

export const createFigureStore = (db: Database): FigureStore => {
  /** Adds the rows of hours that have begun since the last call, or of all past hours at the first call. */
  const addHours = async ({ now, keptFrom }: Counting): Promise<void> => {
    const last = await db.execute<{ hour: Date | string | null }>(sql`select max(hour) as hour from counted_hours`);
    const newest = timeOf(last[0]?.hour);
    if (newest !== undefined && newest >= hourOf(now)) return;
    const first = await db.execute<{ at: Date | string | null }>(sql`select at from order_events order by id limit 1`);
    const from = newest ?? Math.max(Math.min(hourOf(timeOf(first[0]?.at) ?? now) - hourMs, hourOf(keptFrom.decisions)), hourOf(now) - oldestMs);
    await db.execute(sql`
      insert into counted_hours (hour, source, check_on)
      select h, s, h from generate_series(${at(from)}::timestamptz, ${at(hourOf(now))}::timestamptz, interval '1 hour') h,
        unnest(array[${sql.join(
          figureSources.map((one) => sql`${one}`),
          sql`, `,
        )}]::text[]) s
      on conflict do nothing`);
  };

  return {
    countDue: async (times) => {
      await addHours(times);
      let counting: { hour: number; source: FigureSource } | undefined;
      try {
        return await db.transaction(async (tx) => {
          const claimed = await claim(tx, times.now);
          const [first] = claimed;
          if (!first) return undefined;
          counting = { hour: first.hour, source: first.source };
          const changed = await look(tx, claimed, times);
          for (const one of changed) {
            counting = { hour: one.hour, source: one.source };
            await count(tx, one, times);
          }
          return { looked: claimed.length };
        });
      } catch (error) {
        if (counting === undefined || !(databaseAnswered(error) || sqlState(error) === tooSlow)) throw error;
        return { looked: 1, failed: { ...counting, error } };
      }
    },
    postpone: async (hour, source, until) =>
      void (await db.execute(sql`update counted_hours set check_on = ${at(until)} where hour = ${at(hour)} and source = ${source}`)),
    read: async (filter) => await readFigures(db, filter),
    progress: async (from, to) => {
      const [row] = await db.execute<{ missing: number; counted: string | null }>(sql`
        select (count(*) filter (where mark is null and check_on is not null))::int as missing,
          (array_agg(counted_on order by hour desc, counted_on) filter (where mark is not null))[1]::text as counted
        from counted_hours where hour >= ${at(hourOf(from))} and hour < ${at(to)}`);
      const countedOn = timeOf(row?.counted);
      return { missing: row?.missing ?? 0, ...(countedOn === undefined ? {} : { countedOn }) };
    },
    recentCalls: async (since) => {
      const rows = await db.execute<CallRow>(sql`
        with recent as materialized (select (route->'route')::jsonb as d from routes where created_on >= ${at(since)}), calls as (
          select e->>'providerId' as provider_id, true as ok, (e->>'latencyMs')::float8 as ms from recent, jsonb_array_elements(d->'offers') e
          union all select e->>'providerId', true, null from recent, jsonb_array_elements(d->'excluded') e
          union all select e->>'providerId', true, null from recent, jsonb_array_elements(d->'refused') e
          union all select e->>'providerId', false, null from recent, jsonb_array_elements(d->'failed') e
        )
        select provider_id, (count(*) filter (where ok))::int as answered, (count(*) filter (where not ok))::int as failed,
          (percentile_cont(0.95) within group (order by ms))::float8 as p95
        from calls group by provider_id`);
      return rows.map(toCalls);
    },
    callsByHour: async (since) => {
      const from = at(hourOf(since));
      const rows = await db.execute<CallRow>(sql`
        with buckets as (
          select provider_id, case reason when 'more' then ${latencyBounds.at(-1) ?? 0} else reason::float8 end as bound, sum(n) as n
          from hourly_figures where hour >= ${from} and what = 'latency' group by 1, 2
        ), ranked as (
          select provider_id, bound, sum(n) over (partition by provider_id order by bound) as upto, sum(n) over (partition by provider_id) as total from buckets
        ), calls as (
          select provider_id, sum(n) filter (where what <> 'failed') as answered, sum(n) filter (where what = 'failed') as failed
          from hourly_figures where hour >= ${from} and what in ('offered', 'excluded', 'refused', 'failed') group by provider_id
        )
        select provider_id, coalesce(answered, 0)::int as answered, coalesce(failed, 0)::int as failed,
          (select min(bound) from ranked r where r.provider_id = calls.provider_id and r.upto >= 0.95 * r.total)::float8 as p95
        from calls`);
      return rows.map(toCalls);
    },
    missing: async (since) => {
      const rows = await db.execute<{ provider_id: string; what: MissingFigure['what']; reason: string; n: number }>(sql`
        select provider_id, what, reason, sum(n)::int as n from hourly_figures
        where hour >= ${at(hourOf(since))} and what in ('excluded', 'refused', 'failed') group by 1, 2, 3 order by n desc, what, reason`);
      return rows.map(({ provider_id: providerId, ...row }) => ({ providerId, ...row }));
    },
    openOrders: async () => {
      const rows = await db.execute<{ provider_id: string; n: number }>(
        sql`select provider_id, count(*)::int as n from orders where final = false group by provider_id`,
      );
      return rows.map(({ provider_id: providerId, n }) => ({ providerId, n }));
    },
    seen: async ({ name, version, startedOn, clock, circuits }) => {
      const values = sql`${version}, ${at(startedOn)}, now(), ${at(clock)}, ${JSON.stringify(circuits)}::text::json`;
      await db.execute(sql`
        insert into instances (name, version, started_on, seen_on, clock, circuits) values (${name}, ${values})
        on conflict (name) do update set (version, started_on, seen_on, clock, circuits) = (${values})`);
    },
    instances: async (withinMs) => {
      const rows = await db.execute<InstanceRow>(sql`
        select name, version, started_on::text, seen_on::text, clock::text, circuits::text from instances
        where seen_on > now() - make_interval(secs => ${withinMs / 1000}) order by name`);
      return rows.map(toInstance);
    },
  };
};

type CallRow = { provider_id: string; answered: number; failed: number; p95: number | null };
const toCalls = ({ provider_id: providerId, answered, failed, p95 }: CallRow): CallFigures => ({
  providerId,
  answered,
  failed,
  ...(p95 === null ? {} : { p95Ms: Math.round(p95) }),
});

type InstanceRow = { name: string; version: string; started_on: string; seen_on: string; clock: string; circuits: string };
const toInstance = (row: InstanceRow): Instance => ({
  name: row.name,
  version: row.version,
  startedOn: Date.parse(row.started_on),
  seenOn: Date.parse(row.seen_on),
  clock: Date.parse(row.clock),
  circuits: JSON.parse(row.circuits) as Instance['circuits'],
});

/** Reads a time as the driver returns it. */
const timeOf = (value: Date | string | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : value instanceof Date ? value.getTime() : Date.parse(value);

type Claimed = { hour: number; source: FigureSource; mark: string | null };

/**
 * Takes the newest hour that is due for a check, and others of its source in the day before it. The rows' locks last until the end of the
 * transaction, so only one instance counts an hour.
 */
const claim = async (tx: Transaction, now: number): Promise<Claimed[]> => {
  const rows = await tx.execute<{ hour: string; source: FigureSource; mark: string | null }>(sql`
    with newest as (
      select hour, source from counted_hours where check_on <= ${at(now)} order by counted_hours.hour desc limit 1 for update skip locked
    )
    select c.hour::text, c.source, c.mark from counted_hours c, newest
    where c.check_on <= ${at(now)} and c.source = newest.source and c.hour > newest.hour - interval '1 day' and c.hour <= newest.hour
    order by c.hour desc for update of c skip locked`);
  return rows.map((row) => ({ ...row, hour: Date.parse(row.hour) }));
};

type Changed = Claimed & { newMark: string; n: number };

/**
 * Checks whether the rows of the claimed hours have changed. Notes the hours that need no count, and returns those that have to be counted again now,
 * the newest first. If they have many rows, some stay due.
 */
const look = async (tx: Transaction, claimed: readonly Claimed[], { now, keptFrom, mostRows }: Counting): Promise<Changed[]> => {
  const [newest, oldest] = [claimed[0], claimed.at(-1)];
  if (!newest || !oldest) return [];
  const { source } = newest;
  // The marks are read before the figures. A row that arrives in between is among the figures but not in the mark, so it is found at the next check.
  const rows = await tx.execute<{ hour: string; mark: string; n: number }>(marksOf(source, { from: at(oldest.hour), to: at(newest.hour + hourMs) }));
  const marks = new Map(rows.map(({ hour, mark, n }) => [Date.parse(hour), { mark, n }]));
  const same: { hour: string; mark: string | null; check_on: string | null }[] = [];
  const changed: Changed[] = [];
  for (const one of claimed) {
    const { mark, n } = marks.get(one.hour) ?? { mark: noRows, n: 0 };
    const isShrunk = one.mark !== null && n < rowsIn(one.mark);
    // Decisions and fills are deleted after some days. What was counted before stays.
    const isGone = one.hour < (keptFrom[source] ?? 0) || (isShrunk && one.hour + hourMs < now - settledMs);
    if (!isGone && mark !== one.mark && (n > 0 || one.mark !== null)) changed.push({ ...one, newMark: mark, n });
    else same.push({ hour: at(one.hour), mark: isGone ? one.mark : mark, check_on: isGone ? null : nextLook(one.hour, now) });
  }
  if (same.length > 0)
    await tx.execute(sql`
      update counted_hours c set mark = s.mark, check_on = s.check_on, counted_on = ${at(now)}
      from json_to_recordset(${JSON.stringify(same)}::text::json) as s (hour timestamptz, mark text, check_on timestamptz)
      where c.hour = s.hour and c.source = ${source}`);
  let rowsTaken = 0;
  return changed.filter(({ n }, i) => {
    const takes = i === 0 || rowsTaken + n <= mostRows;
    if (takes) rowsTaken += n;
    return takes;
  });
};

/** Counts one hour again, in parts, because the database stops a statement that takes too long. */
const count = async (tx: Transaction, { hour, source, newMark, n }: Changed, { now, mostRows }: Counting): Promise<void> => {
  await tx.execute(sql`delete from hourly_figures where hour = ${at(hour)} and what in ${kindsOf[source]}`);
  const { from, to } = between(hour);
  const cuts = n > mostRows ? await tx.execute<{ cut: string }>(cutsOf(source, { from, to }, mostRows)) : [];
  const ends = [from, ...cuts.map(({ cut }) => cut), to];
  for (const [i, end] of n > 0 ? ends.slice(1).entries() : [])
    await tx.execute(sql`
      insert into hourly_figures as f ${figuresOf(source, at(hour), { from: ends[i] ?? from, to: end })} ${addUp}`);
  await tx.execute(mergeSmall(source, at(hour)));
  const next = nextLook(hour, now);
  // `now()` is when this transaction began.
  const checkOn = next === null ? sql`null` : sql`${next}::timestamptz + ${workShare} * (clock_timestamp() - now())`;
  await tx.execute(sql`
    update counted_hours set check_on = ${checkOn}, mark = ${newMark}, counted_on = ${at(now)} where hour = ${at(hour)} and source = ${source}`);
};

const between = (hour: number) => ({ from: at(hour), to: at(hour + hourMs) });

const nextLook = (hour: number, now: number): string | null => {
  const age = Math.max(0, now - hour - hourMs);
  return age > lastLookMs ? null : at(now + Math.max(soonestMs, age / ageShare));
};

type FigureRow = {
  on: string;
  what: Figure['what'];
  provider_id: string;
  ramp: string;
  currency: string;
  option: string;
  reason: string;
  n: string;
  bps: string;
  quoted_sats: string;
  delivered_sats: string;
  pay: string;
  receive: string;
};

const readFigures = async (db: Database, { from, to, step, providerId, ramp, currency, option, most }: FigureFilter): Promise<Figure[]> => {
  const only = (column: SQL, value: string | undefined): SQL => (value === undefined ? sql`` : sql`and ${column} = ${value}`);
  // date_bin takes a third of the time of date_trunc with a time zone (bench:operator).
  const rows = await db.execute<FigureRow>(sql`
    select (extract(epoch from begins) * 1000)::text as on, what, provider_id, ramp, currency, option, reason, sum(n)::text as n, sum(bps)::text as bps,
      sum(quoted_sats)::text as quoted_sats, sum(delivered_sats)::text as delivered_sats, sum(pay)::text as pay, sum(receive)::text as receive
    from (
      select date_bin(${`1 ${step}`}::interval, hour, '2000-01-01T00:00Z') as begins, * from hourly_figures
      where hour >= ${at(hourOf(from))} and hour < ${at(to)} and what <> 'latency'
        ${providerId === undefined ? sql`` : sql`and provider_id in ('', ${providerId})`}
        ${only(sql`ramp`, ramp)} ${only(sql`currency`, currency)} ${only(sql`option`, option)}
    ) figures
    group by begins, what, provider_id, ramp, currency, option, reason order by begins, what, provider_id, ramp, currency, option, reason limit ${most}`);
  return rows.map((row) => ({
    on: Number(row.on),
    what: row.what,
    providerId: row.provider_id,
    ramp: row.ramp,
    currency: row.currency,
    option: row.option,
    reason: row.reason,
    n: BigInt(row.n),
    bps: BigInt(row.bps),
    quotedSats: BigInt(row.quoted_sats),
    deliveredSats: BigInt(row.delivered_sats),
    pay: BigInt(row.pay),
    receive: BigInt(row.receive),
  }));
};
