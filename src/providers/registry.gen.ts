// Made by `npm run gen` from the folders of src/providers. Do not edit.
import { provider as bringin } from './bringin/index.ts';
import { provider as fiatOnRamp } from './fiat-on-ramp/index.ts';
import type { ProviderModule } from './spec.ts';

/** Every kind of provider, by its folder's name. The settings' own type is checked where a block is parsed. */
export const providerModules: ReadonlyMap<string, ProviderModule> = new Map(
  [bringin, fiatOnRamp].map((module) => [module.kind, module as unknown as ProviderModule]),
);
