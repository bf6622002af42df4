import { defineProvider } from '../spec.ts';
import { createDfxBuyer, createDfxSeller } from './dfx-adapter.ts';
import { dfxSettings } from './dfx-settings.ts';

/** DFX.swiss: bank transfers (EUR, CHF) to sats over Lightning, and back. So far only its prices. */
export const provider = defineProvider({
  kind: 'dfx',
  ramps: ['buy', 'sell'],
  pricesOnly: true,
  settings: dfxSettings,
  create: (deps, settings) => ({ buy: createDfxBuyer({ deps, settings }), sell: createDfxSeller({ deps, settings }) }),
});
