import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskIban, readBic, readIban } from './bank-account.ts';

const IBAN = 'DE89370400440532013000';

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
])('%s is an IBAN', (text) => expect(readIban(text)).toBe(text.replaceAll(' ', '').toUpperCase()));
test.each([
  '',
  'DE',
  'DE8937040044053201300',
  'DE893704004405320130000',
  'DE98370400440532013000',
  'XX89370400440532013000',
  'IBAN',
  'DE8937040044053201300О',
  'US64SVBKUS6S3300958879',
])('"%s" is none', (text) => expect(readIban(text)).toBeUndefined());

test('check digits 00, 01 and 99 pass mod 97 and are still refused', () => {
  const body = Array.from({ length: 200 }, (_, account) => String(account).padStart(18, '0'));
  const valid = body
    .flatMap((digits) => Array.from({ length: 100 }, (_, check) => `DE${String(check).padStart(2, '0')}${digits}`))
    .filter((text) => readIban(text));
  expect(new Set(valid.map((iban) => iban.slice(4))).size).toBe(200);
  expect(valid).toHaveLength(200);
});

test('one changed digit is always noticed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 21 }),
      fc.integer({ min: 1, max: 9 }),
      (at, add) => readIban(IBAN.slice(0, at) + ((Number(IBAN[at]) + add) % 10) + IBAN.slice(at + 1)) === undefined,
    ),
  );
});

test('maskIban shows four characters at each end', () => {
  expect(['de89 3704 0044 0532 0130 00', 'NO9386011117947', 'DE8937040', ''].map(maskIban)).toEqual(['DE89…3000', 'NO93…7947', '…', '…']);
});

test('BICs', () => {
  expect(['COBADEFF', 'COBADEFFXXX', 'cobadeff', 'COBA DE FF 500'].map(readBic)).toEqual(['COBADEFF', 'COBADEFFXXX', 'COBADEFF', 'COBADEFF500']);
  expect(['', 'COBADEF', 'COBADEFFXX', 'COBADEFFXXXX', 'COBA12FF', 'CÖBADEFF', 'COBAQQFF', 'NOTPROVIDED'].map(readBic)).toEqual(Array(8).fill(undefined));
  expect(['BICODEFFXXX', 'SWIFT: COBADEFFXXX', 'SWIFT/BIC COBADEFF', 'BIC COBADEFF'].map(readBic)).toEqual([
    'BICODEFFXXX',
    'COBADEFFXXX',
    'COBADEFF',
    'COBADEFF',
  ]);
});

/** Account numbers as e-mails, phones and PDFs write them. */
const pasted = (account: string, labels: string[]) =>
  fc
    .tuple(
      fc.constantFrom(...labels),
      fc.array(fc.constantFrom('', ' ', '\u00a0', '\u202f', '-', '\u2011', '\u2013', '\u200b', '\u202a', '\u202c', '\ufeff', '\u00ad', '\t', '\n'), {
        minLength: account.length,
        maxLength: account.length,
      }),
      fc.boolean(),
    )
    .map(([label, gaps, lower]) => label + [...(lower ? account.toLowerCase() : account)].map((letter, at) => letter + (gaps[at] ?? '')).join(''));

test('as people paste them', () => {
  const norwegian = 'NO9386011117947';
  const ibanLabels = ['', 'IBAN ', 'IBAN: ', 'iban:', 'IBAN', '\u202aIBAN\u00a0', 'IBAN-Nr.: ', 'IBAN No. ', 'IBAN Number: ', 'Iban code: '];
  fc.assert(fc.property(pasted(IBAN, ibanLabels), (text) => readIban(text) === IBAN));
  fc.assert(fc.property(pasted(norwegian, ibanLabels), (text) => readIban(text) === norwegian));
  fc.assert(fc.property(pasted('COBADEFFXXX', ['', 'BIC ', 'BIC: ', 'SWIFT: ', 'bic:', 'BIC/SWIFT: ']), (text) => readBic(text) === 'COBADEFFXXX'));
});
