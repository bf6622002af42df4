import { defineProvider } from '../spec.ts';
import { dfxAccounts } from './dfx-account.ts';
import { createDfxBuyer, createDfxSeller } from './dfx-adapter.ts';
import { dfxNotices } from './dfx-notice.ts';
import { dfxSettings } from './dfx-settings.ts';

/** DFX.swiss: bank transfers (EUR, CHF) to sats over Lightning, and back. So far only its prices. */
export const provider = defineProvider({
  kind: 'dfx',
  ramps: ['buy', 'sell'],
  pricesOnly: true,
  settings: dfxSettings,
  create: (deps, settings) => {
    const dfx = { deps, settings };
    return { buy: createDfxBuyer(dfx), sell: createDfxSeller(dfx), accounts: dfxAccounts(dfx), ...dfxNotices(dfx) };
  },
});
