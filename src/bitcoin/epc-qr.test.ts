import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epcQr, isValidBic, isValidIban, maskIban, type EpcTransfer } from '../banking/epc-qr.ts';

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

// Example IBANs of the SWIFT registry.
test.each([
  'DE89370400440532013000',
  'AT611904300234573201',
  'CH9300762011623852957',
  'GB29NWBK60161331926819',
  'FR1420041010050500013M02606',
  'MT84MALT011000012345MTLCAST001S',
  'NO9386011117947',
  'NL91ABNA0417164300',
  'ES9121000418450200051332',
  'LI21088100002324013AA',
  'AE070331234567890123456',
  'BR1800360305000010009795493C1',
  'gb29 nwbk 6016 1331 9268 19',
])('%s is an IBAN', (text) => expect(isValidIban(text)).toBe(true));
// prettier-ignore

test.each([
  '',
  'DE',
  'DE8937040044053201300',
  'DE893704004405320130000',
  'DE98370400440532013000',
  'XX89370400440532013000',
  'DE89-3704-0044-0532-0130-00',
  'US64SVBKUS6S3300958879',
])('"%s" is none', (text) => expect(isValidIban(text)).toBe(false));

test('check digits 00, 01 and 99 pass mod 97 and are still refused', () => {
  const body = Array.from({ length: 200 }, (_, account) => String(account).padStart(18, '0'));
  const valid = body.flatMap((digits) => Array.from({ length: 100 }, (_, check) => `DE${String(check).padStart(2, '0')}${digits}`)).filter(isValidIban);
  expect(new Set(valid.map((iban) => iban.slice(4))).size).toBe(200);
  expect(valid).toHaveLength(200);
});

test('one changed digit is always noticed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 21 }),
      fc.integer({ min: 1, max: 9 }),
      (at, add) => !isValidIban(IBAN.slice(0, at) + ((Number(IBAN[at]) + add) % 10) + IBAN.slice(at + 1)),
    ),
  );
});

test('maskIban shows four characters at each end', () => {
  expect(['de89 3704 0044 0532 0130 00', 'NO9386011117947', 'DE8937040', ''].map(maskIban)).toEqual(['DE89…3000', 'NO93…7947', '…', '…']);
});

test('isValidBic', () => {
  expect(['COBADEFF', 'COBADEFFXXX', 'cobadeff', 'COBA DE FF 500'].map(isValidBic)).toEqual([true, true, true, true]);
  expect(['', 'COBADEF', 'COBADEFFXX', 'COBADEFFXXXX', 'COBA12FF', 'CÖBADEFF'].map(isValidBic)).toEqual(Array(6).fill(false));
});
