import { describe, expect, it } from 'vitest';
import { ProviderFault } from '../fault.ts';
import { isNotFound, toRefusal } from './lsps1-errors.ts';
import { notesOf, peersOf, rangeOf, stageOf, toEvidence as toEvidenceBy } from './lsps1-mapping.ts';
import { settings as schema } from './lsps1-settings.ts';
import { findOrder, infoWire, type InfoWire, type OrderWire } from './lsps1-wire.ts';

const settings = schema.parse({ base_url: 'https://seller.example/api/v1' });
const key = `02${'ab'.repeat(32)}`;
const info = (more: object): InfoWire => infoWire.parse({ max_channel_balance_sat: '1000000', ...more });

describe('ranges', () => {
  it.each([
    ['inbound', { min_initial_lsp_balance_sat: '150000', max_initial_lsp_balance_sat: '900000' }, { minSats: 150_000n, maxSats: 900_000n }],
    ['inbound', { min_initial_lsp_balance_sat: '0', min_channel_balance_sat: '50000' }, { minSats: 50_000n, maxSats: 1_000_000n }],
    ['inbound', { min_initial_lsp_balance_sat: '0' }, { minSats: 1n, maxSats: 1_000_000n }],
    ['inbound', { min_initial_client_balance_sat: '20000' }, undefined],
    ['turbo', { max_initial_client_balance_sat: '0' }, undefined],
    ['turbo', { max_initial_client_balance_sat: '2000000', min_channel_balance_sat: '50001' }, { minSats: 25_001n, maxSats: 500_000n }],
    ['turbo', { max_initial_client_balance_sat: '300000', min_initial_client_balance_sat: '20000' }, { minSats: 20_000n, maxSats: 300_000n }],
    ['inbound', { min_initial_lsp_balance_sat: '2000000' }, undefined],
    ['recharge', {}, undefined],
  ] as const)('%s of %o', (product, more, range) => {
    expect(rangeOf(info(more), product)).toEqual(range);
  });

  it('a document without any channel limit is not a get_info; without a maximum, the seller itself refuses too large amounts', () => {
    expect(infoWire.safeParse({ max_channel_expiry_blocks: 4320, status: 'ok' }).success).toBe(false);
    expect(rangeOf(infoWire.parse({ min_channel_balance_sat: '50000' }), 'inbound')).toEqual({ minSats: 50_000n, maxSats: 2_100_000_000_000_000n });
  });
});

describe('peers', () => {
  it('addresses without Tor come first; invalid addresses are left out', () => {
    const uris = [`${key}@abc.onion:9735`, `${key}@ln.example:9735`, 'ln.example:9735', 7];
    expect(peersOf(info({ uris }), settings)).toEqual([`${key}@ln.example:9735`, `${key}@abc.onion:9735`]);
  });
  it('are few, and each is a host that can be read', () => {
    const many = Array.from({ length: 3000 }, (_none, n) => `${key}@ln${n}.example:9735`);
    expect(peersOf(info({ uris: many }), settings)).toHaveLength(20);
    const good = [`${key}@203.0.113.7:9735`, `${key}@[2001:db8::7]:9735`, `${key}@${'a'.repeat(56)}.onion:9735`];
    const odd = ['ln\u202egnp.example', 'ln\u200b.example', 'ln.example/x', 'ln.example?x', '<b>', 'l\u0430n.example', '-'].map(
      (host) => `${key}@${host}:9735`,
    );
    expect(peersOf(info({ uris: [...odd, ...good] }), settings)).toEqual(good);
  });
  it('the bare key if no address is known', () => {
    expect(peersOf(info({ public_key: key }), settings)).toEqual([key]);
    expect(peersOf(info({ public_key: 'not a key', uris: 'none' }), settings)).toEqual([]);
  });
});

describe('stages', () => {
  it.each([
    ['CREATED', 'EXPECT_PAYMENT', false, 'awaiting_payment'],
    ['CREATED', 'EXPECT_PAYMENT', true, 'expired'],
    ['CREATED', '', false, 'awaiting_payment'],
    ['CREATED', 'HOLD', true, 'paid'],
    ['CREATED', 'PAID', false, 'paid'],
    ['CREATED', 'REFUNDED', false, 'refunded'],
    ['CREATED', 'CANCELLED', false, 'refunded'],
    ['CANCELLED', 'EXPECT_PAYMENT', false, 'failed'],
    ['CANCELLED', 'EXPECT_PAYMENT', true, 'expired'],
    ['CANCELLED', 'REFUNDED', false, 'refunded'],
    ['REFUNDED', '', false, 'refunded'],
    ['CREATED', 'PONDERING', false, undefined],
    ['PONDERING', 'EXPECT_PAYMENT', false, undefined],
    ['PONDERING', '', false, undefined],
    ['', '', false, undefined],
    ['', 'EXPECT_PAYMENT', false, 'awaiting_payment'],
    ['EXPECT_PAYMENT', '', false, 'awaiting_payment'],
    ['PAID', '', false, 'paid'],
    ['OPENING', 'EXPECT_PAYMENT', true, 'paid'],
    ['EXPIRED', 'EXPECT_PAYMENT', false, 'expired'],
    ['COMPLETED', 'PAID', false, 'finished'],
    ['COMPLETED', '', false, 'finished'],
    ['FAILED', 'REFUNDED', false, 'refunded'],
    ['FAILED', 'HOLD', false, 'refunded'],
    ['FAILED', 'PAID', false, 'review'],
    ['FAILED', 'EXPECT_PAYMENT', false, 'failed'],
    ['FAILED', 'EXPECT_PAYMENT', true, 'expired'],
    ['FAILED', '', false, 'failed'],
    ['FAILED', 'SETTLED', false, 'review'],
  ] as const)('%s with %s, over: %s', (order, payment, isOver, stage) => {
    expect(stageOf(order, payment, payment === '' ? [] : [payment], 'lightning', isOver)).toBe(stage);
  });

  it('an order paid in another way than chosen is paid; an on-chain failure without details is a review', () => {
    expect(stageOf('CREATED', 'CANCELLED', ['CANCELLED', 'PAID'], 'lightning', false)).toBe('paid');
    expect(stageOf('FAILED', '', [], 'onchain', false)).toBe('review');
  });

  it.each([
    ['CREATED', 'CANCELLED', false, 'failed'],
    ['CREATED', 'CANCELED', true, 'expired'],
    ['FAILED', 'CANCELLED', false, 'failed'],
    ['CANCELLED', '', false, 'failed'],
    ['CANCELLED', 'PONDERING', true, 'expired'],
    ['FAILED', 'HOLD', false, 'review'],
    ['FAILED', 'REFUNDED', false, 'refunded'],
    ['REFUNDED', '', false, 'refunded'],
  ] as const)('on chain, only REFUNDED says that money went back: %s with %s, over: %s', (order, payment, isOver, stage) => {
    expect(stageOf(order, payment, payment === '' ? [] : [payment], 'onchain', isOver)).toBe(stage);
  });

  it('an order that failed was not refunded by a released invoice if it was paid in another way', () => {
    expect(stageOf('FAILED', 'CANCELLED', ['CANCELLED', 'PAID'], 'lightning', false)).toBe('review');
  });
});

describe('evidence', () => {
  const bolt11 = { state: 'EXPECT_PAYMENT', fee_total_sat: '8888', order_total_sat: '2008888', invoice: 'x', expires_at: '2015-01-25T19:29:44.612Z' };
  const order = (more: object, payment: object = { bolt11 }): OrderWire => {
    const found = findOrder({ order_id: 'o', order_state: 'CREATED', payment, ...more });
    if (found === undefined || found === 'unnamed' || !found.order) throw new Error('no order');
    return found.order;
  };
  const followed = { receive: 2_000_000n, facts: {}, upstream: { pay_with: 'lightning' } };
  type Followed = Parameters<typeof toEvidenceBy>[1];
  const toEvidence = (read: OrderWire, ours: Followed, now: number) => toEvidenceBy(read, ours, now, settings);

  it('amounts of the way that was chosen, the balance from the order or from ours', () => {
    const onchain = { state: 'EXPECT_PAYMENT', fee_total_sat: '9999', order_total_sat: '2009999', address: 'y' };
    expect(toEvidence(order({}, { bolt11, onchain }), { ...followed, upstream: { pay_with: 'onchain' } }, 0)).toEqual({
      upstreamOrderId: 'o',
      stage: 'awaiting_payment',
      rawStatus: 'CREATED/EXPECT_PAYMENT',
      pay: 2_009_999n,
      receive: 2_000_000n,
      fee: 9999n,
    });
    expect(toEvidence(order({ client_balance_sat: '2000000' }), { ...followed, receive: 0n }, 0)).toMatchObject({ pay: 2_008_888n, fee: 8888n });
  });

  const ordered = { ...followed, facts: { inbound_sats: 1_000_000, lease_blocks: 4320 }, upstream: { pay_with: 'lightning', announce: false } };
  it.each([
    ["less on the seller's side", { lsp_balance_sat: '20000' }],
    ["less on the customer's side", { client_balance_sat: '0' }],
    ['a shorter lease', { channel_expiry_blocks: 144 }],
    ['an announced channel', { announce_channel: true }],
  ])('%s than was ordered needs a person, unless there is no money in it', (_what, other) => {
    const stated = { lsp_balance_sat: '1000000', client_balance_sat: '2000000', channel_expiry_blocks: 4320, announce_channel: false };
    const read = (order_state: string, state: string, more: object) =>
      toEvidence(order({ ...stated, ...more, order_state, payment: { bolt11: { state } } }), ordered, 0);
    expect(read('COMPLETED', 'HOLD', {})).toMatchObject({ stage: 'finished' });
    expect(read('COMPLETED', 'HOLD', other)).toMatchObject({ stage: 'review', moneySeen: true });
    const unpaid = read('CREATED', 'EXPECT_PAYMENT', other);
    expect([unpaid.stage, unpaid.moneySeen]).toEqual(['review', undefined]);
    expect(read('EXPIRED', 'EXPECT_PAYMENT', other)).toMatchObject({ stage: 'expired' });
    // An order of an earlier release has no note of what was announced.
    expect(toEvidence(order({ announce_channel: true }), { ...ordered, upstream: followed.upstream }, 0)).toMatchObject({ stage: 'awaiting_payment' });
  });

  it('an order without amounts is still read', () => {
    expect(toEvidence(order({ payment: null }), followed, 0)).toEqual({ upstreamOrderId: 'o', stage: 'awaiting_payment', rawStatus: 'CREATED' });
  });

  it.each([
    ['a total of nothing', { order_total_sat: '0', fee_total_sat: '0' }],
    ['a negative fee', { order_total_sat: '1999999', fee_total_sat: '-1' }],
    ['a sat too much', { order_total_sat: '2008889' }],
    ['less than the client gets', { order_total_sat: '1999999', fee_total_sat: null }],
    ['nothing more to pay', { order_total_sat: '0' }],
  ])('%s needs a person, shows no amounts, and hides no payment', (_name, more) => {
    const read = (order_state: string, state: string) =>
      toEvidence(order({ order_state }, { bolt11: { ...bolt11, ...more, expires_at: null, state } }), followed, 0);
    const amounts = { pay: undefined, receive: undefined, fee: undefined };
    expect({ ...amounts, ...read('CREATED', 'EXPECT_PAYMENT') }).toEqual({
      upstreamOrderId: 'o',
      rawStatus: 'CREATED/EXPECT_PAYMENT',
      stage: 'review',
      ...amounts,
    });
    for (const [of, way] of [
      ['CREATED', 'HOLD'],
      ['CREATED', 'PAID'],
      ['COMPLETED', 'PAID'],
      ['COMPLETED', 'HOLD'],
      ['OPENING', 'EXPECT_PAYMENT'],
    ] as const)
      expect({ ...amounts, ...read(of, way) }).toEqual({ upstreamOrderId: 'o', rawStatus: `${of}/${way}`, stage: 'review', moneySeen: true, ...amounts });
    for (const [of, way, stage] of [
      ['EXPIRED', 'EXPECT_PAYMENT', 'expired'],
      ['FAILED', 'REFUNDED', 'refunded'],
      ['CANCELLED', 'EXPECT_PAYMENT', 'failed'],
    ] as const)
      expect({ ...amounts, ...read(of, way) }).toEqual({ upstreamOrderId: 'o', rawStatus: `${of}/${way}`, stage, ...amounts });
  });

  it('a channel that was opened without what the customer gets is not forgotten (COMPLETED, PAID, a balance of nothing)', () => {
    const turbo = { receive: 100_000n, facts: { inbound_sats: 100_000 }, upstream: { pay_with: 'lightning' } };
    const paid = { bolt11: { state: 'PAID', fee_total_sat: '5400', order_total_sat: '105400' } };
    expect(toEvidence(order({ order_state: 'COMPLETED', client_balance_sat: '0' }, paid), turbo, 0)).toEqual({
      upstreamOrderId: 'o',
      rawStatus: 'COMPLETED/PAID',
      stage: 'review',
      moneySeen: true,
    });
  });

  it('a payment on chain has some time to confirm after the last moment to make it', () => {
    const end = Date.UTC(2026, 10, 21);
    const read = (now: number, more: object, expiresOn: number, payWith = 'onchain') => {
      const way = { state: 'EXPECT_PAYMENT', fee_total_sat: '8888', order_total_sat: '2008888', ...more };
      const { stage, arriving } = toEvidence(order({}, { bolt11: way, onchain: way }), { ...followed, upstream: { pay_with: payWith }, expiresOn }, now);
      return [stage, arriving];
    };
    const stated = { expires_at: new Date(end).toISOString() };
    const perBlock = settings.onchain_margin_s * 1000;
    expect(read(end - perBlock - 1, stated, end - perBlock)).toEqual(['awaiting_payment', undefined]);
    for (const now of [end - perBlock, end - 1]) expect(read(now, stated, end - perBlock)).toEqual(['awaiting_payment', true]);
    expect(read(end, stated, end - perBlock)).toEqual(['expired', undefined]);
    // If the seller states no end, the margin begins at the end that the customer was told.
    for (const [now, arriving] of [
      [end - 1, undefined],
      [end, true],
      [end + perBlock - 1, true],
      [end + perBlock, undefined],
    ] as const)
      expect(read(now, {}, end)).toEqual(['awaiting_payment', arriving]);
    // The margin counts for each confirmation that the seller wants, but at most six times.
    expect(read(end + 3 * perBlock - 1, { min_onchain_payment_confirmations: 3 }, end)).toEqual(['awaiting_payment', true]);
    expect(read(end + 6 * perBlock, { min_onchain_payment_confirmations: 65_535 }, end)).toEqual(['awaiting_payment', undefined]);
    // An unknown state may be the seller's word for an unconfirmed payment.
    for (const now of [end - perBlock, end - 1]) expect(read(now, { ...stated, state: 'PENDING' }, end - perBlock)).toEqual([undefined, true]);
    expect(read(end - perBlock - 1, { ...stated, state: 'PENDING' }, end - perBlock)).toEqual([undefined, undefined]);
    expect(read(end, { ...stated, state: 'PENDING' }, end - perBlock)).toEqual([undefined, undefined]);
    // The payment of an invoice is seen at once, so there is no margin for it.
    expect(read(end, {}, end, 'lightning')).toEqual(['awaiting_payment', undefined]);
  });

  it('invalid times and outpoints are left out, and long words are cut', () => {
    const channel = { funded_at: 1e10, expires_at: 'soon', funding_outpoint: 'https://evil.example' };
    const evidence = toEvidence(order({ order_state: 'x'.repeat(4000), channel, client_balance_sat: '2000000' }), followed, 0);
    expect(evidence).toEqual({
      upstreamOrderId: 'o',
      rawStatus: `${'X'.repeat(64)}/EXPECT_PAYMENT`,
      pay: 2_008_888n,
      receive: 2_000_000n,
      fee: 8888n,
      expiresOn: 1_422_214_184_612,
    });
  });

  it('a negative balance is not that of the order', () => {
    const read = toEvidence(order({ client_balance_sat: '-1' }, { bolt11: { ...bolt11, order_total_sat: '8887' } }), followed, 0);
    expect([read.stage, read.pay, read.receive, read.fee]).toEqual(['review', undefined, undefined, undefined]);
  });

  it('msat of a fee is rounded up', () => {
    const payment = { state: 'EXPECT_PAYMENT', total_fee_msat: 8_887_001 };
    expect(toEvidence(order({}, payment), followed, 0)).toMatchObject({ pay: 2_008_888n, fee: 8888n });
  });
});

describe('errors', () => {
  it.each([
    ['code 100', { error: { code: 100, message: 'Option mismatch', data: { property: 'max_channel_expiry_blocks' } } }, { reason: 'lease-unsupported' }],
    ['-32602', { error: { code: -32602, message: 'Invalid params', data: { property: 'lsp_balance_sat' } } }, { reason: 'option-unsupported' }],
    ['bare JSON-RPC', { code: 1, message: 'Client rejected', data: { message: 'Peer is offline' } }, { reason: 'peer-not-connected', connectTo: 'peer' }],
    ['text of an error', { error: 'Please connect to our node first' }, { reason: 'peer-not-connected', connectTo: 'peer' }],
    ['whitelist', { message: 'whitelist required' }, { reason: 'declined', note: 'node-not-listed' }],
    ['code 102', { error: { code: 102, message: 'stale' } }, { reason: 'declined', note: 'token-refused' }],
    ['rejected', { error: { code: 1, message: 'Client rejected' } }, { reason: 'declined' }],
    ['nothing to read', undefined, { reason: 'declined' }],
    ['odd types', { error: { code: 'x', message: 5, data: 'y' } }, { reason: 'declined' }],
  ])('%s', (_name, body, refusal) => {
    expect(toRefusal(body, 'peer')).toEqual(refusal);
  });

  it('words of a rate limit are one', () => {
    expect(() => toRefusal('Too many requests', 'peer')).toThrow(ProviderFault);
    expect(() => toRefusal('Too many requests', 'peer')).toThrow('rate-limited');
  });

  it('not found, by code or by words', () => {
    expect([{ error: { code: 101 } }, { message: 'Order not found' }, { error: { code: 1 } }].map(isNotFound)).toEqual([true, true, false]);
  });
});

it('unreadable notes count as an estimate paid by Lightning', () => {
  expect(notesOf(null)).toEqual({ pay_with: 'lightning' });
  expect(notesOf({ pay_with: 'onchain', order_id: 'o', odd: 1 })).toEqual({ pay_with: 'onchain', order_id: 'o' });
});
