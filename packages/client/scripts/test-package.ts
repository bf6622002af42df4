/**
 * `npm run test:package`: tests the client as users get it. Builds and packs it, lints the packed file, installs it into an empty project, runs it
 * under several Node versions, and bundles it. Each Node version and each bundle buys in a sandbox with the README's own code. Prints one line per
 * part.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../../../scripts/sandbox/start-sandbox.ts';
import { printedCode, strictOptions } from '../test/printed-code.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const temp = mkdtempSync(join(tmpdir(), 'client-package-'));
const npm = { npm_config_audit: 'false', npm_config_fund: 'false', npm_config_ignore_scripts: 'true', npm_config_update_notifier: 'false' };

const run = async (command: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> =>
  await new Promise((done, fail) => {
    execFile(command, args, { cwd, env: { ...process.env, ...npm, ...env }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error ? fail(new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)) : done(stdout),
    );
  });
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Returns a packed page's links to files that are not packed: whoever reads the page on npm, or in node_modules, could not follow them. */
const brokenLinks = (page: string, text: string, packed: { path: string }[]): string[] => {
  const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = '']) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-')}`,
  );
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^(?:https?|mailto):/.test(link)) return false;
    if (link.startsWith('#')) return !anchors.includes(link);
    const path = posix.join(posix.dirname(page), link.replace(/#.*$/, ''));
    return !packed.some((file) => file.path === path || file.path.startsWith(`${path}/`));
  });
};

let failed = 0;
const part = async (name: string, work: () => Promise<string>): Promise<void> => {
  try {
    say(`ok   ${name}: ${await work()}`);
  } catch (error) {
    failed += 1;
    say(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Installs what package-lock.json says, unless that is already installed. */
const installed = async (folder: string): Promise<void> => {
  const mark = join(folder, 'node_modules/.installed');
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  await run('npm', ['ci'], folder);
  writeFileSync(mark, lock);
};
const project = async (name: string, tarball: string): Promise<string> => {
  const folder = join(temp, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', private: true }));
  await run('npm', ['install', '--offline', tarball], folder);
  return folder;
};

say(await run(process.execPath, ['--no-warnings', 'scripts/build.ts'], root));
const [packed] = JSON.parse(await run('npm', ['pack', '--json', '--pack-destination', temp], root)) as { filename: string; files: { path: string }[] }[];
const tarball = join(temp, packed?.filename ?? '');
const packaging = join(root, 'packaging');
await installed(packaging);
const bin = (name: string): string => join(packaging, 'node_modules/.bin', name);

await part('what is packed', async () => {
  const missing = ['README.md', 'LICENSE', 'package.json', 'dist/THIRD-PARTY-NOTICES.txt', 'dist/index.mjs', 'dist/index.d.mts'].filter(
    (path) => !packed?.files.some((file) => file.path === path),
  );
  const strange = (packed?.files ?? []).filter(
    ({ path }) => !/^(dist\/[\w-]+\.(mjs|d\.mts|txt)|examples\/[\w-]+\/\w+\.(ts|tsx|js|html|json)|README\.md|LICENSE|package\.json)$/.test(path),
  );
  if (missing.length + strange.length > 0)
    throw new Error(`missing: ${missing.join(', ')}; should not be packed: ${strange.map(({ path }) => path).join(', ')}`);
  const imports = readdirSync(join(root, 'dist')).flatMap((file) => {
    const text = readFileSync(join(root, 'dist', file), 'utf8');
    return /\.m?ts$|\.mjs$/.test(file) ? [...text.matchAll(/\bfrom\s*["'`]([^"'`]+)["'`]/g)].map(([, from = '']) => ({ file, from })) : [];
  });
  const foreign = imports.filter(({ file, from }) => !from.startsWith('./') && !(file.startsWith('file-store.') && from.startsWith('node:')));
  if (foreign.length > 0) throw new Error(`not bundled: ${foreign.map(({ file, from }) => `${from} in ${file}`).join(', ')}`);
  const { Money, RampError } = (await import(join(root, 'dist/index.mjs'))) as Record<string, { name?: string }>;
  if (Money?.name !== 'Money' || RampError?.name !== 'RampError') throw new Error('the classes have lost their names');
  const notices = readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8');
  const named = [...notices.matchAll(/^(\S+) [\d.]+ \(([\w.-]+)\), in (.+)$/gm)].map(([, name, licence]) => `${name} (${licence})`);
  return await Promise.resolve(`${packed?.files.length} files, no dependency; notices of ${named.join(', ')}`);
});
await part('the links of what is packed', async () => {
  const checked = [];
  for (const folder of [root, join(root, '../checkout')]) {
    const [{ files } = { files: [] }] = JSON.parse(await run('npm', ['pack', '--dry-run', '--json'], folder)) as { files: { path: string }[] }[];
    const pages = files.filter(({ path }) => path.endsWith('.md')).map(({ path }) => path);
    const broken = pages.flatMap((page) => brokenLinks(page, readFileSync(join(folder, page), 'utf8'), files));
    if (pages.length === 0 || broken.length > 0)
      throw new Error(`${folder}: ${pages.length} pages, with links that lead out of the package: ${broken.join(', ')}`);
    checked.push(...pages);
  }
  return `${checked.length} pages, none leads out of its package`;
});
await part('publint', async () => (await run(bin('publint'), ['run', tarball, '--strict'], packaging)).trim().split('\n').at(-1) ?? '');
await part('are the types wrong', async () => {
  await run(bin('attw'), [tarball, '--profile', 'esm-only'], packaging);
  return 'no';
});
await part('types, strict, without skipLibCheck', async () => {
  const folder = await project('typed', tarball);
  const names = ['sell', 'liquidity', 'webhook', 'receipt'];
  const code = [`import * as client from '@ramp-gateway/client';`, ...names.map((name) => `import * as ${name} from '@ramp-gateway/client/${name}';`)];
  writeFileSync(
    join(folder, 'use.ts'),
    `${code.join('\n')}\nexport const all = [client, ${names.join(', ')}];\nexport const units: bigint | undefined = (await client.createRamp({ url: '', store: new Map() }).find('')).gets?.units;\n`,
  );
  const printed = printedCode();
  for (const [file, text] of Object.entries(printed)) writeFileSync(join(folder, file), text);
  const strict = { ...strictOptions, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, types: [] };
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...strict, module, moduleResolution }, files: ['use.ts', ...Object.keys(printed)] }),
    );
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder);
  }
  return 'nodenext, bundler';
});
await part('the React Native example', async () => {
  const example = join(root, 'examples/react-native');
  await installed(example);
  // The client is unpacked by hand, because npm would look up every package of the example again, and its cache does not have all of them.
  const client = join(example, 'node_modules/@ramp-gateway/client');
  rmSync(client, { recursive: true, force: true });
  mkdirSync(client, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', client, '--strip-components=1'], example);
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], example);
  return 'type-checked';
});

const sandbox = await startSandbox({ port: 0, quiet: true, temporary: true });
try {
  const [readme = ''] = [...(/^```js run\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [])].slice(1);
  const purchase = readme.replace('https://ramp.wallet.example', sandbox.url);
  const others = ['sell', 'liquidity', 'webhook', 'receipt'].map((name) => `import '@ramp-gateway/client/${name}';\n`).join('');
  const bought = (text: string): string => {
    if (!/withdraw \d+ sat with LNURL1/.test(text)) throw new Error(`it did not buy: ${text}`);
    return text.split(':')[0] ?? '';
  };
  const nodes = [join(packaging, 'node_modules/node20-linux-x64/bin/node'), join(packaging, 'node_modules/node22-linux-x64/bin/node'), process.execPath];
  const folder = await project('empty', tarball);
  writeFileSync(join(folder, 'buy.mjs'), `${others}import '@ramp-gateway/client/file-store';\n${purchase}`);
  // The packages with Node 20 and 22 are for Linux on x64. On other machines, only the Node that runs this script is tried.
  for (const node of nodes.filter((one) => one === process.execPath || (process.platform === 'linux' && process.arch === 'x64')))
    await part(node.includes('/node2') ? `Node ${/node(2\d)/.exec(node)?.[1]}` : `Node ${process.version}`, async () => {
      return `installed, and bought from ${bought(await run(node, ['buy.mjs'], folder))}`;
    });
  writeFileSync(join(folder, 'app.mjs'), `${others}${purchase}`);
  await part('esbuild', async () => {
    await run(
      bin('esbuild'),
      ['app.mjs', '--bundle', '--minify', '--platform=browser', '--format=esm', '--outfile=esbuild.mjs', '--log-level=warning'],
      folder,
    );
    return `bundled, and bought from ${bought(await run(process.execPath, ['esbuild.mjs'], folder))}`;
  });
  await part('vite', async () => {
    writeFileSync(
      join(folder, 'vite.config.mjs'),
      `export default { logLevel: 'warn', build: { target: 'es2022', outDir: 'vite', lib: { entry: 'app.mjs', formats: ['es'], fileName: () => 'app.mjs' } } };\n`,
    );
    const warned = await run(bin('vite'), ['build'], folder);
    if (warned.trim() !== '') throw new Error(warned);
    return `bundled, and bought from ${bought(await run(process.execPath, ['vite/app.mjs'], folder))}`;
  });
} finally {
  await sandbox.stop();
  rmSync(temp, { recursive: true, force: true });
}
if (failed > 0) process.exitCode = 1;
