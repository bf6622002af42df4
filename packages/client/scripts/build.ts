/**
 * `npm run build -w packages/client`: builds dist/: the entries with their types, and the notices of the packages bundled into them. Fails when an
 * entry has grown beyond its limit, or when a bundled package's licence is not known to be permissive.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'tsdown';
import './types.ts';
import { noticesOf, type Bundled } from './notices.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
/**
 * Entries that are built together, with their shared code in a file of its own. The number is the limit, in KiB, for the gzipped size of an
 * entry with everything that the entry imports.
 */
const builds: Record<string, number>[] = [{ index: 8, sell: 12, liquidity: 12 }, { webhook: 12 }, { receipt: 25 }, { 'file-store': 2 }];

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const bundled: Bundled[] = [];
const imports = new Map<string, string[]>();
for (const entries of builds) {
  const names = Object.keys(entries);
  const collect: Rolldown.Plugin = {
    name: 'collect',
    generateBundle: (_, chunks) => {
      for (const chunk of Object.values(chunks)) {
        if (chunk.type !== 'chunk' || !chunk.fileName.endsWith('.mjs')) continue;
        const modules = Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []));
        bundled.push({ file: chunk.fileName, modules });
        imports.set(chunk.fileName, chunk.imports);
      }
    },
  };
  await build({
    cwd: root,
    config: false,
    logLevel: 'error',
    entry: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    platform: names.includes('file-store') ? 'node' : 'neutral',
    target: 'es2022',
    // Keeps the names of classes, so that a printed amount or error shows `Money` or `RampError`, not a letter.
    minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
    fixedExtension: true,
    hash: false,
    clean: false,
    deps: { alwaysBundle: [/./], onlyBundle: false },
    plugins: [collect],
  });
}

/** Returns an entry's file and all files that it imports. */
const filesOf = (file: string): string[] => [file, ...(imports.get(file) ?? []).filter((one) => imports.has(one)).flatMap(filesOf)];
for (const [name, mostKiB] of builds.flatMap((entries) => Object.entries(entries))) {
  const files = [...new Set(filesOf(`${name}.mjs`))];
  const size = gzipSync(Buffer.concat(files.map((file) => readFileSync(join(dist, file)))), { level: 9 }).length;
  process.stdout.write(`${files.join(' + ').padEnd(26)} ${(size / 1024).toFixed(2).padStart(6)} KiB gzipped, of at most ${mostKiB}\n`);
  if (size > mostKiB * 1024) throw new Error(`${name} is larger than ${mostKiB} KiB gzipped`);
}
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesOf(bundled));
