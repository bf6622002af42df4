import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPaymentInfo } from './fiat-on-ramp-payment.ts';

describe('payment_info', () => {
  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['""', ''],
    ['[]', []],
    ['{}', {}],
    ['the option alone', { payment_option_id: 3 }],
    ['empty members', { payment_url: '', payment_details: {} }],
    ['null members', { payment_url: null, payment_details: null }],
    ['details of no text', { payment_details: { a: null, b: true, c: {}, d: '' } }],
  ])('no way to pay: %s', (_name, given) => {
    expect(toPaymentInfo(given)).toEqual({ kind: 'none' });
  });
  it('a link, details, or both; numbers become text', () => {
    expect(toPaymentInfo({ payment_url: 'https://a.example' })).toEqual({ kind: 'fiat', paymentUrl: 'https://a.example' });
    expect(
      toPaymentInfo({ payment_option_id: 3, payment_url: 'https://a.example', payment_details: { provider_accountnumber: 12, provider_name: 'A' } }),
    ).toEqual({
      kind: 'fiat',
      paymentUrl: 'https://a.example',
      paymentDetails: { provider_accountnumber: '12', provider_name: 'A' },
    });
  });
  it('a payment reference passes, wherever it stands and whatever it is called', () => {
    const details = (given: object): unknown => (toPaymentInfo(given) as { paymentDetails: unknown }).paymentDetails;
    expect(details({ payment_details: { transfer_reference: 'R1', provider_iban: 'DE89' } })).toEqual({ transfer_reference: 'R1', provider_iban: 'DE89' });
    expect(details({ payment_reference: 'R1', payment_details: { provider_iban: 'DE89' } })).toEqual({ payment_reference: 'R1', provider_iban: 'DE89' });
    expect(details({ reference: 'beside', payment_details: { reference: 'inside' } })).toEqual({ reference: 'inside' });
    expect(details({ payment_url: 'https://a.example', payment_reference: 'R1' })).toEqual({ payment_reference: 'R1' });
  });
});

const details = (given: unknown): Record<string, string> | undefined => {
  const info = toPaymentInfo(given);
  return info.kind === 'fiat' ? info.paymentDetails : undefined;
};

describe('details in any shape pass through', () => {
  const iban = 'DE89370400440532013000';
  it.each<[string, unknown, object]>([
    [
      'nested',
      { payment_url: 'https://a.example', bank_account: { iban, reference: 'LP-77Q2' } },
      { bank_account_iban: iban, bank_account_reference: 'LP-77Q2' },
    ],
    [
      'labelled',
      {
        payment_details: [
          { label: 'Reference', value: 'LP-77Q2' },
          { name: 'IBAN', text: iban },
        ],
      },
      { Reference: 'LP-77Q2', IBAN: iban },
    ],
    ['labelled, with more', { payment_details: [{ key: 'Amount', value: '1.10', copy: true }] }, { Amount: '1.10', Amount_copy: 'true' }],
    ['labelled values that are nested', { payment_details: [{ title: 'Bank', value: { iban } }] }, { Bank_iban: iban }],
    [
      'two of one label',
      {
        payment_details: [
          { label: 'Line', value: 'a' },
          { label: 'Line', value: 'b' },
        ],
      },
      { Line: 'a', Line_2: 'b' },
    ],
    ['a list of texts', { payment_details: { lines: ['a', 'b'] } }, { lines_1: 'a', lines_2: 'b' }],
    ['a list of one object', { accounts: [{ iban }] }, { accounts_iban: iban }],
    ['one text', { payment_details: `Pay to ${iban}` }, { payment_details: `Pay to ${iban}` }],
    ['payment_info as a text', `Pay to ${iban}`, { payment_details: `Pay to ${iban}` }],
    ['payment_info as a list', [{ label: 'IBAN', value: iban }], { IBAN: iban }],
    ['a link that is no text', { payment_url: { href: 'https://a.example' } }, { payment_url_href: 'https://a.example' }],
    ['switches beside texts', { payment_details: { iban, instant: true } }, { iban, instant: 'true' }],
    ['a code of 526 characters', { payment_details: { pix_copia_e_cola: 'x'.repeat(526) } }, { pix_copia_e_cola: 'x'.repeat(526) }],
  ])('%s', (_name, given, expected) => expect(details(given)).toEqual(expected));

  it.each<[string, unknown]>([
    ['a text of 5,000 characters', { payment_url: 'https://a.example', payment_details: { code: 'x'.repeat(5000) } }],
    ['a hundred details', { payment_details: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 'v'])) }],
    ['twenty texts of 1,000 characters', { payment_details: Array.from({ length: 20 }, () => 'x'.repeat(1000)) }],
    ['eight levels', { a: { b: { c: { d: { e: { f: { g: { reference: 'LP-77Q2' } } } } } } } }],
  ])('what cannot be shown whole is shown to nobody: %s', (_name, given) => {
    expect(toPaymentInfo(given)).toEqual({ kind: 'none', problem: expect.stringContaining('can be shown') as string });
  });

  /** Trees of strings, in the shapes that providers build. */
  const text = fc.stringMatching(/^[A-Za-z0-9 ./-]{1,30}$/).filter((one) => one.trim() !== '');
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), tie('node'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.record({ label: text, value: text }), { maxLength: 3 }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  }));
  const texts = (value: unknown): string[] =>
    typeof value === 'object' && value !== null
      ? 'label' in value && 'value' in value && Object.keys(value).length === 2 && typeof value.label === 'string'
        ? texts(value.value)
        : Object.values(value).flatMap(texts)
      : value === '' || value === null || value === undefined
        ? []
        : [JSON.stringify(value).replaceAll(/^"|"$/g, '')];
  it('no text of a tree is lost: all of them, or none and a problem', () => {
    fc.assert(
      fc.property(node, (tree) => {
        const info = toPaymentInfo({ payment_details: tree });
        if (info.kind === 'none' && info.problem !== undefined) return;
        const shown = info.kind === 'fiat' ? Object.values(info.paymentDetails ?? {}) : [];
        expect(new Set(shown)).toEqual(new Set(texts(tree)));
      }),
    );
  });
});
