/** Tests the table of states, row by row, and what was seen in the field. The rows are those of README.md. */
import { describe, expect, it } from 'vitest';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { advance, type OrderNow } from '../../domain/order-life.ts';
import { settings as schema } from './blocktank-settings.ts';
import { hasMoney, lastPaymentOf, rawStatusOf, stageOf, type Following } from './blocktank-stage.ts';
import { findOrder, type OrderWire } from './blocktank-wire.ts';

const settings = schema.parse({ base_url: 'https://blocktank.example/api' });
const now = Date.UTC(2026, 10, 21, 10, 30);
const end = Date.UTC(2026, 10, 21, 11, 15);
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const following: Following = { now, payWith: 'lightning', redeemable: false, paymentSeen: false, settings };

type Said = { state?: string; state2?: string; payment?: object; channel?: object; orderExpiresAt?: string; orderExiresAt?: string };
const orderOf = (said: Said): OrderWire => {
  const order = findOrder({ id: 'one', feeSat: 19_021, orderExpiresAt: new Date(end).toISOString(), ...said })?.order;
  if (!order) throw new Error('not an order');
  return order;
};
const onchain = (confirmedSat: number, ...confirmations: number[]) => ({
  confirmedSat,
  requiredConfirmations: 1,
  transactions: confirmations.map((blockConfirmations) => ({ amountSat: confirmedSat, txId: 'f'.repeat(64), vout: 0, blockConfirmations })),
});
const stage = (said: Said, more: Partial<Following> = {}) => stageOf(orderOf(said), { ...following, ...more });

describe('the table', () => {
  it.each<[string, Said, Partial<Following>, ReturnType<typeof stage>]>([
    ['created, created', { state2: 'created', payment: { state2: 'created' } }, {}, 'awaiting_payment'],
    ['created, created, after the end', { state2: 'created', payment: { state2: 'created' } }, { now: end }, 'expired'],
    ['created, partiallyPaid', { state2: 'created', payment: { state2: 'created', state: 'partiallyPaid' } }, {}, 'underpaid'],
    ['created, partiallyPaid in the old words alone', { state: 'created', payment: { state: 'partiallyPaid' } }, {}, 'underpaid'],
    ['created, a part is confirmed', { state2: 'created', payment: { state2: 'created', onchain: onchain(19_020, 1) } }, {}, 'underpaid'],
    ['created, paid', { state2: 'created', payment: { state2: 'paid' } }, {}, 'paid'],
    ['paid, paid', { state2: 'paid', payment: { state2: 'paid' } }, {}, 'paid'],
    ['created, the invoice is held', { state2: 'created', payment: { state2: 'created', bolt11Invoice: { state: 'holding' } } }, {}, 'paid'],
    ['created, the invoice is held in the other word', { state2: 'created', payment: { state2: 'created', bolt11Invoice: { state: 'inflight' } } }, {}, 'paid'],
    ['paid, and the wallet opens', { state2: 'paid', payment: { state2: 'paid' } }, { redeemable: true }, 'filled'],
    ['executed, opening', { state2: 'executed', payment: { state2: 'paid' }, channel: { state: 'opening' } }, {}, 'finished'],
    ['executed, open', { state2: 'executed', payment: { state2: 'paid' }, channel: { state: 'open' } }, {}, 'finished'],
    ['executed, closed later', { state2: 'executed', payment: { state2: 'paid' }, channel: { state: 'closed' } }, {}, 'finished'],
    ['expired, refunded', { state2: 'expired', payment: { state2: 'refunded' } }, {}, 'refunded'],
    ['expired, canceled after holding', { state2: 'expired', payment: { state2: 'canceled' } }, { paymentSeen: true }, 'refunded'],
    ['expired, canceled, and the order still counts it', { state2: 'expired', payment: { state2: 'canceled', paidSat: 19_021 } }, {}, 'refunded'],
    ['expired, refundAvailable with a refund address', { state2: 'expired', payment: { state2: 'refundAvailable' } }, { payWith: 'onchain' }, 'paid'],
    ['expired, refundAvailable without one', { state2: 'expired', payment: { state2: 'refundAvailable' } }, {}, 'review'],
    [
      'expired, refundAvailable for longer than refunds may take',
      { state2: 'expired', payment: { state2: 'refundAvailable' } },
      { payWith: 'onchain', now: end + 14 * day },
      'review',
    ],
    ['expired, and the invoice is still held', { state2: 'expired', payment: { state2: 'created', bolt11Invoice: { state: 'holding' } } }, {}, undefined],
    ['expired, created', { state2: 'expired', payment: { state2: 'created' } }, {}, 'expired'],
    ['expired, canceled', { state2: 'expired', payment: { state2: 'canceled' } }, {}, 'expired'],
    ['an unknown state', { state2: 'resting', payment: { state2: 'created' } }, {}, undefined],
    ['an unknown state of the payment', { state2: 'created', payment: { state2: 'resting' } }, {}, undefined],
    ['executed, yet not paid', { state2: 'executed', payment: { state2: 'created' } }, {}, undefined],
    ['expired, yet paid', { state2: 'expired', payment: { state2: 'paid' } }, {}, 'expired'],
    ['expired, yet the invoice is settled', { state2: 'expired', payment: { state2: 'created', bolt11Invoice: { state: 'paid' } } }, {}, 'expired'],
    ['expired, and the held invoice counts as paid', { state2: 'expired', payment: { state2: 'paid', bolt11Invoice: { state: 'holding' } } }, {}, undefined],
    ['no state at all', {}, {}, undefined],
    // The old words, without state2.
    ['old: created', { state: 'created', payment: { state: 'created' } }, {}, 'awaiting_payment'],
    ['old: open', { state: 'open', payment: { state: 'paid' } }, {}, 'finished'],
    ['old: closed', { state: 'closed', payment: { state: 'paid' } }, {}, 'finished'],
    ['old: expired', { state: 'expired', payment: { state: 'created' } }, {}, 'expired'],
    ['in capitals', { state2: 'EXECUTED', payment: { state2: 'Paid' } }, {}, 'finished'],
    ['expired with a part of the money', { state: 'expired', payment: { state: 'partiallyPaid' } }, {}, 'underpaid'],
  ])('%s', (_what, said, more, expected) => {
    expect(stage(said, more)).toBe(expected);
  });
});

describe('what was seen in the field', () => {
  const waiting = (confirmedSat: number, ...confirmations: number[]): Said => ({
    state2: 'created',
    payment: { state2: 'created', paidSat: 0, onchain: onchain(confirmedSat, ...confirmations) },
  });
  it('a confirmed payment that the order overlooks is shown as paid, and needs a person after about two hours', () => {
    const onChain = { payWith: 'onchain' } as const;
    expect(stage(waiting(19_021, 1), onChain)).toBe('paid');
    expect(stage(waiting(19_021, 12), onChain)).toBe('paid');
    expect(stage(waiting(19_021, 13), onChain)).toBe('review');
    expect(stage(waiting(19_021, 1), { ...onChain, now: end + 2 * hour })).toBe('review');
    expect(rawStatusOf(orderOf(waiting(19_021, 1)))).toBe('created/created, paid 0, confirmed 19021 of 19021');
    expect(hasMoney(orderOf(waiting(19_021, 1)))).toBe(true);
  });

  it('an order that takes only more than its amount does not leave an exact payment unnoticed', () => {
    expect(stage(waiting(19_021, 20), { payWith: 'onchain' })).toBe('review');
  });

  it('money that comes after the end shows with the expiry', () => {
    const late = { state2: 'expired', payment: { state2: 'created', onchain: onchain(19_021, 1) } };
    expect([stage(late, { payWith: 'onchain', now: end + day }), hasMoney(orderOf(late))]).toEqual(['expired', true]);
  });

  it('an order is not expired for an hour while its transaction is on its way', () => {
    const said = { state2: 'created', payment: { state2: 'created', onchain: onchain(0, 0) } };
    expect(stage(said, { payWith: 'onchain', now: end + hour - 1 })).toBe('awaiting_payment');
    expect(stage(said, { payWith: 'onchain', now: end + hour })).toBe('expired');
  });

  it('a transaction that never confirms: once the payment is canceled, nobody waits, and there is no money', () => {
    for (const state2 of ['created', 'expired']) {
      const said = { state2, payment: { state2: 'canceled', paidSat: 0, onchain: onchain(0, 0) } };
      expect([stage(said, { payWith: 'onchain' }), hasMoney(orderOf(said))]).toEqual(['expired', false]);
    }
  });

  it('payments end with a margin: ten minutes for Lightning, an hour on chain, and never after the invoice', () => {
    expect(lastPaymentOf(orderOf({}), 'lightning', settings)).toBe(end - 10 * minute);
    expect(lastPaymentOf(orderOf({}), 'onchain', settings)).toBe(end - hour);
    const seconds = end / 1000 - 1200;
    const request = encodeInvoice({
      network: 'regtest',
      amountMsat: 19_021_000n,
      timestamp: seconds,
      expirySeconds: 300,
      paymentHash: '00'.repeat(32),
      paymentSecret: '11'.repeat(32),
      description: '',
      payeePrivateKey: '22'.repeat(32),
    });
    const payment = { state2: 'created', bolt11Invoice: { request } };
    expect(lastPaymentOf(orderOf({ payment }), 'lightning', settings)).toBe((seconds + 300) * 1000);
    expect(stage({ state2: 'created', payment }, { now: (seconds + 300) * 1000 })).toBe('expired');
    expect(stage({ state2: 'created', payment }, { now: (seconds + 300) * 1000, payWith: 'onchain' })).toBe('awaiting_payment');
  });

  it('the misspelt end is read', () => {
    const at = new Date(end).toISOString();
    const order = findOrder({ id: 'one', orderExiresAt: at })?.order;
    expect(order?.orderExpiresAt).toBe(end);
  });

  /** Returns what becomes of an order in one of these stages. */
  const advanced = (before: OrderNow['stage'], said: Said, more: Partial<Following>) => {
    const order = orderOf(said);
    const seen = stageOf(order, { ...following, ...more });
    const evidence = { rawStatus: rawStatusOf(order), ...(seen ? { stage: seen } : {}), ...(hasMoney(order) ? { moneySeen: true } : {}) };
    return advance({ stage: before, ramp: 'liquidity', binding: true, pay: 19_021n, receive: 0n, expiresOn: end }, evidence, now);
  };
  it.each<[string, OrderNow['stage'], object, Partial<Following>]>([
    ['on chain, paid before', 'paid', { state2: 'canceled' }, { payWith: 'onchain', paymentSeen: true }],
    ['on chain, paid and not confirmed', 'awaiting_payment', { state2: 'canceled', paidSat: 19_021, onchain: onchain(0, 0) }, { payWith: 'onchain' }],
    ['by Lightning, settled', 'awaiting_payment', { state2: 'canceled', bolt11Invoice: { state: 'paid' } }, {}],
    ['by Lightning, settled and paid before', 'paid', { state2: 'canceled', bolt11Invoice: { state: 'paid' } }, { paymentSeen: true }],
  ])('only a held invoice goes back by being cancelled: %s', (_what, before, payment, more) => {
    for (const state2 of ['created', 'expired'])
      expect(advanced(before, { state2, payment }, more)).toMatchObject({ next: 'review', reason: 'paid-not-delivered' });
  });

  it.each<[string, Said, Partial<Following>, OrderNow['stage']]>([
    ['expired, yet paid on chain', { state2: 'expired', payment: { state2: 'paid' } }, { payWith: 'onchain' }, 'review'],
    ['expired, yet the invoice is settled', { state2: 'expired', payment: { state2: 'created', bolt11Invoice: { state: 'paid' } } }, {}, 'review'],
    ['an unknown word for a refund', { state2: 'expired', payment: { state2: 'refunding' } }, { payWith: 'onchain', now: end }, 'paid'],
    ['an unknown word for the order', { state2: 'opening', payment: { state2: 'paid' } }, {}, 'paid'],
  ])('money is never overlooked for its words: %s', (_what, said, more, next) => {
    expect(advanced('awaiting_payment', said, more).next).toBe(next);
    expect(advanced('expired', said, more).next).toBe('review');
  });

  it('a refund that nobody saw paid is not a payment', () => {
    expect(hasMoney(orderOf({ state2: 'expired', payment: { state2: 'refunded' } }))).toBe(false);
  });

  it('money by Lightning that was sent back is no longer on its way', () => {
    const said = { state2: 'expired', payment: { state2: 'canceled', bolt11Invoice: { state: 'holding' } } };
    expect(stage(said)).toBe('expired');
    expect(stage(said, { paymentSeen: true })).toBe('refunded');
  });
});
