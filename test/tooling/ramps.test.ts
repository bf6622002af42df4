/** A fourth ramp does not compile until every table has an entry for it, so no code can treat it silently like another ramp. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const isProduct = (path: string): boolean => !/\.(test|simulator[^/]*)\.ts$/.test(basename(path));

/** Returns what the compiler says about the product with one more ramp. */
const compileWith = async (ramp: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'ramps-'));
  try {
    await cp(join(root, 'src'), join(folder, 'src'), { recursive: true, filter: isProduct });
    await cp(join(root, 'package.json'), join(folder, 'package.json'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const path = join(folder, 'src/domain/ramp.ts');
    const written = await readFile(path, 'utf8');
    expect(written).toContain("export type Ramp = 'buy' | 'sell' | 'liquidity';");
    await writeFile(path, written.replace("| 'liquidity';", `| 'liquidity' | '${ramp}';`));
    const { compilerOptions } = JSON.parse(await readFile(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: object };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src/entry/node-server.ts'] }));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    return await new Promise((done) =>
      execFile(process.execPath, [compiler, '--noEmit', '--singleThreaded', '-p', folder], { cwd: folder }, (_error, output) => done(output)),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The files in which a ramp must be listed: each has a table with an entry for every ramp, or types by ramp (PerRamp). */
const tables = [
  'src/domain/exclusion.ts',
  'src/domain/ramp.ts',
  'src/gateway/catalogue/catalogue.ts',
  'src/gateway/following/show-order.ts',
  'src/gateway/operator/for-customer.ts',
  'src/gateway/ordering/prepare.ts',
  'src/gateway/ordering/quote-request.ts',
  'src/gateway/pricing/exchange-terms.ts',
  'src/gateway/pricing/reprice.ts',
  'src/gateway/pricing/show-offers.ts',
  'src/gateway/pricing/shown-amounts.ts',
  'src/gateway/ramps.ts',
  'src/http/offers/route.ts',
];

it('a fourth ramp is missing in every table, by name', async () => {
  const output = await compileWith('lend');
  const missing = [...output.matchAll(/^(\S+\.ts)\(.*error TS(?:2741: Property 'lend' is missing|2344: .*'Record<Ramp, unknown>')/gm)].map(
    (match) => match[1] ?? '',
  );
  expect([...new Set(missing)].toSorted()).toEqual(tables);
});
