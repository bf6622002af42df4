/** What of a liquidity request is kept with its route, and read again when it is ordered and shown. */
import type { Json as AnyJson, ProviderOffer } from '../../domain/offer.ts';
import type { LiquidityProduct, LiquidityQuoteRequest } from '../../providers/spec.ts';
import type { Json } from '../../ports/runtime.ts';
import type { RouteTerms } from './store-route.ts';

/** The node's key is not in it: whoever orders proves it anew. */
export type LiquidityTerms = { product: LiquidityProduct; amountSats: number; payWith: string; leaseBlocks?: number; announce: boolean; firm: boolean };

export const toTerms = (asked: LiquidityTerms): RouteTerms => ({ currencyId: 0, paymentOptionId: 0, optionName: asked.product, liquidity: { ...asked } });

/** Our own stored form, written by toTerms. */
export const readTerms = (terms: { [key: string]: AnyJson }): LiquidityTerms => {
  const stored = terms['liquidity'];
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) throw new RangeError('a liquidity quote without what was asked');
  return stored as LiquidityTerms;
};

export const toQuoteRequest = ({ amountSats, ...asked }: LiquidityTerms, node: { nodePubkey?: string; refundOnchain?: string }): LiquidityQuoteRequest => ({
  ramp: 'liquidity',
  ...asked,
  amountSats: BigInt(amountSats),
  ...node,
});

/** What prices of one kind are kept under. */
export const priceKey = ({ product, amountSats, payWith, leaseBlocks, announce }: LiquidityTerms): string =>
  [product, amountSats, payWith, leaseBlocks ?? 'any', announce ? 'public' : 'private'].join(' ');

export const offerToJson = ({ pay, receive, fee, ...offer }: ProviderOffer): Json => ({
  ...(offer as unknown as { [key: string]: AnyJson }), // plain data but for the three amounts
  pay: pay.toString(),
  receive: receive.toString(),
  fee: fee.toString(),
});
/** Reads what offerToJson wrote. */
export const offerFromJson = (json: Json): ProviderOffer => {
  const { pay, receive, fee, ...offer } = json as { pay: string; receive: string; fee: string } & Omit<ProviderOffer, 'pay' | 'receive' | 'fee'>;
  return { ...offer, pay: BigInt(pay), receive: BigInt(receive), fee: BigInt(fee) };
};
