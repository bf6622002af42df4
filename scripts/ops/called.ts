import { basename } from 'node:path';

/** Returns whether this process was started by the image's `ramp` command. The image does not contain the npm scripts. */
export const isInImage = (): boolean => /^ramp(?:\.|$)/.test(basename(process.argv[1] ?? ''));

/** Returns how a person starts the command `name`, followed by its arguments: `ramp keys list` in the image, `npm run keys -- list` elsewhere. */
export const called = (name: string, words = ''): string => {
  if (words === '') return isInImage() ? `ramp ${name}` : `npm run ${name}`;
  return isInImage() ? `ramp ${name} ${words}` : `npm run ${name} -- ${words}`;
};
