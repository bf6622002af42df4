import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { needsPostgres, testDatabase } from '../../test/support/postgres.ts';
import { migrationsFolder } from '../../test/setup/database.ts';
import { migrate } from './migrate.ts';
import { migrationState } from './migration-state.ts';

const made: string[] = [];
afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true })));
type Journal = { entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[] };
const journalOf = (folder: string): Journal => JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal;
/** The project's migrations and one more. */
const withOneMore = (sqlText: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ramp-migrations-'));
  made.push(folder);
  cpSync(migrationsFolder, folder, { recursive: true });
  const journal = journalOf(folder);
  const last = journal.entries.at(-1)!;
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag: '9999_more' });
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify(journal));
  writeFileSync(join(folder, '9999_more.sql'), sqlText);
  return folder;
};

it('brings an empty database up to date, and tells how far it is', async () => {
  const database = await testDatabase({ empty: true });
  const expected = journalOf(migrationsFolder).entries.length;
  expect(await migrationState(database.sql, journalOf(migrationsFolder))).toEqual({ applied: 0, expected });
  await migrate(database, migrationsFolder);
  expect(await migrationState(database.sql, journalOf(migrationsFolder))).toEqual({ applied: expected, expected });
  await migrate(database, migrationsFolder);

  const more = withOneMore('create table more (n int)');
  expect(await migrationState(database.sql, journalOf(more))).toEqual({ applied: expected, expected: expected + 1 });
  await migrate(database, more);
  expect(await database.sql`select n from more`).toEqual([]);
  expect(await migrationState(database.sql, journalOf(migrationsFolder))).toEqual({ applied: expected + 1, expected });
  await database.close();
});

it('applies all migrations or none, and releases its lock', async () => {
  const database = await testDatabase();
  const broken = withOneMore('create table half (n int);--> statement-breakpoint\nselect nothing_of_this_name');
  await expect(migrate(database, broken)).rejects.toMatchObject({ cause: { code: '42703' } });
  expect(await database.sql`select to_regclass('half')::text as name`).toEqual([{ name: null }]);
  await migrate(database, withOneMore('create table whole (n int)'));
  expect(await database.sql`select to_regclass('whole')::text as name`).toEqual([{ name: 'whole' }]);
  await database.close();
});

needsPostgres('takes five starts at once on an empty database', async () => {
  const database = await testDatabase({ empty: true });
  const expected = journalOf(migrationsFolder).entries.length;
  await Promise.all([1, 2, 3, 4, 5].map(() => migrate(database, migrationsFolder)));
  expect(await migrationState(database.sql, journalOf(migrationsFolder))).toEqual({ applied: expected, expected });
  await database.close();
});
