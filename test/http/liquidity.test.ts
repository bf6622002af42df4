import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import type { RunningSimulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  buyChannel,
  buyOpened,
  buyTurbo,
  inbound,
  recharge,
  startChannelSellers,
  startTank,
  tankBlock,
  thorBlock,
  type LiquidityWorld,
} from '../support/scenarios/liquidity.ts';
import { invoiceOver, opened as openedAt } from '../support/wallet.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const appKey = 'an-app-key-that-only-this-test-knows';
const clock = movableClock();
let gateway: TestGateway;
let sellers: Awaited<ReturnType<typeof startChannelSellers>>;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
let tank: Awaited<ReturnType<typeof startTank>>;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  [sellers, thor, tank, receiver] = await Promise.all([
    startChannelSellers(clock.now),
    startBitrefillSimulator({ id: 'thor', now: clock.now, deliver: 'at-once', balanceSats: 10_000_000, step: 1000, stepFrom: 'zero' }),
    startTank(clock.now),
    startWebhookReceiver(),
  ]);
  const seller = (one: RunningSimulator, name: string) => ({ kind: 'lsps1', base_url: one.url, display: { name }, quotes_per_node_per_day: 2 });
  gateway = await startTestGateway(
    {},
    {
      clock,
      config: {
        liquidity: { balance_daily_sats: 150_000 },
        apps: { wallet: { key_hashes: [createHash('sha256').update(appKey).digest('hex')], allow: ['pay_with_balance'] } },
      },
      blocks: {
        north: seller(sellers.north, 'LSP North'),
        south: seller(sellers.south, 'LSP South'),
        west: seller(sellers.west, 'LSP West'),
        tank: { ...tankBlock(tank.baseUrl), quotes_per_node_per_day: 2 },
        thor: { ...thorBlock(thor.baseUrl), step_from: 'zero' },
      },
      environment: { BITREFILL_API_KEY: 'thor-key', BITREFILL_API_SECRET: 'thor-secret' },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([...Object.values(sellers), thor, tank, receiver].map((one) => one.close()));
});

const opened = async () => await openedAt(gateway.url);
const world = (): LiquidityWorld => ({
  ...sellers,
  url: gateway.url,
  thor,
  thorName: 'thor',
  tank,
  tankName: 'tank',
  firmPerNode: 2,
  receiver,
  wake: async () => await gateway.pass(500),
});

describe('inbound capacity', () => {
  it('compares sellers by a firm price for the proven node, and buys a channel', async () => await buyChannel(world()));

  it('buys at an estimate from Blocktank, and has the channel opened to the proven node', async () => await buyOpened(world()));

  it('counts firm prices for a node, and takes no other node than the proven one', async () => {
    const { call } = await opened();
    const first = await call('/liquidity/offers', { ...inbound, amount_sats: 400_000, firm: true });
    expect(first.body['firm_quotes_left']).toBe(1);
    const second = await call('/liquidity/offers', { ...inbound, amount_sats: 500_000, firm: true });
    expect(second.body['firm_quotes_left']).toBe(0);
    const third = await call('/liquidity/offers', { ...inbound, amount_sats: 600_000, firm: true });
    expect(third.body['refused']).toEqual(expect.arrayContaining([{ provider: { id: 'north', name: 'LSP North' }, reason: 'quota-used' }]));
    const foreign = await call('/liquidity/offers', { ...inbound, firm: true, node_pubkey: `02${'ab'.repeat(32)}` });
    expect([foreign.status, foreign.body['code']]).toEqual([403, 'proof-required']);
  });

  it('wants a proof before it asks for a firm price', async () => {
    const wallet = createWallet(gateway.url);
    const { body: verify } = await wallet.call('/verify');
    await wallet.call('/session', { session_id: verify['session_id'] });
    const refused = await wallet.call('/liquidity/offers', { session_id: verify['session_id'], ...inbound, firm: true });
    expect([refused.status, refused.body['code']]).toEqual([403, 'proof-required']);
  });
});

describe('an amount that no seller has', () => {
  it.each([
    [1, 'below-minimum', { min_amount_sats: 20_000, max_amount_sats: 16_777_215 }],
    [2_100_000_000_000_000, 'above-maximum', { min_amount_sats: 20_000, max_amount_sats: 16_777_215 }],
  ])('%s sats: nobody is asked for an order, and the limits are the widest of all', async (amount_sats, reason, limits) => {
    const { call } = await opened();
    const { status, body } = await call('/liquidity/quote', { product: 'inbound', amount_sats, pay_with: 'lightning' });
    expect([status, body['code']]).toEqual([422, 'no-offer']);
    const reasons = (body['refused'] as { reason: string }[]).map((one) => one.reason);
    expect(reasons).toEqual(Array(5).fill(reason));
    expect(body['limits']).toEqual(limits);
    expect(body['detail']).toContain(`asked for ${amount_sats} sats`);
  });

  it('names no limits of a seller that would not take the money', async () => {
    const { call } = await opened();
    const { body } = await call('/liquidity/quote', { product: 'inbound', amount_sats: 1, pay_with: 'onchain' });
    const refused = body['refused'] as { provider: { id: string }; reason: string }[];
    const sellers = refused
      .filter((one) => one.provider.id !== 'thor' && one.provider.id !== 'tank')
      .map(({ provider, ...why }) => [provider.id, why] as const);
    const unsupported = { reason: 'payment-method-unsupported' };
    expect(Object.fromEntries(sellers)).toEqual({ north: unsupported, south: unsupported, west: unsupported });
  });
});

describe('Bitrefill', () => {
  it('sells a turbo channel to redemption', async () => {
    const lnurl = await buyTurbo(world());
    expect(gateway.logs.join('\n')).not.toContain(lnurl);
  });

  it('recharges an invoice of the customer, and only a suitable one', async () => await recharge(world()));

  it('refuses amounts between its steps, with the limits under the caller’s own name', async () => {
    const { call } = await opened();
    const off = await call('/liquidity/quote', { product: 'recharge', amount_sats: 100_001, pay_with: 'lightning' });
    expect([off.status, off.body['code']]).toEqual([422, 'no-offer']);
    expect(off.body['refused']).toEqual(expect.arrayContaining([expect.objectContaining({ reason: 'off-step', min_amount_sats: expect.any(Number) })]));
  });
});

describe("the operator's balance", () => {
  const wanted = { product: 'recharge', amount_sats: 20_000, pay_with: 'balance' };
  const bearer = { authorization: `Bearer ${appKey}` };

  it('is spent by an app that may, within the day’s limit, exactly, also by a hundred at the same time', async () => {
    const { call } = await opened();
    const first = (await call('/liquidity/quote', wanted, bearer)).body;
    for (const path of ['/liquidity/offers', '/liquidity/quote']) {
      for (const headers of [{}, { authorization: 'Bearer another-key' }]) {
        const keyless = await call(path, wanted, headers);
        expect([path, keyless.status, keyless.body['code']]).toEqual([path, 403, 'app-key-required']);
      }
    }
    const stranger = await call('/liquidity/order', { quote_id: first['quote_id'], invoice: invoiceOver(20_000) });
    expect([stranger.status, stranger.body['code']]).toEqual([403, 'app-key-required']);
    const pay = Number(first['pay_sats']);
    const most = Math.floor(150_000 / pay);
    const people = await Promise.all(Array.from({ length: 20 }, () => opened()));
    const answers = await Promise.all(
      people.flatMap((person) =>
        Array.from({ length: 5 }, async () => {
          let quote = await person.call('/liquidity/quote', wanted, bearer);
          while (quote.status !== 200) quote = await person.call('/liquidity/quote', wanted, bearer);
          for (;;) {
            const answer = await person.call('/liquidity/order', { quote_id: quote.body['quote_id'], invoice: invoiceOver(20_000) }, bearer);
            if (answer.body['code'] !== 'order-pending') return answer;
            await new Promise((wait) => setTimeout(wait, 50));
          }
        }),
      ),
    );
    expect(answers.filter((one) => one.status === 200)).toHaveLength(most);
    expect(new Set(answers.filter((one) => one.status !== 200).map((one) => one.body['code']))).toEqual(new Set(['daily-limit-reached']));
    expect([...thor.control.state.orders.values()].filter((one) => one.method === undefined)).toHaveLength(most);
  });
});
