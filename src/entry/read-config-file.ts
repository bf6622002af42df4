import { readFileSync } from 'node:fs';
import { StartRefused } from './start-refused.ts';

/** Why the file that CONFIG_FILE names cannot be read, by errno. */
const meanings: Record<string, string> = {
  ENOENT: 'there is no such file (CONFIG_FILE names it)',
  EISDIR: 'this is a folder, not a file (Docker makes one where the file to mount does not exist)',
  EACCES: 'this process may not read the file (the image runs as user 1000)',
};

/** Returns the text of the configuration. Throws StartRefused if the file cannot be read or is not UTF-8. */
export const readConfigFile = (file: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (error instanceof TypeError) throw new StartRefused(`${file}: the file is not UTF-8 text`);
    throw new StartRefused(`${file}: ${meanings[code] ?? `the file cannot be read: ${code}`}`);
  }
};
