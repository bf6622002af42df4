/**
 * Data folders for the embedded database. Making a folder takes four seconds of processor time, opening an existing one a third of a second. So
 * the first caller in a test run makes and migrates a folder, and all others copy it.
 */
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';
import { startEmbeddedDatabase } from '../../src/entry/embedded-database.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { migrationsFolder } from '../setup/database.ts';

/** Returns a folder with a migrated database without rows. The caller must remove the folder. */
export const embeddedFolder = async (): Promise<string> => {
  const finished = join(inject('scratch'), 'embedded');
  if (!existsSync(finished)) await make(finished);
  const folder = mkdtempSync(join(tmpdir(), 'ramp-embedded-'));
  cpSync(finished, folder, { recursive: true });
  return folder;
};

const make = async (finished: string): Promise<void> => {
  const folder = mkdtempSync(join(inject('scratch'), 'making-'));
  const database = await startEmbeddedDatabase(folder);
  const sql = connect(database.url, 1);
  await migrate({ kind: 'pglite', url: database.url, sql }, migrationsFolder);
  await sql.end({ timeout: 1 });
  await database.close();
  // If another process was faster, its folder is used.
  if (existsSync(finished)) rmSync(folder, { recursive: true });
  else renameSync(folder, finished);
};
