/** A gateway process that has only webhooks to send, until its parent kills it. */
import { flushCompileCache } from 'node:module';
import { startServer } from '../../src/entry/node-server.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';

const { environment, configText, root } = JSON.parse(process.env['CHAOS_CHILD'] ?? '{}') as {
  environment: Record<string, string>;
  configText: string;
  root: string;
};
// This process must not outlive its parent.
process.stdin.on('end', () => process.exit()).resume();
const server = await startServer({ environment, modules: providerModules, root, configText, writeLog: () => undefined });
// Otherwise a process that is killed would leave no compile cache for the next one.
flushCompileCache();
process.stdout.write(`url ${server.url}\n`);
