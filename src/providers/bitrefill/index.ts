import { defineProvider } from '../spec.ts';
import { bitrefillNotices, createBitrefillAdapter } from './bitrefill-adapter.ts';
import { logFields } from './bitrefill-api.ts';
import { bitrefillSettings } from './bitrefill-settings.ts';

/** Bitrefill's Thor: inbound channels, channels with a balance, and payouts to a Lightning invoice, bought with bitcoin, altcoins or a balance. */
export const provider = defineProvider({
  kind: 'bitrefill',
  ramps: ['liquidity'],
  settings: bitrefillSettings,
  logFields,
  create: (deps, settings) => ({ liquidity: createBitrefillAdapter(deps, settings), notices: bitrefillNotices }),
});
