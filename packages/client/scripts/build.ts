/**
 * `npm run build -w packages/client`: dist/, one file an entry that needs no other, its types, and the notices of what is bundled into it. Fails
 * when an entry has grown beyond its limit, or holds what its licence does not let us pass on.
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
/** The most that each may weigh, gzipped. */
const entries = { index: 8, webhook: 12, receipt: 25, 'file-store': 2 };

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const bundled: Bundled[] = [];
for (const [name, mostKiB] of Object.entries(entries)) {
  const collect: Rolldown.Plugin = {
    name: 'collect',
    generateBundle: (_, chunks) => {
      for (const chunk of Object.values(chunks)) {
        if (chunk.type !== 'chunk' || !chunk.fileName.endsWith('.mjs')) continue;
        const modules = Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []));
        bundled.push({ file: chunk.fileName, modules });
      }
    },
  };
  await build({
    cwd: root,
    config: false,
    logLevel: 'warn',
    entry: { [name]: `src/${name}.ts` },
    platform: name === 'file-store' ? 'node' : 'neutral',
    target: 'es2022',
    minify: true,
    fixedExtension: true,
    clean: false,
    deps: { alwaysBundle: [/./], onlyBundle: false },
    inputOptions: { resolve: { conditionNames: ['import', 'default'] } },
    plugins: [collect],
  });
  const size = gzipSync(readFileSync(join(dist, `${name}.mjs`)), { level: 9 }).length;
  process.stdout.write(`${`dist/${name}.mjs`.padEnd(22)} ${(size / 1024).toFixed(2).padStart(6)} KiB gzipped, of at most ${mostKiB}\n`);
  if (size > mostKiB * 1024) throw new Error(`dist/${name}.mjs is larger than ${mostKiB} KiB gzipped`);
}
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesOf(bundled));
