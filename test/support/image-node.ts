/** How the image starts Node, as the last stage of the Dockerfile says. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Returns the flags, those of NODE_OPTIONS first, and how many arenas of memory the C library may use. */
export const imageNode = (): { flags: string[]; arenas: string } => {
  const dockerfile = readFileSync(fileURLToPath(new URL('../../Dockerfile', import.meta.url)), 'utf8');
  const [, options, arenas] = /NODE_OPTIONS="([^"]*)" MALLOC_ARENA_MAX=(\d+)/.exec(dockerfile) ?? [];
  const [, command] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  if (options === undefined || arenas === undefined || command === undefined) throw new Error('the Dockerfile has no NODE_OPTIONS, MALLOC_ARENA_MAX or CMD');
  const [, ...rest] = JSON.parse(command) as string[];
  return { flags: [...options.split(' '), ...rest.filter((part) => part.startsWith('--'))], arenas };
};
