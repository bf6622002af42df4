import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import type { Counting, FigureStore, RecentCalls } from '../ports/figures.ts';
import { createStores } from './stores.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** A time in the middle of an hour. */
const now = Date.UTC(2026, 10, 28, 12, 30);
const at = (ms: number): string => new Date(ms).toISOString();

let database: TestDatabase;
let figures: FigureStore;
beforeAll(async () => {
  database = await testDatabase();
  figures = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) }).figures;
});
afterAll(async () => await database.close());

const counting = (more: Partial<Counting> = {}): Counting => ({ now, keptFrom: { decisions: now - 7 * day, fills: now - 7 * day }, mostRows: 5_000, ...more });
/** Makes every hour due, and counts as long as one is. Returns the hours that could not be counted. */
const countAll = async (more: Partial<Counting> = {}): Promise<number[]> => {
  await database.sql`update counted_hours set check_on = hour where check_on is not null`;
  const failed: number[] = [];
  for (;;) {
    const found = await figures.countDue(counting(more));
    if (!found) return failed;
    if (!found.failed) continue;
    failed.push(found.failed.hour);
    await figures.postpone(found.failed.hour, found.failed.source, now + day);
  }
};
const decide = async (times: number[], option = 'sepa'): Promise<string[]> => {
  const offers = ['alpine', 'slow'].map((providerId, i) => ({ providerId, latencyMs: 100, behindBestBps: i * 7 }));
  const route = {
    route: { asked: { currency: 'EUR', option }, offers, excluded: [], refused: [{ providerId: 'third', refusal: { reason: 'busy' } }], failed: [] },
  };
  const ids = times.map(() => crypto.randomUUID());
  for (const [i, time] of times.entries())
    await database.sql`insert into routes (id, customer_id, session_hash, ramp, request_id, created_on, route)
      values (${ids[i] ?? ''}, ${crypto.randomUUID()}, 'x', 'buy', 'req', ${at(time)}, ${JSON.stringify(route)}::text::json)`;
  return ids;
};
const fill = async (time: number): Promise<void> =>
  void (await database.sql`insert into fills (order_id, provider_id, ramp, currency, option, binding, quoted_pay, quoted_receive, told_pay, told_receive,
      quoted_on, ordered_on, filled_on, counted_in, counted_quoted, counted_delivered, counted_on)
    values (${crypto.randomUUID()}, 'alpine', 'buy', 'EUR', 'sepa', true, 1, 2, 1, 2, ${at(time)}, ${at(time)}, ${at(time)}, 'broken', 2, 2, ${at(time)})`);
const read = async (): Promise<object[]> => await figures.read({ from: now - 6 * day, to: now + hour, step: 'hour', most: 1_000 });
const countOf = async (what: string, on: number): Promise<number> =>
  (await figures.read({ from: on, to: on + hour, step: 'hour', most: 1_000 })).filter((one) => one.what === what).reduce((sum, { n }) => sum + Number(n), 0);
const running = Math.floor(now / hour) * hour;

it('an hour with more rows than one statement may count is counted in parts, and comes out the same', async () => {
  const times = Array.from({ length: 23 }, (_, i) => running - 3 * hour + Math.floor(i / 2) * 60_000);
  await decide(times);
  await decide(times.slice(0, 5), 'card');
  await fill(running - 3 * hour);
  await fill(running - 3 * hour + 1);
  expect(await countAll()).toEqual([]);
  const whole = await read();
  expect(whole.length).toBeGreaterThan(8);
  await database.sql`update counted_hours set mark = '1' where mark <> '0'`;
  await database.sql`delete from hourly_figures`;
  expect(await countAll({ mostRows: 1 })).toEqual([]);
  expect(await read()).toEqual(whole);
});

it('a second with more decisions than one statement may read is read in pieces, and once', async () => {
  const second = now - 60_000;
  await decide(Array.from({ length: 130 }, (_, i) => second + i * 7));
  const paused: number[] = [];
  const known: RecentCalls = { seconds: new Map() };
  const pause = async (tookMs: number): Promise<void> => await Promise.resolve(void paused.push(tookMs));
  const calls = async () => await figures.recentCalls(second, { known, most: 1_000, pause, now: () => 0 });
  const all = ['alpine', 'slow', 'third'].map((providerId) => ({ providerId, answered: 130, failed: 0 }));
  expect((await calls()).toSorted((a, b) => a.providerId.localeCompare(b.providerId))).toMatchObject(all);
  // Calls that are equal in two pieces are kept once.
  expect(new Set([...known.seconds.values()].map(({ calls: kept }) => kept.length))).toEqual(new Set([3]));
  expect(paused).toHaveLength(8);
  expect(await calls()).toMatchObject([{ answered: 130 }, { answered: 130 }, { answered: 130 }]);
  expect(paused).toHaveLength(8);
  await database.sql`delete from routes where created_on >= ${at(second)}`;
});

it('an hour that takes longer than the database allows is postponed, and the older ones are counted', async () => {
  const slow = running - 5 * hour;
  await decide([slow, slow - hour]);
  await database.sql.unsafe(`
    create function too_slow() returns trigger language plpgsql as $$
      begin if new.hour = '${at(slow)}' then raise exception 'canceling statement due to statement timeout' using errcode = '57014'; end if; return new; end $$;
    create trigger too_slow before insert on hourly_figures for each row execute function too_slow()`);
  expect(await countAll()).toEqual([slow]);
  expect([await countOf('decided', slow), await countOf('decided', slow - hour)]).toEqual([0, 1]);
  await database.sql`drop trigger too_slow on hourly_figures`;
  expect(await countAll()).toEqual([]);
  expect(await countOf('decided', slow)).toBe(1);
});

it('a customer who is deleted does not end the counting of an hour that is not over', async () => {
  const [gone = ''] = await decide([running, running + 1, running + 2]);
  await countAll();
  expect(await countOf('decided', running)).toBe(3);
  await database.sql`delete from routes where id = ${gone}`;
  await countAll();
  expect(await countOf('decided', running)).toBe(2);
  await decide([running + 3, running + 4]);
  await countAll();
  expect(await countOf('decided', running)).toBe(4);
});

it('only so many options of an hour have figures of their own: the small ones are counted together', async () => {
  const one = running - 8 * hour;
  for (let i = 0; i < 203; i += 1) await decide(i < 3 ? [one, one] : [one], `option ${i}`);
  await countAll();
  const found = await figures.read({ from: one, to: one + hour, step: 'hour', most: 5_000 });
  const decided = found.filter(({ what }) => what === 'decided');
  expect([decided.length, decided.filter(({ option, n }) => option === 'other' && n === 3n).length]).toEqual([201, 1]);
  expect(decided.filter(({ n }) => n === 2n).map(({ option }) => option)).toEqual(['option 0', 'option 1', 'option 2']);
  expect(await countOf('decided', one)).toBe(206);
});

it('what was counted stays when old rows are deleted, of fills as of decisions', async () => {
  const [old, partly] = [running - 5 * day, running - 2 * day];
  for (const one of [old, partly]) {
    await decide([one, one + 1]);
    await fill(one);
    await fill(one + 1);
  }
  await countAll();
  await database.sql`delete from routes where created_on <= ${at(partly)}`;
  await database.sql`delete from fills where filled_on <= ${at(partly)}`;
  await countAll({ keptFrom: { decisions: now - 3 * day, fills: now - 3 * day } });
  for (const one of [old, partly]) expect([await countOf('decided', one), await countOf('filled', one)]).toEqual([2, 2]);
});

it('a provider whose amounts add up to more than a column holds does not stop the figures of the others', async () => {
  const one = running - 9 * hour;
  const huge = async (option: string, provider: string): Promise<unknown> =>
    await database.sql`insert into fills (order_id, provider_id, ramp, currency, option, binding, quoted_pay, quoted_receive, told_pay, told_receive,
        quoted_on, ordered_on, filled_on, counted_in, counted_quoted, counted_delivered, counted_on)
      select gen_random_uuid(), ${provider}, 'buy', 'EUR', ${option}, true, 9007199254740991, 9007199254740991, 9007199254740991, 9007199254740991,
        ${at(one)}, ${at(one)}, ${at(one)}::timestamptz + n * interval '1 ms', 'broken', 9007199254740991, 9007199254740991, ${at(one)} from generate_series(0, 1099) n`;
  await huge('sepa', 'thief');
  await fill(one);
  const most = 9_000_000_000_000_000_000n;
  const counted = async () => (await figures.read({ from: one, to: one + hour, step: 'hour', most: 5_000 })).filter(({ what }) => what === 'filled');
  expect(await countAll()).toEqual([]);
  expect((await counted()).map(({ providerId, n, pay }) => `${providerId} ${n} ${pay}`).toSorted()).toEqual(['alpine 1 1', `thief 1100 ${most}`]);
  // The same holds if an hour is counted in parts, and if the small options are put together.
  expect(await countAll({ mostRows: 300 })).toEqual([]);
  for (let n = 0; n < 203; n += 1) await huge(`option ${n}`, 'thief');
  expect(await countAll({ mostRows: 100_000 })).toEqual([]);
  const merged = (await counted()).find(({ option }) => option === 'other');
  expect([merged?.pay, merged?.receive, merged?.quotedSats, merged?.deliveredSats]).toEqual([most, most, most, most]);
});

const onlyDue = async (one: number): Promise<void> =>
  void (await database.sql`update counted_hours set check_on = case when hour = ${at(one)} and source = 'decisions' then hour end`);

it('one step counts few rows of a large hour, another instance goes on with it, and a row that came late is counted', async () => {
  const one = running - 10 * hour;
  await decide(Array.from({ length: 40 }, (_, i) => one + 1000 + i * 60_000));
  const counted = async (): Promise<number> => {
    const [row] = await database.sql<{ n: number }[]>`
      select coalesce(sum(n), 0)::int as n from partial_figures where hour = ${at(one)} and what = 'decided'`;
    return row?.n ?? 0;
  };
  await onlyDue(one);
  const others = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) }).figures;
  const seen: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    await (i % 2 === 0 ? figures : others).countDue(counting({ mostRows: 9 }));
    seen.push(await counted());
  }
  // Nobody is shown a part of an hour.
  expect([seen, await countOf('decided', one)]).toEqual([[9, 18, 27, 36], 0]);
  await decide([one + 500]);
  await figures.countDue(counting({ mostRows: 9 }));
  expect([await counted(), await countOf('decided', one)]).toEqual([0, 40]);
  await database.sql`update counted_hours set check_on = hour`;
  expect(await countAll({ mostRows: 9 })).toEqual([]);
  expect(await countOf('decided', one)).toBe(41);
});

it('an hour whose rows begin to be deleted while it is counted in steps keeps its figures', async () => {
  const one = running - 12 * hour;
  await decide(Array.from({ length: 8 }, (_, i) => one + i));
  await onlyDue(one);
  await figures.countDue(counting());
  await decide(Array.from({ length: 8 }, (_, i) => one + 1000 + i));
  await onlyDue(one);
  await figures.countDue(counting({ mostRows: 3 }));
  await figures.countDue(counting({ mostRows: 3, keptFrom: { decisions: one + hour, fills: 0 } }));
  expect(await countOf('decided', one)).toBe(8);
  expect(await database.sql`select part_to, check_on from counted_hours where hour = ${at(one)} and source = 'decisions'`).toMatchObject([
    { part_to: null, check_on: null },
  ]);
  expect(await database.sql`select 1 from partial_figures`).toHaveLength(0);
});
