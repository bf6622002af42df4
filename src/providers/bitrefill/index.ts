import { defineProvider } from '../spec.ts';
import { bitrefillNotices, createBitrefillAdapter } from './bitrefill-adapter.ts';
import { logFields } from './bitrefill-api.ts';
import { bitrefillSettings } from './bitrefill-settings.ts';

/**
 * Bitrefill's Thor: inbound channels, channels that come with sats on the customer's side (turbo), and payouts to a Lightning invoice. They are paid
 * in bitcoin or altcoins, or from the operator's account balance at Bitrefill.
 */
export const provider = defineProvider({
  kind: 'bitrefill',
  ramps: ['liquidity'],
  settings: bitrefillSettings,
  logFields,
  create: (deps, settings) => ({ liquidity: createBitrefillAdapter(deps, settings), notices: bitrefillNotices }),
});
