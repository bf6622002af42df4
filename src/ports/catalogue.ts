import type { Ramp } from '../domain/ramp.ts';
import type { Json } from './runtime.ts';

export type StoredListing = { providerId: string; ramp: Ramp; listing: Json; readOn: number };
export type OptionNumber = { id: number; currencyId: number; currencyCode: string; normalName: string; name: string; ramp: Ramp };
export type CatalogueStore = {
  listings(): Promise<StoredListing[]>;
  saveListing(listing: StoredListing): Promise<void>;
  numbers(): Promise<OptionNumber[]>;
  /** Gives each option its number, once and for ever, under a transaction lock. Returns only their numbers; an option that no number is left for has none. */
  number(wanted: { ramp: Ramp; currencyCode: string; normalName: string; name: string }[]): Promise<OptionNumber[]>;
};
