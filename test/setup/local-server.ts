/** Helpers for servers that tests start: a free port, and waiting until a server answers. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import postgres from 'postgres';

/**
 * Returns a free port that no other test is given: it lies below the ports from which systems choose one for `listen(0)` and for outgoing
 * connections. A port that the system chose, and that was closed again, may be given to another process before the server listens on it.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    const probe = createServer();
    const isFree = await new Promise<boolean>((known) => probe.once('error', () => known(false)).listen(port, '127.0.0.1', () => known(true)));
    if (!isFree) continue;
    await new Promise<void>((done) => probe.close(() => done()));
    return port;
  }
};

/** Waits until the database at `url` executes a statement. Throws the last error after 20 s. */
export const databaseAnswers = async (url: string): Promise<void> => {
  for (const until = Date.now() + 20_000; ; await new Promise((done) => setTimeout(done, 20))) {
    const sql = postgres(url, { max: 1, fetch_types: false });
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    } finally {
      await sql.end({ timeout: 0 });
    }
  }
};
