/** Runs every fixture of __fixtures__ through the adapter, which must send exactly that request and map the response as stated here. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readFixtures } from '../../../test/support/fixtures.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, CallContext, FollowedOrder, LiquidityAdapter } from '../spec.ts';
import { provider } from './index.ts';
import { findOrder, infoWire } from './lsps1-wire.ts';
import { startLsps1Simulator } from './lsps1.simulator.ts';

const { fixtures, named } = readFixtures(import.meta.url, { method: z.enum(['GET', 'POST']) }, {});

const baseUrl = 'https://seller.example/api/v1';
const upstreamOrderId = 'bb4b5d0a-8334-49d8-9463-90a6d413af7c';
const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const refundOnchain = 'bc1qvmsy0f3yyes6z9jvddk8xqwznndmdwapvrc0xrmhd3vqj5rhdrrq6hz49h';
const now = Date.UTC(2015, 0, 25, 19);
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId,
  createdOn: 0,
  pay: 2_008_888n,
  receive: 2_000_000n,
  fee: 8888n,
  upstream: { pay_with: 'lightning' },
  facts: {},
};
const read = (adapter: LiquidityAdapter, context: CallContext) => adapter.readOrders(context, followed);
const inCommon = { upstreamOrderId, pay: 2_008_888n, receive: 2_000_000n, fee: 8888n };

/** `after`: the names of the fixtures that the seller returns before the one under test. */
type Row = { name: string; after?: string[]; settings?: object; call: (adapter: LiquidityAdapter, context: CallContext) => Promise<unknown>; becomes: unknown };
const rows: Row[] = [
  {
    name: 'blip51-get-info',
    call: (adapter, context) => adapter.catalogue(context),
    becomes: {
      ok: true,
      // The customer must bring at least 20,000 sats: the seller does not sell inbound capacity alone.
      value: [{ product: 'turbo', minSats: 25_000n, maxSats: 50_000_000n, stepSats: 1n, payWith: ['lightning', 'onchain'], peers: [], maxLeaseBlocks: 20_160 }],
    },
  },
  {
    name: 'blip51-get-order',
    call: read,
    becomes: {
      ok: true,
      value: [{ ...inCommon, stage: 'awaiting_payment', rawStatus: 'CREATED/EXPECT_PAYMENT', expiresOn: Date.UTC(2015, 0, 25, 19, 29, 44, 612) }],
    },
  },
  { name: 'blip51-not-found', call: read, becomes: { ok: true, value: [] } },
  {
    name: 'flat-get-order',
    call: read,
    becomes: {
      ok: true,
      value: [
        {
          ...inCommon,
          stage: 'finished',
          rawStatus: 'COMPLETED/PAID',
          moneySeen: true,
          statusOn: now,
          expiresOn: 1_422_214_184_000,
          facts: {
            funding_outpoint: '0301e0480b374b32851a9462db29dc19fe830a7f7d7a88b81612b9d42099c0ae:0',
            channel_expires_on: '2015-01-26T19:20:00.000Z',
          },
        },
      ],
    },
  },
];

const zeusPeer = '031b301307574bbe9b9ac7b79cbe1700e31e544513eae0b5d7497483083f99e581@olympus.example:9735';
const zeusAsked = {
  ramp: 'liquidity',
  product: 'inbound',
  amountSats: 1_000_000n,
  payWith: 'lightning',
  leaseBlocks: 4320,
  announce: false,
  firm: true,
} as const;
const zeusQuote = (adapter: LiquidityAdapter, context: CallContext) => adapter.quote(context, { ...zeusAsked, nodePubkey, refundOnchain });
const zeusFacts = { inbound_sats: 1_000_000, lease_blocks: 4320, delivered_as: 'channel', connect_to: zeusPeer };
const end = Date.UTC(2015, 0, 25, 20);
rows.push(
  {
    name: 'zeus-get-info',
    call: (adapter, context) => adapter.catalogue(context),
    becomes: {
      ok: true,
      value: [
        {
          product: 'inbound',
          minSats: 100_000n,
          maxSats: 10_000_000n,
          stepSats: 1n,
          payWith: ['lightning', 'onchain'],
          peers: [zeusPeer],
          maxLeaseBlocks: 52_560,
        },
      ],
    },
  },
  {
    name: 'zeus-create-order',
    after: ['zeus-get-info'],
    call: zeusQuote,
    becomes: {
      ok: true,
      value: {
        pay: 8888n,
        receive: 0n,
        fee: 8888n,
        binding: true,
        expiresOn: end,
        reservation: { upstreamOrderId, acceptUntil: end },
        upstream: { pay_with: 'lightning', announce: false, order_id: upstreamOrderId },
        secret: expect.stringMatching(/^lnbc88880n/) as unknown,
        facts: zeusFacts,
        requires: [],
        warnings: [],
      },
    },
  },
  {
    name: 'zeus-peer-first',
    after: ['zeus-get-info'],
    call: zeusQuote,
    becomes: { ok: false, refusal: { reason: 'peer-not-connected', connectTo: zeusPeer } },
  },
  {
    name: 'zeus-free-order',
    after: ['zeus-get-info'],
    settings: { token_env: 'COUPON' },
    call: zeusQuote,
    becomes: {
      ok: true,
      value: {
        pay: 0n,
        receive: 0n,
        fee: 0n,
        binding: true,
        reservation: { upstreamOrderId, acceptUntil: end },
        upstream: { pay_with: 'lightning', announce: false, order_id: upstreamOrderId, free: true },
        facts: zeusFacts,
        requires: [],
        warnings: [],
      },
    },
  },
  {
    name: 'zeus-free-failed',
    call: (adapter, context) => adapter.readOrders(context, { ...followed, pay: 0n, receive: 0n, fee: 0n, upstream: { pay_with: 'lightning', free: true } }),
    becomes: { ok: true, value: [{ upstreamOrderId, rawStatus: 'FAILED', stage: 'refunded' }] },
  },
);

/** Makes an adapter whose seller returns the responses of the named fixtures in turn. `sent` collects the adapter's requests. */
const over = (answers: string[], settings: object = {}) => {
  const sent: unknown[] = [];
  const left = answers.map(named);
  const deps: AdapterDeps = {
    providerId: 'x',
    now: () => now,
    newId: () => 'id',
    log: () => undefined,
    network: 'main',
    mode: 'sandbox',
    secret: () => 'FREECHANNEL',
    http: ({ method, url, body }) => {
      sent.push({ method, path: url.slice(baseUrl.length), ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }) });
      const { status, body: answer } = left.shift()?.response ?? { status: 500, body: {} };
      return Promise.resolve({ status, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(JSON.stringify(answer)) });
    },
  };
  const { liquidity } = provider.create(deps, provider.settings.parse({ base_url: baseUrl, pay_with: ['lightning', 'onchain'], ...settings }));
  if (!liquidity) throw new Error('no liquidity');
  return { adapter: liquidity, sent };
};
const context: CallContext = { signal: new AbortController().signal, requestId: 'req_fixture' };

describe('fixtures', () => {
  it.each(rows)('$name', async ({ name, after = [], settings, call, becomes }) => {
    const { adapter, sent } = over([...after, name], settings);
    expect(await call(adapter, context)).toEqual(becomes);
    expect(sent).toEqual([...after, name].map((one) => named(one).request));
  });

  it('every exchange has its test', () => {
    expect([...rows.map(({ name }) => name), 'blip51-create-order'].toSorted()).toEqual([...fixtures.keys()].toSorted());
  });

  // Our products have equal balances on both sides, or no balance on the customer's side. The printed order has two different balances.
  it('the printed order is not the one asked for, and is not believed', async () => {
    const { adapter, sent } = over(['blip51-get-info', 'blip51-create-order']);
    const asked = { ramp: 'liquidity', product: 'turbo', amountSats: 2_000_000n, payWith: 'onchain', leaseBlocks: 144, announce: true, firm: true } as const;
    const fault = await adapter.quote(context, { ...asked, nodePubkey, refundOnchain }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ProviderFault);
    expect(String(fault)).toBe("ProviderFault: malformed: the order's balances differ from those requested");
    const printed = named('blip51-create-order').request;
    expect(sent[1]).toEqual({ ...printed, body: { ...printed.body, lsp_balance_sat: '2000000', required_channel_confirmations: 6 } });
  });

  it('the simulator answers in the shape of the documents', async () => {
    const seller = await startLsps1Simulator({ id: 'shape', maxClientSats: 3_000_000, onchainExtraSats: 1111, network: 'main' });
    try {
      const info: unknown = await (await fetch(`${seller.url}/get_info`)).json();
      const { body } = named('blip51-create-order').request;
      const order: unknown = await (
        await fetch(`${seller.url}/create_order`, { method: 'POST', body: JSON.stringify({ ...body, channel_expiry_blocks: 12 }) })
      ).json();
      expect(Object.keys(z.record(z.string(), z.unknown()).parse(info))).toEqual(
        expect.arrayContaining(Object.keys(z.record(z.string(), z.unknown()).parse(named('blip51-get-info').response.body))),
      );
      expect(infoWire.parse(info).max_initial_client_balance_sat).toBe(3_000_000n);
      const printed = named('blip51-create-order').response.body;
      expect([order, printed].map(findOrder)).toMatchObject([{ order: { namesWay: true } }, { order: { namesWay: true } }]);
      const names = (value: unknown, ...path: string[]): string[] => {
        const inner = path.reduce((at, name) => z.record(z.string(), z.unknown()).parse(at)[name], value);
        return Object.keys(z.record(z.string(), z.unknown()).parse(inner)).toSorted();
      };
      expect(names(order)).toEqual(names(printed));
      for (const way of ['onchain', 'bolt11']) expect(names(order, 'payment', way)).toEqual(names(printed, 'payment', way));
    } finally {
      await seller.close();
    }
  });
});
