/**
 * What the gateway serves from files, made from the sources into dist/site. Nothing of it is committed. Skipped when nothing that it is made of has
 * changed, so whoever needs the pages just calls it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Examples } from '../src/contract/document.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const site = join(root, 'dist/site');
const stamp = join(root, 'dist/.site-inputs');

/** Answers whether it had to build. */
export const buildPages = async (): Promise<boolean> => {
  const inputs = hashOfInputs();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return false;
  const files = await makePages();
  mkdirSync(site, { recursive: true });
  for (const name of readdirSync(site)) if (!files.has(name)) rmSync(join(site, name), { recursive: true, force: true });
  // Others may build or serve at the same time: each file is there whole, and the stamp comes last.
  for (const [name, text] of files) writeWhole(join(site, name), text);
  writeWhole(stamp, inputs);
  return true;
};

const writeWhole = (path: string, text: string): void => {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, path);
};

/** Of every source that a page could be made of: cheaper than to know which it is. */
const hashOfInputs = (): string => {
  const hash = createHash('sha256');
  const folders = [
    'src',
    'docs/site',
    'packages/client/src',
    'packages/client/scripts',
    'packages/checkout/src',
    'packages/checkout/page',
    'packages/checkout/scripts',
  ];
  const sources = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)));
  for (const path of ['package.json', 'package-lock.json', 'scripts/pages.ts', 'scripts/errors-page.ts', ...sources].toSorted())
    if (/\.(?:ts|json|html|css)$/.test(path) && !path.endsWith('.test.ts') && !path.endsWith('.gen.ts'))
      hash
        .update(`${path}\0`)
        .update(readFileSync(join(root, path)))
        .update('\0');
  return hash.digest('hex');
};

const makePages = async (): Promise<Map<string, string>> => {
  const [{ createDocument }, { endpoints }, { errorsPage }, buyPage] = await Promise.all([
    import('../src/contract/document.ts'),
    import('../src/http/endpoints.ts'),
    import('./errors-page.ts'),
    makeBuyPage(),
  ]);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return new Map([
    ['index.html', readFileSync(join(root, 'docs/site/index.html'), 'utf8')],
    ['errors.html', errorsPage()],
    ['openapi.json', JSON.stringify(createDocument(endpoints, { version, examples: recordedExamples() }))],
    ...buyPage,
  ]);
};

/** The page, and what it loads, under names that change with their content. */
const makeBuyPage = async (): Promise<[name: string, text: string][]> => {
  const [{ bundleForBrowsers }, { noticesOf }] = await Promise.all([
    import('../packages/checkout/scripts/bundle.ts'),
    import('../packages/client/scripts/notices.ts'),
  ]);
  const { text, modules } = await bundleForBrowsers('packages/checkout/src/page.ts');
  const folder = join(root, 'packages/checkout/page');
  // Their licences ask for their text to go along.
  const script = `/*!\n${noticesOf([{ file: 'buy.js', modules }]).replaceAll('*/', '* /')}*/\n${text}`;
  const style = readFileSync(join(folder, 'buy.css'), 'utf8');
  const names = { js: nameOf('buy', 'js', script), css: nameOf('buy', 'css', style) };
  const page = readFileSync(join(folder, 'index.html'), 'utf8').replace('{{buy.js}}', `/assets/${names.js}`).replace('{{buy.css}}', `/assets/${names.css}`);
  return [
    ['buy.html', page],
    [names.js, script],
    [names.css, style],
  ];
};
const nameOf = (name: string, type: string, text: string): string => `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${type}`;

const recordedExamples = (): Examples => JSON.parse(readFileSync(join(root, 'src/contract/examples.json'), 'utf8')) as Examples;
