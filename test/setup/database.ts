/**
 * Runs once before all tests. Passes CHAOS_SEED on, builds the pages, bundles the child processes, and starts a PostgreSQL server with a migrated
 * template database, which test/support/postgres.ts clones for each test file. DATABASE_URL names another server to use instead (its user must be
 * allowed to create databases). With TEST_DATABASE=pglite, no server is started.
 */
import '../../scripts/quick-modules.ts';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/entry/database-node.ts';
import { migrate } from '../../src/entry/migrate.ts';
import { buildPages } from '../../scripts/pages.ts';
import { bundleChildren } from './children.ts';
import { startPostgres } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined if there is no PostgreSQL: then each test file runs an embedded database of its own. */
    testServer: { url: string; socketUrl: string; template: string; copying: string } | undefined;
    /** The value of CHAOS_SEED. */
    seed: number | undefined;
    /** The folder of the bundled child processes. Undefined if they start from the sources. */
    children: string | undefined;
    /** A folder for files that one test file makes for others. It is removed after the run. */
    scratch: string;
  }
}

export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  // esbuild and the TypeScript compiler are written in Go. With fewer garbage collections they take a fifth less processor time.
  process.env['GOGC'] ??= '400';
  const seed = process.env['CHAOS_SEED'];
  project.provide('seed', seed === undefined ? undefined : Number(seed));
  // Building the pages also generates the client's words, which the bundled child processes need.
  const [children, end] = await Promise.all([buildPages().then(bundleChildren), startServer(project)]);
  project.provide('children', children.folder);
  const scratch = mkdtempSync(join(tmpdir(), 'ramp-tests-'));
  project.provide('scratch', scratch);
  return async () => {
    children.remove();
    rmSync(scratch, { recursive: true, force: true });
    await end();
  };
};

const startServer = async (project: TestProject): Promise<() => Promise<void>> => {
  const given = process.env['DATABASE_URL'];
  const own = given === undefined && process.env['TEST_DATABASE'] !== 'pglite' ? await startPostgres() : undefined;
  const url = given ?? own?.url;
  if (url === undefined) {
    console.error('No PostgreSQL: tests run on the embedded database. Tests that need several connections are listed and not run.');
    project.provide('testServer', undefined);
    return async () => undefined;
  }
  const template = `ramp_template_${randomBytes(6).toString('hex')}`;
  const sql = connect(url, 1);
  await sql.unsafe(`create database ${template}`);
  const inside = new URL(url);
  inside.pathname = `/${template}`;
  if (existsSync(`${migrationsFolder}/meta/_journal.json`)) await migrate({ kind: 'postgres', url: inside.href, sql }, migrationsFolder);
  // Copying the template's files costs a third of what logging each page costs. But the server at DATABASE_URL may first sync them to its disk.
  const [version] = await sql<{ number: number }[]>`select current_setting('server_version_num')::int as number`;
  const copying = own && (version?.number ?? 0) >= 150_000 ? 'strategy file_copy' : '';
  project.provide('testServer', { url, socketUrl: own?.socketUrl ?? url, template, copying });
  return async () => {
    await sql.unsafe(`drop database if exists ${template}`);
    await sql.end();
    await own?.stop();
  };
};
