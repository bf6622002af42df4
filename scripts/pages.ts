/**
 * Builds the files that the gateway serves, in dist/site. The files are not committed. Does nothing if no source has changed, so every command that
 * needs the pages can call this.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const site = join(root, 'dist/site');
const stamp = join(root, 'dist/.site-inputs');

/** Builds the pages if necessary, and prints the sizes of their scripts with `say`. Returns whether it had to build. */
export const buildPages = async (say: (line: string) => void = () => undefined): Promise<boolean> => {
  const inputs = hashOfInputs();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return false;
  const files = await makePages(say);
  mkdirSync(site, { recursive: true });
  for (const name of readdirSync(site)) if (!files.has(name)) rmSync(join(site, name), { recursive: true, force: true });
  // Other processes may build or serve at the same time: each file appears whole, and the stamp is written last.
  for (const [name, text] of files) writeWhole(join(site, name), text);
  writeWhole(stamp, inputs);
  return true;
};

const writeWhole = (path: string, text: string | Uint8Array): void => {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, path);
};

/** Returns a hash of every source that a page could be made of. That is cheaper than finding out which sources are used. */
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
    'packages/console/src',
    'packages/console/page',
  ];
  const sources = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)));
  const single = [
    'package.json',
    'package-lock.json',
    'scripts/pages.ts',
    'scripts/document.ts',
    'scripts/errors-page.ts',
    'scripts/errors-text.ts',
    'scripts/guides.ts',
    'scripts/reference-page.ts',
    'packages/client/README.md',
    'packages/checkout/README.md',
  ];
  const markdown = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  for (const path of [...single, ...markdown, ...sources].toSorted())
    if (/\.(?:ts|js|json|html|css|md)$/.test(path) && !path.endsWith('.test.ts') && !path.endsWith('.gen.ts'))
      hash
        .update(`${path}\0`)
        .update(readFileSync(join(root, path)))
        .update('\0');
  return hash.digest('hex');
};

const makePages = async (say: (line: string) => void): Promise<Map<string, string | Uint8Array>> => {
  const [{ documentText }, { errorsPage }, { guidePages }, { referencePage, scalarScript }, ...pages] = await Promise.all([
    import('./document.ts'),
    import('./errors-page.ts'),
    import('./guides.ts'),
    import('./reference-page.ts'),
    makePage(buy, say),
    makePage(operatorConsole, say),
  ]);
  const asset = (name: string, type: string, text: string) => {
    const file = nameOf(name, type, text);
    return { text, file, url: `/assets/${file}` };
  };
  const source = (file: string): string => readFileSync(join(root, 'docs/site', file), 'utf8');
  const docs = asset('docs', 'css', source('docs.css'));
  const style = asset('reference', 'css', source('reference.css'));
  const script = asset('reference', 'js', source('reference.js'));
  const scalar = asset('scalar', 'js', scalarScript());
  return new Map<string, string | Uint8Array>([
    ...[docs, style, script].map(({ file, text }) => [file, text] as const),
    [`${scalar.file}.gz`, gzipSync(scalar.text, { level: 9 })],
    ['reference.html', referencePage({ docs: docs.url, style: style.url, scalar: scalar.url, script: script.url })],
    ['errors.html', errorsPage(docs.url)],
    ...guidePages(docs.url),
    ['openapi.json', documentText()],
    ...pages.flat(),
  ]);
};

type PageSource = {
  name: string;
  /** The package's folder. Its page/ holds index.html and a style sheet. */
  folder: string;
  /** Style sheets from npm packages, which are put before the page's own. */
  styles?: readonly string[];
  /** How large the script may be, gzipped and without the licences. */
  mostKiB: number;
};
const buy: PageSource = { name: 'buy', folder: 'packages/checkout', mostKiB: 60 };
const operatorConsole: PageSource = { name: 'console', folder: 'packages/console', styles: ['node_modules/uplot/dist/uPlot.min.css'], mostKiB: 50 };

/** Makes a page and the files that it loads, under names that change with their content. Throws if the script is larger than it may be. */
const makePage = async ({ name, folder, styles = [], mostKiB }: PageSource, say: (line: string) => void): Promise<[name: string, text: string][]> => {
  // The page may contain the client, a part of which is generated from the OpenAPI document.
  await import('../packages/client/scripts/types.ts');
  const [{ bundleForBrowsers }, { noticesOf }] = await Promise.all([
    import('../packages/checkout/scripts/bundle.ts'),
    import('../packages/client/scripts/notices.ts'),
  ]);
  const { text, modules } = await bundleForBrowsers(`${folder}/src/page.ts`);
  const size = gzipSync(text, { level: 9 }).length / 1024;
  say(`${name}.js  ${size.toFixed(2)} KiB gzipped, of at most ${mostKiB}`);
  if (size > mostKiB) throw new Error(`${name}.js is larger than ${mostKiB} KiB gzipped`);
  // The licences of the bundled packages require that their text is included.
  const script = `/*!\n${noticesOf([{ file: `${name}.js`, modules }]).replaceAll('*/', '* /')}*/\n${text}`;
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const style = [...styles, `${folder}/page/${name}.css`].map(read).join('\n');
  const names = { js: nameOf(name, 'js', script), css: nameOf(name, 'css', style) };
  const page = read(`${folder}/page/index.html`).replace(`{{${name}.js}}`, `/assets/${names.js}`).replace(`{{${name}.css}}`, `/assets/${names.css}`);
  return [
    [`${name}.html`, page],
    [names.js, script],
    [names.css, style],
  ];
};
const nameOf = (name: string, type: string, text: string): string => `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${type}`;
