import { defineProvider } from '../spec.ts';
import { dfxAccounts } from './dfx-account.ts';
import { createDfxBuyer, createDfxSeller } from './dfx-adapter.ts';
import { dfxNotices } from './dfx-notice.ts';
import { dfxSettings } from './dfx-settings.ts';

/** DFX.swiss: bank transfers (EUR, CHF) to sats over Lightning, and back. */
export const provider = defineProvider({
  kind: 'dfx',
  ramps: ['buy', 'sell'],
  // Without the key, no customer can be logged in at DFX, and an order needs a login.
  pricesOnly: ({ login_key_env }) => login_key_env === undefined,
  settings: dfxSettings,
  create: (deps, settings) => {
    const dfx = { deps, settings };
    return { buy: createDfxBuyer(dfx), sell: createDfxSeller(dfx), accounts: dfxAccounts(dfx), ...dfxNotices(dfx) };
  },
});
