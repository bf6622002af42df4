import { bech32 } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import {
  contradictionIn,
  deadlineOf,
  judgeOwnInvoice,
  methodFor,
  methodsOf,
  paySatsOf,
  rateCardOf,
  rawStatusOf,
  redemptionOf,
  secretOf,
  stageOf,
  userRefOf,
} from './bitrefill-mapping.ts';
import { paymentInfoOf } from './bitrefill-payment.ts';
import { bitrefillSettings } from './bitrefill-settings.ts';
import { inventoryReply, orderReply, type OrderReply } from './bitrefill-wire.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const settings = bitrefillSettings.parse({ base_url: 'https://api.bitrefill.com/v1', api_key_env: 'K', api_secret_env: 'S', receipt_email: 'a@b.example' });
const id = '5ce472b9950b353c59bcd412';
const created = 1_558_475_449_000;
const order = (more: object = {}): OrderReply => orderReply.parse({ id, ...more });
const newInvoice = (more: Partial<Parameters<typeof encodeInvoice>[0]> = {}): string =>
  encodeInvoice({
    network: 'regtest',
    amountMsat: 1_000_000n,
    timestamp: now / 1000,
    expirySeconds: 3_600,
    paymentHash: '01'.repeat(32),
    paymentSecret: '02'.repeat(32),
    description: 'mine',
    payeePrivateKey: '11'.repeat(32),
    ...more,
  });

const paymentOf = (more: object) => orderReply.parse({ id, payment: more }).payment!;
const thorInfoOf = (more: object) => orderReply.parse({ id, thorInfo: more }).thorInfo!;

describe('stages, first match wins', () => {
  const k1 = 'b1'.repeat(32);
  const channel = { product: 'lightning-channel' };
  const recharge = { operatorSlug: 'lightning-recharge' };
  const all = { refunded: true, delivered: true, errorMessage: 'x', partialPayment: true, sent: true, paymentReceived: true, expired: true };
  it.each([
    [all, 'refunded'],
    [{ status: 'partially_refunded' }, 'refunded'],
    [{ status: 'refund_pending' }, 'paid'],
    [{ status: 'refundable', expired: true }, 'paid'],
    [{ status: 'refund_failed' }, 'failed'],
    [{ ...all, refunded: false }, 'paid'],
    [{ ...all, refunded: false, thorInfo: { k1 } }, 'filled'],
    [{ ...recharge, ...all, refunded: false }, 'finished'],
    [{ ...channel, status: 'success' }, 'paid'],
    [{ ...channel, status: 'success', thorInfo: { k1 } }, 'filled'],
    [{ ...channel, status: 'success', thorInfo: { k1: 'aa', link: 'pending', lnurl: '' } }, 'paid'],
    [{ ...channel, status: 'success', errorMessage: 'x' }, 'paid'],
    [{ ...recharge, status: 'success' }, 'finished'],
    [{ ...recharge, delivered: true }, 'finished'],
    [{ ...channel, status: 'new', thorInfo: { link: 'https://www.bitrefill.com/thor/1' } }, 'filled'],
    [{ ...channel, status: 'unpaid', thorInfo: {} }, 'awaiting_payment'],
    [{ ...channel, status: 'unpaid', thorInfo: [] }, 'awaiting_payment'],
    [{ ...channel, status: 'unpaid', thorInfo: { k1: '', link: null, lnurl: 7 } }, 'awaiting_payment'],
    [{ ...all, refunded: false, delivered: false }, 'failed'],
    [{ errorType: 'x' }, 'failed'],
    [{ error: 'x' }, 'failed'],
    [{ status: 'payment_error' }, 'failed'],
    [{ status: 'permanent_failure' }, 'failed'],
    [{ status: 'denied' }, 'failed'],
    [{ partialPayment: true, sent: true, status: 'unpaid' }, 'underpaid'],
    [{ sent: true, paymentReceived: true }, 'paid'],
    [{ ...recharge, sent: true, paymentReceived: true }, 'filled'],
    [{ paymentReceived: true, expired: true }, 'paid'],
    [{ status: 'payment_pending', expired: true }, 'paid'],
    [{ status: 'payment_detected' }, 'paid'],
    [{ status: 'payment_confirmed' }, 'paid'],
    [{ status: 'processing' }, 'paid'],
    [{ zeroConfStatus: 'accepted' }, 'paid'],
    [{ zeroConfStatus: 'pending' }, 'awaiting_payment'],
    [{ zeroConfStatus: '' }, 'awaiting_payment'],
    [{ zeroConfStatus: 'none' }, 'awaiting_payment'],
    [{ zeroConfStatus: 'rejected' }, 'awaiting_payment'],
    [{ zeroConfStatus: 'shiny' }, 'awaiting_payment'],
    [{ zeroConfStatus: 'Accepted' }, 'paid'],
    [{ status: 'unpaid', expired: true }, 'expired'],
    [{ status: 'in_orbit', expired: true }, 'expired'],
    [{ status: 'unpaid' }, 'awaiting_payment'],
    [{}, 'awaiting_payment'],
    [{ errorType: '', errorMessage: null, error: false }, 'awaiting_payment'],
    [{ status: 'in_orbit' }, undefined],
  ])('%j is %s', (more, stage) => expect(stageOf(order(more), now, now + 1)).toBe(stage));
  it.each([
    [{ status: 'payment_detected' }, 'awaiting_payment'],
    [{ status: 'PAYMENT_PENDING', expired: true }, 'awaiting_payment'],
    [{ zeroConfStatus: 'received' }, 'awaiting_payment'],
    [{ status: 'payment_pending', errorType: 'x' }, 'review'],
    [{ status: 'payment_pending', partialPayment: true }, 'underpaid'],
    [{ status: 'payment_pending', sent: true }, 'paid'],
    [{ status: 'payment_pending', zeroConfStatus: 'accepted' }, 'paid'],
    [{ status: 'payment_confirmed' }, 'paid'],
    [{ status: 'processing' }, 'paid'],
    [{ status: 'refund_pending' }, 'paid'],
    [{ status: 'expired' }, 'expired'],
  ])('paid on chain or in another coin, %j is %s', (more, stage) => {
    for (const method of ['bitcoin', 'litecoin']) expect(stageOf(order(more), now, now - 1, { method })).toBe(stage);
  });
  it('an unpaid order waits until its deadline and then expires; an unknown word never expires', () =>
    expect([stageOf(order(), now, now), stageOf(order(), now, now - 1), stageOf(order({ status: 'x' }), now, now - 1)]).toEqual([
      'awaiting_payment',
      'expired',
      undefined,
    ]));
  it('an answer that names no product is about the ordered one', () =>
    expect(stageOf(order({ status: 'success' }), now, now, { ordered: 'lightning-recharge' })).toBe('finished'));
  it('its own word is kept, or which booleans are set', () =>
    expect([{ status: 'x'.repeat(100) }, { sent: true, paymentReceived: true }, {}].map((more) => rawStatusOf(order(more)))).toEqual([
      'x'.repeat(64),
      'sent+paymentReceived',
      'no status',
    ]));
});

describe('deadlines', () => {
  const lightningInvoice = newInvoice({ expirySeconds: 1_200 });
  it('are named', () => expect(deadlineOf(order({ expirationTime: '1563224880090', payment: { lightningInvoice } }), 900_000, now)).toBe(1_563_224_880_090));
  it("or the invoice's", () => expect(deadlineOf(order({ payment: { lightningInvoice } }), 900_000, 5)).toBe(now + 1_200_000));
  it('or a life after the creation that is named', () => expect(deadlineOf(order({ invoiceTime: '1563223980090' }), 900_000, 5)).toBe(1_563_224_880_090));
  it('or that stands in the id', () => expect(deadlineOf(order(), 900_000, 5)).toBe(created + 900_000));
  it.each([{ expirationTime: '999999999999999999' }, { invoiceTime: '999999999999999999' }])('are dates: %j', (more) => {
    expect(() => new Date(deadlineOf(order(more), 900_000, now)).toISOString()).not.toThrow();
  });
  it('or from when it was first seen', () => expect(deadlineOf(order({ id: 'abc' }), 900_000, 5)).toBe(900_005));
});

describe('what an order may not say', () => {
  const wanted = { slug: 'lightning-channel', value: 2_000_000n, userRef: 'ref-1' } as const;
  it.each([
    [{}, undefined],
    [{ product: 'lightning-channel', value: '2000000', userRef: 'ref-1' }, undefined],
    [{ value: '2,000,000 sats capacity' }, undefined],
    [{ value: '500,000 sats balance (1,000,000 sats capacity)' }, undefined],
    [{ operatorSlug: 'lightning-recharge' }, 'the order is for another product'],
    [{ operator: 'lightning-recharge' }, 'the order is for another product'],
    [{ value: '2000001' }, 'the order is for another amount'],
    [{ valuePackage: '1', value: '2000000' }, 'the order is for another amount'],
    [{ userRef: 'ref-2' }, 'the order has another reference'],
  ])('%j: %s', (more, problem) => expect(contradictionIn(order(more), wanted)).toBe(problem));
  it('what the payment says is paid, not what `price` says', () =>
    expect([
      paySatsOf(order({ price: '79184', payment: { satoshiPrice: '78498' } })),
      paySatsOf(order({ price: '5', satoshiPrice: '1100' })),
      paySatsOf(order({ price: '80900' })),
      paySatsOf(order()),
    ]).toEqual([78_498n, 1_100n, 80_900n, undefined]));
  it.each([
    ['80900', 80_000n, 80_900n],
    ['52', 80_000n, 80_000n],
    ['8000000', 80_000n, 80_000n],
    [undefined, 80_000n, 80_000n],
  ])('a price of %s beside %s sats is not read as sats if it is an amount in euros or cents', (price, expected, sats) =>
    expect(paySatsOf(order({ price }), expected)).toBe(sats),
  );
});

describe('ways to pay', () => {
  const with_ = (more: object) => ({ ...settings, ...more });
  it('bitcoin is onchain outside, and has no second name', () => {
    expect(methodsOf(settings)).toEqual(['lightning', 'onchain']);
    expect(['lightning', 'onchain', 'bitcoin', 'dash', 'balance'].map((word) => methodFor(word, settings))).toEqual([
      'lightning',
      'bitcoin',
      undefined,
      undefined,
      undefined,
    ]);
  });
  it('the balance only where it was switched on', () => {
    const open = with_({ pay_with_balance: true, payment_methods: ['dash'] });
    expect([methodsOf(open), methodFor('balance', open), methodFor('lightning', open)]).toEqual([['dash', 'balance'], 'balance', undefined]);
  });
  it('balance is no payment method of the list', () => expect(bitrefillSettings.shape.payment_methods.safeParse(['balance']).success).toBe(false));
});

describe('payments', () => {
  const wanted = { network: 'regtest', method: 'lightning', sats: 1_000n, now } as const;
  const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
  const litecoin = 'LTpYZG19YmfvY2bBDYtCKpunVRw7nVgRHW';
  const lightningInvoice = newInvoice();
  it('by Lightning: the invoice, and never its fallback address beside it', () =>
    expect(paymentInfoOf(paymentOf({ address, lightningInvoice }), wanted)).toEqual({
      paymentInfo: { kind: 'invoice', value: lightningInvoice, amountSats: 1_000n },
    }));
  it.each([
    [newInvoice({ amountMsat: 1_000_001n }), "the invoice's amount differs from the order's"],
    [newInvoice({ network: 'main' }), 'the invoice is for another network'],
    [newInvoice({ timestamp: now / 1000 - 3_600 }), 'the invoice has already expired'],
    [`${lightningInvoice.slice(0, -1)}q`, 'the order has no invoice that can be paid'],
    [undefined, 'the order has no invoice that can be paid'],
  ])('an invoice that is not the order: %#', (given, problem) => expect(paymentInfoOf(paymentOf({ lightningInvoice: given }), wanted)).toEqual({ problem }));
  it('on chain: with a link of our own making', () =>
    expect(paymentInfoOf(paymentOf({ address, BIP21: `bitcoin:${address}?amount=0.00001` }), { ...wanted, method: 'bitcoin' })).toEqual({
      paymentInfo: { kind: 'onchain', value: address, amountSats: 1_000n, bip21: `bitcoin:${address}?amount=0.00001` },
    }));
  it.each([
    [{ address: '1fdsfjakiwlewkld3845kd8' }, 'the order has no bitcoin address of this network'],
    [{ address: '3NonYQQ2HzZDc91rZK6n9VfCy6yv5N1TxN' }, 'the order has no bitcoin address of this network'],
    [{ address: `bitcoin:${address}` }, 'the order has no bitcoin address of this network'],
    [{}, 'the order has no bitcoin address of this network'],
    [{ address, BIP21: `bitcoin:${address}?amount=0.0001` }, 'the bitcoin: link contradicts the order'],
    [{ address, BIP21: 'bitcoin:bcrt1qother?amount=0.00001' }, 'the bitcoin: link contradicts the order'],
    [{ address, BIP21: 'pay me' }, 'the bitcoin: link contradicts the order'],
  ])('%j: %s', (payment, problem) => expect(paymentInfoOf(paymentOf(payment), { ...wanted, method: 'bitcoin' })).toEqual({ problem }));
  it("in another coin: Bitrefill's own text for the amount", () =>
    expect(paymentInfoOf(paymentOf({ address: litecoin, altcoinPrice: '0.0014', altcoinCode: 'LTC' }), { ...wanted, method: 'litecoin' })).toEqual({
      paymentInfo: { kind: 'altcoin', value: litecoin, amountSats: 1_000n, altcoinAmount: '0.0014', altcoinCode: 'LTC' },
    }));
  it.each(['0x52908400098527886E0F7030069857D2E4169EE7', 'ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9', 'DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L'])('%s', (value) =>
    expect(paymentInfoOf(paymentOf({ address: value, altcoinPrice: '1.5' }), { ...wanted, method: 'coin' })).toMatchObject({ paymentInfo: { value } }),
  );
  const ltcInvoice = (prefix: string): string => bech32.encode(prefix, bech32.toWords(new Uint8Array(120)), false);
  it('Lightning on litecoin: the invoice carries the amount', () =>
    expect(paymentInfoOf(paymentOf({ address: 'L1', lightningInvoice: ltcInvoice('lnltc14m') }), { ...wanted, method: 'lightning-ltc' })).toEqual({
      paymentInfo: { kind: 'altcoin', value: ltcInvoice('lnltc14m'), amountSats: 1_000n, altcoinCode: 'lightning-ltc' },
    }));
  it('an invoice in bitcoin under another name is judged like any other', () =>
    expect(
      [1_000_000n, 2_000_000n].map((amountMsat) =>
        paymentInfoOf(paymentOf({ lightningInvoice: newInvoice({ amountMsat }) }), { ...wanted, method: 'lightning-x' }),
      ),
    ).toMatchObject([{ paymentInfo: { kind: 'invoice', amountSats: 1_000n } }, { problem: "the invoice's amount differs from the order's" }]));
  it.each([
    [{ address: 'https://evil.example/pay', altcoinPrice: '5' }],
    [{ address: `litecoin:${litecoin}`, altcoinPrice: '5' }],
    [{ address: `${litecoin} or 10 % less to bc1q`, altcoinPrice: '5' }],
    [{ address: `${litecoin}\u202e`, altcoinPrice: '5' }],
    [{ address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', altcoinPrice: '5' }],
    [
      {
        address:
          'lnurl1dp68gurn8ghj7um9wfmxjcm99e3k7mf0v9cxj0m385ekvcenxc6r2c35xvukxefcv5mkvv34x5ekzd3ev56nyd3hxqurzepexejxxepnxscrvwfnv9nxzcn9xq6xyefhvgcxxcmyxymnserxfq5fns',
        altcoinPrice: '5',
      },
    ],
    [{ address: litecoin, altcoinPrice: '5 or more, see www.evil.example' }],
    [{ address: litecoin, altcoinPrice: '0.00' }],
    [{ address: litecoin, altcoinPrice: '-1' }],
    [{ address: litecoin, altcoinPrice: '5', altcoinCode: 'https://evil.example' }],
    [{ address: litecoin, altcoinPrice: '5', altcoinCode: 'LTC, or less in BTC' }],
  ])('text that is no address, amount or coin is not shown: %j', (payment) =>
    expect(paymentInfoOf(paymentOf(payment), { ...wanted, method: 'litecoin' })).toHaveProperty('problem'),
  );
  it.each([['any text'], ['lnltc1x'], [ltcInvoice('lnltc')], [ltcInvoice('lnltc14m').replace(/.$/, 'q')], [ltcInvoice('lnbc14m')], [`lightning:${litecoin}`]])(
    'no invoice of another coin: %s',
    (lightningInvoice) => expect(paymentInfoOf(paymentOf({ lightningInvoice }), { ...wanted, method: 'lightning-ltc' })).toHaveProperty('problem'),
  );
  it('a coin without an amount or an address is not paid', () =>
    expect([{ address: litecoin }, { altcoinPrice: '1' }].map((payment) => paymentInfoOf(paymentOf(payment), { ...wanted, method: 'litecoin' }))).toEqual([
      { problem: 'the order states no amount in the coin that was chosen' },
      { problem: 'the order has no address or invoice to pay' },
    ]));
});

describe('inventories', () => {
  const card = (operator: object) => rateCardOf(inventoryReply.parse({ operator: { slug: 'x', currency: 'SAT', ...operator } }));
  it('packages: those whose value is a number, ascending', () =>
    expect(
      card({
        packages: [
          { value: '5000000', satoshiPrice: '150000', eurPrice: '10' },
          { value: '1000000', satoshiPrice: '50000' },
          { value: '500,000 sats balance (1,000,000 sats capacity)', satoshiPrice: '575600' },
        ],
      }),
    ).toEqual({
      packages: [
        { value: 1_000_000n, price: 50_000n },
        { value: 5_000_000n, price: 150_000n },
      ],
    }));
  it('a range goes before packages, whether isRanged says so or not', () =>
    expect(card({ range: { min: '1', max: '2', customerSatoshiPriceRate: '1', purchaseFee: '0' }, packages: [{ value: '1', satoshiPrice: '9' }] })).toEqual({
      range: { min: 1n, max: 2n, step: 1n, rate: { n: 1n, d: 1n }, purchaseFee: { n: 0n, d: 1n } },
    }));
  it.each([[{}], [{ packages: [] }], [{ packages: [{ value: 'prose', satoshiPrice: '1' }] }], [{ isRanged: true }]])('%j: nothing is on sale', (operator) =>
    expect(card(operator)).toBeUndefined(),
  );
});

describe('redemption', () => {
  const k1 = 'b14d6a2817733c9a1af2ec00c5d9b6bae60a7044ae840e68e2049adcd935e528';
  const link = `https://www.bitrefill.com/thor/${k1}`;
  const redeem = (thorInfo: object) => redemptionOf({ secret: secretOf(thorInfoOf(thorInfo)) }, 'https://api.bitrefill.com/v1/', false);
  it('is rebuilt from k1 where there is no LNURL, and says so', () => {
    const { lnurl, ...rest } = redeem({ link, k1 }) ?? {};
    expect(rest).toEqual({ link, rebuilt: true });
    expect(decodeLnurl(lnurl ?? '')).toBe(`https://api.bitrefill.com/v1/thor?q=${k1}`);
  });
  it('an LNURL that cannot be read is rebuilt too', () => expect(redeem({ k1, lnurl: 'lightning:lnurl1xyz' })?.rebuilt).toBe(true));
  it('plain http is no LNURL but in the sandbox', () => {
    const lnurl = 'http://127.0.0.1:9/v1/thor?q=1';
    expect([redeem({ lnurl }), redemptionOf({ secret: { lnurl } }, 'x', true)?.lnurl?.startsWith('LNURL1')]).toEqual([undefined, true]);
  });
  it.each([[{}], [{ k1: 'short' }], [{ k1: `${k1}/../x` }], [{ link: 'pending' }]])('%j: nothing to redeem with', (thorInfo) =>
    expect(redeem(thorInfo)).toBeUndefined(),
  );
  it('a link alone is a way', () => expect(redeem({ link })).toEqual({ link }));
  it.each([[undefined], ['x'], [null], [[]]])('no secret %j: nothing', (secret) =>
    expect(redemptionOf(secret === undefined ? {} : { secret }, 'https://x.example', false)).toBeUndefined(),
  );
});

describe("the customer's own invoice", () => {
  const wanted = { network: 'regtest', sats: 1_000n, now, aliveUntil: now + 1_200_000 } as const;
  const good = newInvoice();
  it.each([good, good.toUpperCase(), `lightning:${good}`, ` LIGHTNING:${good.toUpperCase()} `, `lightning://${good}`, `LIGHTNING://${good.toUpperCase()}`])(
    '%#: taken',
    (text) => expect(judgeOwnInvoice(text, wanted)).toEqual({ invoice: good }),
  );
  it.each([
    [undefined, 'required'],
    ['', 'required'],
    ['lnbcrt1', 'invalid'],
    [`${good.slice(0, -1)}${good.endsWith('q') ? 'p' : 'q'}`, 'invalid'],
    [newInvoice({ network: 'main' }), 'wrong-network'],
    [newInvoice({ amountMsat: 999_000n }), 'wrong-amount'],
    [newInvoice({ amountMsat: 1_000_001n }), 'wrong-amount'],
    [newInvoice({ timestamp: now / 1000 - 2_401 }), 'expires-too-soon'],
    [newInvoice({ timestamp: now / 1000 + 301 }), 'dated-ahead'],
  ])('%#: %s', (text, problem) => expect(judgeOwnInvoice(text, wanted)).toEqual({ problem }));
  it('without an amount', () => {
    const { amountMsat: _none, ...open } = { network: 'regtest' as const, amountMsat: 0n, timestamp: now / 1000, expirySeconds: 3_600 };
    const text = encodeInvoice({ ...open, paymentHash: '01'.repeat(32), paymentSecret: '02'.repeat(32), description: '', payeePrivateKey: '11'.repeat(32) });
    expect(judgeOwnInvoice(text, wanted)).toEqual({ problem: 'wrong-amount' });
  });
  it('of a clock that is a little ahead', () => expect(judgeOwnInvoice(newInvoice({ timestamp: now / 1000 + 300 }), wanted)).toHaveProperty('invoice'));
  it('that lives exactly long enough', () => expect(judgeOwnInvoice(newInvoice({ timestamp: now / 1000 - 2_400 }), wanted)).toHaveProperty('invoice'));
});

it('a reference has at most 128 characters', () => expect([userRefOf('a'.repeat(200)), userRefOf('ref')]).toEqual(['a'.repeat(128), 'ref']));
