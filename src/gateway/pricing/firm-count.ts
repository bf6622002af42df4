import { sharesOf } from '../../domain/network.ts';
import type { Counted } from '../../ports/liquidity.ts';
import type { Provider } from '../../ports/providers.ts';
import type { Scope } from '../../ports/scope.ts';

/** Returns the counter of the firm prices that one node has asked this provider for today. */
export const ofNode = ({ gateway }: Scope, provider: Provider, nodeHash: string): Counted => ({
  day: new Date(gateway.now()).toISOString().slice(0, 10),
  purpose: 'firm-quotes',
  subject: `${provider.id} ${nodeHash}`,
});

/**
 * Counts one more order that is made at a seller for a firm price. The limits are per node, per network (because node keys cost nothing) and per
 * seller. `taken`: whether all limits allowed it; if not, nothing is counted. `left`: how many more firm prices the node's own limit allows today.
 * It is one more after `giveBack`.
 */
export const takeFirmQuote = async (
  scope: Scope,
  provider: Provider,
  nodeHash: string,
): Promise<{ taken: boolean; left: number; giveBack: () => Promise<void> }> => {
  const { gateway, network } = scope;
  const { liquidity } = gateway.stores;
  const { quotes_per_node_per_day: perNode, orders_per_day: total } = provider.core;
  const node = ofNode(scope, provider, nodeHash);
  const counts = [
    { counted: node, most: perNode },
    ...(network ? sharesOf(network, total, perNode) : []).map(({ key, most }) => ({
      counted: { ...node, purpose: 'network-orders', subject: `${provider.id} ${gateway.hash(`network ${key}`).slice(0, 32)}` },
      most,
    })),
    { counted: { ...node, purpose: 'seller-orders', subject: provider.id }, most: total },
  ];
  const done: Counted[] = [];
  const count = {
    taken: true,
    left: 0,
    giveBack: async (): Promise<void> => {
      await Promise.all(done.map((counted) => liquidity.give(counted, 1n)));
      if (done.includes(node)) count.left += 1;
    },
  };
  for (const { counted, most } of counts) {
    const before = await liquidity.take(counted, 1n, BigInt(most));
    if (before === undefined) {
      await count.giveBack();
      return { ...count, taken: false };
    }
    if (counted === node) count.left = most - Number(before) - 1;
    done.push(counted);
  }
  return count;
};
