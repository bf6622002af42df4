/** One simulated provider, or the ticker, as a process: SIMULATOR holds its kind and options as JSON. Ends with its parent. */
import { sandboxOf } from './kinds.ts';
import { startTicker, type TickerOptions } from '../src/feeds/ticker.simulator.ts';
import { sandboxTicker, type SandboxProvider } from './sandbox/providers.ts';

const { kind, options } = JSON.parse(process.env['SIMULATOR'] ?? '{}') as SandboxProvider;
const start = async (): Promise<{ url: string; close: () => Promise<void> }> => {
  if (kind === sandboxTicker.kind) return await startTicker(options as unknown as TickerOptions);
  const sandbox = await sandboxOf(kind);
  if (!sandbox) throw new Error(`SIMULATOR names no kind that has a sandbox: ${kind}`);
  return await sandbox.start(options);
};
const simulator = await start();
process.stdout.write(`${JSON.stringify({ url: simulator.url, pid: process.pid })}\n`);
const stop = (): void => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', () => undefined); // the terminal's Ctrl-C goes to the parent, which closes our stdin
process.stdin.on('end', stop).on('close', stop).resume();
