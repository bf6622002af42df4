import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const debian = '/usr/lib/postgresql';
/** Returns the folder with `initdb` and `postgres`: the first on PATH, else Debian's newest version. */
export const findPostgres = (): string | undefined => {
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  const packaged = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  return [...onPath, ...packaged.map((version) => join(debian, version, 'bin'))].find((folder) =>
    ['initdb', 'postgres'].every((name) => folder !== '' && existsSync(join(folder, name))),
  );
};
