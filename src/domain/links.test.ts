import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { customerLink, customerText, holdsLink, wordsInside } from './links.ts';

const hosts = ['lindenpay.example'];
const link = (text: string, sandbox = false): string | undefined => customerLink(text, hosts, sandbox);
const text = (given: string): string | undefined => customerText(given, hosts, false);

describe('a link for a customer', () => {
  it.each([
    ['https://lindenpay.example', 'https://lindenpay.example/'],
    ['HTTPS://PAY.LindenPay.example:8443/A?b=C#d', 'https://pay.lindenpay.example:8443/A?b=C#d'],
    ['https://pay.lindenpay.example./x', 'https://pay.lindenpay.example/x'],
    ['https://pay.lindenpay.example/a/../b', 'https://pay.lindenpay.example/b'],
    ['https://pay.lindenpay.example/Zahlung/für', 'https://pay.lindenpay.example/Zahlung/f%C3%BCr'],
    ['https://pay.lindenpay.example/x?to=https://a.example@b', 'https://pay.lindenpay.example/x?to=https://a.example@b'],
  ])('%s is handed out as %s', (given, canonical) => expect(link(given)).toBe(canonical));

  it.each([
    'https://pay.lindenpay.example\\@evil.example/x',
    'https:\\\\pay.lindenpay.example/x',
    'https://pay.lindenpay.example/\\evil',
    'https://user@pay.lindenpay.example/',
    'https://pay.lindenpay.example:443@evil.example/',
    'https:/pay.lindenpay.example/',
    'https:pay.lindenpay.example/',
    'https:///pay.lindenpay.example/',
    'https://.pay.lindenpay.example/',
    'https://pay..lindenpay.example/',
    'https://pay.lindenpay.example../',
    '//pay.lindenpay.example/',
    'http://pay.lindenpay.example/',
    'ftp://pay.lindenpay.example/',
    'javascript:alert(1)//pay.lindenpay.example/',
    ' https://pay.lindenpay.example/',
    'https://pay.lindenpay.example/\n',
    'ht\ttps://pay.lindenpay.example/',
    'https://pay.linden\npay.example/',
    'https://pay.lindenpay.example/a b',
    'https://pay.lindenpay.example/\u202egnp.exe',
    'https://pay.lindenpay.example/\u200b',
    'https://pay.lindenpay.example\u3002evil.example/',
    'https://ｐａｙ.lindenpay.example/',
    'ｈｔｔｐｓ://pay.lindenpay.example/',
    'https://pay.lindenpay.example／@evil.example/',
    'https://pay.lindenpаy.example/',
    'https://pay%2elindenpay.example/',
    'https://evil-lindenpay.example/',
    'https://lindenpay.example.evil.example/',
    'https://1.2.3.4/',
    'https://0177.0.0.1/',
    'https://[fe80::1%25eth0]/',
    'https://pay.lindenpay.example:0/',
    'https://pay.lindenpay.example:65536/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://localhost/',
    '',
    `https://pay.lindenpay.example/${'x'.repeat(4096)}`,
  ])('%j is refused', (given) => expect(link(given)).toBeUndefined());

  it('loopback is allowed only in sandbox mode, and must be written by the same rules', () => {
    const local = ['http://127.0.0.1:8080/pay', 'http://localhost/pay', 'https://[::1]:1/pay'];
    expect([local.map((one) => link(one)), local.map((one) => link(one, true))]).toEqual([[undefined, undefined, undefined], local]);
    expect([link('http://127.0.0.1\\@evil.example/', true), link('http://127.0.0.1.evil.example/', true)]).toEqual([undefined, undefined]);
  });

  /** Fragments that can make two parsers read different hosts. */
  const piece = fc.constantFrom(
    'https:',
    'http:',
    '/',
    '//',
    '\\',
    '@',
    ':',
    '.',
    '?',
    '#',
    '%2f',
    '%40',
    '%00',
    ' ',
    '\t',
    '\n',
    '\u202e',
    '\u200b',
    '\uff0f',
    '\u3002',
    '\u2044',
    'lindenpay.example',
    'pay.lindenpay.example',
    'evil.example',
    '127.0.0.1',
    'xn--',
    'user',
    '443',
    '[::1]',
    'javascript:',
  );
  it("a link that is handed out has one of the provider's hosts, even for a parser of RFC 3986", () => {
    const anyLink = fc.tuple(fc.constantFrom('', 'https://', 'https://pay.lindenpay.example'), fc.array(piece, { maxLength: 6 }), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(anyLink, ([start, pieces, end]) => {
        const canonical = link(start + pieces.join('') + end);
        if (canonical === undefined) return;
        const [, authority = ''] = /^https:\/\/([^/?#]*)/.exec(canonical) ?? [];
        expect(authority).toMatch(/^(?:[a-z0-9-]+\.)*lindenpay\.example(?::\d+)?$/);
        expect(canonical).not.toMatch(/[\\\s]|[^\x21-\x7e]/);
        expect(link(canonical)).toBe(canonical);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a text next to the link', () => {
  it.each([
    ['DE89370400440532013000', 'DE89370400440532013000'],
    ['Ref:LP-77Q2', 'Ref:LP-77Q2'],
    ['IBAN: DE89 3704', 'IBAN: DE89 3704'],
    ['Street 1\nBerlin', 'Street 1 Berlin'],
    ['LP\u202e-77Q2\u200b', 'LP-77Q2'],
    ['10:30', '10:30'],
    ['Use https: or lightning: as you like', 'Use https: or lightning: as you like'],
    ['Ask for LNURL 1 or 2', 'Ask for LNURL 1 or 2'],
    ['Questions? Tel:+41 44 123, E-Mail:help@lindenpay.example', 'Questions? Tel:+41 44 123, E-Mail:help@lindenpay.example'],
    ['In the file: name, content and intent', 'In the file: name, content and intent'],
    ['Verwendungszweck Market:4711', 'Verwendungszweck Market:4711'],
    ['Ref 12, File:12, Content:A7.', 'Ref 12, File:12, Content:A7.'],
    ['File:12', 'File:12'],
    ['Bank data:DE89,SOLADEST', 'Bank data:DE89,SOLADEST'],
    ['help@lindenpay.example', 'help@lindenpay.example'],
    ['Pay at www.lindenpay.example/x, please', 'Pay at www.lindenpay.example/x, please'],
    ['Bitcoin.de Services SE', 'Bitcoin.de Services SE'],
    ['Rg.Nr/2026', 'Rg.Nr/2026'],
    ['awww.nice', 'awww.nice'],
    ['https://PAY.lindenpay.example/x', 'https://pay.lindenpay.example/x'],
    ['Pay at https://pay.lindenpay.example/x.', 'Pay at https://pay.lindenpay.example/x.'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
  ])('%j is shown as %j', (given, shown) => expect(text(given)).toBe(shown));

  it.each([
    'javascript:alert(1)',
    'Pay here: javascript:alert(1)',
    'Or open (intent:pay#Intent;end) now',
    'Write to WhatsApp:41791234567 for the code',
    'Send lightning:alice@evil.example the sats',
    'Send web+lightning:alice@evil.example the sats',
    'Send web+pay:alice the money',
    'Open data:text/html,<script> here',
    'Open data:text/html;charset=utf-8;base64,PHNjcmlwdD4 here',
    'Open content:app/pay here',
    'Open market:details?id=evil here',
    'intent:pay#Intent;end',
    'JaVaScRiPt:alert(1)',
    'java\tscript:alert(1)',
    '\u202ajavascript:alert(1)',
    'data:text/html,<script>',
    'www.evil.example',
    'WWW.evil.example',
    'Pay at www.evil.example/x.',
    '(www.evil.example)',
    'www.lindenpay.example.evil.example',
    'www.lindenpay.example@evil.example',
    'ｗｗｗ.evil.example',
    'www\u3002evil.example',
    'www.ev\u200bil.example',
    'https://evil.example/x',
    'Pay at https://evil.example/x now',
    'https://pay.lindenpay.example\\@evil.example/x',
    'ｈｔｔｐｓ://evil.example/x',
    'ｈｔｔｐｓ://pay.lindenpay.example/x',
    'Pay at ｈｔｔｐｓ://pay.lindenpay.example/x',
    'http://pay.lindenpay.example/x',
    'intent://pay#Intent;end',
    'myapp:pay?to=evil',
    'bitcoin:bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj',
    'mailto:help@evil.example',
    'file:///etc/passwd',
    'https:evil.example',
    'Pay at https:evil.example/x',
    'LNURL1DP68GURN8GHJ7ETKD9KZUETCV9KHQMR99AKXUATJD3MN76EAXYK2M8U5',
    'LNURL1DP68GURN8GHJ7ETKD9K ZUETCV9KHQMR99AKXUATJD3MN76EAXYK2M8U5',
    'Scan lightning:LNURL1DP68GURN8GHJ7ETKD9KZUETCV9KHQMR99AKXUATJD3MN76EAXYK2M8U5 now',
    'Or pay bitcoin:bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj?amount=1',
  ])('%j is a link that nobody may follow', (given) => expect(text(given)).toBeUndefined());

  it('is read once for schemes that are words, however many of them follow each other', () => {
    const words = ['file:', 'Content:', 'intent:', 'market:', 'data:text/', 'DATA:image/'];
    const piece = fc.constantFrom(...words, ...words, ...'a1.-,; \n/?=#@:é');
    // These patterns follow the same rules as wordsInside, but a search for them begins again at each word.
    const word = /(?<![\p{L}\p{N}.-])(?:file|content|intent|market):[^\s/?=#@]*[/?=#@]/iu;
    const data = /(?<![\p{L}\p{N}.-])data:(?:text|image|application)\/[^\s,]*,/iu;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const given = pieces.join('');
        const inside = wordsInside(given);
        for (const parts of Object.values(inside)) expect(parts.join('').length).toBeLessThanOrEqual(given.length);
        expect(inside.words.some((one) => /[/?=#@]/.test(one))).toBe(word.test(given));
        expect(inside.data.some((one) => one.includes(','))).toBe(data.test(given));
        const isLink = word.test(given) || data.test(given);
        expect(isLink && (text(given) !== undefined || !holdsLink(given))).toBe(false);
      }),
      { numRuns: 5000 },
    );
    for (const part of words) expect(Object.values(wordsInside(part.repeat(800))).flat()).toEqual([part.repeat(800)]);
  });

  it.each([
    ['letters', 'a'],
    ['letters of four each', '\u33c2'],
    ['ends of sentences', 'a:/' + '.'.repeat(200) + 'x '],
    ['schemes that are words', 'file:'],
    ['beginnings of data', 'data:text/'],
    ['schemes of the web', 'web+'],
  ])('is searched in time that grows with its length only: %s', (_name, part) => {
    const took = (length: number): number => {
      const given = `x ${part.repeat(length)}`.slice(0, length);
      const times = [1, 2, 3].map(() => {
        const { user, system } = process.cpuUsage();
        text(given);
        const after = process.cpuUsage();
        return after.user + after.system - user - system;
      });
      return Math.min(...times) / 1000;
    };
    expect(took(4096)).toBeLessThan(20);
  });
});

describe('a name in a list', () => {
  it.each(['SEPA', 'Visa/Mastercard', 'SEPA (alpine.eu)', 'Bank transfer: instant', 'Apple Pay', 'MB WAY', 'P.O. Box/Cash', '支付宝', 'A.B/C', 'Market:4711'])(
    '%j holds no link',
    (name) => expect(holdsLink(name)).toBe(false),
  );
  it.each([
    'SEPA www.evil.example',
    'Pay at https://evil.example',
    'evil.example/pay',
    'SEPA evil.example/sepa',
    'ｅｖｉｌ．example/pay',
    'evil\u3002example/pay',
    'javascript:alert(1)',
    'SEPA javascript:alert(1)',
    'SEPA lightning:alice@evil.example',
    'SEPA (web+lightning:alice@evil.example)',
    'SEPA data:text/html,<script>',
    'SEPA intent:pay#Intent;end',
    'mailto:help@evil.example',
    'https:evil.example',
    'bitcoin:bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj',
    'LNURL1DP68GURN8GHJ7ETKD9KZUETCV9KHQMR99AKXUATJD3MN76EAXYK2M8U5',
  ])('%j holds one', (name) => expect(holdsLink(name)).toBe(true));
});
