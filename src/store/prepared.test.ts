import { eq, inArray, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../entry/database-node.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createRepeats, preparing } from './prepared.ts';
import { switches } from './schema.ts';
import { createStores } from './stores.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(async () => await database.close());

/** Calls `work` with a client that has one connection and nothing prepared, and ends the client. */
const onOneConnection = async (prepare: boolean, work: (client: Sql) => Promise<void>, url = database.url): Promise<void> => {
  const client = connect(url, 1, { prepare });
  try {
    // All connections to PGlite share one session.
    await client.unsafe('deallocate all');
    await work(client);
  } finally {
    await client.end();
  }
};
/** Returns what the connection has prepared for a table, and how often it ran that. */
const preparedOn = async (client: Sql, table = 'switches'): Promise<{ statement: string; runs: number }[]> => [
  ...(await client.unsafe<{ statement: string; runs: number }[]>(
    `select statement, (generic_plans + custom_plans)::int as runs from pg_prepared_statements where statement like '%"${table}"%' order by statement`,
  )),
];

it('a statement is prepared when it runs for the second time, also in transactions and in those within', async () =>
  await onOneConnection(true, async (client) => {
    const db = drizzle(preparing(client));
    const read = async (from: Pick<typeof db, 'select'>, name: string) =>
      await from.select({ reason: switches.reason }).from(switches).where(eq(switches.name, name));
    await read(db, 'one');
    expect(await preparedOn(client)).toEqual([]);
    await read(db, 'two');
    await db.transaction(async (tx) => {
      await read(tx, 'three');
      await tx.transaction(async (nested) => void (await read(nested, 'four')));
    });
    expect(await preparedOn(client)).toEqual([{ statement: expect.stringContaining('"switches"."name" = $1'), runs: 3 }]);
  }));

it.each([
  ['of a process', true, ['select']],
  ['of one request, as on Workers,', false, []],
])(
  'stores on the client %s prepare what repeats: %s',
  async (_, grouped, expected) =>
    await onOneConnection(true, async (client) => {
      const { routes } = createStores(client, { grouped, migrated: async () => await Promise.resolve(true) });
      for (let run = 0; run < 3; run += 1) await routes.find(crypto.randomUUID(), crypto.randomUUID());
      expect((await preparedOn(client, 'routes')).map(({ statement }) => statement.slice(0, 6))).toEqual(expected);
    }),
);

it('values and rows are those of statements that are not prepared', async () =>
  await onOneConnection(true, async (client) => {
    const db = drizzle(preparing(client));
    const values = { at: 1_700_000_000_123, flag: true, big: 9_007_199_254_740_993n, nothing: null };
    const read = async () =>
      await db.execute(
        sql`select ${new Date(values.at).toISOString()}::timestamptz as at, ${values.flag}::boolean as flag, ${values.big}::bigint as big, ${values.nothing}::text as nothing, ${'{"a":1}'}::json as json`,
      );
    const [first, second, third] = [await read(), await read(), await read()];
    expect([[...second], [...third]]).toEqual([[...first], [...first]]);
    expect(first[0]).toMatchObject({ flag: true, big: '9007199254740993', nothing: null, json: { a: 1 } });
  }));

it('a client that does not prepare, as behind a pooler, prepares nothing', async () =>
  await onOneConnection(false, async (client) => {
    const db = drizzle(preparing(client));
    for (const name of ['one', 'two', 'three']) await db.select().from(switches).where(eq(switches.name, name));
    await db.transaction(async (tx) => await tx.select().from(switches).where(eq(switches.name, 'four')));
    expect(await preparedOn(client)).toEqual([]);
  }));

it('nothing is prepared if the URL forbids it', async () => {
  const url = new URL(database.url);
  url.searchParams.set('prepare', 'false');
  await onOneConnection(
    true,
    async (client) => {
      const db = drizzle(preparing(client));
      for (const name of ['one', 'two', 'three']) await db.select().from(switches).where(eq(switches.name, name));
      expect(await preparedOn(client)).toEqual([]);
    },
    url.href,
  );
});

it('only so many statements are prepared, whatever lists come', async () =>
  await onOneConnection(true, async (client) => {
    const db = drizzle(preparing(client, createRepeats(3)));
    for (const length of [1, 2, 3, 4, 5])
      for (const run of ['a', 'b', 'c']) {
        const names = Array.from({ length }, (_, n) => `${run}${n}`);
        expect(await db.select().from(switches).where(inArray(switches.name, names))).toEqual([]);
      }
    expect((await preparedOn(client)).map(({ runs }) => runs)).toEqual([2, 2, 2]);
  }));

it('texts that come once displace each other, and none that is repeated', () => {
  const isRepeated = createRepeats(2);
  expect(['a', 'a', 'b', 'c', 'd', 'b'].map(isRepeated)).toEqual([false, true, false, false, false, false]);
  expect(['b', 'c', 'c', 'd', 'd', 'a', 'b'].map(isRepeated)).toEqual([true, false, false, false, false, true, true]);
});

it('after a migration has changed the type of a column, the statement is prepared again', async () =>
  await onOneConnection(true, async (client) => {
    await client`create table changing (id int, value int)`;
    await client`insert into changing values (1, 7)`;
    const db = drizzle(preparing(client));
    const read = async (from: Pick<typeof db, 'execute'>) => [...(await from.execute(sql`select value from changing where id = ${1}`))];
    for (let run = 0; run < 3; run += 1) expect(await read(db)).toEqual([{ value: 7 }]);
    await client`alter table changing alter column value type text`;
    expect(await read(db)).toEqual([{ value: '7' }]);
    await client`alter table changing alter column value type bigint using value::bigint`;
    // The statement's first run after the change ends its transaction. A repetition reads with the new type.
    await expect(db.transaction(read)).rejects.toMatchObject({ cause: { code: '0A000' } });
    expect(await db.transaction(read)).toEqual([{ value: '7' }]);
  }));
