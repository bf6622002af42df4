import { sha256 } from '@noble/hashes/sha2.js';
import { expect, test } from 'vitest';
import { publicKeyOf, recoverKey, signDigest } from './secp256k1.ts';

test('a cached key is returned for the same signature and digest, and for no others', () => {
  const privateKey = '11'.repeat(32);
  const signer = publicKeyOf(privateKey);
  const [one, other] = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))];
  const signature = signDigest(one, privateKey);
  expect(recoverKey(one, signature)).toBe(signer);
  expect(recoverKey(other, signature)).not.toBe(signer);
  expect(recoverKey(one, { ...signature, recoveryId: signature.recoveryId ^ 1 })).not.toBe(signer);
  expect(recoverKey(one, { ...signature, recoveryId: 4 })).toBeUndefined();
  expect(recoverKey(one, signDigest(other, privateKey))).not.toBe(signer);
  expect(recoverKey(one, signature)).toBe(signer);
});
