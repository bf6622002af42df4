/**
 * `npm start`: the sandbox with its simulated providers or, with mode: live, the gateway alone. `npm start -- --own-process alpine,dune` gives
 * those providers a process each, to kill or to watch.
 */
import './load-env.ts';
import { enableCompileCache, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

// Node keeps what it made of each file, so that the next start does not read TypeScript again. The providers' processes do the same.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url));
enableCompileCache();
// For each module Node parses the package.json of its package again. drizzle-orm's has 179 kB and its modules are many: 0.4 s of a start.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && context.parentURL?.includes('/node_modules/drizzle-orm/') === true
      ? { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
      : next(specifier, context),
});
const { start } = await import('./sandbox/start-command.ts');
await start(process.argv.slice(2));
