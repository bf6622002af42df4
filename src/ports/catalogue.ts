import type { Ramp } from '../domain/ramp.ts';
import type { Json } from './runtime.ts';

export type StoredListing = { providerId: string; ramp: Ramp; listing: Json; readOn: number };
export type OptionNumber = { id: number; currencyId: number; currencyCode: string; normalName: string; name: string; ramp: Ramp };
export type CatalogueStore = {
  listings(): Promise<StoredListing[]>;
  saveListing(listing: StoredListing): Promise<void>;
  numbers(): Promise<OptionNumber[]>;
  /**
   * Under a transaction lock, gives each option a number that it keeps for ever, and returns the numbers of these options. Once all currency numbers
   * are in use, an option in a new currency gets no number.
   */
  number(wanted: { ramp: Ramp; currencyCode: string; normalName: string; name: string }[]): Promise<OptionNumber[]>;
};
