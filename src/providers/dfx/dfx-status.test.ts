import { describe, expect, it, test } from 'vitest';
import { transactionReply, transactionsReply } from './dfx-order-wire.ts';
import { evidenceOf, stageOf, unlinked } from './dfx-status.ts';

const row = (more: object) =>
  transactionReply.parse({ id: 9, uid: 'T3', orderUid: 'Q7', type: 'Buy', inputAmount: 100, inputAsset: 'EUR', state: 'x', ...more });
const order = { upstreamOrderId: 'Q7', createdOn: Date.UTC(2026, 10, 1), pay: 10_000n, receive: 123_137n };

describe('every state', () => {
  it.each([
    ['WaitingForPayment', 'paid', 'paid'],
    ['Created', 'paid', 'paid'],
    ['Processing', 'paid', 'paid'],
    ['LiquidityPending', 'paid', 'paid'],
    ['PriceUndeterminable', 'paid', 'paid'],
    ['FeeTooHigh', 'paid', 'paid'],
    ['CheckPending', 'paid', 'paid'],
    ['KycRequired', 'paid', 'paid'],
    ['LimitExceeded', 'paid', 'paid'],
    ['PayoutInProgress', 'paid', 'filled'],
    ['Completed', 'finished', 'finished'],
    ['ReturnPending', 'paid', 'paid'],
    ['Returned', 'refunded', 'refunded'],
    ['Failed', 'failed', 'failed'],
    ['Stopped', 'review', 'review'],
    ['Unassigned', 'review', 'review'],
    ['NeverHeardOf', undefined, undefined],
  ] as const)('%s', (state, bought, sold) => expect([stageOf(row({ state }), 'buy'), stageOf(row({ state }), 'sell')]).toEqual([bought, sold]));
  it('is unpaid as long as only the order is known', () => {
    for (const state of ['WaitingForPayment', 'Created']) expect(stageOf(row({ state, id: null, uid: 'Q7', orderUid: null }), 'buy')).toBe('awaiting_payment');
  });
  it('that sent money back is a refund', () => expect(stageOf(row({ state: 'Failed', chargebackTxId: 'x' }), 'buy')).toBe('refunded'));
});

describe('amounts', () => {
  const done = { state: 'Completed', outputAmount: 0.0012314, outputTxId: '5a'.repeat(32), outputDate: '2026-11-02T10:00:00Z' };
  test('sats that are shown rounded are the ordered ones if those round to them', () => {
    expect(evidenceOf(row(done), 'buy', order).receive).toBe(123_137n);
    expect(evidenceOf(row({ ...done, outputAmount: 0.001213 }), 'buy', order).receive).toBe(121_300n);
    const sale = { pay: 250_000n, receive: 19_802n, upstreamOrderId: 'Q7' };
    expect(evidenceOf(row({ ...done, type: 'Sell', inputAmount: 0.0025, outputAmount: 198.02, outputAsset: 'EUR' }), 'sell', sale)).toMatchObject({
      pay: 250_000n,
      receive: 19_802n,
      echo: { currency: 'EUR' },
    });
  });
  test('an output before the end is only an estimate', () => {
    expect(evidenceOf(row({ ...done, state: 'Processing' }), 'buy', order)).not.toHaveProperty('receive');
    expect(evidenceOf(row({ ...done, state: 'Processing' }), 'buy', order).facts).not.toHaveProperty('payout_id');
  });
  test('what went back', () => {
    const back = evidenceOf(row({ state: 'Returned', chargebackAmount: 99.5 }), 'buy', order);
    expect([back.stage, back.pay, back.receive]).toEqual(['refunded', 9_950n, undefined]);
    expect(evidenceOf(row({ state: 'Failed', chargebackTxId: 'x', chargebackAmount: 50 }), 'buy', order).pay).toBe(5_000n);
    const sale = { ...row({ type: 'Sell', state: 'Returned', inputAmount: 0.0025, chargebackAmount: 0.0025 }) };
    const sold = evidenceOf(sale, 'sell', { pay: 250_000n, receive: 19_802n, upstreamOrderId: 'Q7' });
    expect([sold.pay, sold.receive]).toEqual([250_000n, undefined]);
  });
});

describe('a payment without its order', () => {
  const day = 86_400_000;
  const date = (days: number) => new Date(order.createdOn + days * day).toISOString();
  const open = (uid: string, inputAmount: number) => ({ uid, type: 'Buy', state: 'WaitingForPayment', inputAmount, inputAsset: 'EUR', date: date(0) });
  const payment = (uid: string, inputAmount: number, more: object = {}) => ({ ...open(uid, inputAmount), id: 3, state: 'Processing', date: date(8), ...more });
  const found = (...rows: object[]) => unlinked(transactionsReply.parse(rows), 'buy', order, 1_000);

  it('is found by date and amount', () => {
    expect(found(open('Q7', 100), payment('T1', 95))).toMatchObject({ stage: 'paid', pay: 9_500n, upstreamOrderId: 'Q7', facts: { transaction_id: 'T1' } });
  });
  it.each([
    ['of another amount', payment('T1', 120)],
    ['from before the order', payment('T1', 100, { date: date(-1) })],
    ['without a date', payment('T1', 100, { date: null })],
    ['of another order', payment('T1', 100, { orderUid: 'Q8' })],
    ['in the other direction', payment('T1', 100, { type: 'Sell' })],
    ['for another coin', payment('T1', 100, { outputAsset: 'ETH' })],
    ['for bitcoin on chain', payment('T1', 100, { outputAsset: 'BTC', outputBlockchain: 'Bitcoin' })],
  ])('%s is not', (_, other) => expect(found(open('Q7', 100), other)).toBeUndefined());
  it("is a sale's only if it is of exactly its amount, in bitcoin over Lightning, and explains no other sale", () => {
    const sale = { ...order, pay: 105_000n, receive: 8_000n, others: ['T9'] };
    const paid = (uid: string, inputAmount: number, more: object = {}) => payment(uid, inputAmount, { type: 'Sell', inputAsset: 'BTC', ...more });
    const soldBy = (...rows: object[]) => unlinked(transactionsReply.parse(rows), 'sell', sale, 1_000);
    expect(soldBy(paid('T1', 0.001))).toBeUndefined();
    expect(soldBy(paid('T1', 0.00105, { inputAsset: 'ETH' }))).toBeUndefined();
    expect(soldBy(paid('T9', 0.00105))).toBeUndefined();
    expect(soldBy(paid('T9', 0.00105), paid('T1', 0.00105))).toMatchObject({ stage: 'paid', facts: { transaction_id: 'T1' } });
  });
  it("is no older sale's once the same amount was sold again; late money that no other sale explains is", () => {
    const hour = 3_600_000;
    const sale = { ...order, pay: 105_000n, receive: 8_000n, expiresOn: order.createdOn + hour, facts: { sent_again: true as const } };
    const paid = (afterMs: number, more: object = {}) =>
      payment('T1', 0.00105, { type: 'Sell', inputAsset: 'BTC', date: new Date(sale.expiresOn + afterMs).toISOString(), ...more });
    const soldBy = (row: object, more: object = {}) => unlinked(transactionsReply.parse([row]), 'sell', { ...sale, ...more }, 1_000)?.stage;
    const again = { amountAgainOn: sale.expiresOn + 2 * hour };
    const minute = 60_000;
    // In time: ten minutes for the sats to arrive, and ten for DFX's clock.
    expect(soldBy(paid(20 * minute), again)).toBe('paid');
    // A payment that is dated before the newer sale could be paid still counts for the older one.
    expect(soldBy(paid(2 * hour - 10 * minute - 1), again)).toBe('paid');
    for (const late of [2 * hour - 10 * minute, 2 * hour, 50 * hour]) {
      expect([late, soldBy(paid(late), again)]).toEqual([late, undefined]);
      expect([late, soldBy(paid(late))]).toEqual([late, 'paid']);
    }
    // The newer sale takes the payments that do not count for the older one.
    const newer = { createdOn: again.amountAgainOn, expiresOn: again.amountAgainOn + hour };
    expect([2 * hour - 10 * minute - 1, 2 * hour - 10 * minute].map((at) => soldBy(paid(at), newer))).toEqual([undefined, 'paid']);
    // A payment that DFX links to another order does not count if it is dated after this order's invoice had expired.
    expect([20 * minute, 20 * minute + 1].map((at) => soldBy(paid(at, { orderUid: 'Q8' })))).toEqual(['review', undefined]);
  });
  it("is the order's if DFX linked it to another order of the same request, whatever its amount", () => {
    const sent = { ...order, idempotencyKey: 'ours' };
    const twin = (more: object) => payment('T1', 105, { orderUid: 'Q8', externalTransactionId: 'ours', ...more });
    const bought = (...rows: object[]) => unlinked(transactionsReply.parse(rows), 'buy', sent, 1_000);
    expect(bought(twin({ inputAmount: 130 }))).toMatchObject({ stage: 'paid', pay: 13_000n, upstreamOrderId: 'Q7', facts: { transaction_id: 'T1' } });
    expect(bought(twin({}), open('Q9', 105))).toMatchObject({ stage: 'paid' });
    expect(bought(twin({}), payment('T2', 100))).toMatchObject({ stage: 'paid', facts: { transaction_id: 'T1' } });
    expect(bought(twin({}), { ...twin({}), uid: 'T2' })).toMatchObject({ stage: 'review', moneySeen: true });
    for (const more of [{ externalTransactionId: 'theirs' }, { externalTransactionId: null }, { date: date(-1) }, { outputAsset: 'ETH' }])
      expect(bought(twin(more))).toBeUndefined();
  });
  it('is for a person if the order was sent again and DFX does not say which request made the order to sell that it linked it to', () => {
    const sale = { ...order, pay: 105_000n, receive: 8_000n, idempotencyKey: 'ours', others: ['Q9'], facts: { sent_again: true as const } };
    const paid = (more: object = {}) => payment('T1', 0.00105, { type: 'Sell', inputAsset: 'BTC', orderUid: 'Q8', ...more });
    const sold = (...rows: object[]) => unlinked(transactionsReply.parse(rows), 'sell', sale, 1_000);
    expect(sold(paid())).toMatchObject({ stage: 'review' });
    // The payment may just as well be for a sale in DFX's own app: nothing shows that this order was paid.
    for (const rows of [[paid()], [paid(), paid({ uid: 'T2', orderUid: 'Q10' })]]) expect(sold(...rows)).not.toHaveProperty('moneySeen');
    expect(sold(paid(), paid({ uid: 'T2', orderUid: null }))).toMatchObject({ stage: 'review', moneySeen: true });
    expect(sold(paid({ externalTransactionId: 'ours' }))).toMatchObject({ stage: 'paid' });
    for (const more of [{ externalTransactionId: 'theirs' }, { inputAmount: 0.00106 }, { orderUid: 'Q9' }]) expect(sold(paid(more))).toBeUndefined();
    // A request that was sent once made one order.
    expect(unlinked(transactionsReply.parse([paid()]), 'sell', { ...sale, facts: {} }, 1_000)).toBeUndefined();
  });
  it('is for a person if there are two', () => {
    expect(found(open('Q7', 100), payment('T1', 95), payment('T2', 102))).toMatchObject({ stage: 'review', moneySeen: true });
  });
  it('is for a person if another open order is as near', () => {
    expect(found(open('Q7', 100), open('Q8', 105), payment('T1', 102))).toMatchObject({ stage: 'review', moneySeen: true });
    expect(found(open('Q7', 100), open('Q8', 200), payment('T1', 102))).toMatchObject({ stage: 'paid' });
  });
});
