// Made by `npm run gen` from the folders of src/providers. Do not edit.
import { provider as bitrefill } from './bitrefill/index.ts';
import { provider as blocktank } from './blocktank/index.ts';
import { provider as bringin } from './bringin/index.ts';
import { provider as dfx } from './dfx/index.ts';
import { provider as fiatOnRamp } from './fiat-on-ramp/index.ts';
import { provider as lsps1 } from './lsps1/index.ts';
import type { ProviderModule } from './spec.ts';

/** Every kind of provider, by the name of its folder. The type of its settings is checked when a block is parsed. */
export const providerModules: ReadonlyMap<string, ProviderModule> = new Map(
  [bitrefill, blocktank, bringin, dfx, fiatOnRamp, lsps1].map((module) => [module.kind, module as unknown as ProviderModule]),
);
