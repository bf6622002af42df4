/** The live process: `node dist/server.mjs`, or this file. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { providerModules } from '../providers/registry.gen.ts';
import { StartRefused, startServer } from './node-server.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = process.env['APP_ROOT'] ?? (here.endsWith('dist') ? dirname(here) : dirname(dirname(here)));

try {
  const server = await startServer({ environment: process.env, modules: providerModules, root });
  server.log('info', 'started', {
    address: server.url,
    mode: server.config.mode,
    network: server.config.network,
    database: server.database.kind,
    providers: server.config.providers.map((provider) => provider.id).join(' '),
    pid: process.pid,
  });
  const stop = (signal: string): void => {
    server.log('info', 'stopping', { signal });
    server.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
} catch (error) {
  if (!(error instanceof StartRefused)) throw error;
  process.stderr.write(`ramp-gateway does not start:\n${error.message}\n`);
  process.exitCode = 1;
}
