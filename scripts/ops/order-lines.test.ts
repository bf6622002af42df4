import { expect, it } from 'vitest';
import { foundLines, orderLines, type ShownOrder } from './order-lines.ts';

const liquidity = { product: 'inbound', amountSats: 1_000_000, payWith: 'lightning', leaseBlocks: 4320, announce: false, firm: true } as const;
const at = '2026-11-29T17:28:17.000Z';
const shown = {
  order_id: 'o',
  where: 'finished at west',
  ramp: 'liquidity',
  provider: 'west',
  customer: 'c',
  order: {
    stage: 'finished',
    stage_on: at,
    raw_status: 'COMPLETED',
    checks: 1,
    final: true,
    created_on: at,
    changed_on: at,
    follow_until: at,
    binding: true,
    pay: '3000',
    receive: '0',
    fee: '3000',
    quoted_pay: '3000',
    quoted_receive: '0',
    terms: { optionName: 'inbound', liquidity },
    facts: {},
    upstream: {},
  },
  events: [],
  placing: {
    id: 'a',
    quote_id: 'q',
    state: 'confirmed',
    attempts: 1,
    request_id: 'r',
    created_on: at,
    dead_on: at,
    next_try_on: at,
    answered: true,
    quote: {},
  },
  notices: [],
  deliveries: [],
  settlings: [],
  route: 'no longer kept',
} as unknown as ShownOrder;

it('names what a liquidity order buys: the channel, not only what the customer owns of it', () => {
  expect(orderLines(shown).slice(2, 4)).toEqual([
    'pays       3000 sats by lightning',
    'gets       inbound of 1000000 sats for 4320 blocks, of which the customer owns 0 sats, fee 3000 sats',
  ]);
  const [line] = foundLines([
    {
      intentId: 'i',
      orderId: 'o',
      providerId: 'west',
      ramp: 'liquidity',
      state: 'confirmed',
      stage: 'finished',
      requestId: 'r',
      customerId: 'c',
      createdOn: 0,
      pay: 3000n,
      receive: 0n,
      liquidity,
    },
  ]);
  expect(line).toBe('1970-01-01T00:00:00.000Z  o  finished at west  3000 sats → inbound of 1000000 sats for 4320 blocks');
});

it('says nothing about a way to pay that is not known, and what a withdrawal link says if it differs', () => {
  const { order } = shown;
  const adopted = { ...shown, ramp: 'buy', order: { ...order, terms: { optionName: '' }, receive: '100', link_receive: '99' } } as unknown as ShownOrder;
  expect(orderLines(adopted).slice(2, 5)).toEqual([
    'pays       30.00 in fiat',
    'gets       100 sats, fee 30.00 in fiat, quoted 0 sats',
    '           its withdrawal link says 99 sats',
  ]);
});
