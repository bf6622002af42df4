/** Loaded first in each process that runs tests on Node. Node itself loads the sources there: it strips the types, and Vite transforms nothing. */
import '../../scripts/quick-modules.ts';
import { registerHooks } from 'node:module';

const client = new URL('../../packages/client/src/', import.meta.url);

/** The client's examples and the checkout import the client by its name. In tests, the name leads to the sources in this checkout. */
registerHooks({
  resolve: (specifier, context, next) => {
    const [, name] = /^@ramp-gateway\/client(?:\/([\w-]+))?$/.exec(specifier) ?? [specifier];
    const isClient = specifier.startsWith('@ramp-gateway/client') && name !== 'package.json';
    return isClient ? { url: new URL(`${name ?? 'index'}.ts`, client).href, format: 'module-typescript', shortCircuit: true } : next(specifier, context);
  },
});
