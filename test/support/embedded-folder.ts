/**
 * Data folders for the embedded database. To make one from nothing takes four seconds of processor time, to open one that is there a third of a
 * second: whoever is first in a run makes one, migrated, and all others copy it.
 */
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';
import { startEmbeddedDatabase } from '../../src/entry/embedded-database.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { migrationsFolder } from '../setup/database.ts';

/** Migrated, without rows, and used by nobody. The caller's own, to write into and to remove. */
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
  // Another process may have been faster: then its own is there.
  if (existsSync(finished)) rmSync(folder, { recursive: true });
  else renameSync(folder, finished);
};
