/**
 * The kinds of provider, and the sandbox of each. The files are found by their names in the kind's folder, `src/providers/<kind>/<kind>.<what>.ts`,
 * so a new kind need not be listed anywhere.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Sandbox } from '../src/providers/kit/kind.sandbox.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const kinds: readonly string[] = readdirSync(join(root, 'src/providers'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(root, 'src/providers', entry.name, 'index.ts')))
  .map((entry) => entry.name)
  .sort((a, b) => (a < b ? -1 : 1));

const exportsOf = async (kind: string, file: string): Promise<unknown> => {
  const path = join(root, 'src/providers', kind, file);
  return kinds.includes(kind) && existsSync(path) ? await import(pathToFileURL(path).href) : {};
};

export const sandboxOf = async (kind: string): Promise<Sandbox | undefined> => ((await exportsOf(kind, `${kind}.sandbox.ts`)) as { sandbox?: Sandbox }).sandbox;
