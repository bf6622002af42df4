import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderOffer } from '../../domain/offer.ts';
import type { CatalogueOption } from '../spec.ts';
import { isListing, staticOptions, toEvidence, toFeatures, toOffer, toOptions, toPlaced } from './fiat-on-ramp-mapping.ts';
import { settings as schema } from './fiat-on-ramp-settings.ts';
import { floorToUpstream, toUpstream } from './fiat-on-ramp-units.ts';
import { featuresWire, orderWire, paymentOptionsWire, quoteWire, statusWire } from './fiat-on-ramp-wire.ts';

const settings = (more: object = {}) => schema.parse({ base_url: 'https://provider.example', ...more });
const iso = settings({ minor_units: 'iso4217' });
const option: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { currency_id: 0, id: 0 }, feePpm: 9000 };

describe('units', () => {
  it('hundredths are hundredths in every currency, ISO units only where stated', () => {
    expect(['EUR', 'JPY', 'KWD', 'SIGNET BTC'].map((code) => toUpstream(12_300n, code, settings()))).toEqual([12_300n, 12_300n, 12_300n, 12_300n]);
    expect(['EUR', 'jpy', 'KWD', 'SIGNET BTC'].map((code) => toUpstream(12_300n, code, iso))).toEqual([12_300n, 123n, 123_000n, 12_300n]);
    expect(toUpstream(12_345n, 'JPY', iso)).toBeUndefined();
  });
  it('the nearest amount below that can be asked for', () => {
    expect([floorToUpstream(12_345n, 'JPY', iso), floorToUpstream(12_345n, 'KWD', iso), floorToUpstream(12_345n, 'JPY', settings())]).toEqual([
      12_300n,
      12_345n,
      12_345n,
    ]);
  });
  it('what can be asked for comes back as it was', () => {
    const codes = ['EUR', 'JPY', 'KWD', 'CLF', 'UYI', 'UYW', 'CLP', 'BHD'];
    const units = fc.constantFrom('iso4217' as const, 'hundredth' as const);
    const given = fc.oneof(fc.constant(undefined), units, fc.dictionary(fc.constantFrom(...codes, 'jpy', 'Clf'), units));
    fc.assert(
      fc.property(fc.constantFrom(...codes), fc.bigInt(100n, 10n ** 12n), given, (code, amount, minor_units) => {
        const block = settings({ minor_units });
        const asked = toUpstream(floorToUpstream(amount, code, block), code, block);
        const wire = quoteWire.parse({ quote_id: 'q', amount_fiat: Number(asked), amount_sats: 1 });
        expect(toOffer(wire, { ...option, currency: code }, block)?.pay).toBe(floorToUpstream(amount, code, block));
        // For these currencies, ICU takes the exponents from ISO 4217, as we do.
        const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions();
        const stated = typeof minor_units === 'object' ? Object.entries(minor_units).find(([name]) => name.toUpperCase() === code)?.[1] : minor_units;
        expect([code, toUpstream(amount * 100n, code, block)]).toEqual([code, amount * 10n ** BigInt(stated === 'iso4217' ? maximumFractionDigits : 2)]);
      }),
    );
  });
});

describe('features', () => {
  const all = { quotes: true, estimates: true, on_chain_fallback: true, webhook: true };
  const none = { quotes: false, estimates: false, on_chain_fallback: false, webhook: false };
  it.each<[string, unknown, object]>([
    ['one object in an array', [all], all],
    ['one object', all, all],
    ['one-key objects', [{ quotes: true }, { webhook: true }], { ...none, quotes: true, webhook: true }],
    [
      'several objects are OR-ed',
      [
        { ...none, quotes: true },
        { ...none, estimates: true },
      ],
      { ...none, quotes: true, estimates: true },
    ],
    ['names', ['quotes', 'on_chain_fallback', 'teleport'], { ...none, quotes: true, on_chain_fallback: true }],
    ['words and digits for booleans', [{ quotes: 'true', estimates: 'false', webhook: 1, on_chain_fallback: null }], { ...none, quotes: true, webhook: true }],
    ['nothing', undefined, none],
    ['null', null, none],
    ['an empty array', [], none],
  ])('%s', (_name, supported_features, expected) => {
    expect(toFeatures(featuresWire.parse({ supported_features }))).toEqual(expected);
  });
});

describe('options', () => {
  const sepa = { option: 'SEPA', id: 0, fee_rate: 0.005, min_amount: 1000, max_amount: 100_000 };
  const euro = { currency_id: 0, currency_code: 'EUR', payment_options: [sepa] };
  const franc = { currency_id: 2, payment_options: [{ option: 'Bank transfer', id: '5' }] };
  const expected = [
    { currency: 'EUR', name: 'SEPA', upstream: { currency_id: 0, id: 0 }, feePpm: 5000, minFiat: 1000n, maxFiat: 100_000n },
    { currency: 'CHF', name: 'Bank transfer', upstream: { currency_id: 2, id: 5 }, feePpm: 0 },
  ];
  const optionsOf = (currencies: unknown, more: object = {}): CatalogueOption[] => toOptions(paymentOptionsWire.parse({ currencies }), settings(more));

  it.each<[string, unknown]>([
    ['one-key objects', [{ eur: euro }, { chf: franc }]],
    ['many-key objects', [{ eur: euro, chf: franc }]],
    ['one object by code', { eur: euro, chf: franc }],
    ['a flat array', [euro, { ...franc, currency_code: 'chf' }]],
  ])('currencies as %s', (_name, currencies) => {
    expect(optionsOf(currencies)).toEqual(expected);
  });
  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['empty', {}],
    ['without options', [{ eur: { currency_id: 1 } }]],
    ['without a code', [{ currency_id: 1, payment_options: [sepa] }]],
    ['no object', [{ eur: 'EUR' }]],
  ])('no options: %s', (_name, currencies) => {
    expect(optionsOf(currencies)).toEqual([]);
  });
  it('an option that makes no sense is left out; the others are kept', () => {
    const odd = [
      { ...sepa, fee_rate: -0.1 },
      { ...sepa, fee_rate: 0.6 },
      { ...sepa, fee_rate: 'x' },
      { ...sepa, option: ' ' },
      { ...sepa, id: 1.5 },
      { option: 'SEPA' },
      null,
    ];
    expect(optionsOf([{ eur: { ...euro, payment_options: [...odd, sepa] } }])).toEqual(expected.slice(0, 1));
  });
  it('limits: absent, null or 0 is none', () => {
    const limits = (min_amount: unknown, max_amount: unknown) => optionsOf({ eur: { ...euro, payment_options: [{ ...sepa, min_amount, max_amount }] } })[0];
    for (const none of [undefined, null, 0]) {
      expect(limits(none, none)?.minFiat).toBeUndefined();
      expect(limits(none, none)?.maxFiat).toBeUndefined();
    }
    expect(limits('1000', 5000.0000001)).toMatchObject({ minFiat: 1000n, maxFiat: 5000n });
  });
  it.each(['9223372036854775807', 2 ** 63, 1e20, 'unlimited', 'none', -1, 0, '', {}, '999999999999999999'])(
    '%j is not a limit, and the option is kept',
    (none) => {
      const option = optionsOf({ eur: { ...euro, payment_options: [{ ...sepa, min_amount: none, max_amount: none }] } })[0];
      expect(option).toEqual({ currency: 'EUR', name: 'SEPA', upstream: { currency_id: 0, id: 0 }, feePpm: 5000 });
    },
  );
  it('no limit is beyond what an answer can say, whatever the units and the fee do to it', () => {
    const limit = fc.oneof(fc.bigInt(-5n, 10n ** 20n).map(String), fc.maxSafeInteger(), fc.double(), fc.string(), fc.anything());
    fc.assert(
      fc.property(limit, limit, fc.constantFrom('EUR', 'JPY', 'KWD'), (min_amount, max_amount, currency_code) => {
        const listed = [{ currency_id: 1, currency_code, payment_options: [{ ...sepa, min_amount, max_amount }] }];
        const [option, ...others] = optionsOf(listed, { minor_units: 'iso4217', fee_style: 'added' });
        expect([option?.name, others]).toEqual(['SEPA', []]);
        for (const one of [option?.minFiat, option?.maxFiat]) expect(one === undefined || (one > 0n && one <= BigInt(Number.MAX_SAFE_INTEGER))).toBe(true);
      }),
    );
  });
  it('of any listing, however long and however split, a hundred options are kept, and no more of it is read', () => {
    let read = 0;
    const listedOption = (id: number) => ({
      id,
      get option() {
        read += 1;
        return `SEPA ${id}`;
      },
    });
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 12 }), fc.boolean(), (sizes, asMap) => {
        const currencies = sizes.map((size, n) => ({
          currency_id: n,
          currency_code: `C${n}`,
          payment_options: Array.from({ length: size }, (_, id) => listedOption(id)),
        }));
        read = 0;
        const options = optionsOf(asMap ? Object.fromEntries(currencies.map((one) => [one.currency_code, one])) : currencies);
        const all = sizes.flatMap((size, n) => Array.from({ length: Math.min(size, 100) }, (_, id) => `C${n} SEPA ${id}`));
        expect(options.map(({ currency, name }) => `${currency} ${name}`)).toEqual(all.slice(0, 100));
        expect(read).toBeLessThanOrEqual(600);
      }),
    );
  });
  it('tiers of one option and a currency listed twice are all kept', () => {
    const tiers = [sepa, { ...sepa, id: 2, min_amount: 100_000, max_amount: 1_000_000 }];
    expect(optionsOf([{ eur: { ...euro, payment_options: tiers } }, { eur: { ...euro, currency_id: 9 } }]).map(({ upstream }) => upstream)).toEqual([
      { currency_id: 0, id: 0 },
      { currency_id: 0, id: 2 },
      { currency_id: 9, id: 0 },
    ]);
  });
  it('names are one visible line of 64 characters; codes are codes; a hundred options are enough', () => {
    const named = (option: unknown) => optionsOf([{ eur: { ...euro, payment_options: [{ ...sepa, option }] } }])[0]?.name;
    expect(['SEPA\u200b', '\u202eSEPA ', 'x'.repeat(4000), '\u200b', ' \n'].map(named)).toEqual(['SEPA', 'SEPA', 'x'.repeat(64), undefined, undefined]);
    const coded = (currency_code: string) => optionsOf([{ ...euro, currency_code }])[0]?.currency;
    expect(['EUR ', 'eur', '__proto__', 'E', 'EUR\u200b', 'Signet  BTC', 'x'.repeat(17), 'ЕUR'].map(coded)).toEqual([
      'EUR',
      'EUR',
      undefined,
      undefined,
      undefined,
      'SIGNET BTC',
      undefined,
      undefined,
    ]);
    const many = Array.from({ length: 1800 }, (_, id) => ({ ...sepa, id, option: `SEPA ${id}` }));
    expect(optionsOf([{ ...euro, payment_options: many }])).toHaveLength(100);
  });
  it('currencies of ISO exponents other than 2 need their units stated, all or one by one', () => {
    const listed = ['CLF', 'UYW', 'UYI', 'JPY', 'UGX', 'EUR'].map((currency_code, currency_id) => ({ ...euro, currency_id, currency_code }));
    const codes = (more: object) => optionsOf(listed, more).map(({ currency }) => currency);
    expect(codes({})).toEqual(['EUR']);
    expect(codes({ minor_units: { jpy: 'iso4217', UGX: 'hundredth' } })).toEqual(['JPY', 'UGX', 'EUR']);
    const mixed = settings({ minor_units: { jpy: 'iso4217', UGX: 'hundredth' } });
    expect([toUpstream(50_000n, 'JPY', mixed), toUpstream(50_000n, 'UGX', mixed), toUpstream(50_000n, 'EUR', mixed)]).toEqual([500n, 50_000n, 50_000n]);
    expect(['CLF', 'UYW', 'UYI'].map((code) => toUpstream(12_300n, code, iso))).toEqual([1_230_000n, 1_230_000n, 123n]);
  });
  it('outward limits hold the fee where it comes on top', () => {
    expect(optionsOf([{ eur: euro }], { fee_style: 'added' })[0]).toMatchObject({ minFiat: 1005n, maxFiat: 100_500n });
  });
  it('limits in other units are narrowed to hundredths, never widened', () => {
    const dinar = { currency_id: 9, currency_code: 'KWD', payment_options: [{ ...sepa, min_amount: 1005, max_amount: 9999 }] };
    expect(optionsOf([dinar], { minor_units: 'iso4217' })[0]).toMatchObject({ minFiat: 101n, maxFiat: 999n });
    expect(optionsOf([dinar])).toEqual([]);
  });
  it('only allowed currencies, by code or by the key they are listed under', () => {
    const signet = { sbtc: { currency_id: 7, currency_code: 'Signet BTC', payment_options: [sepa] } };
    const listed = [{ eur: euro }, { chf: franc }, signet];
    const codes = (currencies: string[]): string[] => optionsOf(listed, { currencies }).map(({ currency }) => currency);
    expect([codes(['chf']), codes(['sbtc']), codes(['SIGNET BTC']), codes([])]).toEqual([['CHF'], ['SIGNET BTC'], ['SIGNET BTC'], []]);
    const options = [
      { currency: 'eur', name: 'SEPA', currency_id: 0, id: 0, fee_rate: 0.005, min_amount: 1000, max_amount: 100_000 },
      { currency: 'JPY', name: 'Bank', currency_id: 7, id: 1 },
    ];
    expect(staticOptions(settings({ options }))).toEqual(expected.slice(0, 1));
    expect(staticOptions(settings({ options, currencies: ['CHF'] }))).toEqual([]);
  });
});

describe('quotes', () => {
  const reply = {
    quote_id: 'q',
    amount_fiat: 10_000,
    amount_sats: 107_952,
    currency_id: 0,
    payment_option_id: 0,
    is_estimate: false,
    btc_price: 9_180_000,
    order_fee: 90,
  };
  const offerOf = (more: object, block = settings()): ProviderOffer | undefined => toOffer(quoteWire.parse({ ...reply, ...more }), option, block);

  it('ids of 0 are ids; another id is another name', () => {
    expect(offerOf({})?.echo).toEqual({ currency: 'EUR', option: 'SEPA' });
    expect(offerOf({ currency_id: 1, payment_option_id: '2' })?.echo).toEqual({ currency: 'id 1', option: 'id 2' });
    expect(offerOf({ currency_id: null, payment_option_id: undefined })?.echo).toEqual({});
  });
  it.each<[unknown, boolean]>([
    [false, true],
    ['false', true],
    [0, true],
    [true, false],
    ['True', false],
    [1, false],
    [undefined, false],
    [null, false],
  ])('is_estimate %j', (is_estimate, binding) => {
    expect(offerOf({ is_estimate })?.binding).toBe(binding);
  });
  it.each<[string, unknown, bigint]>([
    ['digits as text', '107952', 107_952n],
    ['a whole float', 107_952.0000001, 107_952n],
    ['a fraction of a sat is not given', 107_952.7, 107_952n],
  ])('sats: %s', (_name, amount_sats, receive) => {
    expect(offerOf({ amount_sats })?.receive).toBe(receive);
  });
  it('a fraction of a cent is paid', () => {
    expect(offerOf({ amount_fiat: 9999.2 })?.pay).toBe(10_000n);
  });
  it('amount_btc was sats too; amount_sats goes before it', () => {
    expect([offerOf({ amount_sats: null, amount_btc: 5 })?.receive, offerOf({ amount_btc: 5 })?.receive]).toEqual([5n, 107_952n]);
    expect(() => offerOf({ amount_sats: undefined })).toThrow('malformed');
  });
  it.each<[unknown, number | undefined]>([
    ['2026-11-24T10:15:00.123Z', Date.UTC(2026, 10, 24, 10, 15, 0, 123)],
    ['2026-11-24T10:15:00.123456+00:00', Date.UTC(2026, 10, 24, 10, 15, 0, 123)],
    ['2026-11-24T12:15:00.123456789+02:00', Date.UTC(2026, 10, 24, 10, 15, 0, 123)],
    ['2026-11-24 10:15:00', Date.UTC(2026, 10, 24, 10, 15)],
    [1_795_515_300, Date.UTC(2026, 10, 24, 10, 15)],
    ['1795515300', Date.UTC(2026, 10, 24, 10, 15)],
    ['0001-01-01T00:00:00Z', undefined],
    [null, undefined],
  ])('expires_on %j', (expires_on, expiresOn) => {
    expect(offerOf({ expires_on })?.expiresOn).toBe(expiresOn);
  });
  it('an unreadable expiry does not mean "no expiry": the quote is malformed', () => {
    for (const end of ['soon', '11/28/2026', 0, {}]) expect(() => offerOf({ expires_on: end })).toThrow('malformed: the expiry of the quote');
  });
  it("the provider's own price is a fact, in hundredths", () => {
    expect(offerOf({})?.facts).toEqual({ currency: 'EUR', provider_btc_price: '9180000' });
    expect(offerOf({ btc_price: null })?.facts).toEqual({ currency: 'EUR' });
    expect(toOffer(quoteWire.parse(reply), { ...option, currency: 'JPY' }, iso)?.facts).toEqual({ currency: 'JPY', provider_btc_price: '918000000' });
  });
  it('a fee on top belongs to what is paid', () => {
    expect(offerOf({}, settings({ fee_style: 'added' }))).toMatchObject({ pay: 10_090n, fee: 90n });
    expect(offerOf({ order_fee: null })).toMatchObject({ pay: 10_000n, fee: 0n });
  });
  it('a total between two hundredths cannot be shown', () => {
    const dinar = { ...option, currency: 'KWD' };
    expect(toOffer(quoteWire.parse({ ...reply, order_fee: 5 }), dinar, iso)).toMatchObject({ pay: 1000n, fee: 1n });
    expect(toOffer(quoteWire.parse({ ...reply, order_fee: 5 }), dinar, settings({ minor_units: 'iso4217', fee_style: 'added' }))).toBeUndefined();
  });
});

describe('placed orders', () => {
  const offer: ProviderOffer = { pay: 10_090n, receive: 107_952n, fee: 90n, binding: true, upstream: { quote_id: 'q' }, facts: {}, requires: [], warnings: [] };
  const placedOf = (more: object, block = settings()) => toPlaced(orderWire.parse({ order_id: 'o', ...more }), option, offer, block);

  it('amounts that are not repeated are the quote’s; what is repeated is taken as it is', () => {
    expect(placedOf({})).toEqual({
      upstreamOrderId: 'o',
      stage: 'awaiting_payment',
      rawStatus: '',
      pay: 10_090n,
      receive: 107_952n,
      fee: 90n,
      paymentInfo: { kind: 'none' },
      echo: {},
    });
    expect(placedOf({ amount_fiat: 10_100, amount_sats: 5, order_fee: 91 })).toMatchObject({ pay: 10_100n, receive: 5n, fee: 91n });
  });
  it('a fee on top: the amount without its fee is completed by the quote’s', () => {
    const added = settings({ fee_style: 'added' });
    expect([placedOf({ amount_fiat: 10_000 }, added).pay, placedOf({ amount_fiat: 10_000, order_fee: 80 }, added).pay]).toEqual([10_090n, 10_080n]);
  });
  it('an unreadable expiry: nobody is shown how to pay', () => {
    const way = { payment_info: { payment_details: { provider_iban: 'DE89370400440532013000' } } };
    const placed = placedOf({ ...way, expires_on: 'in two hours' });
    expect([placed.expiresOn, placed.paymentInfo]).toEqual([undefined, { kind: 'none', problem: 'the expiry of the order cannot be read' }]);
    expect(placedOf({ ...way, expires_on: '2026-11-24T10:15Z' })).toMatchObject({ expiresOn: Date.UTC(2026, 10, 24, 10, 15), paymentInfo: { kind: 'fiat' } });
  });
  it.each([20_000, -1, 9_007_199_254_740_991, -9_007_199_254_740_991])('a fee of %s cents in an order over 100.90: nobody is shown how to pay', (order_fee) => {
    const way = { payment_info: { payment_details: { provider_iban: 'DE89370400440532013000' } } };
    expect(placedOf({ ...way, order_fee })).toMatchObject({
      pay: 10_090n,
      fee: 90n,
      paymentInfo: { kind: 'none', problem: 'the fee is negative, or higher than the total' },
    });
  });
  it('a fee on top that is between two hundredths: the quote keeps it exactly, for an order that does not repeat it', () => {
    const added = settings({ minor_units: 'iso4217', fee_style: 'added' });
    const dinar = { ...option, currency: 'KWD' };
    const quoted = toOffer(quoteWire.parse({ quote_id: 'q', amount_fiat: 9_985, amount_sats: 100_000, order_fee: 15 }), dinar, added);
    expect(quoted).toMatchObject({ pay: 1_000n, fee: 2n });
    if (!quoted) throw new Error('no offer');
    expect(toPlaced(orderWire.parse({ order_id: 'o', amount_fiat: 9_985 }), dinar, quoted, added)).toMatchObject({ pay: 1_000n, fee: 2n });
  });
  it('an id that is too long for the database is refused', () => {
    const long = 'x'.repeat(501);
    expect([orderWire.safeParse({ order_id: long }).success, orderWire.safeParse({ order_id: 'x'.repeat(500) }).success]).toEqual([false, true]);
    const entry = { order_status: 'placed' };
    for (const answer of [{ [long]: entry }, [{ ...entry, order_id: long }], { ...entry, order_id: long }])
      expect(toEvidence(statusWire.parse(answer), 'asked', 'EUR', settings())).toEqual([]);
  });
  it('an answer with so many rows that reading them would hold up other requests is a fault, unless it names the order that was asked for', () => {
    const rows = (count: number, entry: object) => Object.fromEntries(Array.from({ length: count }, (_, nth) => [`o${nth}`, entry]));
    const odd = { order_status: 'placed', amount_fiat: 'q' };
    const read = (wire: unknown, asked?: string) => toEvidence(statusWire.parse(wire), asked, 'EUR', settings());
    for (const [count, entry] of [
      [1_001, odd],
      [1_001, {}],
      [4_001, { order_status: 'placed' }],
    ] as const) {
      expect(() => read(rows(count, entry))).toThrow('malformed');
      expect(() => read(Object.values(rows(count, entry)))).toThrow('malformed');
      expect(read({ ...rows(count, entry), mine: { order_status: 'filled' } }, 'mine')).toMatchObject([{ upstreamOrderId: 'mine', stage: 'filled' }]);
    }
    expect(read(rows(1_000, odd))).toHaveLength(1_000);
  });
  it('an id given as a number is its digits', () => {
    expect(placedOf({ order_id: 17 }).upstreamOrderId).toBe('17');
  });
  it('status words in any case; an unknown one is not paid yet', () => {
    const stages = ['placed', 'PLACED', ' Filled', 'finished', 'refunded', 'processing'].map((order_status) => placedOf({ order_status }).stage);
    expect(stages).toEqual(['awaiting_payment', 'awaiting_payment', 'filled', 'finished', 'refunded', 'awaiting_payment']);
  });
});

describe('status answers', () => {
  const entry = { order_status: 'filled', amount_fiat: 10_000, amount_sats: 107_952, order_fee: 90, order_status_date: '2026-11-21T10:16:00.203Z' };
  const evidenceOf = (answer: unknown, currency: string | null = 'EUR', block = settings()) =>
    toEvidence(statusWire.parse(answer), 'asked', currency ?? undefined, block);
  const known = { stage: 'filled', rawStatus: 'filled', pay: 10_000n, receive: 107_952n, fee: 90n, statusOn: Date.UTC(2026, 10, 21, 10, 16, 0, 203) };

  const uuid = '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11';

  it('a map of several, an array, one flat object', () => {
    expect(evidenceOf({ a: entry, b: { ...entry, order_status: 'placed' } }).map(({ upstreamOrderId, stage }) => [upstreamOrderId, stage])).toEqual([
      ['a', 'filled'],
      ['b', 'awaiting_payment'],
    ]);
    expect(evidenceOf([{ order_id: 'a', ...entry }])).toEqual([{ ...known, upstreamOrderId: 'a' }]);
    expect(evidenceOf([entry])).toEqual([known]);
    expect(evidenceOf(entry)).toEqual([{ ...known, upstreamOrderId: 'asked' }]);
  });
  it('of several entries about one order, the one whose status began last counts; without dates, the one that is furthest', () => {
    const placed = { ...entry, order_status: 'placed', order_status_date: '2026-11-21T10:15:00Z' };
    const [of, told] = [
      (one: object) => ({ order_id: 'a', ...one }),
      (answer: unknown) => evidenceOf(answer).map(({ stage, rawStatus }) => [stage, rawStatus]),
    ];
    expect(evidenceOf([of(placed), of(entry), { order_id: 'b', ...placed }, of(placed)])).toMatchObject([
      { ...known, upstreamOrderId: 'a' },
      { upstreamOrderId: 'b', stage: 'awaiting_payment' },
    ]);
    expect(told([of(entry), of(placed)])).toEqual([['filled', 'filled']]);
    const { order_status_date: _none, ...undated } = entry;
    for (const unclear of [undated, { ...undated, order_status_date: placed.order_status_date }])
      for (const rows of [
        [of(placed), of(unclear)],
        [of(unclear), of(placed)],
      ])
        expect(told(rows)).toEqual([['filled', 'filled']]);
    expect(told([of(undated), of(undated)])).toEqual([['filled', 'filled']]);
    expect(evidenceOf([entry, entry])).toHaveLength(2);
    // A map may have one order under two spellings of its id.
    expect(toEvidence(statusWire.parse({ [uuid]: placed, [uuid.toUpperCase()]: entry }), uuid, 'EUR', settings())).toEqual([
      { ...known, upstreamOrderId: uuid },
    ]);
  });
  it('if entries about one order contradict each other, a person must look, and no money is forgotten', () => {
    const row = (order_status: string, more: object = {}) => ({ order_id: 'a', order_status, amount_fiat: 10_000, amount_sats: 107_000, ...more });
    const [t1, t2] = ['2026-11-21T10:15:00Z', '2026-11-21T11:15:00Z'].map((order_status_date) => ({ order_status_date }));
    const amounts = { pay: 10_000n, receive: 107_000n };
    const review = { upstreamOrderId: 'a', stage: 'review', ...amounts };
    expect(evidenceOf([row('paid'), row('placed')])).toMatchObject([{ stage: 'paid', rawStatus: 'paid', ...amounts }]);
    expect(evidenceOf([row('filled', t1), row('paid', t1)])).toMatchObject([{ stage: 'filled', rawStatus: 'filled', ...amounts }]);
    // The status word must not depend on the sequence of the rows. Otherwise an operator's decision about it would not hold.
    for (const rows of [
      [row('paid'), row('expired')],
      [row('expired'), row('paid')],
    ])
      expect(evidenceOf(rows)).toEqual([{ ...review, rawStatus: 'expired, paid', moneySeen: true }]);
    expect(evidenceOf([row('filled'), row('refunded'), row('placed')])).toMatchObject([{ ...review, moneySeen: true }]);
    for (const before of ['placed', 'paid']) expect(evidenceOf([row(before), row('refunded')])[0]).toEqual({ ...review, rawStatus: `${before}, refunded` });
    const words = Array.from({ length: 3000 }, (_, nth) => row(`word ${nth}`));
    expect(evidenceOf(words)[0]?.rawStatus).toHaveLength(200);
    expect(evidenceOf([row('paid', t1), row('placed', t2), row('failed', t2)])).toEqual([{ ...review, rawStatus: 'failed, placed', moneySeen: true }]);
    // Money is kept even if the dates tell which row counts.
    expect(evidenceOf([row('paid', t1), row('expired', t2)])).toMatchObject([{ stage: 'expired', moneySeen: true }]);
    expect(evidenceOf([row('paid', t1), row('refunded', t2)])[0]).not.toHaveProperty('moneySeen');
    expect(evidenceOf([row('refunded', t1), row('expired', t2)])[0]).not.toHaveProperty('moneySeen');
    expect(evidenceOf([row('placed'), row('expired')])).toEqual([{ ...review, rawStatus: 'expired, placed' }]);
    expect(evidenceOf([row('placed'), row('pondering')])).toEqual([{ ...review, rawStatus: 'placed, pondering' }]);
    const [other] = evidenceOf([row('filled', { amount_sats: 106_000 }), row('paid')]);
    expect(other).toEqual({ upstreamOrderId: 'a', stage: 'review', rawStatus: 'filled, paid', moneySeen: true });
    // Before the delivery, an amount of 0 means that the provider does not state it yet.
    expect(evidenceOf([row('filled'), row('paid', { amount_sats: 0 })])).toMatchObject([{ stage: 'filled', ...amounts }]);
  });
  it('an entry that cannot be read is left out; the others are kept', () => {
    expect(evidenceOf({ a: 'gone', b: null, c: [], d: { order_status: 5 }, e: entry }).map(({ upstreamOrderId }) => upstreamOrderId)).toEqual(['e']);
  });
  const idsFor = (asked: string, answer: unknown) =>
    toEvidence(statusWire.parse(answer), asked, 'EUR', settings()).map(({ upstreamOrderId }) => upstreamOrderId);
  it('an answer that names another order is not evidence about the requested one', () => {
    const other = '11111111-2222-4333-8444-555555555555';
    expect(idsFor(uuid, { order_id: other, ...entry })).toEqual([other]);
    expect(idsFor(uuid, { [uuid]: { order_id: other, ...entry } })).toEqual([]);
    expect([idsFor('17', { order_id: '18', ...entry }), idsFor('17', { order_id: 17, ...entry })]).toEqual([['18'], ['17']]);
  });
  it('a UUID is the same in any writing, other ids are not', () => {
    const hex = uuid.replaceAll('-', '');
    const writings = fc
      .tuple(fc.constantFrom(uuid, hex, `{${uuid}}`, `urn:uuid:${uuid}`, ` ${uuid} `), fc.boolean())
      .map(([text, upper]) => (upper ? text.toUpperCase() : text));
    fc.assert(
      fc.property(writings, writings, (asked, told) => {
        expect(idsFor(asked, { [told]: entry })).toEqual([asked]);
        expect(idsFor(asked, { order_id: told, ...entry })).toEqual([asked]);
        expect(idsFor(asked, [{ order_id: told, ...entry }])).toEqual([asked]);
      }),
    );
    fc.assert(fc.property(fc.uuid(), fc.uuid(), (a, b) => a === b || idsFor(a, { order_id: b, ...entry })[0] !== a));
    expect(idsFor('AbC', { order_id: 'abc', ...entry })).toEqual(['abc']);
  });
  it.each([
    ['a fee beyond the amount', { order_fee: 10_001 }],
    ['a fee below nothing', { order_fee: -500 }],
    ['more than an answer can say', { order_fee: '999999999999999999' }],
    ['sats that are no number', { amount_sats: 'many' }],
  ])('impossible amounts make their order a review, and affect no other order: %s', (_name, more) => {
    expect(evidenceOf({ a: { ...entry, ...more }, b: entry })).toEqual([
      { upstreamOrderId: 'a', rawStatus: 'filled', stage: 'review', moneySeen: true },
      { ...known, upstreamOrderId: 'b' },
    ]);
  });
  it.each([
    ['filled', true],
    ['finished', true],
    ['paid', true],
    ['placed', undefined],
    ['expired', undefined],
    ['refunded', undefined],
    ['shiny', undefined],
  ])('that an order with impossible amounts is %s is not forgotten, if it means money: %s', (order_status, moneySeen) => {
    for (const more of [{ amount_sats: 'many' }, { order_fee: -500 }])
      expect(evidenceOf({ a: { ...entry, ...more, order_status } })).toEqual([
        { upstreamOrderId: 'a', rawStatus: order_status, stage: 'review', ...(moneySeen === undefined ? {} : { moneySeen }) },
      ]);
  });
  it.each([
    ['placed', 'awaiting_payment'],
    ['payment_received', 'paid'],
    ['in_progress', undefined],
    ['filled', 'review'],
    ['refunded', 'review'],
  ])('an amount of 0 next to the fee, while %s: it counts only once the order is done', (order_status, stage) => {
    expect(evidenceOf({ a: { ...entry, order_status, amount_fiat: 0 } })[0]?.stage).toBe(stage);
  });
  it('whatever the amounts are, they are possible or make their order a review, and affect no other order', () => {
    const amount = fc.oneof(fc.integer({ min: -10, max: 20_000 }), fc.maxSafeInteger(), fc.bigInt(-5n, 10n ** 20n).map(String), fc.double(), fc.anything());
    fc.assert(
      fc.property(amount, amount, amount, fc.boolean(), (amount_fiat, amount_sats, order_fee, added) => {
        const block = settings(added ? { fee_style: 'added' } : {});
        const [told, other] = evidenceOf({ a: { ...entry, amount_fiat, amount_sats, order_fee }, b: entry }, 'EUR', block);
        const { pay = 0n, receive = 0n, fee = 0n } = told ?? {};
        for (const one of [pay, receive, fee]) expect(one >= 0n && one <= BigInt(Number.MAX_SAFE_INTEGER)).toBe(true);
        expect(told?.pay === undefined || fee <= pay).toBe(true);
        expect(told?.stage === 'review' ? Object.keys(told).sort() : told?.stage).toEqual(
          told?.stage === 'review' ? ['moneySeen', 'rawStatus', 'stage', 'upstreamOrderId'] : 'filled',
        );
        expect(other).toMatchObject({ stage: 'filled', receive: 107_952n });
      }),
    );
  });
  it('an unreadable expiry does not replace the known one', () => {
    expect(evidenceOf({ a: { ...entry, expires_on: 'soon' } })[0]).not.toHaveProperty('expiresOn');
  });
  it('an unknown word is evidence without a stage', () => {
    expect(evidenceOf({ a: { order_status: 'in_progress' } })).toEqual([{ upstreamOrderId: 'a', rawStatus: 'in_progress' }]);
  });
  it('the amount of the style added needs its fee', () => {
    const added = settings({ fee_style: 'added' });
    expect([evidenceOf([entry], 'EUR', added)[0]?.pay, evidenceOf([{ ...entry, order_fee: null }], 'EUR', added)[0]?.pay]).toEqual([10_090n, undefined]);
  });
  it('ISO units are read only with the currency of the order', () => {
    expect(evidenceOf([entry], null)[0]).toMatchObject({ pay: 10_000n, fee: 90n });
    expect([evidenceOf([entry], null, iso)[0], evidenceOf([entry], 'JPY', iso)[0]]).toEqual([
      { rawStatus: 'filled', stage: 'filled', receive: 107_952n, statusOn: known.statusOn },
      { ...known, pay: 1_000_000n, fee: 9000n },
    ]);
  });
  it('what is a list of orders, and what is not', () => {
    expect([{}, [], null, { a: entry }, entry].map((answer) => isListing(statusWire.parse(answer)))).toEqual([true, true, true, true, true]);
    expect(isListing(statusWire.parse({ message: 'not found' }))).toBe(false);
  });
});
