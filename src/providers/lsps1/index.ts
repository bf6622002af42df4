import { defineProvider } from '../spec.ts';
import { createLsps1Adapter } from './lsps1-adapter.ts';
import { settings } from './lsps1-settings.ts';

/** Any seller of Lightning channels that serves LSPS1 (bLIP-51) over HTTP. */
export const provider = defineProvider({
  kind: 'lsps1',
  ramps: ['liquidity'],
  settings,
  create: (deps, block) => ({ liquidity: createLsps1Adapter(deps, block) }),
});
