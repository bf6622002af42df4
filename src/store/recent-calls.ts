/** Counts the provider calls of the last minutes from the stored decisions. An instance reads each decision only once. */
import { sql } from 'drizzle-orm';
import type { CallFigures, RecentCalls, RecentReading, SecondCalls } from '../ports/figures.ts';
import type { Database } from './database.ts';

/** One statement reads at most roughly this many decisions. Reading one takes about 0.1 ms. */
const mostRows = 16;
/** A decision may appear this many seconds late: its transaction takes time, and another instance's clock may be behind. */
const lateS = 60;
const atSecond = (second: number): string => new Date(second * 1000).toISOString();

export const countRecent = async (db: Database, since: number, reading: RecentReading): Promise<CallFigures[]> => {
  const { known } = reading;
  const first = Math.floor(since / 1000);
  for (const second of known.seconds.keys()) if (second < first) known.seconds.delete(second);
  // A count reads only the index.
  const rows = await db.execute<{ second: string; n: number }>(sql`
    select floor(extract(epoch from created_on))::bigint::text as second, count(*)::int as n from routes
    where created_on >= ${atSecond(Math.max(first, (known.completeTo ?? 0) - lateS))} group by 1`);
  const counted = rows.map(({ second, n }) => ({ second: Number(second), n })).toSorted((a, b) => b.second - a.second);
  const newest = counted[0]?.second;
  let left = reading.most;
  let tookMs: number | undefined;
  for (const batch of batchesOf(counted, known)) {
    if (left <= 0) return sumOf(known);
    const calls: Calls = new Map();
    for (const piece of piecesOf(batch)) {
      if (tookMs !== undefined) await reading.pause(tookMs);
      const began = reading.now();
      await readPiece(db, piece, calls);
      tookMs = Math.max(0, reading.now() - began);
    }
    for (const { second, n } of batch) known.seconds.set(second, { decisions: n, calls: [...(calls.get(second)?.values() ?? [])] });
    left -= sumOfRows(batch);
  }
  if (newest !== undefined) known.completeTo = newest;
  return sumOf(known);
};

type Counted = { second: number; n: number };

/** Groups the seconds that have to be read, the newest first. Each group is a range of time without a second that is known already. */
const batchesOf = (counted: readonly Counted[], { seconds }: RecentCalls): Counted[][] => {
  const batches: Counted[][] = [];
  let open: { batch: Counted[]; n: number } | undefined;
  for (const one of counted) {
    if (seconds.get(one.second)?.decisions === one.n) {
      open = undefined;
      continue;
    }
    if (!open || open.n + one.n > mostRows) batches.push((open = { batch: [], n: 0 }).batch);
    open.batch.push(one);
    open.n += one.n;
  }
  return batches;
};

const sumOfRows = (batch: readonly Counted[]): number => batch.reduce((sum, { n }) => sum + n, 0);

/** A range of time in milliseconds, without `to` itself. */
type Piece = { from: number; to: number };
/** Cuts the time of a batch so that each piece has about `mostRows` decisions. Only a batch of one busy second has several pieces. */
const piecesOf = (batch: readonly Counted[]): Piece[] => {
  const [newest, oldest] = [batch[0], batch.at(-1)];
  if (!newest || !oldest) return [];
  const [from, to] = [oldest.second * 1000, (newest.second + 1) * 1000];
  const pieces = Math.min(Math.ceil(sumOfRows(batch) / mostRows), to - from);
  const cut = (n: number): number => from + Math.floor(((to - from) * n) / pieces);
  return Array.from({ length: pieces }, (_, n) => ({ from: cut(n), to: cut(n + 1) }));
};

type Row = { second: string; provider_id: string; ok: boolean; ms: number | null; n: number };

/** The calls of each second. Equal calls are counted together, because a busy second has many pieces. */
type Calls = Map<number, Map<string, SecondCalls>>;

/** Adds the calls of a piece to the calls of their seconds. */
const readPiece = async (db: Database, { from, to }: Piece, calls: Calls): Promise<void> => {
  const rows = await db.execute<Row>(sql`
    with recent as materialized (
      select floor(extract(epoch from created_on))::bigint::text as second, (route->'route')::jsonb as d from routes
      where created_on >= ${new Date(from).toISOString()} and created_on < ${new Date(to).toISOString()}
    ), calls as (
      select second, e->>'providerId' as provider_id, true as ok, (e->>'latencyMs')::float8 as ms from recent, jsonb_array_elements(d->'offers') e
      union all select second, e->>'providerId', true, null from recent, jsonb_array_elements(d->'excluded') e
      union all select second, e->>'providerId', true, null from recent, jsonb_array_elements(d->'refused') e
      union all select second, e->>'providerId', false, null from recent, jsonb_array_elements(d->'failed') e
    )
    select second, provider_id, ok, ms, count(*)::int as n from calls group by 1, 2, 3, 4`);
  for (const { second, provider_id: providerId, ok, ms, n } of rows) {
    const ofSecond = calls.get(Number(second)) ?? new Map<string, SecondCalls>();
    calls.set(Number(second), ofSecond);
    const kind = `${ok} ${ms} ${providerId}`;
    ofSecond.set(kind, { providerId, ok, ms, n: n + (ofSecond.get(kind)?.n ?? 0) });
  }
};

const sumOf = ({ seconds }: RecentCalls): CallFigures[] => {
  const sums = new Map<string, { answered: number; failed: number; times: Map<number, number> }>();
  for (const { calls } of seconds.values())
    for (const { providerId, ok, ms, n } of calls) {
      const sum = sums.get(providerId) ?? { answered: 0, failed: 0, times: new Map<number, number>() };
      sums.set(providerId, sum);
      if (ok) sum.answered += n;
      else sum.failed += n;
      if (ms !== null) sum.times.set(ms, (sum.times.get(ms) ?? 0) + n);
    }
  return [...sums].map(([providerId, { answered, failed, times }]) => ({ providerId, answered, failed, ...p95Of(times) }));
};

/** Returns the 95th percentile of times that are given with how often each occurs, as PostgreSQL's percentile_cont computes it. */
const p95Of = (times: ReadonlyMap<number, number>): { p95Ms?: number } => {
  const sorted = [...times].toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, n]) => sum + n, 0);
  if (total === 0) return {};
  const place = 0.95 * (total - 1);
  const at = (wanted: number): number => {
    let passed = 0;
    for (const [ms, n] of sorted) if ((passed += n) > wanted) return ms;
    return sorted.at(-1)?.[0] ?? 0;
  };
  const [lower, upper] = [at(Math.floor(place)), at(Math.ceil(place))];
  return { p95Ms: Math.round(lower + (upper - lower) * (place - Math.floor(place))) };
};
