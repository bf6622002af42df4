/** Bundles a module for browsers into one file: the element for the package, the page for the gateway. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Bundles `entry`, a path in the repository. Takes the client from its sources, so nothing has to be built first. Returns the code and the paths of
 * the modules in it. `head` is put before the code.
 */
export const bundleForBrowsers = async (entry: string, head = ''): Promise<{ text: string; modules: string[] }> => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Lit's production build, without its warnings for developers.
    conditions: ['production'],
    alias: { '@ramp-gateway/client': join(root, 'packages/client/src/index.ts') },
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: true, target: 'es2022' } },
    ...(head === '' ? {} : { banner: { js: head } }),
  });
  const used = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [join(root, path)] : [],
  );
  return { text: outputFiles[0]?.text ?? '', modules: used };
};
