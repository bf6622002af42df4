import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, inject, it } from 'vitest';
import { childPath } from '../../test/setup/children.ts';
import { quickEmbedded } from '../../test/support/embedded-folder.ts';
import { needsPostgres, testDatabase } from '../../test/support/postgres.ts';
import { openDatabase } from './database-node.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'ramp-data-'));
const log = (): void => undefined;
const child = childPath(inject('children'), fileURLToPath(new URL('../../test/support/embedded-child.ts', import.meta.url)));
const children: ChildProcess[] = [];
const start = (): ChildProcess => {
  const started = spawn(process.execPath, [quickEmbedded, child, dataDir], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(started);
  return started;
};
const firstLine = (started: ChildProcess): Promise<string> => new Promise((resolve) => createInterface(started.stdout!).once('line', resolve));
const exit = (started: ChildProcess): Promise<number | null> => new Promise((resolve) => started.once('exit', resolve));
afterAll(() => {
  for (const started of children) started.kill('SIGKILL');
  rmSync(dataDir, { recursive: true });
});

it('keeps rows over kill -9, and lets one process at a time into a folder', async () => {
  // An incomplete database, from a start that was killed in its first seconds.
  writeFileSync(join(dataDir, 'database.unfinished'), '');
  mkdirSync(join(dataDir, 'database'));
  writeFileSync(join(dataDir, 'database', 'PG_VERSION'), '18\n');
  const first = start();
  expect(await firstLine(first)).toBe('rows 1');
  expect(readdirSync(dataDir).toSorted()).toEqual(['database', 'database.lock']);

  const second = start();
  const [said, code] = await Promise.all([text(second.stderr!), exit(second)]);
  expect(code).toBe(1);
  expect(said).toContain(
    `${dataDir}/database.lock: this data folder is in use by process ${first.pid}. Stop it, set DATA_DIR to another folder, or set DATABASE_URL`,
  );

  const gone = exit(first);
  first.kill('SIGKILL');
  await gone;
  expect(JSON.parse(readFileSync(join(dataDir, 'database.lock'), 'utf8'))).toMatchObject({ pid: first.pid });

  const database = await openDatabase({ dataDir, log });
  expect(database.kind).toBe('pglite');
  expect(await database.sql`select n from kept`).toEqual([{ n: 1 }]);
  await expect(openDatabase({ dataDir, log })).rejects.toThrow(`in use by process ${process.pid}`);
  const told: string[] = [];
  await database.close();
  expect(existsSync(join(dataDir, 'database.lock'))).toBe(false);

  const again = await openDatabase({ dataDir, log: (level, event) => told.push(`${level} ${event}`) });
  await again.sql.begin(async (tx) => {
    await tx`insert into kept values (2)`;
  });
  expect(await again.sql`select n from kept order by n`).toEqual([{ n: 1 }, { n: 2 }]);
  await again.close();
  expect(told).toEqual(['info database.embedded']);
});

needsPostgres('uses the server it is given', async () => {
  const given = await testDatabase();
  const database = await openDatabase({ url: given.url, dataDir: join(dataDir, 'unused'), log });
  expect([database.kind, database.url]).toEqual(['postgres', given.url]);
  const [row] = await database.sql`select current_setting('application_name') as name`;
  expect(row).toEqual({ name: 'ramp-gateway' });
  expect(existsSync(join(dataDir, 'unused'))).toBe(false);
  await database.close();
  await given.close();
});

it('reports a server that does not answer', async () => {
  const database = await openDatabase({ url: 'postgres://nobody:x@127.0.0.1:1/none', dataDir, log });
  await expect(database.sql`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await database.close();
});
