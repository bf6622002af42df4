import type { LiquidityProduct } from '../../providers/spec.ts';
import { freshListings } from './catalogue.ts';
import { productsOf } from './products.ts';
import type { Scope } from '../../ports/scope.ts';

/** Answers POST /liquidity/products: each product's widest range over all providers, and the nodes that a wallet must be connected to. */
export const listProducts = async (scope: Scope) => {
  const { gateway } = scope;
  await freshListings(scope, 'liquidity');
  const listed = gateway.providers.flatMap((provider) => {
    if (provider.core.mode !== 'on' || !provider.adapter.liquidity) return [];
    return productsOf(gateway, provider.id).map((range) => ({ provider, range }));
  });
  const products: LiquidityProduct[] = ['recharge', 'inbound', 'turbo'];
  return products.flatMap((product) => {
    const of = listed.filter(({ range }) => range.product === product);
    if (of.length === 0) return [];
    const ranges = of.map(({ range }) => range);
    const leases = ranges.flatMap((range) => range.maxLeaseBlocks ?? []);
    return [
      {
        product,
        min_amount_sats: Number(least(ranges.map((range) => range.minSats))),
        max_amount_sats: Number(most(ranges.map((range) => range.maxSats))),
        pay_with: [...new Set(ranges.flatMap((range) => range.payWith))].sort(),
        ...(leases.length === 0 ? {} : { max_lease_blocks: Math.max(...leases) }),
        peers: of.flatMap(({ provider, range }) => range.peers.map((uri) => ({ provider: { id: provider.id, name: provider.name }, uri }))),
        providers: of.map(({ provider, range }) => ({
          provider: { id: provider.id, name: provider.name },
          min_amount_sats: Number(range.minSats),
          max_amount_sats: Number(range.maxSats),
          step_sats: Number(range.stepSats),
        })),
      },
    ];
  });
};

const least = (amounts: bigint[]): bigint => amounts.reduce((a, b) => (b < a ? b : a));
const most = (amounts: bigint[]): bigint => amounts.reduce((a, b) => (b > a ? b : a));
