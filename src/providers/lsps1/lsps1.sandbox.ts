/** The channel sellers in the sandbox: two with different prices, and one to which no node is connected yet. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import type { SimulatorOptions } from './lsps1.simulator-state.ts';

/** What the three sellers have in common. Their orders are paid, and the channels opened, by themselves after `autoPayMs`. */
const node = { minSats: 100_000, maxSats: 16_000_000, maxClientSats: 8_000_000, autoPayMs: 3000, magic: true };

export const sandbox = {
  providers: [
    { id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400, ...node },
    { id: 'south', baseSats: 500, ppm: 3200, leasePpm: 2500, latencyMs: 120, ...node },
    { id: 'west', baseSats: 0, ppm: 1500, leasePpm: 1500, connected: 'none', ...node },
  ],
  secrets: {},
  start: async (options) => await (await import('./lsps1.simulator.ts')).startLsps1Simulator(options),
} satisfies Sandbox<SimulatorOptions>;
