import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitcoinUri } from './address.ts';
import { withoutLightningScheme, readBitcoinLink } from './bitcoin-uri.ts';

const segwit = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const legacy = 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn';

describe('bitcoin: links', () => {
  it.each([
    [`bitcoin:${segwit}?amount=0.000791`, { address: segwit, amountSats: 79_100n }],
    [`BITCOIN:${segwit.toUpperCase()}?AMOUNT=0.000791`, { address: segwit, amountSats: 79_100n }],
    [`BITCOIN:${segwit.toUpperCase()}?amount=0.00079100&label=x`, { address: segwit, amountSats: 79_100n }],
    [`bitcoin://${segwit}?amount=1`, { address: segwit, amountSats: 100_000_000n }],
    [`bitcoin:${legacy}?amount=.5`, { address: legacy, amountSats: 50_000_000n }],
    [` bitcoin:${segwit} `, { address: segwit }],
    [`BITCOIN:${segwit.toUpperCase()}?AMOUNT=0.1&LIGHTNING=LNBCRT1X`, { address: segwit, amountSats: 10_000_000n, invoice: 'LNBCRT1X' }],
    [`bitcoin:?lightning=lnbcrt1x`, { invoice: 'lnbcrt1x' }],
    [`bitcoin:${segwit}?label=a&amp;amount=0.2`, { address: segwit, amountSats: 20_000_000n }],
    [`bitcoin:${segwit}?amount=1e-3`, { address: segwit, amountSats: 'unreadable' }],
    [`bitcoin:${segwit}?amount=0,5`, { address: segwit, amountSats: 'unreadable' }],
    [`bitcoin:${segwit}?amount=0.000000001`, { address: segwit, amountSats: 'unreadable' }],
    [`bitcoin:${segwit}?amount=`, { address: segwit, amountSats: 'unreadable' }],
    [`bitcoin:${segwit}?amount=1&amount=2`, { address: segwit, amountSats: 'unreadable' }],
    [`bitcoin:${legacy.toUpperCase()}?amount=1`, undefined],
    ['bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?amount=1', undefined],
    [`bitcoin:${segwit}?req-somethingnew=1`, undefined],
    ['bitcoin:?amount=1', undefined],
    ['bitcoin:?lightning=lnbcrt1x&req-somethingnew=1', undefined],
    ['bitcoin:?lightning=lnbcrt1x&amp;REQ-SOMETHINGNEW=1', undefined],
    [`bitcoin:bitcoin:${segwit}`, undefined],
    ['bitcoin:?lightning=', undefined],
    ['bitcoin:?lightning=&amount=1', undefined],
    ['bitcoin:?lightning=&lightning=lnbcrt1x', { invoice: 'lnbcrt1x' }],
    [`bitcoin:${segwit}?lightning=`, { address: segwit }],
    [segwit, undefined],
    ['', undefined],
  ])('%s', (text, link) => expect(readBitcoinLink(text, 'regtest')).toEqual(link));

  it('reads what we write ourselves, in either case', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2_100_000_000_000_000n }), fc.boolean(), (amountSats, capitals) => {
        const link = bitcoinUri(segwit, amountSats);
        expect(readBitcoinLink(capitals ? link.toUpperCase() : link, 'regtest')).toEqual({ address: segwit, amountSats });
      }),
    ));
});

it.each([
  ['lightning:lnbc1x', 'lnbc1x'],
  [' LIGHTNING:LNBC1X', 'LNBC1X'],
  ['lightning://lnbc1x', 'lnbc1x'],
  ['lnbc1x', 'lnbc1x'],
])('the invoice of %s', (text, invoice) => expect(withoutLightningScheme(text)).toBe(invoice));
