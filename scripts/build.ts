/**
 * `npm run build`: bundles the server and the operator's commands into one file each, dist/server.mjs and dist/ramp.mjs, for the image. Leaves out
 * the embedded database.
 */
import { build } from 'esbuild';

const [entry, outfile] = process.argv.slice(2);
const outputs: Record<string, string> =
  entry === undefined || outfile === undefined ? { 'dist/server.mjs': 'src/entry/node.ts', 'dist/ramp.mjs': 'scripts/ramp.ts' } : { [outfile]: entry };
for (const [file, source] of Object.entries(outputs))
  await build({
    entryPoints: [source],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    external: ['@electric-sql/*'],
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
  });
