/**
 * A PostgreSQL of the tests' own: data in memory where there is room, else below the system's temporary folder, a free port on the loopback, its
 * own password, nothing synced to disk. A small supervisor process (postgres-supervisor.ts) owns the server and stops it when its standard input
 * ends, so the server is gone even when the tests were killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findPostgres } from './find-postgres.ts';

export type PostgresServer = { url: string; stop: () => Promise<void> };

/**
 * Undefined where no PostgreSQL is installed. Throws when one is there and will not start. `durable`: every commit is on the disk before it is
 * told, as a server comes and as a gateway's has to be; for what is measured, not for tests.
 */
export const startPostgres = async ({ durable = false } = {}): Promise<PostgresServer | undefined> => {
  const bin = findPostgres();
  if (bin === undefined) return undefined;
  const supervisor = spawn(process.execPath, [fileURLToPath(new URL('./postgres-supervisor.ts', import.meta.url)), bin, ...(durable ? ['durable'] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const url = await firstLine(supervisor);
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => supervisor.once('exit', resolve));
    supervisor.stdin.end();
    await gone;
  };
  return { url, stop };
};

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    if (!child.stdout) return reject(new Error('the supervisor has no output'));
    createInterface(child.stdout).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the test PostgreSQL did not start (code ${code}), see above`)));
  });
