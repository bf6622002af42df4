import postgres from 'postgres';
import type { Log } from '../ports/runtime.ts';

export type NodeDatabase = { sql: postgres.Sql; url: string; kind: 'postgres' | 'pglite'; close: () => Promise<void> };
export type DatabaseOptions = {
  /** The PostgreSQL to use. Its query string may hold settings: `?statement_timeout=10000`. Without a URL the embedded database runs. */
  url?: string | undefined;
  /** Where the embedded database keeps its rows. */
  dataDir: string;
  log: Log;
  /** Connections to a PostgreSQL, at most. */
  poolSize?: number | undefined;
};

/**
 * Opens the database of the Node process, with one driver for both kinds. Throws when the data folder is in use or there is nothing to open. An
 * unreachable PostgreSQL fails only at the first statement.
 */
export const openDatabase = async ({ url, dataDir, log, poolSize = 10 }: DatabaseOptions): Promise<NodeDatabase> => {
  if (url !== undefined) {
    const sql = connect(url, poolSize);
    return { sql, url, kind: 'postgres', close: () => sql.end({ timeout: 5 }) };
  }
  if (!hasEmbedded()) throw new Error('DATABASE_URL is not set, and there is no embedded database in this image: give it a PostgreSQL');
  const { startEmbeddedDatabase } = await import('./embedded-database.ts');
  const embedded = await startEmbeddedDatabase(dataDir, (reason) => log('error', 'database.lost', { reason }));
  log('info', 'database.embedded', { folder: dataDir });
  const sql = connect(embedded.url, 1);
  const close = async (): Promise<void> => {
    await sql.end({ timeout: 5 });
    await embedded.close();
  };
  return { sql, url: embedded.url, kind: 'pglite', close };
};

/** PGlite is for development and tests. The image and production installs do not have it. */
const hasEmbedded = (): boolean => {
  try {
    import.meta.resolve('@electric-sql/pglite');
    return true;
  } catch {
    return false;
  }
};

/** `fetch_types` is off, as on Workers, so that both runtimes send the same statements. A single connection never ends by age: PGlite has no second one. */
export const connect = (url: string, max: number): postgres.Sql =>
  postgres(url, {
    max,
    fetch_types: false,
    connect_timeout: 10,
    connection: { application_name: 'ramp-gateway' },
    onnotice: () => undefined,
    ...(max === 1 ? { max_lifetime: null } : {}),
  });
