/** Every figure of the console equals plain SQL over the stored rows, whoever counted it and whatever happened meanwhile. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type postgres from 'postgres';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { needsPostgres, testDatabase } from '../support/postgres.ts';
import { seedOrders } from '../support/seeded-orders.ts';

const token = 'operator-token-one-0123456789';
const config = { operator: { token_hashes: [sha256Hex(token)] } };
const providers = { alpine: { simulator: { quoteTtlS: 3600 } }, slow: { simulator: { quoteTtlS: 3600, spreadBps: 90 } } };
const [minute, hour] = [60_000, 3_600_000];

type Point = { [member: string]: unknown };
/** A line per figure, so that a difference names it. */
const lines = (kind: string, points: readonly Point[]): string[] =>
  points.map((point) => `${kind} ${JSON.stringify(Object.fromEntries(Object.entries(point).toSorted(([a], [b]) => (a < b ? -1 : 1))))}`);

const seriesOf = async (gateway: TestGateway, step: string, from: number): Promise<string[]> => {
  const path = `/operator/series?step=${step}&from=${new Date(from).toISOString()}&to=${new Date(gateway.clock.now()).toISOString()}`;
  const { body } = await createWallet(gateway.url).call(path, undefined, { authorization: `Bearer ${token}` });
  expect(body['hours_to_count']).toBe(0);
  const kinds = ['decisions', 'offers', 'missing', 'stages', 'fills'];
  return kinds.flatMap((kind) => lines(kind, body[kind] as Point[])).toSorted();
};

/** What the series should be, from the rows of the decisions, the events and the fills. */
const plainOf = async (sql: postgres.Sql, step: string, from: number): Promise<string[]> => {
  // A value of type json is unpacked and parsed each time that something is taken out of it, so this is done once.
  const asked = (d: string): string => `${d}->'asked'->>'currency' as currency, ${d}->'asked'->>'option' as option`;
  await sql.unsafe(`
    drop table if exists plain_routes, plain_intents;
    create table plain_routes as select created_on, ramp, d, ${asked('d')} from routes, lateral (select route::jsonb->'route' as d offset 0) decision;
    create table plain_intents as select id, ${asked(`quote->'route'`)} from intents`);
  const start = new Date(from).toISOString();
  const on = (column: string): string => `to_char(date_trunc('${step}', ${column}, 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  const kinds = `('offers'), ('excluded'), ('refused'), ('failed')`;
  const of = 'r.ramp, r.currency, r.option';
  const each = `plain_routes r, (values ${kinds}) k (kind), jsonb_array_elements(r.d->kind) with ordinality e (e, rank) where r.created_on >= '${start}'`;
  const reason = `coalesce(e->>'rule', e->'refusal'->>'reason', e->>'reason')`;
  const read = async (text: string): Promise<Point[]> => [...(await sql.unsafe(text))] as Point[];
  return [
    ...lines(
      'decisions',
      await read(`select ${on('created_on')} as on, ${of}, count(*)::int as decisions,
        (count(*) filter (where jsonb_array_length(d->'offers') = 0))::int as without_offer
        from plain_routes r where created_on >= '${start}' group by 1, 2, 3, 4`),
    ),
    ...lines(
      'offers',
      await read(`select ${on('created_on')} as on, e->>'providerId' as provider, ${of}, (count(*) filter (where kind = 'offers'))::int as offers,
        (count(*) filter (where kind = 'offers' and rank = 1))::int as won, (count(*) filter (where kind = 'excluded'))::int as excluded,
        (count(*) filter (where kind = 'refused'))::int as refused, (count(*) filter (where kind = 'failed'))::int as failed,
        floor(avg((e->>'behindBestBps')::float8) filter (where kind = 'offers') + 0.5)::int as behind_best_bps from ${each} group by 1, 2, 3, 4, 5`),
    ),
    ...lines(
      'missing',
      await read(`select kind, e->>'providerId' as provider, ${of}, ${reason} as reason, count(*)::int as count
        from ${each} and kind <> 'offers' group by 1, 2, 3, 4, 5, 6`),
    ),
    ...lines(
      'stages',
      await read(`select ${on('e.at')} as on, o.provider_id as provider, o.ramp, i.currency, i.option, e.to_stage as stage, count(*)::int as orders
        from order_events e join orders o on o.id = e.order_id join plain_intents i on i.id = o.intent_id
        where e.at >= '${start}' group by 1, 2, 3, 4, 5, 6`),
    ),
    ...lines(
      'fills',
      await read(`select ${on('filled_on')} as on, provider_id as provider, ramp, currency, option, count(*)::int as fills, sum(counted_quoted)::int as quoted_sats,
        sum(counted_delivered)::int as delivered_sats, sum(told_pay)::text as pay, sum(told_receive)::text as receive
        from fills where filled_on >= '${start}' group by 1, 2, 3, 4, 5`),
    ),
  ].toSorted();
};

const buy = async (gateway: TestGateway): Promise<string> => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  return String((await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] })).body['order_id']);
};

needsPostgres(
  'three instances with other clocks, one killed half way through an hour, late rows, later news, a restart: every figure is that of plain SQL',
  async () => {
    const database = await testDatabase();
    const { sql } = database;
    const secrets = freshSecrets(randomBytes);
    const started: TestGateway[] = [];
    const start = async (aheadMs: number): Promise<TestGateway> => {
      const clock = movableClock();
      clock.move(aheadMs);
      const environment = { ...secrets, INSTANCE: `instance-${started.length}` };
      const gateway = await startTestGateway(providers, { config, database, clock, environment, sleep: async () => await Promise.resolve() });
      started.push(gateway);
      return gateway;
    };
    try {
      const gateway = await start(0);
      const from = Math.floor(gateway.clock.now() / hour) * hour - 40 * hour;
      const like = await buy(gateway);
      // The first writer of this kind of figure sleeps in the middle of its hour.
      await sql.unsafe(`
        create table killed (pid int);
        create function wait_once() returns trigger language plpgsql as $$
          begin
            if new.what = 'won' and not exists (select from killed) and pg_try_advisory_xact_lock(4711) then perform pg_sleep(300); end if;
            return new;
          end $$;
        create trigger wait_once after insert on hourly_figures for each row execute function wait_once()`);
      await seedOrders(sql, { like, from, everyMs: 2.2 * minute, first: 1, last: 1000 });
      await start(-20 * minute);
      await start(20 * minute);
      // An instance that found nothing to count looks again only after ten seconds.
      const later = 11_000;
      const tick = async (ms: number): Promise<void> => {
        for (const { clock } of started) clock.move(ms);
        await Promise.all(started.map(async ({ server }) => await server.tick()));
      };
      const ticking = tick(12 * hour);
      const victim = await until('an instance that has written half an hour', async () => {
        const [row] = await sql<{ pid: number }[]>`select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`;
        return row?.pid;
      });
      await sql`insert into killed values (${victim})`;
      await sql`select pg_terminate_backend(${victim})`;
      await ticking;
      expect(started.flatMap(({ logs }) => logs).filter((line) => line.includes('scheduled_failed') && line.includes('figures'))).toHaveLength(1);
      // The instance that is behind may have let an order expire in an hour that the one ahead had counted. By the clock of the one ahead, that hour
      // ended up to 40 minutes ago, and it is counted again after a quarter of that time.
      await tick(15 * minute);

      for (const step of ['hour', 'day']) expect(await seriesOf(gateway, step, from)).toEqual(await plainOf(sql, step, from));

      // An instance whose clock is far behind, or one of the release before, adds rows to hours that are already counted. There is also news about
      // fills.
      await seedOrders(sql, { like, from: from - 3000 * minute, everyMs: 3 * minute, first: 1001, last: 1060 });
      await sql`update fills set counted_delivered = counted_delivered - 777, told_receive = told_receive - 777 where counted_quoted % 13 = 0`;
      const before = await plainOf(sql, 'hour', from);
      expect(await seriesOf(gateway, 'hour', from)).not.toEqual(before);
      await gateway.restart();
      await tick(14 * hour);
      await tick(later);
      for (const step of ['hour', 'day']) expect(await seriesOf(gateway, step, from)).toEqual(await plainOf(sql, step, from));

      // Old decisions are deleted. What was counted stays.
      const all = await seriesOf(gateway, 'hour', from);
      await sql`delete from routes where created_on < ${new Date(from + 5 * hour).toISOString()}`;
      await tick(17 * hour);
      await tick(later);
      expect(await seriesOf(gateway, 'hour', from)).toEqual(all);
    } finally {
      for (const one of started) await one.close();
      await database.close();
    }
  },
);
