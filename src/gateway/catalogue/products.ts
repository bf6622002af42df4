import type { LiquidityListing } from '../../providers/spec.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Json } from '../../ports/runtime.ts';

export const listingToJson = (listings: LiquidityListing[]): Json =>
  listings.map(({ minSats, maxSats, stepSats, ...listing }) => ({
    ...listing,
    minSats: minSats.toString(),
    maxSats: maxSats.toString(),
    stepSats: stepSats.toString(),
  }));
const listingFromJson = (json: Json): LiquidityListing[] =>
  (json as ({ minSats: string; maxSats: string; stepSats: string } & Omit<LiquidityListing, 'minSats' | 'maxSats' | 'stepSats'>)[]).map((one) => ({
    ...one,
    minSats: BigInt(one.minSats),
    maxSats: BigInt(one.maxSats),
    stepSats: BigInt(one.stepSats),
  }));

/** Returns a liquidity provider's last known listing, or an empty list if none is known. */
export const productsOf = (gateway: Pick<Gateway, 'state'>, providerId: string): LiquidityListing[] => {
  const listing = gateway.state.listings.get(`liquidity ${providerId}`)?.listing;
  return listing ? listingFromJson(listing) : [];
};
