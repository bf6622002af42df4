/** One simulated provider as a process: SIMULATOR holds its kind and options as JSON. Ends with its parent. */
import { sandboxOf } from './kinds.ts';
import type { SandboxProvider } from './sandbox/providers.ts';

const { kind, options } = JSON.parse(process.env['SIMULATOR'] ?? '{}') as SandboxProvider;
const sandbox = await sandboxOf(kind);
if (!sandbox) throw new Error(`SIMULATOR names no kind that has a sandbox: ${kind}`);
const simulator = await sandbox.start(options);
process.stdout.write(`${JSON.stringify({ url: simulator.url, pid: process.pid })}\n`);
const stop = (): void => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', () => undefined); // the terminal's Ctrl-C goes to the parent, which closes our stdin
process.stdin.on('end', stop).on('close', stop).resume();
