/** How the image starts Node, as the last stage of the Dockerfile says. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Reads the Dockerfile of a worktree. `options`: the flags in NODE_OPTIONS, which an operator may replace. `flags`: those in CMD. `arenas`: how many
 * arenas of memory the C library may use.
 */
export const imageNode = (folder = root): { options: string[]; flags: string[]; arenas: string } => {
  const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8');
  const [, options, arenas] = /NODE_OPTIONS="([^"]*)" MALLOC_ARENA_MAX=(\d+)/.exec(dockerfile) ?? [];
  const [, command] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  if (options === undefined || arenas === undefined || command === undefined) throw new Error('the Dockerfile has no NODE_OPTIONS, MALLOC_ARENA_MAX or CMD');
  const [, ...rest] = JSON.parse(command) as string[];
  return { options: options.split(' '), flags: rest.filter((part) => part.startsWith('--')), arenas };
};
