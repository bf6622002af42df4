/** Helpers for servers that tests start: a free port, and waiting until a server answers. */
import { createServer, type AddressInfo } from 'node:net';
import postgres from 'postgres';

export const freePort = async (): Promise<number> => {
  const probe = createServer();
  await new Promise<void>((ready, failed) => probe.once('error', failed).listen(0, '127.0.0.1', ready));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((done) => probe.close(() => done()));
  return port;
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
