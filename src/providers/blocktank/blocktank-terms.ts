/** What Blocktank sells, and what one request asks of it. Pure. */
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import { mostPeers, torLast } from '../kit/channel-order.ts';
import type { LiquidityListing, LiquidityQuoteRequest } from '../spec.ts';
import type { Settings } from './blocktank-settings.ts';
import type { InfoWire, NodeWire } from './blocktank-wire.ts';

/** Leases are sold in weeks; a week has this many blocks. */
export const blocksPerWeek = 1008;

const networks: { [word: string]: string } = { mainnet: 'main', testnet: 'test', signet: 'signet', regtest: 'regtest' };
/** Returns whether the seller is on the gateway's network. Throws `malformed` for a network that we do not know. */
export const isOnNetwork = ({ onchain }: InfoWire, network: string): boolean => {
  const named = networks[onchain.network.trim().toLowerCase()];
  if (named === undefined) throw new ProviderFault('malformed', 'the seller names an unknown network', { taken: 'no' });
  return named === network;
};

/** Returns the nodes that may sell us a channel. */
export const sellingNodes = ({ nodes }: InfoWire, { lsp_node }: Settings): NodeWire[] =>
  nodes.filter(({ pubkey, readonly }) => (lsp_node === undefined ? readonly !== true : pubkey === lsp_node));

/** Returns a node's own addresses: an address with another key would lead to somebody else's node. */
const addressesOf = ({ pubkey, connectionStrings }: NodeWire): string[] => connectionStrings.filter((one) => one.toLowerCase().startsWith(`${pubkey}@`));
/** Returns where the customer's node should connect, if it is known: the bare key if the node has no address. */
export const connectToOf = (node: NodeWire | undefined): string | undefined => node && (torLast(addressesOf(node))[0] ?? node.pubkey);

const least = (one: bigint, other: bigint | undefined): bigint => (other !== undefined && other < one ? other : one);
const most = (one: bigint, other: bigint): bigint => (one > other ? one : other);

type Range = { minSats: bigint; maxSats: bigint };
/**
 * Returns the amounts on sale, or undefined if there are none. Inbound: the amount is on the seller's side, and nothing on the customer's. Turbo: the
 * same amount on both sides, within the size of a channel.
 */
const rangeOf = ({ options }: InfoWire, product: LiquidityQuoteRequest['product'], settings: Settings): Range | undefined => {
  if (product === 'recharge' || !settings.products.includes(product)) return undefined;
  const { minChannelSizeSat: minSize, maxChannelSizeSat, maxClientBalanceSat } = options;
  const maxSize = (maxChannelSizeSat * BigInt(10_000 - settings.max_headroom_bps)) / 10_000n;
  const leastLsp = BigInt(settings.least_lsp_sats);
  const range =
    product === 'inbound'
      ? { minSats: most(leastLsp, minSize), maxSats: maxSize }
      : { minSats: most(leastLsp, (minSize + 1n) / 2n), maxSats: least(maxSize / 2n, maxClientBalanceSat) };
  return range.minSats <= range.maxSats ? range : undefined;
};

export const toListings = (info: InfoWire, settings: Settings): LiquidityListing[] => {
  const peers = [...new Set(sellingNodes(info, settings).flatMap(addressesOf))].slice(0, mostPeers);
  const longest = Math.min(info.options.maxExpiryWeeks * blocksPerWeek, settings.max_lease_blocks ?? Infinity);
  return settings.products.flatMap((product) => {
    const range = rangeOf(info, product, settings);
    return range ? [{ product, ...range, stepSats: 1n, payWith: [...settings.pay_with], maxLeaseBlocks: longest, peers }] : [];
  });
};

/** What is ordered: balances in sats and the lease in weeks. */
export type Terms = { lspSats: bigint; clientSats: bigint; weeks: number };

/** Returns what to order, or why the seller would refuse it. The seller's limits are checked before an order is made, and again after a refusal. */
export const toTerms = (request: LiquidityQuoteRequest, info: InfoWire, settings: Settings): { terms: Terms } | { refusal: Refusal } => {
  const range = rangeOf(info, request.product, settings);
  if (!range) return { refusal: { reason: 'option-unsupported' } };
  const limits = { minReceive: range.minSats, maxReceive: range.maxSats };
  if (request.amountSats < range.minSats) return { refusal: { reason: 'below-minimum', limits } };
  if (request.amountSats > range.maxSats) return { refusal: { reason: 'above-maximum', limits } };
  const weeks = weeksFor(request, info, settings);
  if (weeks === undefined) return { refusal: { reason: 'lease-unsupported' } };
  return { terms: { lspSats: request.amountSats, clientSats: request.product === 'turbo' ? request.amountSats : 0n, weeks } };
};

/** Returns the lease in weeks, rounded up. Undefined if the customer wants a longer lease than is sold. */
const weeksFor = ({ leaseBlocks }: LiquidityQuoteRequest, { options }: InfoWire, settings: Settings): number | undefined => {
  const weeks = Math.max(Math.ceil((leaseBlocks ?? settings.default_lease_blocks) / blocksPerWeek), options.minExpiryWeeks);
  if (leaseBlocks === undefined) return Math.min(weeks, options.maxExpiryWeeks);
  return weeks > options.maxExpiryWeeks || leaseBlocks > (settings.max_lease_blocks ?? Infinity) ? undefined : weeks;
};

/** Returns the body of an estimate, which is also the body of an order. */
export const bodyOf = ({ lspSats, clientSats, weeks }: Terms, announce: boolean, settings: Settings, refundOnchain?: string): object => ({
  lspBalanceSat: Number(lspSats),
  clientBalanceSat: Number(clientSats),
  channelExpiryWeeks: weeks,
  announceChannel: announce,
  // Blocktank does not announce channels that are usable at once.
  ...(settings.zero_conf && !announce ? { zeroConf: true } : {}),
  ...(settings.zero_reserve ? { zeroReserve: true } : {}),
  ...(settings.lsp_node === undefined ? {} : { lspNodeId: settings.lsp_node }),
  ...(refundOnchain === undefined ? {} : { refundOnchainAddress: refundOnchain }),
  ...(settings.source === undefined ? {} : { source: settings.source }),
});
