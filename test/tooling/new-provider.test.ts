/**
 * Runs `npm run new:provider` in a copy of the repository. The files that it makes compile, pass the linters, and pass their own tests on Node and
 * inside workerd. Outside their folder, only files that `npm run gen` generates change.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const copy = mkdtempSync(join(tmpdir(), 'new-provider-'));
afterAll(() => rmSync(copy, { recursive: true }));

type Ended = { code: number; output: string };
const run = async (file: string, ...args: string[]): Promise<Ended> => await runWith({}, file, ...args);
const runWith = async (more: Record<string, string>, file: string, ...args: string[]): Promise<Ended> =>
  await new Promise((ended) => {
    const inherited = Object.fromEntries(['PATH', 'HOME', 'NODE_COMPILE_CACHE', 'GOGC'].map((name) => [name, process.env[name]]));
    const environment = { ...inherited, NO_COLOR: '1', ...more };
    const child = execFile(
      process.execPath,
      ['--no-warnings', join(copy, file), ...args],
      { cwd: copy, env: environment, timeout: 170_000 },
      (error, stdout, stderr) => ended({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, output: `${stdout}${stderr}` }),
    );
    // Simulators stop when their standard input ends.
    child.stdin?.end();
  });
const newProvider = async (...args: string[]): Promise<Ended> => await run('scripts/new-provider.ts', ...args);

const kinds = [
  ['north-pay', 'buy'],
  ['acme', 'sell'],
  ['channels2', 'liquidity'],
] as const;

beforeAll(() => {
  for (const path of [
    'src',
    'scripts',
    'test/support',
    'test/setup',
    '.oxfmtrc.json',
    '.oxlintrc.json',
    'tsconfig.json',
    'package.json',
    'providers.config.schema.json',
    'providers.config.yaml',
    'wrangler.toml',
    'migrations/meta',
    'docs/errors.md',
    'docs/grafana',
  ])
    cpSync(join(repository, path), join(copy, path), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'vitest.config.ts'), vitestConfig);
});

/** The two projects in which a kind's tests run, one process each, without a database. Nothing is written into the repository's node_modules. */
const vitestConfig = `import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { contracts } from './test/setup/contracts.ts';
export default { cacheDir: '.vite', test: { maxWorkers: 1, projects: [
  { test: { name: 'unit', isolate: false, include: ['src/providers/**/*.test.ts'] } },
  { plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })], test: { name: 'workerd', isolate: false, include: contracts } },
] } };
`;

/** Returns the text of every file in these folders of the copy, by path. */
const filesOf = (): Map<string, string> =>
  new Map(
    ['src', 'scripts', 'test', 'docs', '.'].flatMap((folder) =>
      readdirSync(join(copy, folder), { recursive: folder !== '.', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [relative(copy, path), readFileSync(path, 'utf8')] as const),
    ),
  );

const folders = kinds.map(([kind]) => `src/providers/${kind}`);

it('makes a folder for each ramp and registers it, and nothing else changes', async () => {
  const before = filesOf();
  for (const [kind, ramp] of kinds) {
    const made = await newProvider(kind, '--ramp', ramp);
    expect([made.code, made.output]).toEqual([0, expect.stringContaining(`npm test -- src/providers/${kind}`)]);
    expect(readdirSync(join(copy, 'src/providers', kind)).sort()).toEqual(
      [
        'README.md',
        '__fixtures__',
        `${kind}-adapter.test.ts`,
        `${kind}-adapter.ts`,
        `${kind}-mapping.ts`,
        `${kind}-settings.ts`,
        `${kind}-wire.ts`,
        `${kind}.sandbox.ts`,
        `${kind}.simulator.ts`,
        `${kind}.test.ts`,
        'index.ts',
      ].sort(),
    );
  }
  const touched = [...filesOf()].flatMap(([path, text]) => (before.get(path) === text ? [] : [path]));
  expect(touched.filter((path) => !folders.some((folder) => path.startsWith(`${folder}/`))).sort()).toEqual([
    'providers.config.schema.json',
    'src/providers/registry.gen.ts',
  ]);
  const registry = readFileSync(join(copy, 'src/providers/registry.gen.ts'), 'utf8');
  expect(registry).toContain("import { provider as northPay } from './north-pay/index.ts';");
  expect(registry).toContain('acme, bitrefill, blocktank, bringin, channels2, dfx, fiatOnRamp, lsps1, northPay');
  expect(readFileSync(join(copy, 'providers.config.schema.json'), 'utf8')).toContain('"const": "north-pay"');
  const left = folders.flatMap((folder) =>
    readdirSync(join(copy, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .flatMap((entry) => [...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(/__(?!fixtures__)\w+?__/g)].map(([word]) => word)),
  );
  expect(left).toEqual([]);
});

it('makes what compiles and is clean', async () => {
  writeFileSync(
    join(copy, 'tsconfig.scaffold.json'),
    JSON.stringify({ extends: './tsconfig.json', include: [...folders, 'src/providers/registry.gen.ts'], exclude: [] }),
  );
  const checks = await Promise.all([
    run('node_modules/typescript/bin/tsc', '--noEmit', '--singleThreaded', '-p', 'tsconfig.scaffold.json'),
    run('node_modules/oxlint/bin/oxlint', '--deny-warnings', ...folders),
    run('node_modules/oxfmt/bin/oxfmt', '--check', ...folders),
    run('scripts/check-layers.ts'),
    run('scripts/gen.ts', '--check'),
  ]);
  expect(checks.filter(({ code }) => code !== 0)).toEqual([]);
});

it('makes simulators that the sandbox can start', async () => {
  const wanted = kinds.map(([kind]) => ({ kind, options: { id: kind } }));
  const { output } = await runWith({ SIMULATORS: JSON.stringify(wanted) }, 'scripts/simulators.ts');
  expect(output).toMatch(/^\{"pid":\d+,"urls":\{.+\}\}\n$/);
  const address = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string;
  expect(JSON.parse(output)).toMatchObject({ urls: Object.fromEntries(kinds.map(([kind]) => [kind, address])) });
});

it('makes tests that pass, the contract on Node and inside workerd', async () => {
  const tests = await run('node_modules/vitest/vitest.mjs', 'run', '--no-color', ...folders);
  expect([tests.code, tests.output]).toEqual([0, expect.stringMatching(/Tests\s+9 passed \(9\)/)]);
  for (const [kind] of kinds) expect(tests.output).toMatch(new RegExp(`workerd.* src/providers/${kind}/${kind}\\.test\\.ts`));
});

it.each([
  [['Acme', '--ramp', 'buy'], '"Acme" is not a valid folder name'],
  [['../acme', '--ramp', 'buy'], '"../acme" is not a valid folder name'],
  [['one', 'two', '--ramp', 'buy'], '"one two" is not a valid folder name'],
  [['fresh'], '--ramp is missing'],
  [['fresh', '--ramp', 'lend'], 'there is no ramp "lend"'],
  [['lsps1', '--ramp', 'liquidity'], 'src/providers/lsps1 already exists'],
  [['kit', '--ramp', 'buy'], 'src/providers/kit already exists'],
])('refuses %j and makes nothing', async (args, why) => {
  const refused = await newProvider(...args);
  expect([refused.code, refused.output.split('\n')[0]]).toEqual([1, why]);
  expect(existsSync(join(copy, 'src/providers/fresh'))).toBe(false);
});
