/** `@ramp-gateway/client/file-store`, for Node. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './store.ts';

/**
 * Creates a store in a folder that any number of processes may share and only its owner can read. Each new value becomes a file with the next number,
 * made by a hard link: of two writers that read the same value, one makes that file and the other fails. A killed process leaves no lock behind.
 */
export const fileStore = (folder: string): Store => {
  const nameOf = (key: string): string => encodeURIComponent(key);
  /** Returns the version numbers, ascending. A folder that changes while it is listed is listed again. */
  const versions = async (key: string): Promise<number[]> => {
    const list = async (): Promise<number[]> => {
      const files = await readdir(folder).catch(unlessMissing([]));
      const start = `${nameOf(key)}.`;
      // A file of another key can begin alike: "host.", and then "host.example.3".
      const found = files.flatMap((file) => (file.startsWith(start) ? (/^\d+$/.exec(file.slice(start.length)) ?? []) : []));
      return found.map(Number).sort((a, b) => a - b);
    };
    for (let seen = await list(); ;) {
      const again = await list();
      if (again.join() === seen.join()) return seen;
      seen = again;
    }
  };
  const pathOf = (key: string, version: number): string => join(folder, `${nameOf(key)}.${version}`);
  const newest = async (key: string): Promise<{ version: number; value: string | undefined }> => {
    for (;;) {
      const version = (await versions(key)).at(-1);
      if (version === undefined) return { version: 0, value: undefined };
      const value = await readFile(pathOf(key, version), 'utf8').catch(unlessMissing(undefined));
      if (value !== undefined) return { version, value };
    }
  };
  const replace = async (key: string, was: string | undefined, value: string): Promise<boolean> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { version, value: now } = await newest(key);
    if (now !== was) return false;
    const mine = pathOf(key, version + 1);
    const draft = join(folder, `${randomUUID()}.draft`);
    try {
      await writeDurably(draft, value);
      await link(draft, mine);
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await unlink(draft).catch(unlessMissing(undefined));
    }
    const all = await versions(key);
    const isNewest = all.at(-1) === version + 1;
    const over = isNewest ? all.slice(0, -1) : [version + 1];
    for (const old of over) await unlink(pathOf(key, old)).catch(unlessMissing(undefined));
    if (isNewest) await removeDrafts(folder);
    return isNewest;
  };
  return {
    get: async (key) => (await newest(key)).value,
    set: async (key, value) => {
      while (!(await replace(key, (await newest(key)).value, value)));
    },
    replace,
  };
};

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
const unlessMissing =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (isCode(error, 'ENOENT')) return instead;
    throw error;
  };

/** Writes to disk before it returns, so that a power cut cannot make us forget an order that was sent. */
const writeDurably = async (path: string, text: string): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};

const draftMs = 60_000;
/** Removes drafts of processes that were killed. */
const removeDrafts = async (folder: string): Promise<void> => {
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.draft')) continue;
    const path = join(folder, file);
    const { mtimeMs } = await stat(path).catch(unlessMissing({ mtimeMs: Date.now() }));
    if (mtimeMs + draftMs < Date.now()) await unlink(path).catch(unlessMissing(undefined));
  }
};
