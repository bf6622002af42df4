/**
 * `npm run new:provider -- <kind> --ramp buy|sell|liquidity`: makes the folder of a new kind of provider from scripts/templates, then runs
 * `npm run gen`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const usage = 'usage: npm run new:provider -- <kind> --ramp buy|sell|liquidity\n       <kind>: lower-case words with hyphens, the folder in src/providers';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The template folders of each ramp. A later folder adds files, or replaces files of the earlier folders. */
const layers = new Map([
  ['buy', ['all', 'exchange', 'buy']],
  ['sell', ['all', 'exchange', 'sell']],
  ['liquidity', ['all', 'liquidity']],
]);
const listings = new Map([
  ['buy', 'options'],
  ['sell', 'options'],
  ['liquidity', 'products'],
]);
const pascal = (words: string): string => words.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const readTemplates = (ramp: string): Map<string, string> => {
  const files = new Map<string, string>();
  for (const layer of layers.get(ramp) ?? []) {
    const folder = join(root, 'scripts/templates/provider', layer);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      files.set(file.slice(folder.length + 1), readFileSync(file, 'utf8'));
    }
  }
  return files;
};

/** Fills the templates. Returns the text of each file, by its path in the new folder. */
const fill = (kind: string, ramp: string, date: string): Map<string, string> => {
  const templates = readTemplates(ramp);
  const values: Record<string, string> = {
    listed: templates.get('listed.txt')?.trim() ?? '',
    listing: listings.get(ramp) ?? '',
    kind,
    Kind: pascal(kind),
    ramp,
    Adapter: `${pascal(ramp)}Adapter`,
    date,
  };
  templates.delete('listed.txt');
  return new Map(
    [...templates].map(([path, text]) => [
      path.replace(/^kind(?=[-.])/, kind).replace(/\.txt$/, ''),
      text.replaceAll(/__(\w+?)__/g, (whole, name: string) => values[name] ?? whole),
    ]),
  );
};

const run = (file: string, args: string[]): void => {
  const { status } = spawnSync(process.execPath, ['--no-warnings', join(root, file), ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${file} ended with ${String(status)}`);
};

const refuse = (why: string): void => {
  process.stderr.write(`${why}\n${usage}\n`);
  process.exitCode = 1;
};

const main = (): void => {
  const { values, positionals } = parseArgs({ allowPositionals: true, strict: false, options: { ramp: { type: 'string' } } });
  const [kind = '', ...more] = positionals;
  const ramp = String(values['ramp']);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kind) || more.length > 0) return refuse(`"${positionals.join(' ')}" is not a valid folder name`);
  if (!layers.has(ramp)) return refuse(values['ramp'] === undefined ? '--ramp is missing' : `there is no ramp "${ramp}"`);
  const folder = join(root, 'src/providers', kind);
  if (existsSync(folder)) return refuse(`src/providers/${kind} already exists`);
  const files = fill(kind, ramp, new Date().toISOString().slice(0, 10));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  run('node_modules/oxfmt/bin/oxfmt', [`src/providers/${kind}`]);
  run('scripts/gen.ts', []);
  const made = [...files.keys()].sort().map((path) => `  src/providers/${kind}/${path}`);
  process.stdout.write(`${made.join('\n')}\nNext: npm test -- src/providers/${kind}, then docs/providers.md, "From the skeleton to a provider".\n`);
};

main();
