/** Runs Debian's PgBouncer in front of the tests' server. If the tests run as root, PgBouncer runs as the user `postgres`. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inject, it, onTestFinished } from 'vitest';
import { databaseAnswers, freePort } from '../setup/local-server.ts';

const findPgbouncer = (): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));

/**
 * Starts PgBouncer in front of a database. When the test ends, even if it fails, PgBouncer is stopped and its folder removed. Returns the database's
 * URL through PgBouncer. `settings` are lines of its [pgbouncer] section.
 */
export const startPgbouncer = async (databaseUrl: string, settings: Record<string, string | number>): Promise<string> => {
  const program = findPgbouncer();
  if (program === undefined) throw new Error('PgBouncer is not installed');
  const target = new URL(databaseUrl);
  const folder = mkdtempSync(join(tmpdir(), 'ramp-pgbouncer-'));
  const port = await freePort();
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: join(folder, 'users.txt'),
    default_pool_size: 5,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(join(folder, 'pgbouncer.ini'), `[databases]\n* = host=${target.hostname} port=${target.port}\n[pgbouncer]\n${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'users.txt'), `"${target.username}" "${target.password}"\n`);
  const user = process.getuid?.() === 0 ? idsOf('postgres') : undefined;
  if (user) for (const path of [folder, join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')]) chownSync(path, user.uid, user.gid);
  const child = spawn(program, ['-q', join(folder, 'pgbouncer.ini')], { ...user, stdio: 'ignore' });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  const url = new URL(databaseUrl);
  url.port = String(port);
  await databaseAnswers(url.href);
  return url.href;
};

const idsOf = (name: string): { uid: number; gid: number } => {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
};

/**
 * `it` for tests that need PgBouncer and PostgreSQL. If one is missing, the test is listed and skipped; `.ci/run` accepts that only if PgBouncer
 * cannot be installed.
 */
export const needsPgbouncer: (name: string, run: () => Promise<void>) => void = (name, run) => {
  const there = inject('testServer') !== undefined && findPgbouncer() !== undefined;
  if (!there) console.error(`NOT RUN, needs PgBouncer and PostgreSQL: ${name}`);
  it.runIf(there)(`PgBouncer ${name}`, run);
};
