/**
 * Scripts that tests start as processes of their own, bundled once per test run: a start takes 0.1 s of processor time instead of the 0.9 s of
 * loading and stripping hundreds of files. If the sources do not bundle (in the middle of an edit), processes start from the sources.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const entries = [
  ...['demo', 'start', 'wallet'].map((name) => `scripts/${name}.ts`),
  'test/chaos/crash-child.ts',
  'test/chaos/outbox-child.ts',
  'test/support/embedded-child.ts',
  'packages/client/test/purchase-child.ts',
];

/** Lets a bundled module find files next to its source. */
const whereTheSourceIs: Plugin = {
  name: 'where-the-source-is',
  setup: (setup) =>
    setup.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    })),
};

export type Children = { folder: string | undefined; remove: () => void };

export const bundleChildren = async (): Promise<Children> => {
  // The bundles are inside node_modules, so that they find the packages that are not bundled.
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'children-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await build({
      absWorkingDir: root,
      entryPoints: entries,
      outbase: root,
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      logLevel: 'silent',
      external: ['@electric-sql/*', 'esbuild'],
      banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
      plugins: [whereTheSourceIs],
    });
    return { folder, remove };
  } catch (error) {
    remove();
    console.error(`Child processes start from the sources, which do not bundle: ${error instanceof Error ? error.message : String(error)}`);
    return { folder: undefined, remove: () => undefined };
  }
};

/** Returns the file from which to start a process: the bundle, if there is one, else `source` (an absolute path). `folder` is inject('children'). */
export const childPath = (folder: string | undefined, source: string): string => {
  const entry = relative(root, source);
  return folder !== undefined && entries.includes(entry) ? join(folder, entry.replace(/\.ts$/, '.mjs')) : source;
};

/** Like childPath, for a command that users run: in each test run, its first process starts from the source, as with users. */
export const commandPath = (folder: string | undefined, scratch: string, source: string): string =>
  isFirstStart(scratch, source) ? source : childPath(folder, source);

/** Returns whether nobody has asked for this file yet in the whole test run. `scratch` is inject('scratch'). */
export const isFirstStart = (scratch: string, source: string): boolean => {
  try {
    mkdirSync(join(scratch, `started-${basename(source)}`));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
};
