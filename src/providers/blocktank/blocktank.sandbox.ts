/** Blocktank in the sandbox. Among the sandbox's sellers it is cheap for large channels, and its orders live for two days. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import type { SimulatorOptions } from './blocktank.simulator-state.ts';

export const sandbox = {
  providers: [
    { id: 'tank', feeRates: { fast: 24, mid: 20, slow: 16 }, maxSats: 17_000_000, lifeS: 172_800, lnurl: true, openingS: 5, autoPayMs: 3000, magic: true },
  ],
  secrets: {},
  start: async (options) => {
    const { baseUrl, close } = await (await import('./blocktank.simulator.ts')).startBlocktankSimulator(options);
    return { url: baseUrl, close };
  },
} satisfies Sandbox<SimulatorOptions>;
