/** The parts of a liquidity request that are stored with its route, and read again when a quote is ordered or shown. */
import type { Json as AnyJson, ProviderOffer } from '../../domain/offer.ts';
import type { LiquidityQuoteRequest } from '../../providers/spec.ts';
import type { Json } from '../../ports/runtime.ts';
import type { LiquidityTerms, RouteTerms } from '../../ports/routes.ts';

export const toTerms = (asked: LiquidityTerms): RouteTerms => ({ currencyId: 0, paymentOptionId: 0, optionName: asked.product, liquidity: { ...asked } });

export const readTerms = ({ liquidity }: RouteTerms): LiquidityTerms => {
  if (!liquidity) throw new RangeError('a stored liquidity quote has no request');
  return liquidity;
};

export const toQuoteRequest = ({ amountSats, ...asked }: LiquidityTerms, node: { nodePubkey?: string; refundOnchain?: string }): LiquidityQuoteRequest => ({
  ramp: 'liquidity',
  ...asked,
  amountSats: BigInt(amountSats),
  ...node,
});

/** Returns the key under which the prices for this kind of request are stored. */
export const priceKey = ({ product, amountSats, payWith, leaseBlocks, announce }: LiquidityTerms): string =>
  [product, amountSats, payWith, leaseBlocks ?? 'any', announce ? 'public' : 'private'].join(' ');

export const offerToJson = ({ pay, receive, fee, ...offer }: ProviderOffer): Json => ({
  ...(offer as unknown as { [key: string]: AnyJson }), // plain data, except for the three amounts
  pay: pay.toString(),
  receive: receive.toString(),
  fee: fee.toString(),
});
export const offerFromJson = (json: Json): ProviderOffer => {
  const { pay, receive, fee, ...offer } = json as { pay: string; receive: string; fee: string } & Omit<ProviderOffer, 'pay' | 'receive' | 'fee'>;
  return { ...offer, pay: BigInt(pay), receive: BigInt(receive), fee: BigInt(fee) };
};
