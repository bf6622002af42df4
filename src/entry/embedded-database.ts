import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = dataDir === undefined ? () => undefined : lockFolder(join(dataDir, 'database.lock'));
  try {
    const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: dataDir === undefined ? undefined : join(dataDir, 'database') });
    const stopped = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
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

const firstMessage = (worker: Worker): Promise<string> =>
  new Promise((resolve, reject) => {
    worker.once('message', (address) => resolve(String(address)));
    worker.once('error', (error) => reject(isMissing(error) ? new Error('no DATABASE_URL and no embedded database here', { cause: error }) : error));
    worker.once('exit', (code) => reject(new Error(`the embedded database stopped at once (code ${code})`)));
  });

/** The production image and the bundle have no PGlite. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');
