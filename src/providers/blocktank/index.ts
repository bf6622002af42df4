import { defineProvider } from '../spec.ts';
import { createBlocktankAdapter } from './blocktank-adapter.ts';
import { logFields } from './blocktank-api.ts';
import { settings } from './blocktank-settings.ts';

/** Blocktank, version 2: Lightning channels with a lease in weeks, paid with a hold invoice or on chain. No account and no key. */
export const provider = defineProvider({
  kind: 'blocktank',
  ramps: ['liquidity'],
  settings,
  logFields,
  create: (deps, block) => ({ liquidity: createBlocktankAdapter(deps, block) }),
});
