/** Runs simulated providers and the price feeds in one process: SIMULATORS lists them as JSON. Ends with its parent. */
import { startSimulator, type SandboxProvider } from './sandbox/providers.ts';

const wanted = JSON.parse(process.env['SIMULATORS'] ?? '[]') as SandboxProvider[];
const running = await Promise.all(wanted.map(async (one) => [one.options.id, (await startSimulator(one)).url] as const));
process.stdout.write(`${JSON.stringify({ pid: process.pid, urls: Object.fromEntries(running) })}\n`);
// Nothing needs to be closed: the simulators' state is only in this process.
const stop = (): void => process.exit(0);
process.once('SIGTERM', stop);
process.once('SIGINT', () => undefined); // the terminal's Ctrl-C goes to the parent, which closes our stdin
process.stdin.on('end', stop).on('close', stop).resume();
