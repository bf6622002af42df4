/**
 * A PostgreSQL of the tests' own: data in memory where there is room, else below the system's temporary folder, a free port on the loopback, its
 * own password, nothing synced to disk. A small supervisor process (postgres-supervisor.ts) owns the server and stops it when its standard input
 * ends, so the server is gone even when the tests were killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findPostgres } from './find-postgres.ts';

export type PostgresServer = {
  url: string;
  /** Stops it like an operator's restart (SIGINT) or a crash (SIGQUIT). It keeps its data, if it is durable. */
  down: (signal: 'SIGINT' | 'SIGQUIT') => Promise<void>;
  up: () => Promise<void>;
  stop: () => Promise<void>;
};

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
  const lines = createInterface(supervisor.stdout).on('line', () => undefined);
  const url = await firstLine(supervisor, lines);
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
  return { url, down: told, up: async () => await told('up'), stop };
};

const firstLine = (child: ChildProcess, lines: Interface): Promise<string> =>
  new Promise((resolve, reject) => {
    lines.once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the test PostgreSQL did not start (code ${code}), see above`)));
  });
