import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshSecrets } from '../../src/config/secrets.ts';
import { StartRefused } from '../../src/entry/start-refused.ts';

/** Returns the sandbox's keys, which are made once and stored in the data folder, so that values sealed yesterday open today. */
export const ownKeys = (dataDir: string): Record<string, string> => {
  const file = join(dataDir, 'keys.json');
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(freshSecrets(randomBytes), undefined, 2), { mode: 0o600 });
  const keys = readKeys(file);
  if (keys === undefined) throw new StartRefused(`${file} cannot be read: restore it, or delete the folder for a new sandbox`);
  return keys;
};

/** Reads the keys. Returns undefined if the file is not an object of strings, and does not say why: an error message could quote a key. */
const readKeys = (file: string): Record<string, string> | undefined => {
  try {
    const keys: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isObject = typeof keys === 'object' && keys !== null && !Array.isArray(keys);
    return isObject && Object.values(keys).every((key) => typeof key === 'string') ? (keys as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
};
