import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epcQr, type EpcTransfer } from './epc-qr.ts';

const IBAN = 'DE89370400440532013000';
const TRANSFER: EpcTransfer = { iban: IBAN, bic: 'COBADEFFXXX', name: 'Alpine Pay AG', amountCents: 10_000n, reference: 'ALP-4F7K2' };
const withChange = (change: Partial<EpcTransfer>): string | undefined => epcQr({ ...TRANSFER, ...change });
const line = (text: string | undefined, number: number): string | undefined => text?.split('\n')[number - 1];

test('the text of the sample, line by line', () => {
  expect(epcQr(TRANSFER)).toBe('BCD\n002\n1\nSCT\nCOBADEFFXXX\nAlpine Pay AG\nDE89370400440532013000\nEUR100.00\n\n\nALP-4F7K2');
});

test('without BIC its line stays, without reference the empty end is left out', () => {
  expect(epcQr({ iban: 'de89 3704 0044 0532 0130 00', name: 'A', amountCents: 1n })).toBe(`BCD\n002\n1\nSCT\n\nA\n${IBAN}\nEUR0.01`);
});

test('a line break in a value does not move the lines below it', () => {
  const text = withChange({ name: ' Alpine\nPay\u2028AG\u0000 ', reference: 'a\r\nb\tc' });
  expect([line(text, 6), line(text, 7), line(text, 11)]).toEqual(['Alpine Pay AG', IBAN, 'a b c']);
});

test('limits: amount, name, reference, bytes', () => {
  expect([0n, -1n, 99_999_999_999n, 100_000_000_000n].map((amountCents) => line(withChange({ amountCents }), 8))).toEqual([
    undefined,
    undefined,
    'EUR999999999.99',
    undefined,
  ]);
  expect(line(withChange({ name: 'ä'.repeat(71) }), 6)).toBe('ä'.repeat(70));
  expect(line(withChange({ reference: 'r'.repeat(140) }), 11)).toBe('r'.repeat(140));
  expect([{ reference: 'r'.repeat(141) }, { name: ' \n' }, { reference: 'ä'.repeat(140) }].map(withChange)).toEqual([undefined, undefined, undefined]);
});

test('no code for a bad or non-SEPA IBAN, nor for a bad BIC', () => {
  expect([{ iban: 'DE89370400440532013001' }, { iban: 'AE070331234567890123456' }, { bic: 'COBADEFFXX' }].map(withChange)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  'NOTPROVIDED',
  'notprovided',
  'XXXXXXXXXXX',
  'XXXXXXXX',
  'UNKNOWNX',
  'UNKNOWN',
  'n/a',
  'N/A',
  '-',
  '--',
  'none',
  'NULL',
  ' ',
  '\u200b',
  '0',
  'Not provided',
])('a placeholder for the BIC, "%s", is an empty line', (bic) => expect(line(withChange({ bic }), 5)).toBe(''));

test.each(['CH9300762011623852957', 'GB29NWBK60161331926819', 'MC5811222000010123456789030', 'SM86U0322509800000000270100'])(
  'outside the EEA no code without a BIC: %s',
  (iban) => {
    expect(['', 'NOTPROVIDED'].map((bic) => withChange({ iban, bic }))).toEqual([undefined, undefined]);
    expect(line(withChange({ iban, bic: 'NWBKGB2L' }), 5)).toBe('NWBKGB2L');
  },
);

test('a Swiss QR-IBAN takes no SEPA transfer', () => {
  expect(withChange({ iban: 'CH4431999123000889012', bic: 'POFICHBEXXX' })).toBeUndefined();
  expect(withChange({ iban: 'CH9300762011623852957', bic: 'POFICHBEXXX' })).toBeDefined();
});

test('a pasted IBAN and BIC are written in the form that banks use', () => {
  const text = withChange({ iban: '\u202aIBAN: DE89-3704\u00a00044 0532 0130 00\u202c', bic: 'BIC: coba de ff xxx', reference: 'ALP\u200b-4F7K2' });
  expect([line(text, 5), line(text, 7), line(text, 11)]).toEqual(['COBADEFFXXX', IBAN, 'ALP-4F7K2']);
});

/** For each IBAN: whether version 002 of the code needs a BIC, and whether SEPA can pay the account at all. */
const accounts: [iban: string, needsBic: boolean, isPaid: boolean][] = [
  [IBAN, false, true],
  ['AT611904300234573201', false, true],
  ['NO9386011117947', false, true],
  ['LI21088100002324013AA', false, true],
  ['CH9300762011623852957', true, true],
  ['GB29NWBK60161331926819', true, true],
  ['MC5811222000010123456789030', true, true],
  ['SM86U0322509800000000270100', true, true],
  ['CH4431999123000889012', true, false],
  ['AE070331234567890123456', true, false],
  ['BR1800360305000010009795493C1', true, false],
];
const bics: [bic: string, line: string | undefined][] = [
  ['COBADEFFXXX', 'COBADEFFXXX'],
  ['BIC: coba de ff', 'COBADEFF'],
  ...[
    '',
    ' ',
    'NOTPROVIDED',
    'not provided',
    'N/A',
    'n.a.',
    'none',
    'X',
    'XXXXXXXX',
    'XXXXXXXXXXX',
    '-----------',
    '00000000',
    'unknown',
    'UNKNOWNXXXX',
    'TBA',
    'null',
  ].map((bic): [string, string | undefined] => [bic, '']),
  ...['COBADEFFX', 'DE89370400440532013000', 'COBAQQFF', 'COBA12FF'].map((bic): [string, string | undefined] => [bic, undefined]),
];

test('whatever the account, its bank and the words around: the code pays that account, or there is none', () => {
  const blank = fc.constantFrom('', ' ', '\n', '\u00a0', '\u200b', '\t');
  fc.assert(
    fc.property(
      fc.constantFrom(...accounts),
      fc.constantFrom(...bics),
      fc.boolean(),
      blank,
      blank,
      fc.string({ maxLength: 20 }),
      ([iban, needsBic, isPaid], [bic, shown], lower, before, inside, words) => {
        const code = epcQr({
          iban: before + iban.slice(0, 6) + inside + iban.slice(6),
          bic: lower ? bic.toLowerCase() : bic,
          name: `A${words}`,
          amountCents: 1n,
          reference: `R${words}`,
        });
        const isMade = isPaid && shown !== undefined && !(needsBic && shown === '');
        expect([bic, iban, code !== undefined]).toEqual([bic, iban, isMade]);
        if (code === undefined) return;
        const lines = code.split('\n');
        expect([lines.length, lines[4], lines[6], lines[7]]).toEqual([11, shown, iban, 'EUR0.01']);
      },
    ),
    { numRuns: 1000 },
  );
});

/** Returns an account of that country with the right check digits (ISO 13616). */
const accountOf = (country: string, account: string): string => {
  const digits = `${account}${country}00`.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return `${country}${String(98n - (BigInt(digits) % 97n)).padStart(2, '0')}${account}`;
};

test('of all banks of Switzerland and Liechtenstein, those with numbers from 30000 to 31999 take no transfer', () => {
  const edge = fc.constantFrom(0, 29_999, 30_000, 30_999, 31_000, 31_999, 32_000, 99_999);
  const bank = fc.oneof(edge, fc.nat(99_999), fc.integer({ min: 30_000, max: 31_999 }));
  fc.assert(
    fc.property(fc.constantFrom('CH', 'LI'), bank, fc.stringMatching(/^[0-9A-Z]{12}$/), (country, number, account) => {
      const iban = accountOf(country, String(number).padStart(5, '0') + account);
      expect([iban, line(withChange({ iban, bic: 'POFICHBEXXX' }), 7)]).toEqual([iban, number >= 30_000 && number < 32_000 ? undefined : iban]);
    }),
    { numRuns: 300 },
  );
});
