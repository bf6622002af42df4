/** One simulated provider as a process: SIMULATOR holds its kind and options as JSON. Ends with its parent. */
import { startBitrefillSimulator } from '../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBringinSimulator } from '../src/providers/bringin/bringin.simulator.ts';
import { startFiatOnRampSimulator } from '../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startLsps1Simulator } from '../src/providers/lsps1/lsps1.simulator.ts';
import type { SandboxProvider } from './sandbox/providers.ts';

const start = async (provider: SandboxProvider): Promise<{ url: string; close: () => Promise<void> }> => {
  switch (provider.kind) {
    case 'fiat-on-ramp':
      return await startFiatOnRampSimulator(provider);
    case 'bringin':
      return await startBringinSimulator(provider);
    case 'lsps1':
      return await startLsps1Simulator(provider);
    case 'bitrefill':
      return await startBitrefillSimulator(provider).then(({ baseUrl, close }) => ({ url: baseUrl, close }));
  }
};

const simulator = await start(JSON.parse(process.env['SIMULATOR'] ?? '{"kind":"fiat-on-ramp","id":"simulator"}') as SandboxProvider);
process.stdout.write(`${JSON.stringify({ url: simulator.url, pid: process.pid })}\n`);
const stop = (): void => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', () => undefined); // the terminal's Ctrl-C goes to the parent, which closes our stdin
process.stdin.on('end', stop).on('close', stop).resume();
