import { afterAll, expect, it } from 'vitest';
import { needsPostgres, testDatabase } from './postgres.ts';

const [one, other] = await Promise.all([testDatabase(), testDatabase({ empty: true })]);
afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
});

it('hands out databases that do not see each other', async () => {
  await one.sql`create table seen (n int)`;
  const there = async ({ sql }: typeof one): Promise<unknown> => (await sql`select to_regclass('seen')::text as name`)[0]?.['name'];
  expect([await there(one), await there(other)]).toEqual(['seen', null]);
});

it('hands out a migrated database, or an empty one when asked', async () => {
  const there = async ({ sql }: typeof one): Promise<unknown> => (await sql`select to_regclass('orders')::text as name`)[0]?.['name'];
  expect([await there(one), await there(other)]).toEqual(['orders', null]);
});

needsPostgres('has several connections on a server', async () => {
  const pids = await Promise.all([1, 2].map(() => one.sql`select pg_backend_pid() as pid, pg_sleep(0.1)`));
  expect(new Set(pids.map(([row]) => row?.['pid'])).size).toBe(2);
});
