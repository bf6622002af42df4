import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inject } from 'vitest';

/**
 * Makes a folder that several test files need, once in a test run, and returns its path. The first caller fills the folder with `make`; callers in
 * all processes wait until it has. It is moved to its path afterwards, and removed after the run.
 */
export const oncePerRun = async (name: string, make: (folder: string) => Promise<void>): Promise<string> => {
  const finished = join(inject('scratch'), name);
  const making = `${finished}-making`;
  while (!existsSync(finished)) {
    if (!begins(making)) await delay(50);
    // Another process may have finished the folder between these two checks.
    else if (existsSync(finished)) rmSync(making, { recursive: true });
    else
      try {
        await make(making);
        renameSync(making, finished);
      } catch (error) {
        rmSync(making, { recursive: true });
        throw error;
      }
  }
  return finished;
};

/** Makes the folder. Returns false if another caller already has. */
const begins = (folder: string): boolean => {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
};
