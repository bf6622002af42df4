/** How the image starts Node, as the last stage of a worktree's Dockerfile says. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dockerfileOf = (folder: string): string => readFileSync(join(folder, 'Dockerfile'), 'utf8');

/** Returns the variables that the Dockerfile sets with ENV. */
export const imageEnv = (folder = root): { [name: string]: string } =>
  Object.fromEntries(
    [...(/^ENV (.+)$/m.exec(dockerfileOf(folder))?.[1] ?? '').matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, bare = '']) => [
      name,
      quoted ?? bare,
    ]),
  );

/**
 * `options`: the flags in NODE_OPTIONS, which an operator may replace. `flags`: those in CMD. `arenas`: how many arenas of memory the C library may
 * use.
 */
export const imageNode = (folder = root): { options: string[]; flags: string[]; arenas: string } => {
  const { NODE_OPTIONS: options, MALLOC_ARENA_MAX: arenas } = imageEnv(folder);
  const [, command] = /^CMD (\[.*\])$/m.exec(dockerfileOf(folder)) ?? [];
  if (options === undefined || arenas === undefined || command === undefined) throw new Error('the Dockerfile has no NODE_OPTIONS, MALLOC_ARENA_MAX or CMD');
  const [, ...rest] = JSON.parse(command) as string[];
  return { options: options.split(' '), flags: rest.filter((part) => part.startsWith('--')), arenas };
};
