import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { lockFolder } from './folder-lock.ts';

/** Serves one connection at a time: PGlite has one session, which two clients would share. */
export type EmbeddedDatabase = { url: string; close: () => Promise<void> };

/**
 * PostgreSQL in this process (PGlite), for the sandbox and tests. Without `dataDir` it stays in memory; else rows live in `dataDir`/database and
 * survive a kill -9, but not a power cut. Calls `onLost` if the database stops by itself later. Throws when another process uses the folder, or
 * when PGlite is not installed.
 */
export const startEmbeddedDatabase = async (dataDir: string | undefined, onLost: (reason: string) => void): Promise<EmbeddedDatabase> => {
  const unlock = dataDir === undefined ? () => undefined : lock(dataDir);
  try {
    if (dataDir !== undefined) await make(dataDir);
    const worker = startThread(dataDir === undefined ? {} : { folder: folderIn(dataDir) });
    const stopped = ended(worker);
    const address = await firstMessage(worker);
    let closing = false;
    worker.on('error', (error) => onLost(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => closing || onLost(`its thread ended with code ${code}`));
    const close = async (): Promise<void> => {
      closing = true;
      worker.postMessage('stop');
      await stopped;
      unlock();
    };
    return { url: `postgres://postgres:postgres@${address}/postgres`, close };
  } catch (error) {
    unlock();
    throw error;
  }
};

/** Makes the database in `dataDir` if there is none, which takes seconds. A start may do so while it loads the rest. Throws as the start would. */
export const makeEmbeddedDatabase = async (dataDir: string): Promise<void> => {
  const unlock = lock(dataDir);
  try {
    await make(dataDir);
  } finally {
    unlock();
  }
};

const run = promisify(execFile);

const folderIn = (dataDir: string): string => join(dataDir, 'database');

const lock = (dataDir: string): (() => void) => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return lockFolder(join(dataDir, 'database.lock'));
};

/**
 * In a process of its own, since PGlite needs 500 MB more to make a database than to run one; without optimising, since nothing in it runs for
 * long. In a folder of its own, so that a kill leaves no half of a database.
 */
const make = async (dataDir: string): Promise<void> => {
  if (existsSync(folderIn(dataDir))) return;
  for (const name of readdirSync(dataDir)) if (name.startsWith(unfinished)) rmSync(join(dataDir, name), { recursive: true, force: true });
  const folder = join(dataDir, `${unfinished}${process.pid}`);
  const script = fileURLToPath(new URL('./pglite-make.ts', import.meta.url));
  await run(process.execPath, ['--no-warnings', '--liftoff-only', script, folder]);
  renameSync(folder, folderIn(dataDir));
};

const unfinished = 'database.unfinished-';

const startThread = (data: { folder?: string }): Worker => new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: data });

const ended = (worker: Worker): Promise<void> => new Promise<void>((resolve) => worker.once('exit', () => resolve()));

const firstMessage = (worker: Worker): Promise<string> =>
  new Promise((resolve, reject) => {
    worker.once('message', (address) => resolve(String(address)));
    worker.once('error', (error) => reject(isMissing(error) ? new Error('no DATABASE_URL and no embedded database here', { cause: error }) : error));
    worker.once('exit', (code) => reject(new Error(`the embedded database stopped at once (code ${code})`)));
  });

/** The production image and the bundle have no PGlite. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');
