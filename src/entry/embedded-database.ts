import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockFolder } from './folder-lock.ts';

export type EmbeddedDatabase = {
  /** Open only one connection at a time: PGlite has one session, which two clients would share. */
  url: string;
  /** Resolves with the reason if the database stops by itself. */
  lost: Promise<string>;
  close: () => Promise<void>;
};

/**
 * Starts a PostgreSQL in this process (PGlite), for the sandbox and tests. Without `dataDir`, its rows stay in memory. Otherwise they are in
 * `dataDir`/database, and survive a kill -9, but not a power cut. Throws if another process uses the folder, or if PGlite is not installed.
 */
export const startEmbeddedDatabase = async (dataDir?: string): Promise<EmbeddedDatabase> => {
  if (dataDir === undefined) return await startThread(undefined, () => undefined);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(join(dataDir, 'database.lock'));
  try {
    return await startInFolder(dataDir, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
};

/** Starts the database in a folder. Making a new one takes seconds: if the process is killed meanwhile, the next start deletes and remakes it. */
const startInFolder = async (dataDir: string, unlock: () => void): Promise<EmbeddedDatabase> => {
  const folder = join(dataDir, 'database');
  const unfinished = join(dataDir, 'database.unfinished');
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true });
  if (!existsSync(folder)) writeFileSync(unfinished, '');
  const database = await startThread(folder, unlock);
  rmSync(unfinished, { force: true });
  return database;
};

const startThread = async (folder: string | undefined, unlock: () => void): Promise<EmbeddedDatabase> => {
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: { folder } });
  const stopped = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const address = await firstMessage(worker);
  let closing: Promise<void> | undefined;
  const lost = new Promise<string>((resolve) => {
    worker.on('error', (error) => resolve(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => {
      if (closing === undefined) resolve(`the thread of the embedded database ended with code ${code}`);
    });
  });
  const close = async (): Promise<void> => {
    worker.postMessage('stop');
    await stopped;
    unlock();
  };
  return { url: `postgres://postgres:postgres@${address}/postgres`, lost, close: async () => await (closing ??= close()) };
};

const firstMessage = (worker: Worker): Promise<string> =>
  new Promise((resolve, reject) => {
    worker.once('message', (address) => resolve(String(address)));
    worker.once('error', (error) =>
      reject(isMissing(error) ? new Error('DATABASE_URL is not set, and the embedded database (PGlite) is not installed here', { cause: error }) : error),
    );
    worker.once('exit', (code) => reject(new Error(`the embedded database stopped while it was starting (code ${code})`)));
  });

/** The production image and the bundle have no PGlite. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');
