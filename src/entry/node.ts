/** Runs the gateway as a process: `node dist/server.mjs`, or this file. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { providerModules } from '../providers/registry.gen.ts';
import { sayLastWords } from './last-words.ts';
import { StartRefused, startServer, type RunningServer } from './node-server.ts';

/** How long the gateway still serves after SIGTERM, while it reports that it is not ready. */
const leaveMs = 1_500;
const here = dirname(fileURLToPath(import.meta.url));
const root = process.env['APP_ROOT'] ?? (here.endsWith('dist') ? dirname(here) : dirname(dirname(here)));

sayLastWords((line) => process.stderr.write(`ramp-gateway ends: ${line}\n`));

let server: RunningServer | undefined;
const stop = (signal: string, graceMs: number): void => {
  // In a container this is process 1, which a signal ends only if the process handles it. A start may wait minutes for another instance's migration.
  if (server === undefined) {
    process.stderr.write(`ramp-gateway ends: ${signal} arrived before the gateway had started\n`);
    process.exit(0);
  }
  const { log, leave, stop: close } = server;
  log('info', 'stopping', { signal });
  // From here on, the load balancer sees that the instance is not ready, and each open connection is closed after its next response. The server stops
  // only `graceMs` later, so that no request is cut off.
  leave();
  const end = (): void =>
    void close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  setTimeout(end, graceMs);
};
process.once('SIGTERM', () => stop('SIGTERM', leaveMs));
process.once('SIGINT', () => stop('SIGINT', 0));

try {
  server = await startServer({ environment: process.env, modules: providerModules, root });
  server.log('info', 'started', {
    address: server.url,
    mode: server.config.mode,
    network: server.config.network,
    database: server.database.kind,
    providers: server.config.providers.map((provider) => provider.id).join(' '),
    pid: process.pid,
  });
} catch (error) {
  if (!(error instanceof StartRefused)) throw error;
  process.stderr.write(`ramp-gateway does not start:\n${error.message}\n`);
  process.exitCode = 1;
}
