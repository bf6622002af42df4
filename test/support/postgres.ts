import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type postgres from 'postgres';
import { inject, it, type ProvidedContext } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';
import { startEmbeddedDatabase } from '../../src/entry/embedded-database.ts';
import { embeddedFolder } from './embedded-folder.ts';

export type TestDatabase = {
  url: string;
  /** The same database by its server's Unix socket, if it has one. `url` is for what needs a host and a port. */
  socketUrl?: string;
  kind: 'postgres' | 'pglite';
  /** An open client; on PGlite it has one connection. `close` ends it. */
  sql: postgres.Sql;
  close: () => Promise<void>;
};

/** Makes a database for the caller, migrated unless `empty`. Use one per test file: make it in `beforeAll`, and `close` it in `afterAll`. */
export const testDatabase = async ({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> => {
  const server = inject('testServer');
  return server === undefined ? await embedded(empty) : await cloned(server, empty);
};

const cloned = async (server: ProvidedContext['testServer'] & object, empty: boolean): Promise<TestDatabase> => {
  const name = `ramp_test_${randomBytes(6).toString('hex')}`;
  const admin = connect(server.socketUrl, 1);
  const [url, socketUrl] = [server.url, server.socketUrl].map((one) => Object.assign(new URL(one), { pathname: `/${name}` }).href) as [string, string];
  await admin.unsafe(`create database ${name} template ${empty ? 'template0' : server.template} ${server.copying}`);
  const sql = connect(socketUrl, 10);
  const close = async (): Promise<void> => {
    await sql.end({ timeout: 1 });
    await admin.unsafe(`drop database ${name} with (force)`);
    await admin.end();
  };
  return { url, socketUrl, kind: 'postgres', sql, close };
};

/** Makes an embedded database, even if there is a server. */
export const embedded = async (empty = false): Promise<TestDatabase> => {
  const folder = empty ? undefined : await embeddedFolder();
  const database = await startEmbeddedDatabase(folder);
  void database.lost.then((reason) => {
    throw new Error(`the test database was lost: ${reason}`);
  });
  const sql = connect(database.url, 1);
  const close = async (): Promise<void> => {
    await sql.end({ timeout: 1 });
    await database.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  };
  return { url: database.url, kind: 'pglite', sql, close };
};

/**
 * `needsPostgres('name', async () => …)` is `it` for tests that need several connections. Without a server the test is listed and skipped, and
 * `.ci/run` fails unless CI_NO_POSTGRES=1.
 */
export const needsPostgres: (name: string, run: () => Promise<void>) => void = (name, run) => {
  const there = inject('testServer') !== undefined;
  if (!there) console.error(`NOT RUN, needs PostgreSQL: ${name}`);
  it.runIf(there)(`${name} (needs PostgreSQL)`, run);
};
