/** Debian's PgBouncer before the tests' server: as the system's `postgres`, in a folder of its own, gone with `stop`. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inject, it } from 'vitest';
import { connect } from '../../src/entry/database-node.ts';

const findPgbouncer = (): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));

export type Pooler = { /** The same database, by way of the pooler. */ url: string; stop: () => Promise<void> };

/** `settings` are lines of its [pgbouncer] section. */
export const startPgbouncer = async (databaseUrl: string, settings: Record<string, string | number>): Promise<Pooler> => {
  const program = findPgbouncer();
  if (program === undefined) throw new Error('there is no PgBouncer here');
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
  const url = new URL(databaseUrl);
  url.port = String(port);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  await answers(url.href).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url: url.href, stop };
};

const idsOf = (name: string): { uid: number; gid: number } => {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
};

const freePort = async (): Promise<number> => {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((done) => probe.close(() => done()));
  return port;
};

const answers = async (url: string): Promise<void> => {
  for (const until = Date.now() + 20_000; ; await new Promise((done) => setTimeout(done, 50))) {
    const sql = connect(url, 1);
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
};

/** `it` for tests that need PgBouncer and PostgreSQL. Where one is missing the test is named and not run; `.ci/run` excuses it only where PgBouncer cannot be had. */
export const needsPgbouncer: (name: string, run: () => Promise<void>, timeoutMs?: number) => void = (name, run, timeoutMs) => {
  const there = inject('testServer') !== undefined && findPgbouncer() !== undefined;
  if (!there) console.error(`NOT RUN, needs PgBouncer and PostgreSQL: ${name}`);
  it.runIf(there)(`PgBouncer ${name}`, run, timeoutMs);
};
