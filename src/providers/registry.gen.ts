// Made by `npm run gen` from the folders of src/providers. Do not edit.
import type { ProviderModule } from './spec.ts';
import { provider as fiatOnRamp } from './fiat-on-ramp/index.ts';

export const providerModules: ReadonlyMap<string, ProviderModule> = new Map([['fiat-on-ramp', fiatOnRamp as unknown as ProviderModule]]);
