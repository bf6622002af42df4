/**
 * Counts figures by hour and reads them. Nothing is ever added to an hour: it is counted again from its rows whenever the rows no longer look as they
 * did (docs/decisions/2026-11-29-hourly-figures.md). An hour with few rows is counted in one transaction. An hour with many is counted in parts, each
 * in a transaction that also notes how far the count has come; the figures are replaced with the last part. So nothing is counted twice or half,
 * however many instances count, whichever of them stops, and whatever their clocks say.
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
import { countRecent } from './recent-calls.ts';
import { addUp, figuresOf, kindsOf, latencyBounds, marksOf, mergeSmall, noRows, partEndOf, rowsIn } from './count-figures.ts';
import { databaseAnswered, sqlState, type Database, type Transaction } from './database.ts';

const at = (ms: number): string => new Date(ms).toISOString();
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const hourOf = (ms: number): number => Math.floor(ms / hourMs) * hourMs;

/** Hours up to `oldestMs` ago are counted. A counted hour is checked again until it is `lastLookMs` old. Later changes are rare and ignored. */
const oldestMs = 730 * dayMs;
const lastLookMs = 90 * dayMs;
/** An hour is checked again after a quarter of its age, so that a fresh one is seldom out of date and an old one costs little. */
const ageShare = 4;
const soonestMs = 60_000;
/** An instance that was seen within this time may be counting too. */
const seenWithinMs = 120_000;
/** One step checks hours with about this many rows. An hour that was never counted is taken to have `unknownRows`. */
const mostLooked = 20_000;
const unknownRows = 2_500;
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
      let counting: Hour | undefined;
      let instances = 1;
      try {
        return await db.transaction(async (tx) => {
          const claimed = await claim(tx, times.now);
          instances = claimed[0]?.instances ?? instances;
          const [first] = claimed;
          if (!first) return undefined;
          counting = { hour: first.hour, source: first.source };
          const going = first.part && { ...first, part: first.part };
          if (going && !isGone(going, times)) {
            await countPart(tx, going, times);
            return { looked: 1, isEmpty: false, instances };
          }
          const { changed, isEmpty } = await look(tx, claimed, times);
          for (const one of changed) {
            counting = { hour: one.hour, source: one.source };
            await count(tx, one, times);
          }
          return { looked: claimed.length, isEmpty, instances };
        });
      } catch (error) {
        if (counting === undefined || !(databaseAnswered(error) || sqlState(error) === tooSlow)) throw error;
        return { looked: 1, isEmpty: false, instances, failed: { ...counting, error } };
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
    recentCalls: async (since, reading) => await countRecent(db, since, reading),
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

type Hour = { hour: number; source: FigureSource };
/** The progress of counting an hour that takes several steps. `ms`: how long they have taken so far. */
type Part = { mark: string; to: string; ms: number };
type Claimed = Hour & { mark: string | null; part: Part | undefined; instances: number };
type ClaimedRow = {
  hour: string;
  source: FigureSource;
  mark: string | null;
  part_mark: string | null;
  part_to: string | null;
  part_ms: number | null;
  instances: number;
};

/**
 * Takes the newest hour that is due for a check, and others of its source in the day before it, as long as they have few rows. An hour that is being
 * counted in parts is taken alone. The rows' locks last until the end of the transaction, so only one instance counts an hour.
 */
const claim = async (tx: Transaction, now: number): Promise<Claimed[]> => {
  const rows = await tx.execute<ClaimedRow>(sql`
    with newest as (
      select hour, source, part_to from counted_hours where check_on <= ${at(now)} order by counted_hours.hour desc limit 1 for update skip locked
    )
    select c.hour::text, c.source, c.mark, c.part_mark, c.part_to::text, c.part_ms,
      (select count(*)::int from instances where seen_on > now() - make_interval(secs => ${seenWithinMs / 1000})) as instances
    from counted_hours c, newest
    where c.check_on <= ${at(now)} and c.source = newest.source and c.hour > newest.hour - interval '1 day' and c.hour <= newest.hour
      and (c.hour = newest.hour or (newest.part_to is null and c.part_to is null))
    order by c.hour desc for update of c skip locked`);
  let known = 0;
  return rows.flatMap(({ hour, source, mark, part_mark: partMark, part_to: to, part_ms: ms, instances }, i) => {
    known += mark === null ? unknownRows : rowsIn(mark);
    if (i > 0 && known > mostLooked) return [];
    const part = partMark === null || to === null ? undefined : { mark: partMark, to, ms: ms ?? 0 };
    return [{ hour: Date.parse(hour), source, mark, part, instances }];
  });
};

/** Returns whether rows of the hour may already have been deleted because of their age. */
const isGone = ({ hour, source }: Hour, { keptFrom }: Counting): boolean => hour < (keptFrom[source] ?? 0);

type Changed = Claimed & { newMark: string; n: number };

/**
 * Checks whether the rows of the claimed hours have changed. Notes the hours that need no count, and returns those that have to be counted again now,
 * the newest first. If they have many rows, some stay due.
 */
const look = async (tx: Transaction, claimed: readonly Claimed[], times: Counting): Promise<{ changed: Changed[]; isEmpty: boolean }> => {
  const { now, mostRows } = times;
  const [newest, oldest] = [claimed[0], claimed.at(-1)];
  if (!newest || !oldest) return { changed: [], isEmpty: true };
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
    const isOver = isGone(one, times) || (isShrunk && one.hour + hourMs < now - settledMs);
    if (!isOver && mark !== one.mark && (n > 0 || one.mark !== null)) changed.push({ ...one, newMark: mark, n });
    else same.push({ hour: at(one.hour), mark: isOver ? one.mark : mark, check_on: isOver ? null : nextLook(one.hour, now) });
  }
  if (same.length > 0) {
    for (const one of claimed) if (one.part && isGone(one, times)) await forgetPart(tx, one);
    await tx.execute(sql`
      update counted_hours c set mark = s.mark, check_on = s.check_on, counted_on = ${at(now)}, part_mark = null, part_to = null, part_ms = null
      from json_to_recordset(${JSON.stringify(same)}::text::json) as s (hour timestamptz, mark text, check_on timestamptz)
      where c.hour = s.hour and c.source = ${source}`);
  }
  let rowsTaken = 0;
  const taken = changed.filter(({ n }, i) => {
    const takes = i === 0 || rowsTaken + n <= mostRows;
    if (takes) rowsTaken += n;
    return takes;
  });
  return { changed: taken, isEmpty: rows.length === 0 };
};

const figuresIn = ({ hour, source }: Hour): SQL => sql`hour = ${at(hour)} and what in ${kindsOf[source]}`;
const forgetPart = async (tx: Transaction, one: Hour): Promise<void> => void (await tx.execute(sql`delete from partial_figures where ${figuresIn(one)}`));

/** Counts one hour again. If it has many rows, only its first part. */
const count = async (tx: Transaction, one: Changed, times: Counting): Promise<void> => {
  const { hour, source, newMark, n } = one;
  const { from, to } = between(hour);
  if (n > times.mostRows) {
    await forgetPart(tx, one);
    return await countPart(tx, { ...one, part: { mark: newMark, to: from, ms: 0 } }, times);
  }
  await tx.execute(sql`delete from hourly_figures where ${figuresIn(one)}`);
  if (n > 0) await tx.execute(sql`insert into hourly_figures as f ${figuresOf(source, at(hour), { from, to })} ${addUp}`);
  await finish(tx, one, { mark: newMark, ms: 0 }, times);
};

/**
 * Counts the next part of an hour, and notes how far the count has come. After the last part, the figures of all parts replace those of the hour. A
 * row that is stored later, with a time that was counted already, is in neither the figures nor the mark, so the next check finds it.
 */
const countPart = async (tx: Transaction, one: Hour & { part: Part }, times: Counting): Promise<void> => {
  const { hour, source, part } = one;
  const { to } = between(hour);
  const [cut] = await tx.execute<{ cut: string }>(partEndOf(source, { from: part.to, to }, times.mostRows));
  const end = cut?.cut ?? to;
  await tx.execute(sql`insert into partial_figures as f ${figuresOf(source, at(hour), { from: part.to, to: end })} ${addUp}`);
  if (Date.parse(end) < hour + hourMs) {
    await tx.execute(sql`
      update counted_hours set part_mark = ${part.mark}, part_to = ${end}, part_ms = ${part.ms} + ${tookMs} where hour = ${at(hour)} and source = ${source}`);
    return;
  }
  await tx.execute(sql`delete from hourly_figures where ${figuresIn(one)}`);
  await tx.execute(sql`insert into hourly_figures select * from partial_figures where ${figuresIn(one)}`);
  await forgetPart(tx, one);
  await finish(tx, one, part, times);
};

/** How long this transaction has taken; `now()` is when it began. */
const tookMs = sql`ceil(extract(epoch from clock_timestamp() - now()) * 1000)::int`;

/** Notes that an hour has been counted, and when to check it again. */
const finish = async (tx: Transaction, { hour, source }: Hour, { mark, ms }: Pick<Part, 'mark' | 'ms'>, { now }: Counting): Promise<void> => {
  await tx.execute(mergeSmall(source, at(hour)));
  const next = nextLook(hour, now);
  const checkOn = next === null ? sql`null` : sql`${next}::timestamptz + ${workShare} * (${ms} + ${tookMs}) * interval '1 ms'`;
  await tx.execute(sql`
    update counted_hours set check_on = ${checkOn}, mark = ${mark}, counted_on = ${at(now)}, part_mark = null, part_to = null, part_ms = null
    where hour = ${at(hour)} and source = ${source}`);
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
