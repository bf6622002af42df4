/** One simulated provider as a process: SIMULATOR holds its options as JSON. Ends with its parent. */
import { startFiatOnRampSimulator, type SimulatorOptions } from '../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';

const simulator = await startFiatOnRampSimulator(JSON.parse(process.env['SIMULATOR'] ?? '{"id":"simulator"}') as SimulatorOptions);
process.stdout.write(`${JSON.stringify({ url: simulator.url, pid: process.pid })}\n`);
const stop = (): void => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', () => undefined); // the terminal's Ctrl-C goes to the parent, which closes our stdin
process.stdin.on('end', stop).on('close', stop).resume();
