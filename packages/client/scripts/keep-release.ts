/**
 * `npm run keep-release -w packages/client -- <commit>`: writes test/fixtures/previous-client.mjs, the client of that commit (its entries `.`,
 * `./sell` and `./liquidity` as one file). A test buys with that client from today's gateway. Run this once at each release, with the commit of that
 * release, and commit the result.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const [wanted = 'HEAD'] = process.argv.slice(2);
const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 28 });
const commit = git('rev-parse', '--verify', `${wanted}^{commit}`).toString().trim();

const temp = mkdtempSync(join(tmpdir(), 'ramp-release-'));
try {
  execFileSync('tar', ['-x', '-C', temp], { input: git('archive', commit) });
  for (const folder of ['', 'packages/client'])
    if (existsSync(join(root, folder, 'node_modules'))) symlinkSync(join(root, folder, 'node_modules'), join(temp, folder, 'node_modules'));
  const source = join(temp, 'packages/client/src');
  // The words of the API that the client needs at run time are generated.
  execFileSync(process.execPath, ['--no-warnings', join(temp, 'packages/client/scripts/types.ts')], { cwd: temp, stdio: 'inherit' });
  const { outputFiles } = await build({
    stdin: { contents: ['index', 'sell', 'liquidity'].map((name) => `export * from './${name}.ts';`).join('\n'), resolveDir: source },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  const code = outputFiles[0]?.text ?? '';
  const folder = join(root, 'packages/client/test/fixtures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'previous-client.mjs'), `// @ramp-gateway/client of commit ${commit}, made by scripts/keep-release.ts. Do not edit.\n${code}`);
  process.stdout.write(`test/fixtures/previous-client.mjs: ${(code.length / 1024).toFixed(1)} KiB, of commit ${commit}\n`);
} finally {
  rmSync(temp, { recursive: true, force: true });
}
