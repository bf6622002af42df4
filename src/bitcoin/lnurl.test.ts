import { bech32 } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from './__fixtures__/lnurl.json' with { type: 'json' };
import { decodeLnurl, encodeLnurl, toCanonicalLnurl } from './lnurl.ts';

const BECH32 = vectors.bech32[0]!;

test.each(vectors.bech32)('$url has its bech32 text, both ways', ({ url, lnurl }) => {
  expect(encodeLnurl(url)).toBe(lnurl);
  expect(decodeLnurl(lnurl)).toBe(url);
  expect(toCanonicalLnurl(url)).toEqual({ lnurl, url: new URL(url) });
});

test.each(vectors.accept)('takes $input', ({ input, url }) => {
  expect(decodeLnurl(input)).toBe(url);
  expect(toCanonicalLnurl(input)).toEqual({ lnurl: encodeLnurl(url), url: new URL(url) });
});

test.each([...vectors.reject, ...vectors.other_scheme])('refuses $input', ({ input }) => {
  expect(decodeLnurl(input)).toBeUndefined();
  expect(toCanonicalLnurl(input)).toBeUndefined();
});

test('schemes and hosts in any case', () => {
  expect(decodeLnurl(`LIGHTNING:${BECH32.lnurl}`)).toBe(BECH32.url);
  expect(decodeLnurl('LNURLW://Domain.com/Path')).toBe('https://Domain.com/Path');
  expect(decodeLnurl('lnurlw://EXAMPLE.ONION/x')).toBe('http://EXAMPLE.ONION/x');
  expect(decodeLnurl('https://example.onion/x')).toBe('https://example.onion/x');
});

/** One LNURL with the prefixes, cases and line breaks that emails, QR codes and terminals add. */
const around = fc
  .record({
    before: fc.constantFrom(
      '',
      'lightning:',
      'LIGHTNING:',
      'lightning://',
      'Lightning://',
      'lnurl:',
      'lnurlw:',
      'web+lightning:',
      ' ',
      '\n',
      '\ufeff',
      '\u200b',
      '\u200elightning:',
    ),
    upper: fc.boolean(),
    after: fc.constantFrom('', '\n', '\r\n', ' ', '\t', '\u200b', '\u00a0'),
    breakAt: fc.nat(BECH32.lnurl.length),
    lineEnd: fc.constantFrom('', '\n', '\r\n', '\u00ad', '\u200b'),
  })
  .map(({ before, upper, after, breakAt, lineEnd }) => {
    const text = upper ? BECH32.lnurl.toUpperCase() : BECH32.lnurl.toLowerCase();
    return before + text.slice(0, breakAt) + lineEnd + text.slice(breakAt) + after;
  });

test('prefixes that wallets add and line ends are not part of an LNURL', () => {
  fc.assert(fc.property(around, (text) => decodeLnurl(text) === BECH32.url));
  expect(toCanonicalLnurl(`lightning://${BECH32.lnurl}\n`)?.lnurl).toBe(BECH32.lnurl);
  expect(decodeLnurl('https://service.com/w?k=1\r\n')).toBe('https://service.com/w?k=1');
});

test('the fallback of LUD-01 in capitals leads to the inner LNURL', () => {
  const upper = `HTTP://HOST.EXAMPLE/REDEEM?LIGHTNING=${BECH32.lnurl.toUpperCase()}`;
  expect([upper, `https://host.example/redeem?x=1&Lightning=${BECH32.lnurl.toLowerCase()}\n`].map((text) => decodeLnurl(text))).toEqual([
    BECH32.url,
    BECH32.url,
  ]);
  expect(decodeLnurl('HTTPS://HOST.EXAMPLE/REDEEM?LIGHTNING=LNBC1ABC')).toBeUndefined();
  const unified = [`bitcoin:?lightning=${BECH32.lnurl}`, `BITCOIN:BC1QX?AMOUNT=0.1&LIGHTNING=${BECH32.lnurl.toUpperCase()}`];
  expect(unified.map((text) => decodeLnurl(text))).toEqual([BECH32.url, BECH32.url]);
  expect([decodeLnurl('bitcoin:bc1qx'), decodeLnurl('bitcoin:bc1qx?lightning=lnbc1abc')]).toEqual([undefined, undefined]);
});

describe('links that are something else', () => {
  const bad = {
    'another kind by its tag': 'https://service.com/api?tag=login&k1=00',
    'another kind by its tag inside bech32': encodeLnurl('https://service.com/api?tag=payRequest'),
    'an invoice as lightning parameter': 'https://service.com/?lightning=lnbc1abc',
    'an empty lightning parameter': 'https://service.com/?lightning=',
    'lightning: before a URL': 'lightning:https://service.com/api',
    'another scheme inside bech32': encodeLnurl('lnurlw://service.com/api'),
    'a URL under another bech32 prefix': bech32.encode('lnurlp', bech32.decode(BECH32.lnurl, false).words, false),
    'bytes that are no text': bech32.encode('lnurl', bech32.toWords(Uint8Array.of(0xff, 0xfe))),
    'a user in the URL': 'https://service.com@evil.example/api',
    'a backslash': 'https://service.com\\@evil.example/api',
    'a blank': 'https://service.com/a b',
    'a line break before it': '\nhttps://service.com/api',
    'no host': 'https:///?x=1',
    'a one-slash URL': 'https:/service.com/api',
    'not ASCII': 'https://sérvice.com/api',
    'empty text': '',
    'an onion name only in the path': 'http://service.com/x.onion',
  };
  test.each(Object.entries(bad))('%s', (_, text) => expect(decodeLnurl(text)).toBeUndefined());

  test('withdrawRequest as tag (LUD-08) is ours', () => {
    const fast = 'https://service.com/api?tag=withdrawRequest&k1=00';
    expect(decodeLnurl(encodeLnurl(fast))).toBe(fast);
  });
});

test('text up to 2,000 characters', () => {
  const url = 'https://service.com/'.padEnd(2000, 'x');
  expect(decodeLnurl(url)).toBe(url);
  expect(decodeLnurl(`${url}x`)).toBeUndefined();
});

test('loopback http only where the sandbox asks for it', () => {
  const urls = ['http://127.0.0.1:8080/lnurlw/1', 'http://[::1]:8080/x', 'http://localhost/x'];
  expect(urls.map((url) => decodeLnurl(encodeLnurl(url)))).toEqual([undefined, undefined, undefined]);
  expect(urls.map((url) => decodeLnurl(encodeLnurl(url), { loopbackHttp: true }))).toEqual(urls);
  expect(toCanonicalLnurl(urls[0]!, { loopbackHttp: true })?.lnurl).toBe(encodeLnurl(urls[0]!));
  expect(decodeLnurl('http://127.0.0.1.evil.example/x', { loopbackHttp: true })).toBeUndefined();
});

test('round trip', () => {
  fc.assert(fc.property(fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }), (url) => decodeLnurl(encodeLnurl(url).toLowerCase()) === url));
  fc.assert(fc.property(fc.string(), (text) => decodeLnurl(`lnurl1${text}`) === undefined));
});
