/** Runs every fixture of __fixtures__ through the adapter, which must send exactly the fixture's request and map its response as stated here. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readFixtures } from '../../../test/support/fixtures.ts';
import type { AdapterDeps, CallContext, FollowedOrder, LiquidityAdapter, LiquidityQuoteRequest } from '../spec.ts';
import { provider } from './index.ts';

const { fixtures, named } = readFixtures(import.meta.url, { method: z.enum(['GET', 'POST']) }, {});

const baseUrl = 'https://blocktank.example/api';
const nodePubkey = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const key = '0296b2db342fcf87ea94d981757fdf4d3e545bd5cef4919f58b5d38dfdd73bf5c9';
const upstreamOrderId = 'fa7e6d29-a04d-47ea-8db4-ec05f6b8601c';
const asked: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'inbound',
  amountSats: 1_000_000n,
  payWith: 'lightning',
  leaseBlocks: 4320,
  announce: false,
  firm: false,
};
const amounts = { pay: 19_021n, receive: 0n, fee: 19_021n };
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId,
  createdOn: 0,
  ...amounts,
  upstream: { pay_with: 'onchain', announce: false },
  facts: { inbound_sats: 3_000_000 },
};
const quote = (adapter: LiquidityAdapter, context: CallContext) => adapter.quote(context, asked);
const offer = {
  receive: 0n,
  binding: false,
  upstream: { pay_with: 'lightning', announce: false },
  facts: { inbound_sats: 1_000_000, lease_blocks: 5040, delivered_as: 'redemption', connect_to: key },
  requires: [],
  warnings: [],
};
const read =
  (more: Partial<FollowedOrder> = {}) =>
  (adapter: LiquidityAdapter, context: CallContext) =>
    adapter.readOrders(context, { ...followed, ...more });
const evidence = { upstreamOrderId, ...amounts, moneySeen: true };

/** `with`: the names of the fixtures with the responses to the other calls. */
type Row = { name: string; with?: string[]; call: (adapter: LiquidityAdapter, context: CallContext) => Promise<unknown>; becomes: unknown };
const listing = { minSats: 20_000n, stepSats: 1n, payWith: ['lightning', 'onchain'], maxLeaseBlocks: 53_424, peers: [] };
const rows: Row[] = [
  {
    name: 'ref-info',
    call: (adapter, context) => adapter.catalogue(context),
    becomes: {
      ok: true,
      value: [
        { product: 'inbound', maxSats: 3_106_600n, ...listing },
        { product: 'turbo', maxSats: 1_553_300n, ...listing },
      ],
    },
  },
  { name: 'ref-estimate', with: ['ref-info'], call: quote, becomes: { ok: true, value: { ...offer, pay: 10_192n, fee: 10_192n } } },
  { name: 'old-estimate', with: ['ref-info'], call: quote, becomes: { ok: true, value: { ...offer, pay: 13_194n, fee: 13_194n } } },
  {
    name: 'ref-order',
    call: read(),
    becomes: { ok: true, value: [{ ...evidence, stage: 'finished', rawStatus: 'executed/paid/channel open, paid 19021, confirmed 0 of 19021' }] },
  },
  {
    name: 'held',
    call: read({ upstream: { pay_with: 'lightning', announce: false } }),
    becomes: { ok: true, value: [{ ...evidence, stage: 'paid', rawStatus: 'paid/paid/invoice holding, paid 19021, confirmed 0 of 19021' }] },
  },
  {
    name: 'not-reachable',
    with: ['held'],
    call: read({ nodePubkey }),
    becomes: {
      ok: true,
      value: [
        {
          ...evidence,
          stage: 'paid',
          rawStatus: 'paid/paid/invoice holding, paid 19021, confirmed 0 of 19021, PEER_NOT_REACHABLE',
          facts: { connect_to: `${key}@lsp.example:9735` },
        },
      ],
    },
  },
  {
    name: 'refund-available',
    call: read(),
    becomes: { ok: true, value: [{ ...evidence, stage: 'paid', rawStatus: 'expired/refundavailable, paid 19021, confirmed 19021 of 19021' }] },
  },
  { name: 'geo-blocked', call: (adapter, context) => adapter.catalogue(context), becomes: { ok: false, refusal: { reason: 'country-restricted' } } },
];

describe.each(rows)('$name', ({ name, with: others = [], call, becomes }) => {
  it('is sent and read', async () => {
    const wanted = named(name);
    const known = [wanted, ...others.map(named)];
    const sent: unknown[] = [];
    const deps: AdapterDeps = {
      providerId: 'blocktank',
      http: async ({ method, url, body }) => {
        const path = url.slice(baseUrl.length);
        sent.push({ method, path, ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }) });
        const { response } = known.find(({ request }) => request.method === method && request.path === path) ?? { response: { status: 404, body: {} } };
        const headers = { 'content-type': 'application/json' };
        return await Promise.resolve({ status: response.status, headers, body: new TextEncoder().encode(JSON.stringify(response.body)) });
      },
      now: () => Date.UTC(2026, 10, 21, 10, 15),
      newId: () => 'id',
      log: () => undefined,
      network: 'main',
      mode: 'live',
      secret: () => undefined,
    };
    const { liquidity } = provider.create(deps, provider.settings.parse({ base_url: baseUrl }));
    if (!liquidity) throw new Error('no liquidity');
    expect(await call(liquidity, { signal: new AbortController().signal, requestId: 'req_fixture' })).toEqual(becomes);
    expect(sent).toContainEqual(wanted.request);
  });
});

it('every fixture is used, and says where it is from', () => {
  expect(rows.map(({ name }) => name).toSorted()).toEqual([...fixtures.keys()].toSorted());
});
