import { describe, expect, test } from 'vitest';
import type { FollowedOrder, SellTransaction } from '../spec.ts';
import { holdsAmount } from '../../domain/order-life.ts';
import {
  accountFrom,
  connectionOf,
  couldMatch,
  evidenceOf,
  isEmail,
  matchedEvidence,
  matchTransaction,
  readNotes,
  recognised,
  stageOf,
  toTransaction,
} from './bringin-mapping.ts';
import type { ConnectReply, TransactionRow } from './bringin-wire.ts';

const subtypes = { lightning_subtypes: ['LN_ADDRESS', 'LIGHTNING'], onchain_subtypes: ['ONCHAIN', 'ON_CHAIN'] };

describe('the answers of connect', () => {
  const reply = (more: Partial<ConnectReply>): ConnectReply => ({
    status: undefined,
    userRegistered: undefined,
    isUserConnected: undefined,
    apiKey: undefined,
    userId: undefined,
    signupUrl: undefined,
    ...more,
  });
  const signupUrl = 'https://bringin-lite-test.vercel.app/signup?inviteId=0b6f7d1e-52a3-4c8e-9a51-7c1f5e0d9b42';
  test.each<[string, Partial<ConnectReply>, unknown]>([
    ['connected', { status: 'connected', userRegistered: true, isUserConnected: true, apiKey: 'a2V5' }, { status: 'connected', key: 'a2V5' }],
    [
      'connected, older',
      { userRegistered: true, isUserConnected: true, apiKey: 'pk_live_a2V5', userId: 'u-1' },
      { status: 'connected', key: 'pk_live_a2V5', userId: 'u-1' },
    ],
    ['consent', { status: 'pending', userRegistered: true, isUserConnected: false }, { status: 'pending', mailSent: true }],
    ['consent, older', { userRegistered: true, isUserConnected: false }, { status: 'pending', mailSent: true }],
    ['new', { status: 'onboarding', userRegistered: false, isUserConnected: false, signupUrl }, { status: 'onboarding', mailSent: true, signupUrl: signupUrl }],
    ['new, older', { userRegistered: false, signupUrl }, { status: 'onboarding', mailSent: true, signupUrl: signupUrl }],
    ['new, link elsewhere', { userRegistered: false, signupUrl: 'https://evil.example/signup' }, { status: 'onboarding', mailSent: true }],
    ['new, link in plain http', { userRegistered: false, signupUrl: signupUrl.replace('https', 'http') }, { status: 'onboarding', mailSent: true }],
    ['refused', { status: 'rejected' }, { status: 'rejected' }],
    ['connected without a key', { status: 'connected', userRegistered: true, isUserConnected: true }, undefined],
    ['nothing at all', {}, undefined],
    ['an unknown word alone', { status: 'in_review' }, undefined],
  ])('%s', (_name, more, expected) => {
    expect(accountFrom(reply(more), ['bringin-lite-test.vercel.app'], false)).toEqual(expected);
  });
});

test('e-mail addresses, as far as a gateway can tell', () => {
  expect(['alice@example.com', 'zoë@example.com', 'a.b+c@sub.example.co'].map(isEmail)).toEqual([true, true, true]);
  expect(
    ['', 'alice', 'alice@', '@example.com', 'a@b', 'a@@b.c', 'a b@c.d', 'a@b.c\n', 'a@.com', 'a@b..c', '<a@b.c>', `${'a'.repeat(250)}@b.co`].map(isEmail),
  ).toEqual(Array(12).fill(false));
});

describe('transactions', () => {
  const row = (more: Partial<TransactionRow> = {}): TransactionRow => ({
    orderId: 'tx-1',
    type: 'OFFRAMP_WITHOUT_FIAT_WITHDRAWAL',
    subType: 'LIGHTNING',
    sourceAmount: 250_000n,
    sourceCurrency: 'BTC',
    destinationAmount: 22_720n,
    destinationCurrency: 'EUR',
    status: 'SUCCESSFUL',
    createdAt: 1_000,
    ...more,
  });
  test.each([
    ['INITIATED', 'awaiting_payment', 'awaiting_payment'],
    ['PROCESSING', 'paid', 'paid'],
    ['SUCCESSFUL', 'finished', 'filled'],
    ['successful', 'finished', 'filled'],
    ['FAILED', 'failed', 'failed'],
    ['EXPIRED', 'expired', 'expired'],
    ['SWAP_COMPLETED', undefined, undefined],
    ['constructor', undefined, undefined],
    ['', undefined, undefined],
  ])('%s is %s on the card and %s through a connection', (status, card, sepa) => {
    expect([stageOf(status, 'card'), stageOf(status, 'sepa')]).toEqual([card, sepa]);
  });
  test.each<[string, Partial<TransactionRow>, Partial<SellTransaction>]>([
    ['Lightning', {}, { kind: 'sell_lightning', stage: 'finished' }],
    ['a Lightning address', { subType: 'LN_ADDRESS' }, { kind: 'sell_lightning', stage: 'filled' }],
    ['on chain', { subType: 'ONCHAIN' }, { kind: 'sell_onchain', stage: 'finished' }],
    ['on chain, spelt like the order', { subType: 'ON_CHAIN' }, { kind: 'sell_onchain', stage: 'finished' }],
    ['no subType', { subType: undefined }, { kind: 'sell', stage: 'finished' }],
    ['an unknown subType', { subType: 'LIQUID' }, { kind: 'sell', stage: 'finished' }],
  ])('%s', (_name, more, expected) => {
    expect(toTransaction(row(more), subtypes)).toEqual({
      upstreamId: 'tx-1',
      rawStatus: 'SUCCESSFUL',
      createdOn: 1_000,
      pay: 250_000n,
      receive: 22_720n,
      ...expected,
    });
  });
  test('amounts of other currencies are not taken for sats or cents', () => {
    const usdc = toTransaction(row({ sourceCurrency: 'USDC', sourceAmount: 100_000n }), subtypes);
    expect([usdc.kind, usdc.pay, usdc.receive]).toEqual(['offramp_without_fiat_withdrawal', undefined, 22_720n]);
    const transfer = toTransaction(row({ type: 'FIAT_WITHDRAWAL', subType: undefined, sourceCurrency: 'EUR', destinationCurrency: undefined }), subtypes);
    expect([transfer.kind, transfer.pay, transfer.receive]).toEqual(['fiat_withdrawal', undefined, undefined]);
  });
  test.each([
    ['PROCESSING', true],
    ['SUCCESSFUL', true],
    ['FAILED', true],
    ['INITIATED', undefined],
    ['EXPIRED', undefined],
    ['SWAP_COMPLETED', undefined],
  ])('that a row with impossible amounts is %s is not forgotten, if it means money: %s', (status, moneySeen) => {
    const { stage, ...told } = evidenceOf(row({ status, isOdd: true }), subtypes);
    expect([stage, told.moneySeen]).toEqual(['review', moneySeen]);
  });
  test('what a row says about its order; an amount of 0 is not a result yet', () => {
    expect(evidenceOf(row(), subtypes)).toEqual({
      upstreamOrderId: 'tx-1',
      rawStatus: 'SUCCESSFUL',
      stage: 'finished',
      pay: 250_000n,
      receive: 22_720n,
      echo: { currency: 'EUR' },
    });
    expect(evidenceOf(row({ status: 'PROCESSING', destinationAmount: 0n }), subtypes)).toEqual({
      upstreamOrderId: 'tx-1',
      rawStatus: 'PROCESSING',
      stage: 'paid',
      pay: 250_000n,
      echo: { currency: 'EUR' },
    });
    expect(evidenceOf(row({ status: 'NEW_WORD', destinationCurrency: 'CHF' }), subtypes)).toEqual({
      upstreamOrderId: 'tx-1',
      rawStatus: 'NEW_WORD',
      pay: 250_000n,
      echo: { currency: 'CHF' },
    });
  });
});

describe("which payment is an order's", () => {
  const placedOn = 1_000_000;
  const order = (more: Partial<FollowedOrder> = {}): FollowedOrder => ({
    orderId: 'ours',
    createdOn: placedOn,
    pay: 250_000n,
    receive: 22_720n,
    fee: 230n,
    expiresOn: placedOn + 3_600_000,
    upstream: { rail: 'sepa', network: 'lightning' },
    facts: {},
    ...more,
  });
  const paid = (upstreamId: string, more: Partial<SellTransaction> = {}): SellTransaction => ({
    upstreamId,
    rawStatus: 'SUCCESSFUL',
    stage: 'finished',
    kind: 'sell_lightning',
    pay: 250_000n,
    receive: 22_720n,
    createdOn: placedOn + 60_000,
    ...more,
  });
  const match = (rows: SellTransaction[], of = order()): unknown => {
    const found = matchTransaction(of, rows, 86_400_000);
    return typeof found === 'string' ? found : [found.match.upstreamId, found.match.stage];
  };
  test.each<[string, SellTransaction[], unknown]>([
    ['nothing', [], 'none'],
    ['the one, which nobody believes', [paid('a', { stage: 'review' })], ['a', 'review']],
    ['beside one that nobody paid, and nobody believes', [paid('a'), paid('b', { rawStatus: 'EXPIRED', stage: 'review' })], ['a', 'filled']],
    ['the one; a conversion is filled, not finished', [paid('a')], ['a', 'filled']],
    ['among others', [paid('b', { pay: 250_001n }), paid('a'), paid('c', { kind: 'fiat_withdrawal' })], ['a', 'filled']],
    ['two of the same amount', [paid('a'), paid('b')], 'ambiguous'],
    ['one sat less', [paid('a', { pay: 249_999n })], 'none'],
    ['without an amount', [{ upstreamId: 'a', rawStatus: 'SUCCESSFUL', kind: 'sell_lightning', createdOn: placedOn }], 'none'],
    ['on chain', [paid('a', { kind: 'sell_onchain' })], 'none'],
    ['at the moment of the order', [paid('a', { createdOn: placedOn })], ['a', 'filled']],
    ['before the order', [paid('a', { createdOn: placedOn - 1 })], 'none'],
    ['in the last moment', [paid('a', { createdOn: placedOn + 3_600_000 })], ['a', 'filled']],
    ['paid in the last moment, and dated when it arrived', [paid('a', { createdOn: placedOn + 3_600_001 })], ['a', 'filled']],
    ["arrived as late as it may, by Bringin's fast clock", [paid('a', { createdOn: placedOn + 3_600_000 + 600_000 + 900_000 })], ['a', 'filled']],
    ['after its time', [paid('a', { createdOn: placedOn + 3_600_000 + 600_000 + 900_001 })], 'none'],
    ['a failed one beside the good one: sats arrived for both', [paid('a', { stage: 'failed', rawStatus: 'FAILED' }), paid('b')], 'ambiguous'],
    ['an expired one beside the good one', [paid('a', { stage: 'expired', rawStatus: 'EXPIRED' }), paid('b')], ['b', 'filled']],
    ['only a failed one', [paid('a', { stage: 'failed', rawStatus: 'FAILED' })], ['a', 'failed']],
    [
      'a failed one beside an expired one',
      [paid('a', { stage: 'failed', rawStatus: 'FAILED' }), paid('b', { stage: 'expired', rawStatus: 'EXPIRED' })],
      ['a', 'failed'],
    ],
    ['two failed ones', [paid('a', { stage: 'failed', rawStatus: 'FAILED' }), paid('b', { stage: 'failed', rawStatus: 'FAILED' })], 'ambiguous'],
    ['two expired ones', [paid('a', { stage: 'expired', rawStatus: 'EXPIRED' }), paid('b', { stage: 'expired', rawStatus: 'EXPIRED' })], 'none'],
    ['only an expired one', [paid('a', { stage: 'expired', rawStatus: 'EXPIRED' })], 'none'],
    ['one that nobody has paid yet', [paid('a', { stage: 'awaiting_payment', rawStatus: 'INITIATED' })], 'none'],
    [
      'two of them',
      [paid('a', { stage: 'awaiting_payment', rawStatus: 'initiated ' }), paid('b', { stage: 'awaiting_payment', rawStatus: 'INITIATED' })],
      'none',
    ],
    ['one of them beside the paid one', [paid('a', { stage: 'awaiting_payment', rawStatus: 'INITIATED' }), paid('b')], ['b', 'filled']],
    [
      'one with a word that is not known',
      [{ upstreamId: 'a', rawStatus: 'NEW', kind: 'sell_lightning', pay: 250_000n, createdOn: placedOn }],
      ['a', undefined],
    ],
  ])('%s', (_name, rows, expected) => {
    expect(match(rows)).toEqual(expected);
  });
  const known = (...earlier_payments: string[]) => order({ facts: { earlier_payments } });
  test.each<[string, SellTransaction[], FollowedOrder, unknown]>([
    ["dated before the order by Bringin's slow clock", [paid('a', { createdOn: placedOn - 1_000 })], known(), ['a', 'filled']],
    ['dated 15 minutes before the order', [paid('a', { createdOn: placedOn - 900_000 })], known(), ['a', 'filled']],
    ['dated earlier still', [paid('a', { createdOn: placedOn - 900_001 })], known(), 'none'],
    ['one that Bringin had before the order, dated before it', [paid('a', { createdOn: placedOn - 1_000 })], known('a'), 'none'],
    ["one that Bringin had before the order, dated after it by Bringin's fast clock", [paid('a')], known('a'), 'none'],
    ['the new one beside it', [paid('a', { createdOn: placedOn - 1_000 }), paid('b', { createdOn: placedOn - 1_000 })], known('a'), ['b', 'filled']],
  ])('%s', (_name, rows, of, expected) => {
    expect(match(rows, of)).toEqual(expected);
  });
  const row = (more: Partial<TransactionRow> = {}): TransactionRow => ({
    orderId: 'a',
    type: undefined,
    status: 'INITIATED',
    subType: 'LN_ADDRESS',
    sourceCurrency: 'BTC',
    sourceAmount: 250_000n,
    destinationCurrency: 'EUR',
    createdAt: placedOn,
    ...more,
  });
  const { sourceAmount: _later, ...untold } = row();
  test.each<[string, TransactionRow, boolean]>([
    ['of its amount', row(), true],
    ['that is paid', row({ status: 'SUCCESSFUL' }), true],
    ['of another amount', row({ sourceAmount: 250_001n }), false],
    ['whose amount is not told yet', untold, true],
    ['whose amount is 0 until it is known', row({ sourceAmount: 0n }), true],
    ['on the other network', row({ subType: 'ONCHAIN' }), false],
    ['whose network is not told', row({ subType: undefined }), true],
    ['of a withdrawal in euros', row({ sourceCurrency: 'EUR' }), false],
    ['of a purchase', row({ sourceCurrency: 'EUR', destinationCurrency: 'BTC' }), false],
  ])('an earlier row %s', (_name, one, could) => {
    expect(couldMatch(one, subtypes, 'lightning', 250_000n)).toBe(could);
  });
  test('a payment on chain may take an hour', () => {
    const sale = order({ upstream: { rail: 'sepa', network: 'onchain' } });
    const at = (createdOn: number) => match([paid('a', { kind: 'sell_onchain', createdOn })], sale);
    expect([at(placedOn + 2 * 3_600_000 + 900_000), at(placedOn + 2 * 3_600_000 + 900_001)]).toEqual([['a', 'filled'], 'none']);
  });
  test('no payment is dated in the time of two sales of one amount', () => {
    for (const network of ['lightning', 'onchain'] as const) {
      const first = order({ upstream: { rail: 'sepa', network } });
      const held = { ramp: 'sell', stage: 'expired', network, expiresOn: first.expiresOn } as const;
      // The first minute in which the amount can be ordered again.
      let createdOn = placedOn;
      while (holdsAmount(held, createdOn)) createdOn += 60_000;
      const second = order({ upstream: first.upstream, createdOn, expiresOn: createdOn + 3_600_000, facts: { earlier_payments: [] } });
      const takers = (at: number) => [first, second].filter((sale) => match([paid('a', { kind: `sell_${network}`, createdOn: at })], sale) !== 'none').length;
      const both = Array.from({ length: 300 }, (_, minute) => takers(placedOn + minute * 60_000 + 1)).filter((n) => n > 1);
      expect([network, both]).toEqual([network, []]);
    }
  });
  test('a card top-up by address is finished; for an order without an expiry, the setting is the time window', () => {
    const { expiresOn: _end, ...endless } = order({ upstream: { rail: 'card', network: 'onchain' } });
    expect(match([paid('a', { kind: 'sell_onchain', createdOn: placedOn + 86_400_000 })], endless)).toEqual(['a', 'finished']);
    expect(match([paid('a', { kind: 'sell_onchain', createdOn: placedOn + 86_400_001 })], endless)).toBe('none');
  });
  test("a matched payment's id is stored as a fact, never as the order's own id", () => {
    expect(matchedEvidence(paid('a'))).toEqual({
      rawStatus: 'SUCCESSFUL',
      stage: 'finished',
      pay: 250_000n,
      receive: 22_720n,
      facts: { transaction_id: 'a' },
      guessed: true,
    });
  });
});

describe('a payment that an earlier read recognised', () => {
  const order: FollowedOrder = {
    orderId: 'ours',
    createdOn: 1_000_000,
    pay: 250_000n,
    receive: 22_720n,
    fee: 230n,
    upstream: { rail: 'sepa', network: 'lightning' },
    facts: { transaction_id: 'a' },
  };
  const row = (rawStatus: string, more: Partial<SellTransaction> = {}): SellTransaction => ({
    upstreamId: 'a',
    rawStatus,
    kind: 'sell_lightning',
    pay: 250_000n,
    createdOn: 1_060_000,
    ...more,
  });
  test.each<[string, SellTransaction[], FollowedOrder, unknown]>([
    ['as it was', [row('SUCCESSFUL')], { ...order, paymentSeen: true }, ['a', 'filled']],
    ['of another amount now', [row('SUCCESSFUL', { pay: 249_000n })], { ...order, paymentSeen: true }, ['a', 'filled']],
    ['without an amount now', [{ upstreamId: 'a', rawStatus: 'PROCESSING', kind: 'other', createdOn: 0 }], { ...order, paymentSeen: true }, ['a', 'paid']],
    ['not believed now', [row('SUCCESSFUL', { stage: 'review' })], { ...order, paymentSeen: true }, ['a', 'review']],
    ['unpaid now, though its money was seen', [row('EXPIRED')], { ...order, paymentSeen: true }, ['a', 'expired']],
    ['not listed now', [row('SUCCESSFUL', { upstreamId: 'b' })], { ...order, paymentSeen: true }, 'missing'],
    ['that failed', [row('FAILED')], order, ['a', 'failed']],
    ['which nobody has paid, stored by an earlier release', [row('INITIATED'), row('SUCCESSFUL', { upstreamId: 'b' })], order, undefined],
    ['which nobody will pay, stored by an earlier release', [row('EXPIRED')], order, undefined],
    ['which nobody had paid, and is not listed any more', [], order, undefined],
    ['by an order without one', [row('SUCCESSFUL')], { ...order, facts: {} }, undefined],
  ])('%s', (_name, rows, of, expected) => {
    const found = recognised(of, rows);
    expect(typeof found === 'object' ? [found.upstreamId, found.stage] : found).toEqual(expected);
  });
});

test('unreadable notes of an offer or a stored connection are replaced by harmless ones', () => {
  expect(readNotes({ rail: 'sepa', network: 'onchain' })).toEqual({ rail: 'sepa', network: 'onchain' });
  expect([readNotes(null), readNotes([]), readNotes({ rail: 7 })]).toEqual(Array(3).fill({ rail: 'card', network: 'lightning' }));
  const stored = { upstreamId: 'l-1', name: 'Savings', direction: 'sell', network: 'lightning', status: 'active' };
  expect(connectionOf({ ...stored, upstream: { challengeId: 'x' }, iban: 'DE89' })).toEqual({ ...stored, upstream: {} });
  const addresses = { lightningAddress: 'alice@bringin.xyz', depositAddress: 'bc1q' };
  expect(connectionOf({ ...stored, ...addresses })).toEqual({ ...stored, ...addresses, upstream: {} });
  expect(connectionOf({ ...stored, lightningAddress: 7 })).toEqual({ ...stored, upstream: {} });
  expect([connectionOf(undefined), connectionOf('l-1'), connectionOf({ ...stored, status: 'odd' })]).toEqual([undefined, undefined, undefined]);
});
