import { expect, it } from 'vitest';
import { Money } from '@ramp-gateway/client';
import { readAmount, showBps, showCountdown, showDuration, showMoney, type Language } from './amounts.ts';

it.each<[written: string, en: string | undefined, de: string | undefined]>([
  ['100', '100', '100'],
  ['99.50', '99.50', '99.50'],
  ['99,5', '99.5', '99.5'],
  [' 1 000,50 ', '1000.50', '1000.50'],
  ['1,000', '1000', undefined],
  ['1.000', undefined, '1000'],
  ['1,000.50', '1000.50', undefined],
  ['1.000,50', undefined, '1000.50'],
  ['1.00.00', undefined, undefined],
  ['0', undefined, undefined],
  ['0,00', undefined, undefined],
  ['0.01', '0.01', '0.01'],
  ['-5', undefined, undefined],
  ['1e3', undefined, undefined],
  ['١٠٠', undefined, undefined],
  ['', undefined, undefined],
  ['<b>', undefined, undefined],
])('"%s" is %s in English and %s in German', (written, en, de) => {
  expect([readAmount(written, 'en'), readAmount(written, 'de')]).toEqual([en, de]);
});

const plain = (text: string): string => text.replaceAll(/\s/g, ' ');
it.each<[language: Language, shown: string[]]>([
  ['en', ['€99.50', '107,869 sats', '12.00 XBT ', '0.91%', '2 minutes', '24 hours', '2 days', '4:05', '0:00']],
  ['de', ['99,50 €', '107.869 sats', '12,00 XBT ', '0,91 %', '2 Minuten', '24 Stunden', '2 Tage', '4:05', '0:00']],
])('shows amounts and times in %s', (language, shown) => {
  const units = new Money(9950n, 'EUR');
  // A provider's code for a currency may be one that does not exist, such as "XBT ".
  const odd = { text: '12.00', currency: 'XBT ' };
  expect(
    [
      showMoney(units, language),
      showMoney(new Money(107_869n, 'sat'), language),
      showMoney(odd, language),
      showBps(91, language),
      showDuration(61, language),
      showDuration(86_400, language),
      showDuration(172_800, language),
      showCountdown(244_001),
      showCountdown(-5),
    ].map(plain),
  ).toEqual(shown);
});

it('rounds nothing, also in a currency without decimals', () => {
  const shown = ['1000', '1000.00', '1000.50', '0.01'].map((text) => showMoney({ text, currency: 'JPY' }, 'en'));
  expect(shown).toEqual(['¥1,000', '¥1,000', '¥1,000.50', '¥0.01']);
});

it('shows no amount as a float', () => {
  expect(showMoney(new Money(90_071_992_547_409_931n, 'EUR'), 'en')).toBe('€900,719,925,474,099.31');
});
