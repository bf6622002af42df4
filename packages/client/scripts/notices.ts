/** Collects the licences of the packages that are bundled into what we ship: they require that their text is included. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file that we ship, and the modules whose code is in it, by absolute path. */
export type Bundled = { file: string; modules: readonly string[] };

/** Licences under which code may be bundled if their text is included. */
const permissive = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']);

export const noticesOf = (bundled: readonly Bundled[]): string => {
  const filesOf = new Map<string, Set<string>>();
  for (const { file, modules } of bundled)
    for (const module of modules) {
      const folder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module.replaceAll('\\', '/').replace(/^\0/, ''))?.[1];
      if (folder !== undefined) filesOf.set(folder, (filesOf.get(folder) ?? new Set()).add(file));
    }
  const parts = [...filesOf].map(([folder, files]) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string; license: string };
    if (!permissive.has(license)) throw new Error(`${name} has the licence ${license}: find out whether it may be bundled, and what it requires`);
    const text = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE', 'license'].map((one) => join(folder, one)).find((path) => existsSync(path));
    if (text === undefined) throw new Error(`${name} does not contain the text of its licence`);
    return `${name} ${version} (${license}), in ${[...files].sort().join(', ')}\n\n${readFileSync(text, 'utf8').trim()}\n`;
  });
  return [`The files in this folder contain code from these packages.\n`, ...parts.sort()].join(`\n${'-'.repeat(80)}\n\n`);
};
