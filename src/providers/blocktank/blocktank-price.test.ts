import { describe, expect, it } from 'vitest';
import { payOf } from './blocktank-price.ts';
import { settings as schema } from './blocktank-settings.ts';
import { bodyOf, connectToOf, isOnNetwork, toListings, toTerms } from './blocktank-terms.ts';
import { infoWire } from './blocktank-wire.ts';
import type { LiquidityQuoteRequest } from '../spec.ts';

const base_url = 'https://blocktank.example/api';
const settings = schema.parse({ base_url });
const key = '0296b2db342fcf87ea94d981757fdf4d3e545bd5cef4919f58b5d38dfdd73bf5c9';
const other = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const options = { minChannelSizeSat: 1000, maxChannelSizeSat: 3_170_000, minExpiryWeeks: 1, maxExpiryWeeks: 53 };
const infoOf = (more: object = {}, network = 'Regtest', nodes: object[] = [{ pubkey: key }]) =>
  infoWire.parse({ nodes, options: { ...options, ...more }, onchain: { network } });
const request: LiquidityQuoteRequest = { ramp: 'liquidity', product: 'inbound', amountSats: 1_000_000n, payWith: 'lightning', announce: false, firm: false };
const termsOf = (more: Partial<LiquidityQuoteRequest>, info = infoOf(), own = settings) => {
  const found = toTerms({ ...request, ...more }, info, own);
  return 'terms' in found ? found.terms : found.refusal;
};

describe('what an estimate costs', () => {
  const parts = { networkFeeSat: 1225n, serviceFeeSat: 1227n };
  it("with the customer's balance inside feeSat or next to it", () => {
    expect(payOf({ feeSat: 502_452n, ...parts }, 500_000n, true)).toBe(502_452n);
    expect(payOf({ feeSat: 2452n, ...parts }, 500_000n, true)).toBe(502_452n);
    expect(payOf({ feeSat: 2452n, ...parts }, 0n, true)).toBe(2452n);
  });
  it("the reference's sample", () => expect(payOf({ feeSat: 10_192n, networkFeeSat: 5096n, serviceFeeSat: 5096n }, 0n, true)).toBe(10_192n));
  it('parts that fit neither reading', () => {
    for (const feeSat of [502_453n, 2451n, 0n, -1n]) expect(() => payOf({ feeSat, ...parts }, 500_000n, true)).toThrow('malformed');
  });
  it('without its parts, the setting says which it is', () => {
    const alone = (feeSat: bigint) => ({ feeSat, networkFeeSat: undefined, serviceFeeSat: undefined });
    expect(payOf(alone(502_452n), 500_000n, true)).toBe(502_452n);
    expect(payOf(alone(2452n), 500_000n, false)).toBe(502_452n);
    expect(() => payOf(alone(2452n), 500_000n, true)).toThrow('malformed');
  });
});

describe('what is on sale', () => {
  it('keeps 2 % below the largest channel, which moves with the price', () => {
    expect(toListings(infoOf({ maxClientBalanceSat: 317_000 }), settings)).toMatchObject([
      { product: 'inbound', minSats: 20_000n, maxSats: 3_106_600n, maxLeaseBlocks: 53_424 },
      { product: 'turbo', minSats: 20_000n, maxSats: 317_000n },
    ]);
    expect(toListings(infoOf({ minChannelSizeSat: 50_001, maxClientBalanceSat: 10_000 }), settings)).toMatchObject([{ product: 'inbound', minSats: 50_001n }]);
  });

  it('names the addresses of the nodes that sell', () => {
    const nodes = [
      { pubkey: key, connectionStrings: [`${key}@lsp.example:9735`, 'nonsense'] },
      { pubkey: other, connectionStrings: [`${other}@lsp.example:9736`], readonly: true },
    ];
    expect(toListings(infoOf({}, 'Regtest', nodes), settings)[0]?.peers).toEqual([`${key}@lsp.example:9735`]);
    expect(toListings(infoOf({}, 'Regtest', nodes), schema.parse({ base_url, lsp_node: other }))[0]?.peers).toEqual([`${other}@lsp.example:9736`]);
  });

  it("names no address with another node's key", () => {
    const connectionStrings = [`${other}@elsewhere.example:9735`, `${key.toUpperCase()}@lsp.example:9735`];
    const nodes = infoOf({}, 'Regtest', [{ pubkey: key, connectionStrings }]).nodes;
    expect(connectToOf(nodes[0])).toBe(`${key.toUpperCase()}@lsp.example:9735`);
    expect(toListings(infoOf({}, 'Regtest', [{ pubkey: key, connectionStrings }]), settings)[0]?.peers).toEqual([`${key.toUpperCase()}@lsp.example:9735`]);
    expect(connectToOf(infoOf({}, 'Regtest', [{ pubkey: key, connectionStrings: connectionStrings.slice(0, 1) }]).nodes[0])).toBe(key);
    expect(connectToOf(undefined)).toBeUndefined();
  });

  it('names few of them, and only hosts that can be read', () => {
    const connectionStrings = Array.from({ length: 100 }, (_none, n) => `${key}@ln${n}.example:9735`);
    const nodes = Array.from({ length: 33 }, () => ({ pubkey: key, connectionStrings: [`${key}@ln\u202egnp.example:9735`, ...connectionStrings] }));
    expect(toListings(infoOf({}, 'Regtest', nodes), settings)[0]?.peers).toEqual(connectionStrings.slice(0, 20));
  });

  it('takes no leases that are none', () => {
    for (const weeks of [
      { maxExpiryWeeks: 0, minExpiryWeeks: 0 },
      { minExpiryWeeks: 2, maxExpiryWeeks: 1 },
    ])
      expect(() => infoOf(weeks)).toThrow('maxExpiryWeeks');
  });

  it('knows the four networks', () => {
    expect(isOnNetwork(infoOf({}, 'Mainnet'), 'main')).toBe(true);
    expect(isOnNetwork(infoOf({}, 'Signet'), 'signet')).toBe(true);
    expect(isOnNetwork(infoOf({}, 'Mainnet'), 'regtest')).toBe(false);
    expect(() => isOnNetwork(infoOf({}, 'Moonnet'), 'main')).toThrow('malformed');
  });
});

describe('what is ordered', () => {
  it('a lease of whole weeks, at least as long as wanted', () => {
    expect(termsOf({ leaseBlocks: 4320 })).toEqual({ lspSats: 1_000_000n, clientSats: 0n, weeks: 5 });
    expect(termsOf({ leaseBlocks: 5040 })).toMatchObject({ weeks: 5 });
    expect(termsOf({ leaseBlocks: 5041 })).toMatchObject({ weeks: 6 });
    expect(termsOf({ leaseBlocks: 144 }, infoOf({ minExpiryWeeks: 2 }))).toMatchObject({ weeks: 2 });
    expect(termsOf({})).toMatchObject({ weeks: 5 });
    expect(termsOf({}, infoOf({ maxExpiryWeeks: 3 }))).toMatchObject({ weeks: 3 });
    expect(termsOf({ leaseBlocks: 53_425 })).toEqual({ reason: 'lease-unsupported' });
    expect(termsOf({ leaseBlocks: 9000 }, infoOf(), schema.parse({ base_url, max_lease_blocks: 8000 }))).toEqual({ reason: 'lease-unsupported' });
  });

  it('the same amount on both sides for turbo, half of a channel at most', () => {
    expect(termsOf({ product: 'turbo', amountSats: 500_000n })).toMatchObject({ lspSats: 500_000n, clientSats: 500_000n });
    expect(termsOf({ product: 'turbo', amountSats: 1_553_301n })).toMatchObject({ reason: 'above-maximum', limits: { maxReceive: 1_553_300n } });
  });

  it('below the minimum', () => {
    expect(termsOf({ amountSats: 10_000n })).toEqual({ reason: 'below-minimum', limits: { minReceive: 20_000n, maxReceive: 3_106_600n } });
  });

  it('what is not sold', () => {
    expect(termsOf({ product: 'recharge' })).toEqual({ reason: 'option-unsupported' });
    expect(termsOf({ product: 'turbo' }, infoOf(), schema.parse({ base_url, products: ['inbound'] }))).toEqual({ reason: 'option-unsupported' });
  });

  it('no channel is both announced and usable at once', () => {
    const own = schema.parse({ base_url, zero_conf: true, zero_reserve: true, source: 'gateway', lsp_node: key });
    const terms = { lspSats: 1_000_000n, clientSats: 0n, weeks: 5 };
    expect(bodyOf(terms, false, own, 'bcrt1qx')).toEqual({
      lspBalanceSat: 1_000_000,
      clientBalanceSat: 0,
      channelExpiryWeeks: 5,
      announceChannel: false,
      zeroConf: true,
      zeroReserve: true,
      lspNodeId: key,
      refundOnchainAddress: 'bcrt1qx',
      source: 'gateway',
    });
    expect(bodyOf(terms, true, own)).not.toHaveProperty('zeroConf');
  });
});
