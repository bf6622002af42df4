/** `npm run build`: bundles the server into one file, dist/server.mjs, for the image. Leaves out the embedded database. */
import { build } from 'esbuild';

const [entry = 'src/entry/node.ts', outfile = 'dist/server.mjs'] = process.argv.slice(2);
await build({
  entryPoints: [entry],
  outfile,
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
