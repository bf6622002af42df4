/** The driver as patched by scripts/patch-postgres.mjs (which `npm ci` runs): if a connection fails, only what runs on that connection fails. */
import type { TransactionSql } from 'postgres';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { needsPostgres, testDatabase, type TestDatabase } from '../support/postgres.ts';
import { connect } from '../../src/entry/database-node.ts';

let database: TestDatabase;
beforeAll(async () => {
  if (inject('testServer') !== undefined) database = await testDatabase();
});
afterAll(async () => await database?.close());

needsPostgres('transactions whose connection the server ends are rejected, and each connection serves again', async () => {
  const thrown: Error[] = [];
  const note = (error: Error): void => void thrown.push(error);
  process.on('uncaughtException', note);
  const size = 4;
  const sql = connect(database.url, size);
  const outcomes: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const told = await Promise.allSettled(
      Array.from({ length: size }, async () =>
        sql.begin(async (tx) => {
          await tx`select pg_sleep(0.02)`;
          const [own] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
          await database.sql`select pg_terminate_backend(${own?.pid ?? 0})`;
          return await tx`select 1`;
        }),
      ),
    );
    outcomes.push(...told.map((one) => (one.status === 'fulfilled' ? 'it went on' : 'rejected')));
    // As many statements at once as there are connections: a connection that no longer writes would leave its statement unanswered.
    const answers = await Promise.all(
      Array.from({ length: size }, async (_, n) => {
        for (;;) {
          try {
            return await sql`select ${n}::int as n from pg_sleep(0.01)`;
          } catch {
            // The connection ended with its transaction. The driver opens another one.
          }
        }
      }),
    );
    expect(answers).toEqual(Array.from({ length: size }, (_, n) => [{ n }]));
  }
  await sql.end({ timeout: 2 });
  process.off('uncaughtException', note);
  expect(new Set(outcomes)).toEqual(new Set(['rejected']));
  expect(thrown).toEqual([]);
});

needsPostgres('what a transaction still asks after its connection has closed is refused, wherever that connection is now', async () => {
  const sql = connect(database.url, 1);
  await sql`create table if not exists kept (who text not null)`;
  const closed = async (): Promise<void> => {
    // The transaction may be refused before its function has gone on to ask for the next one.
    const asked = Promise.withResolvers<string>();
    const told = sql.begin(async (tx) => {
      await tx`insert into kept values ('before')`;
      const [own] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      // The connection ends between two statements, and is open again for another transaction before the next statement.
      await database.sql`select pg_terminate_backend(${own?.pid ?? 0})`;
      asked.resolve(sql.begin(async (other) => await inside(other, tx)));
      await within(tx);
    });
    await expect(told).rejects.toThrow(/CONNECTION_CLOSED|terminating connection|ECONNRESET/);
    expect(await asked.promise).toBe('another went on');
  };
  const within = async (tx: TransactionSql): Promise<void> => {
    for (const who of ['after', 'again']) await tx`insert into kept values (${who})`.catch(() => undefined);
  };
  const inside = async (other: TransactionSql, gone: TransactionSql): Promise<string> => {
    await other`insert into kept values ('another')`;
    await within(gone);
    await expect(gone`insert into kept values ('far too late')`).rejects.toThrow(/CONNECTION_CLOSED|terminating connection|ECONNRESET/);
    return 'another went on';
  };
  for (let round = 0; round < 5; round += 1) await closed();
  const kept = await sql<{ who: string }[]>`select who from kept`;
  expect(kept.map(({ who }) => who)).toEqual(Array.from({ length: 5 }, () => 'another'));
  await sql.end();
});

needsPostgres('a pool has as many connections as before after each of its transactions lost its connection, with no statement waiting', async () => {
  const size = 4;
  const sql = connect(database.url, size);
  for (let round = 0; round < 10; round += 1) {
    const told = await Promise.allSettled(
      Array.from({ length: size }, async () =>
        sql.begin(async (tx) => {
          const [own] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
          await tx`select pg_terminate_backend(${own?.pid ?? 0})`;
        }),
      ),
    );
    expect(told.map(({ status }) => status)).toEqual(Array.from({ length: size }, () => 'rejected'));
    // An unpatched driver would now write rollbacks to connections that it no longer has.
    await new Promise((resolve) => void setTimeout(resolve, 5));
    const seen = await Promise.all(Array.from({ length: size }, async () => await sql`select pg_backend_pid() as pid from pg_sleep(0.05)`));
    expect(new Set(seen.map(([row]) => row?.['pid'])).size).toBe(size);
  }
  await sql.end({ timeout: 2 });
});

needsPostgres('a statement that fails after its first rows takes nothing from the next one', async () => {
  const sql = connect(database.url, 1);
  const failing = [
    async () => await sql`select 1 / (3 - n) as one, repeat('y', 9000) as text from generate_series(1, 5) n`,
    async () => await sql`select repeat('y', 9000) as text, case when n = 3 then pg_terminate_backend(pg_backend_pid()) end from generate_series(1, 5) n`,
    async () => {
      await sql`set statement_timeout = 100`;
      return await sql`select repeat('y', 9000) as text, pg_sleep(n * 0.04) as slept from generate_series(1, 5) n`;
    },
  ];
  for (const fails of failing) {
    await expect(fails()).rejects.toThrow(/division by zero|terminating connection|statement timeout|CONNECTION_CLOSED|ECONNRESET/);
    const next = await sql`select 7 as n`.catch(async () => await sql`select 7 as n`);
    expect([next.length, next[0]]).toEqual([1, { n: 7 }]);
  }
  await sql.end();
});

needsPostgres('a query has no functions of its own: V8 would keep them, and all that waited for the query, until the next full collection', async () => {
  const sql = connect(database.url, 1);
  const query = sql<{ n: number }[]>`select 7 as n`;
  expect(['resolve', 'reject'].filter((name) => Object.hasOwn(query, name))).toEqual([]);
  expect([...(await query)]).toEqual([{ n: 7 }]);
  await expect(sql`select 1 / 0`).rejects.toThrow('division by zero');
  await sql.end();
});
