/**
 * Data folders for the embedded database. Making a folder takes four seconds of processor time, opening an existing one a third of a second. So
 * a test run makes and migrates one folder, and every caller copies it.
 */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/entry/database-node.ts';
import { startEmbeddedDatabase } from '../../src/entry/embedded-database.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { migrationsFolder } from '../setup/database.ts';
import { oncePerRun } from './once-per-run.ts';

/**
 * An option for a Node process that opens such a folder. The database is WebAssembly, and optimizing it costs more than a test's few statements save.
 */
export const quickEmbedded = '--liftoff-only';

/** Returns a folder with a migrated database without rows. The caller must remove the folder. */
export const embeddedFolder = async (): Promise<string> => {
  const finished = await oncePerRun('embedded', make);
  const folder = mkdtempSync(join(tmpdir(), 'ramp-embedded-'));
  cpSync(finished, folder, { recursive: true });
  return folder;
};

const make = async (folder: string): Promise<void> => {
  const database = await startEmbeddedDatabase(folder);
  const sql = connect(database.url, 1);
  await migrate({ kind: 'pglite', url: database.url, sql }, migrationsFolder);
  await sql.end({ timeout: 1 });
  await database.close();
};
