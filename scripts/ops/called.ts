import { basename } from 'node:path';

/** Returns how a person starts the command `name`, followed by its arguments: `ramp keys list` in the image, `npm run keys -- list` elsewhere. */
export const called = (name: string, words = ''): string => {
  const isRamp = /^ramp(?:\.|$)/.test(basename(process.argv[1] ?? ''));
  if (words === '') return isRamp ? `ramp ${name}` : `npm run ${name}`;
  return isRamp ? `ramp ${name} ${words}` : `npm run ${name} -- ${words}`;
};
