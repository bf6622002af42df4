/** Bringin in the sandbox: signup, connections and payouts take seconds. */
import type { Sandbox } from '../kit/kind.sandbox.ts';
import type { SimulatorOptions } from './bringin.simulator-state.ts';

const secrets = { BRINGIN_MASTER_KEY: 'sandbox-master-key-of-bringin', BRINGIN_API_SECRET: 'sandbox-api-secret-of-bringin' };

export const sandbox = {
  providers: [
    {
      id: 'bringin',
      masterKey: secrets.BRINGIN_MASTER_KEY,
      apiSecret: secrets.BRINGIN_API_SECRET,
      autoConnectMs: 1500,
      linkMs: 800,
      convertMs: 1500,
      autoPayMs: 3000,
      magic: true,
    },
  ],
  secrets,
  start: async (options) => await (await import('./bringin.simulator.ts')).startBringinSimulator(options),
} satisfies Sandbox<SimulatorOptions>;
