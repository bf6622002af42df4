/**
 * Lets only one process use a folder: PGlite would silently open the same folder twice, and lose rows. A lock file holds its owner's pid. A process
 * creates the file only if there is none, or takes it over once the owner has stopped.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

type Owner = {
  pid: number;
  /** When that process started, if the system says so: after a restart a pid may be used again (in a container it always is). */ started: string | undefined;
};

/** Takes the lock and returns a function that releases it. Throws, naming the owner, if a running process has it. */
export const lockFolder = (file: string): (() => void) => {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner));
  try {
    for (let tries = 0; tries < 20; tries++) {
      if (claim(own, file)) return () => rmSync(file, { force: true });
      const held = read(file);
      if (held === undefined) continue;
      const owner = parse(held);
      if (owner && isAlive(owner)) {
        throw new Error(
          `${file}: this data folder is in use by process ${owner.pid}. Stop it, set DATA_DIR to another folder, or set DATABASE_URL to share a PostgreSQL.`,
        );
      }
      clear(file, held, own);
    }
    throw new Error(`${file}: other processes keep taking the lock`);
  } finally {
    rmSync(own, { force: true });
  }
};

/** Claims the lock by a hard link, which appears completely or not at all, so that no process reads half a lock. */
const claim = (own: string, file: string): boolean => {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
};

/**
 * Moves away the lock of an owner that has stopped. If several processes try, one succeeds. A process that moved a new lock by mistake puts it back,
 * unless a third process has taken the lock by then.
 */
const clear = (file: string, stale: string, own: string): void => {
  const aside = `${own}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== stale) claim(aside, file);
  rmSync(aside, { force: true });
};

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const parse = (text: string): Owner | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number') return undefined;
    return { pid: value.pid, started: 'started' in value && typeof value.started === 'string' ? value.started : undefined };
  } catch {
    return undefined;
  }
};

const isAlive = ({ pid, started }: Owner): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  return startOf(pid) === started;
};

/** Returns the clock ticks from boot to the start of the process (Linux, proc(5) field 22); undefined on other systems. */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
