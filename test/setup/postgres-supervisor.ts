/**
 * postgres-server.ts starts this process. The arguments are the folder of the PostgreSQL binaries and, for a server that syncs its commits to disk,
 * `durable`. It prints the server's URL and runs until its standard input ends. A line of that input is either a signal that stops the server
 * (SIGINT, SIGQUIT), after which it prints `down`, or `up`, which starts the server again and prints `up`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { databaseAnswers, freePort } from './local-server.ts';

const bin = process.argv[2];
if (bin === undefined) throw new Error('the folder of the PostgreSQL binaries is missing');

const isDurable = process.argv[3] === 'durable';
/**
 * Returns the folder for the data: one in memory, if it has more than enough room for what the tests write (about 0.3 GB), else the temporary folder.
 * Each test file's database is 300 small files. Creating them on ext4 took more processor time than all the statements.
 */
const roomiest = (): string => {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > 2 ** 31 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
};
const folder = mkdtempSync(join(isDurable ? tmpdir() : roomiest(), 'ramp-postgres-'));
const password = randomBytes(12).toString('hex');
let server: ReturnType<typeof spawn> | undefined;
let over = false;
const stop = (code: number): void => {
  if (over) return;
  over = true;
  const done = (): never => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  };
  if (server === undefined || server.exitCode !== null) done();
  server?.once('exit', done);
  server?.kill('SIGQUIT'); // stops at once, because the data is thrown away
};
process.stdin.on('end', () => stop(0)).on('error', () => stop(0));
let isDown = false;
let begin: () => Promise<void> = async () => undefined;
createInterface(process.stdin).on('line', (line) => {
  if (line === 'up') return void begin().then(() => console.log('up'));
  isDown = true;
  server?.once('exit', () => console.log('down'));
  server?.kill(line as NodeJS.Signals);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0));

/** Returns the id of a user or of its group. PostgreSQL refuses to run as root; if root runs the tests, it runs as `postgres` or `nobody`. */
const idOf = (flag: '-u' | '-g', user: string): number | undefined => {
  const { status, stdout } = spawnSync('id', [flag, user], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
};
const userOf = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', user), idOf('-g', user)];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody');
};

try {
  const user = userOf();
  const data = join(folder, 'data');
  const secret = join(folder, 'password');
  writeFileSync(secret, password, { mode: 0o600 });
  if (user) for (const path of [folder, secret]) chownSync(path, user.uid, user.gid);
  const asUser = { ...user, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C' } };
  // md5, because with the default method the server hashes the password 4096 times per connection, which was two fifths of a connection's cost.
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'ramp', '-A', 'md5', `--pwfile=${secret}`, '-E', 'UTF8', '--no-sync'], {
    ...asUser,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: 200,
    // Compiling a query (jit) costs more than running it once on a test's few rows.
    ...(isDurable ? {} : { jit: 'off', fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '256MB' }),
    log_min_messages: 'panic',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const url = `postgres://ramp:${password}@127.0.0.1:${port}/postgres`;
  begin = async () => {
    isDown = false;
    server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], { ...asUser, stdio: ['ignore', 'ignore', 'ignore'] });
    server.once('exit', () => {
      if (!isDown) stop(1);
    });
    await databaseAnswers(url);
  };
  await begin();
  console.log(`${url} ${url}?host=${encodeURIComponent(folder)}&port=${port}`);
} catch (error) {
  console.error(error);
  stop(1);
}
