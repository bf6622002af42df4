import { hex } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from './__fixtures__/node-signatures.json' with { type: 'json' };
import { isNodePubkey, recoverNodeKey, signedMessageDigest, signNodeMessage, verifyNodeSignature, zbase32Decode, zbase32Encode } from './node-signature.ts';

const KEY_1 = '01'.padStart(64, '0');
const ANY_KEY = expect.stringMatching(/^0[23][0-9a-f]{64}$/);

test.each(vectors.digests)('the digest of "$message" is the published one', ({ message, digest }) => {
  expect(hex.encode(signedMessageDigest(message))).toBe(digest);
});

describe.each(vectors.valid)('$id', (row) => {
  test('recovers to its key from both encodings', () => {
    expect(recoverNodeKey(row.message, row.signature_zbase32)).toBe(row.pubkey);
    expect(recoverNodeKey(row.message, row.signature_hex.toUpperCase())).toBe(row.pubkey);
  });

  test('its text is the z-base-32 of its bytes', () => {
    expect(zbase32Encode(hex.decode(row.signature_hex))).toBe(row.signature_zbase32);
    expect(hex.encode(zbase32Decode(row.signature_zbase32) ?? new Uint8Array())).toBe(row.signature_hex);
    expect(Number.parseInt(row.signature_hex.slice(0, 2), 16)).toBe(row.header);
  });

  test('proves the key for its message as the token and for no other', () => {
    const proof = { token: row.message, signature: row.signature_zbase32, nodePubkey: row.pubkey.toUpperCase() };
    expect(verifyNodeSignature(proof)).toBe(row.message !== '');
    expect(verifyNodeSignature({ ...proof, token: `${row.message}\n` })).toBe(false);
  });
});

const signed = vectors.valid.flatMap((row) => (row.private_key === undefined ? [] : [{ ...row, private_key: row.private_key }]));
test.each(signed)('$id is signed to the published bytes', (row) => {
  expect(row.rfc6979).toBe(true);
  expect(signNodeMessage(row.message, row.private_key)).toBe(row.signature_zbase32);
});

test.each(vectors.invalid)('$id proves nothing', (row) => {
  const signature = row.signature_zbase32 ?? row.signature_hex ?? '';
  const recovered = recoverNodeKey(row.message, signature);
  expect(recovered).not.toBe(row.claimed_pubkey);
  const isMalformed = ['too-short', 'bad-character', 'header-26', 'zero-r-s'].includes(row.id);
  expect(recovered).toEqual(isMalformed ? undefined : (row.recovers_to ?? ANY_KEY));
  expect(verifyNodeSignature({ token: row.message, signature, nodePubkey: row.claimed_pubkey })).toBe(false);
});

test.each(vectors.other_encodings)('Eclair: $message recovers from hex with either header', (row) => {
  expect(recoverNodeKey(row.message, row.signature_hex)).toBe(row.recovers_to);
  expect(recoverNodeKey(row.message, `00${row.signature_hex.slice(2)}`)).toBe(row.recovers_to);
});

test('headers: 31..34 in both encodings, 0..3 in hex only, nothing else', () => {
  const body = hex.decode(vectors.valid[0]!.signature_hex).slice(1);
  const headersTaken = (encode: (bytes: Uint8Array) => string): number[] =>
    Array.from({ length: 256 }, (_, header) => header).filter((header) => recoverNodeKey('test message', encode(Uint8Array.of(header, ...body))) !== undefined);
  // Ids 2 and 3 need an r below p − n, which this signature does not have.
  expect(headersTaken(zbase32Encode)).toEqual([31, 32]);
  expect(headersTaken((bytes) => hex.encode(bytes))).toEqual([0, 1, 31, 32]);
});

test('a signature with a very small r can have any of the four recovery ids', () => {
  const withR = (r: number, header: number): Uint8Array => Uint8Array.of(header, ...new Uint8Array(31), r, ...new Uint8Array(31), 1);
  const idsOf = (headers: number[], r: number, encode: (bytes: Uint8Array) => string): number[] =>
    headers.filter((header) => recoverNodeKey('test message', encode(withR(r, header))) !== undefined);
  const all = Array.from({ length: 256 }, (_, header) => header);
  const r = 2; // both r and r + n are coordinates of points on the curve
  expect(idsOf(all, r, zbase32Encode)).toEqual([31, 32, 33, 34]);
  expect(idsOf(all, r, (bytes) => hex.encode(bytes))).toEqual([0, 1, 2, 3, 31, 32, 33, 34]);
});

describe('templates', () => {
  const sample = vectors.valid.find((row) => row.id === 'fls01-wallet-verification-sample')!;
  const proof = { token: '7v7t4Fmb', signature: sample.signature_zbase32, nodePubkey: sample.pubkey };

  test("FLS01's sample is proof for its token under the default sentence only", () => {
    expect(verifyNodeSignature(proof)).toBe(true);
    expect(verifyNodeSignature({ ...proof, templates: [] })).toBe(false);
    expect(verifyNodeSignature({ ...proof, token: '7v7t4Fmc' })).toBe(false);
  });

  test('a token with replacement patterns is taken literally', () => {
    const signature = signNodeMessage("I own it: $& $' TOKEN", KEY_1);
    const nodePubkey = signed[0]!.pubkey;
    expect(verifyNodeSignature({ token: "$& $' TOKEN", signature, nodePubkey, templates: ['I own it: TOKEN'] })).toBe(true);
  });

  test('neither a sentence without the token nor an empty token is ever proof', () => {
    const nodePubkey = signed[0]!.pubkey;
    expect(verifyNodeSignature({ token: 'abc', signature: signNodeMessage('I own it', KEY_1), nodePubkey, templates: ['I own it'] })).toBe(false);
    expect(verifyNodeSignature({ token: '', signature: signNodeMessage('', KEY_1), nodePubkey })).toBe(false);
  });
});

test('isNodePubkey wants a compressed point on the curve', () => {
  const { pubkey } = vectors.valid[0]!;
  expect([pubkey, pubkey.toUpperCase()].map(isNodePubkey)).toEqual([true, true]);
  const bad = ['', pubkey.slice(2), `04${pubkey.slice(2)}`, `${pubkey}00`, `02${'f'.repeat(64)}`, `02${'05'.padStart(64, '0')}`, `${pubkey.slice(0, -1)}g`];
  expect(bad.map(isNodePubkey)).toEqual(bad.map(() => false));
});

test('z-base-32 refuses what no encoder prints', () => {
  // "a" and "ab" hold left-over bits; "y" and "yyy" have a whole character too many; "l" is not in the alphabet, wherever it stands.
  const refused = ['a', 'ab', 'y', 'yyy', 'Y', 'l', 'yy ', 'lyyyyyyy', 'yyyyyyyl'];
  expect(refused.map(zbase32Decode)).toEqual(refused.map(() => undefined));
  expect(['', 'yy', 'yyyyyyyy'].map((text) => zbase32Decode(text)?.length)).toEqual([0, 1, 5]);
  fc.assert(fc.property(fc.uint8Array(), (bytes) => hex.encode(zbase32Decode(zbase32Encode(bytes)) ?? Uint8Array.of(1)) === hex.encode(bytes)));
});

test('never throws, and what a key signs recovers to it', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (message, text) => recoverNodeKey(message, text) === undefined));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => recoverNodeKey(message, signNodeMessage(message, KEY_1)) === signed[0]!.pubkey),
    { numRuns: 20 },
  );
});
