import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import postgres from 'postgres';
import { readDatabaseUrl, type DatabaseAddress } from '../config/database-url.ts';
import type { Log } from '../ports/runtime.ts';
import type { EmbeddedDatabase } from './embedded-database.ts';

export type NodeDatabase = { sql: postgres.Sql; url: string; kind: 'postgres' | 'pglite'; pooled: boolean; close: () => Promise<void> };
export type DatabaseOptions = {
  /** The URL of the PostgreSQL to use. Its query string may hold settings: `?statement_timeout=10000`. Without a URL the embedded database runs. */
  url?: string | undefined;
  /** Where the embedded database keeps its rows. */
  dataDir: string;
  /** An embedded database that is already running in `dataDir`. It is used instead of starting another. */
  embedded?: Promise<EmbeddedDatabase> | undefined;
  log: Log;
  /** The most connections that the process opens to PostgreSQL. */
  poolSize?: number | undefined;
};

/** Time limits for a statement, in milliseconds, unless DATABASE_URL sets others. Not sent through a pooler, which does not accept such settings. */
const statementLimits = { statement_timeout: '30000', lock_timeout: '8000' };

/**
 * Opens the database of the Node process, with the same driver for PostgreSQL and for the embedded database. Throws if the data folder is in use, or
 * if there is no database to open. An unreachable PostgreSQL is noticed only when the first statement fails.
 */
export const openDatabase = async ({ url, dataDir, embedded: started, log, poolSize = 10 }: DatabaseOptions): Promise<NodeDatabase> => {
  if (url !== undefined) {
    const pooled = await isPooled(url).catch(() => undefined);
    if (pooled === true)
      log('info', 'database.pooled', { reason: 'a pooler answers instead of the server: no prepared statements are sent, and statement_timeout is not set' });
    const sql = connect(url, poolSize, pooled === false ? { prepare: true, settings: statementLimits } : {});
    return { sql, url, kind: 'postgres', pooled: pooled !== false, close: () => sql.end({ timeout: 2 }) };
  }
  if (!hasEmbedded()) throw new Error('DATABASE_URL is not set, and this image has no embedded database: set DATABASE_URL to the URL of a PostgreSQL database');
  const { startEmbeddedDatabase } = await import('./embedded-database.ts');
  const embedded = await (started ?? startEmbeddedDatabase(dataDir));
  void embedded.lost.then((reason) => log('error', 'database.lost', { reason }));
  log('info', 'database.embedded', { folder: dataDir });
  const sql = connect(embedded.url, 1, { prepare: true });
  const close = async (): Promise<void> => {
    await sql.end({ timeout: 2 });
    await embedded.close();
  };
  return { sql, url: embedded.url, kind: 'pglite', pooled: false, close };
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

/**
 * Returns whether a pooler answers instead of the server. PostgreSQL reports to each connection the id of its own process; a pooler reports an id
 * that it made up. Behind a pooler in transaction mode, a prepared statement may be unknown to the server process that gets it. The driver then
 * repeats the statement, and may give the rows of one query to another.
 */
export const isPooled = async (url: string): Promise<boolean> => {
  const sql = connect(url, 1);
  try {
    return await answersForServer(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
};

/** Returns whether a pooler answers in place of the server on one of the client's connections. */
export const answersForServer = async (sql: postgres.Sql): Promise<boolean> => {
  const rows = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return rows.state.pid !== rows[0]?.pid;
};

type ConnectOptions = {
  /**
   * Whether to use named prepared statements, which save a round trip each. Safe only without a pooler. `?prepare=false` in DATABASE_URL forbids
   * them.
   */
  prepare?: boolean;
  /** Settings for the server, unless DATABASE_URL has others. */
  settings?: Record<string, string>;
};

/**
 * Makes the driver's client. `fetch_types` is off, as on Workers, so that both runtimes send the same statements. A client with a single connection
 * never ends that connection because of its age: PGlite has no second one.
 */
export const connect = (url: string, max: number, { prepare = false, settings = {} }: ConnectOptions = {}): postgres.Sql => {
  const read = readDatabaseUrl(url);
  if (!read.ok) throw new Error(`DATABASE_URL ${read.mistake}`);
  const { address } = read;
  const [first] = address.hosts;
  const options = {
    host: address.hosts.map((one) => one.host),
    port: address.hosts.map((one) => one.port),
    ...(first?.host.startsWith('/') ? { path: `${first.host}/.s.PGSQL.${first.port}` } : {}),
    ...(address.user === undefined ? {} : { username: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    ssl: sslOf(address),
    ...(address.sslnegotiation === 'direct' ? { sslnegotiation: 'direct' } : {}),
    ...(address.sessionAttrs === undefined ? {} : { target_session_attrs: address.sessionAttrs }),
    ...(address.keepAliveS === undefined ? {} : { keep_alive: address.keepAliveS }),
    prepare: prepare && address.prepare,
    max,
    // A connection has one statement at a time; further statements take the next free connection. By default, the driver sends a second
    // statement right behind the first. But a pooler may change the server process between the two, and after a failed prepared statement the driver
    // takes the rows of one statement for those of the other.
    max_pipeline: 0,
    fetch_types: false,
    connect_timeout: address.connectTimeoutS ?? 10,
    // The driver's own back-off goes up to 20 s, which is too long after the database is back.
    backoff: (retries: number) => (0.5 + Math.random() / 2) * Math.min(3 ** retries / 100, 1),
    connection: { application_name: 'ramp-gateway', ...settings, ...address.settings },
    onnotice: () => undefined,
    ...(max === 1 ? { max_lifetime: null } : {}),
  };
  // The driver accepts a list of hosts, but its types do not say so.
  return postgres(options as unknown as postgres.Options<Record<string, never>>);
};

const sslOf = ({ ssl, files, hosts }: DatabaseAddress): false | 'prefer' | 'require' | object => {
  const given = Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readCertificate(path)]));
  if (ssl === false) return false;
  if ((ssl === 'prefer' || ssl === 'require') && Object.keys(given).length === 0) return ssl;
  return {
    ...given,
    rejectUnauthorized: ssl === 'verify-ca' || ssl === 'verify-full',
    checkServerIdentity: ssl === 'verify-full' ? identityOf(hosts.map((one) => one.host)) : () => undefined,
  };
};

/**
 * Returns a check that the certificate belongs to the server's name or address. If a host is an IP address, the driver passes no name to TLS, and
 * Node would compare the certificate with "localhost". Nor does the driver say which of several hosts it has connected to, so the certificate must
 * belong to one of the addresses.
 */
const identityOf =
  (hosts: string[]) =>
  (name: string, certificate: PeerCertificate): Error | undefined => {
    const addresses = hosts.filter((host) => isIP(host) !== 0);
    if (hosts.includes(name) || addresses.length === 0) return checkServerIdentity(name, certificate);
    const mistakes = addresses.map((address) => checkServerIdentity(address, certificate));
    return mistakes.includes(undefined) ? undefined : mistakes[0];
  };

const readCertificate = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(
      `DATABASE_URL names a certificate file that cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`,
      {
        cause: error,
      },
    );
  }
};
