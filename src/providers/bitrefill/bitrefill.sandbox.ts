/** Bitrefill in the sandbox: it delivers a moment after the payment. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import type { SimulatorOptions } from './bitrefill.simulator-state.ts';

const secrets = { BITREFILL_API_KEY: 'sandbox-key-of-bitrefill', BITREFILL_API_SECRET: 'sandbox-secret-of-bitrefill' };

export const sandbox = {
  providers: [{ id: 'thor', apiKey: secrets.BITREFILL_API_KEY, apiSecret: secrets.BITREFILL_API_SECRET, deliver: 1500, autoPayMs: 3000, magic: true }],
  secrets,
  start: async (options) => {
    const { baseUrl, close } = await (await import('./bitrefill.simulator.ts')).startBitrefillSimulator(options);
    return { url: baseUrl, close };
  },
} satisfies Sandbox<SimulatorOptions>;
