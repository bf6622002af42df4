import { defineProvider } from '../spec.ts';
import { createBringinAdapter } from './bringin-adapter.ts';
import { logFields } from './bringin-api.ts';
import { bringinSettings } from './bringin-settings.ts';

/** Bringin: bitcoin to euros, by a standing connection to a bank account or as a top-up of Bringin's card, and euros to bitcoin by a connection. */
export const provider = defineProvider({
  kind: 'bringin',
  ramps: ['sell'],
  settings: bringinSettings,
  logFields,
  // In the sandbox, the simulator itself serves the Lightning addresses.
  create: (deps, settings) => {
    const adapter = createBringinAdapter(deps, deps.mode === 'sandbox' ? { lightning_base_url: settings.base_url, ...settings } : settings);
    return { sell: adapter, accounts: adapter };
  },
});
