/**
 * A named import from zod brings the messages of all its 64 languages into the Worker's bundle. No lint rule tells a named import and a namespace
 * import of zod apart.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('every file imports zod as a whole', () => {
  const files = globSync(['src/**/*.ts', 'scripts/templates/**/*.txt'], { cwd: root });
  const formsIn = (file: string): string[] =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^import ([^;]*) from 'zod(?:\/[^']*)?';/gm)].map(([, form = '']) => form);
  const found = files.flatMap((file) => formsIn(file).map((form) => ({ file, form })));
  expect(found.length).toBeGreaterThan(50);
  expect(found.filter(({ form }) => !/^(type )?\* as z$/.test(form))).toEqual([]);
});
