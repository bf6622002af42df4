// Made by `npm run gen` from the folders of src/providers. Do not edit.
import { conformance as fiatOnRampConformance } from '../src/providers/fiat-on-ramp/fiat-on-ramp.conformance.ts';
import { dialects as fiatOnRampDialects } from '../src/providers/fiat-on-ramp/fiat-on-ramp.dialects.ts';
import type { Conformance } from '../src/providers/kit/kind.conformance.ts';
import type { Dialects } from '../src/providers/kit/kind.dialects.ts';

/** By kind of provider: the known deviations of servers of the kind, and the checks of the standard that the kind follows. */
export const dialectsOf: ReadonlyMap<string, Dialects> = new Map([['fiat-on-ramp', fiatOnRampDialects]]);
export const conformanceOf: ReadonlyMap<string, Conformance> = new Map([['fiat-on-ramp', fiatOnRampConformance]]);
