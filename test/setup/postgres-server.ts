/**
 * A PostgreSQL server for the tests: on a free port of loopback, with its own password and nothing synced to disk. Its data is in memory if there is
 * room, otherwise below the system's temporary folder. A small supervisor process (postgres-supervisor.ts) owns the server and stops it when the
 * supervisor's standard input ends, so the server stops even if the tests are killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findPostgres } from './find-postgres.ts';

export type PostgresServer = {
  url: string;
  /** The same by its Unix socket, which costs the two processes less than TCP. */
  socketUrl: string;
  /** Stops the server like an operator's restart (SIGINT) or a crash (SIGQUIT). After a crash, only a `durable` server is sure to have its data. */
  down: (signal: 'SIGINT' | 'SIGQUIT') => Promise<void>;
  up: () => Promise<void>;
  stop: () => Promise<void>;
};

/**
 * Starts the server. Returns undefined if no PostgreSQL is installed, and throws if it does not start. With `durable`, every commit is on the disk
 * before it is confirmed, which is PostgreSQL's default and what a gateway needs. The benchmark and the test of crashes use it; other tests do not
 * need it.
 */
export const startPostgres = async ({ durable = false } = {}): Promise<PostgresServer | undefined> => {
  const bin = findPostgres();
  if (bin === undefined) return undefined;
  const supervisor = spawn(process.execPath, [fileURLToPath(new URL('./postgres-supervisor.ts', import.meta.url)), bin, ...(durable ? ['durable'] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const lines = createInterface(supervisor.stdout).on('line', () => undefined);
  const [url = '', socketUrl = ''] = (await firstLine(supervisor, lines)).split(' ');
  const told = async (line: string): Promise<void> => {
    const done = new Promise((resolve) => lines.once('line', resolve));
    supervisor.stdin.write(`${line}\n`);
    await done;
  };
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => supervisor.once('exit', resolve));
    supervisor.stdin.end();
    await gone;
  };
  return { url, socketUrl, down: told, up: async () => await told('up'), stop };
};

const firstLine = (child: ChildProcess, lines: Interface): Promise<string> =>
  new Promise((resolve, reject) => {
    lines.once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the test PostgreSQL did not start (code ${code}), see above`)));
  });
