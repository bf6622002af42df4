/**
 * `npm start`: runs the sandbox with its simulated providers or, with mode: live, the gateway alone. `npm start -- --own-process alpine,dune` gives
 * each of those providers a process of its own, which can be killed or watched.
 */
import './load-env.ts';
import './quick-modules.ts';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Node caches the compiled files, so that the next start does not compile TypeScript again. The providers' processes use the same cache.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url));
enableCompileCache();
const { sayLastWords } = await import('../src/entry/last-words.ts');
sayLastWords((line) => process.stderr.write(`ramp-gateway ends: ${line}\n`));
const { start } = await import('./sandbox/start-command.ts');
await start(process.argv.slice(2));
