import { defineProvider } from '../spec.ts';
import { createFiatOnRampAdapter, logFields } from './fiat-on-ramp-adapter.ts';
import { settings } from './fiat-on-ramp-settings.ts';

/** Any provider that speaks FLS01 `fiat_on_ramp` v1.0 or an older form of it. */
export const provider = defineProvider({
  kind: 'fiat-on-ramp',
  ramps: ['buy'],
  settings,
  logFields,
  demandsProof: (block) => block.proof === 'demanded',
  create: (deps, block) => ({ buy: createFiatOnRampAdapter(deps, block) }),
});
