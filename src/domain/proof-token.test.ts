import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flawedTokens, gatewayToken, tokenFlaw } from './proof-token.ts';

const host = 'ramp.example:8443';
const own = { host, token: gatewayToken(host, 'x9-Zq_0123456789abcdef'), templates: ['I confirm my bitcoin wallet. [TOKEN]'] };
const flaws = (tokens: Record<string, string>) => Object.fromEntries(flawedTokens(new Map(Object.entries(tokens)), own));
const key = '02'.padEnd(66, 'Ab');

describe("a provider's token by itself", () => {
  it.each([
    ['yyq6qpj2a'],
    ['f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
    ['I confirm my bitcoin wallet. [7v7t4Fmb]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
    ['02'.padEnd(128, '03')],
    ['x'.repeat(200)],
    ['lnurl is fine'],
  ])('%s is passed on', (token) => expect(tokenFlaw(token, host)).toBeUndefined());

  it.each([
    ['', 'not-printable'],
    ['x'.repeat(201), 'not-printable'],
    ['abc\n', 'not-printable'],
    ['a\tb', 'not-printable'],
    ['a\u0000b', 'not-printable'],
    ['\u202eabc', 'not-printable'],
    ['rаmp-gateway:other.example:abc', 'not-printable'],
    ['ｒamp-gateway:other.example:abc', 'not-printable'],
    ['ramp\u00adgateway:other.example:abc', 'not-printable'],
    [own.token, 'names-a-gateway'],
    [gatewayToken('another.example', 'abc'), 'names-a-gateway'],
    ['I confirm my bitcoin wallet. [ramp-gateway:another.example:abc]', 'names-a-gateway'],
    ['RAMP-Gateway:another.example:abc', 'names-a-gateway'],
    ['ramp - gateway : another', 'names-a-gateway'],
    ['ramp.example:8443:Zq_0123456789abcdef0123', 'names-a-gateway'],
    ['RAMP.example:8443:abc', 'names-a-gateway'],
    ['another.example:Zq_0123456789abcdef012', 'names-a-gateway'],
    ['I confirm my bitcoin wallet. [another.example:8443:Zq_0123456789abcdef012]', 'names-a-gateway'],
    [
      `By_signing_this_message,_you_confirm_that_you_are_the_sole_owner_of_the_provided_Blockchain_address._Your_ID:_LNNID${key.toUpperCase()}`,
      'opens-elsewhere',
    ],
    [`[dev]_sign in: LNURL1${'DP68GURN8GHJ7'.repeat(3)}`, 'opens-elsewhere'],
    [`sign in: LNDHUB${'A1B2C3'.repeat(6)}`, 'opens-elsewhere'],
    [`log in as ${key}`, 'opens-elsewhere'],
  ])('%j is not: %s', (token, flaw) => expect(tokenFlaw(token, host)).toBe(flaw));
});

describe("one party's token, sent by another party", () => {
  const theirs = 'b7e1c0d2a49f4f6e';
  it('of two equal tokens neither is passed on, not even if one is a template filled with the other', () => {
    expect(flaws({ honest: theirs, mallory: theirs })).toEqual({ honest: 'of-another-party', mallory: 'of-another-party' });
    const sentence = `I confirm my bitcoin wallet. [${theirs}]`;
    expect(flaws({ honest: sentence, mallory: theirs })).toEqual({ honest: 'of-another-party', mallory: 'of-another-party' });
  });
  it('a token that contains another is the copy; a short word inside many tokens does not count', () => {
    expect(flaws({ honest: theirs, mallory: `please sign ${theirs}` })).toEqual({ mallory: 'of-another-party' });
    expect(flaws({ short: 'sign', honest: `please sign ${theirs}` })).toEqual({});
    expect(flaws({ honest: theirs, other: 'c0ffee' })).toEqual({});
  });
  it('no token that is passed on is one that any gateway accepts as its own', () => {
    const piece = fc.oneof(fc.constantFrom('ramp-gateway:', 'Ramp-Gateway:', host, ':', own.token, ' ', '\u200b', '[', 'TOKEN'), fc.string({ maxLength: 12 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.webAuthority(), fc.string(), (pieces, elsewhere, secret) => {
        const token = pieces.join('');
        const taken = [own.token, gatewayToken(elsewhere, secret)].flatMap((one) => [one, `I confirm my bitcoin wallet. [${one}]`]);
        const passedOn = [token, ...taken].filter((given) => flaws({ mallory: given })['mallory'] === undefined);
        expect(taken.filter((one) => passedOn.includes(one))).toEqual([]);
        expect(taken.map((one) => tokenFlaw(one, host))).not.toContain(undefined);
      }),
    );
  });
});
