import { expect, it } from 'vitest';
import { connect } from '../src/entry/database-node.ts';
import { embedded } from '../test/support/postgres.ts';
import { startPgliteQueue } from './pglite-queue.ts';

it('gives each of many clients the database to itself, in turn', async () => {
  const database = await embedded();
  await database.sql.end();
  const queue = await startPgliteQueue(database.url);
  // A client is connected only when its turn comes, so the timeout is long.
  const url = `postgres://postgres:postgres@127.0.0.1:${queue.port}/postgres?connect_timeout=120`;
  const first = connect(url, 1);
  await first`create table counted (n int)`;
  await first`insert into counted values (0)`;
  await first.end();

  /** Does what a Worker's request does: opens a client, runs a transaction, and goes away. */
  const request = async (n: number): Promise<number> => {
    const sql = connect(url, 1);
    const seen = await sql.begin(async (tx) => {
      const [row] = await tx<{ n: number }[]>`select n from counted`;
      await tx`update counted set n = ${(row?.n ?? 0) + 1}`;
      return await tx<{ n: number }[]>`select ${n}::int as n`;
    });
    await sql.end();
    return seen[0]?.n ?? -1;
  };
  const numbers = Array.from({ length: 100 }, (_, n) => n);
  expect(await Promise.all(numbers.map(request))).toEqual(numbers);

  const cut = connect(url, 1);
  await cut.unsafe('begin; update counted set n = -1');
  await cut.end({ timeout: 0 });
  const last = connect(url, 1);
  expect(await last`select n from counted`).toEqual([{ n: 100 }]);
  await last.end();
  await queue.close();
  await database.close();
});

it('closes a client where no database answers', async () => {
  const queue = await startPgliteQueue('postgres://postgres@127.0.0.1:1/postgres');
  const sql = connect(`postgres://postgres@127.0.0.1:${queue.port}/postgres`, 1);
  await expect(sql`select 1`).rejects.toMatchObject({ code: 'ECONNRESET' });
  await sql.end();
  await queue.close();
});
