/**
 * The only file that touches the curve. Signatures are packed as in Lightning: one recovery id byte 0..3 and 64 bytes r || s.
 * Everything is synchronous, so @noble/secp256k1 gets its hash functions here, once.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, recoverPublicKey, sign, utils, verify } from '@noble/secp256k1';
import { hex } from '@scure/base';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

export type RecoverableSignature = { recoveryId: number; rs: Uint8Array };

/** Deterministic (RFC 6979), low-S. Throws when the private key is not 32 bytes of hex in range. */
export function signDigest(digest: Uint8Array, privateKeyHex: string): RecoverableSignature {
  const bytes = sign(digest, hex.decode(privateKeyHex), { prehash: false, format: 'recovered' });
  return { recoveryId: bytes[0] ?? 0, rs: bytes.slice(1) };
}

/** What was recovered last. An invoice is read again with each poll of its order, and to recover its key takes a millisecond and more. */
const recovered = new Map<string, string | undefined>();
const mostRecovered = 256;

/** Lower-case hex of the compressed key, or undefined when no key fits. Takes high-S too, since BOLT11's own example has it. */
export function recoverKey(digest: Uint8Array, { recoveryId, rs }: RecoverableSignature): string | undefined {
  const question = `${recoveryId} ${hex.encode(rs)} ${hex.encode(digest)}`;
  if (recovered.has(question)) return recovered.get(question);
  const key = recover(digest, Uint8Array.of(recoveryId, ...rs));
  if (recovered.size >= mostRecovered) recovered.clear();
  recovered.set(question, key);
  return key;
}

function recover(digest: Uint8Array, signature: Uint8Array): string | undefined {
  try {
    return hex.encode(recoverPublicKey(signature, digest, { prehash: false }));
  } catch {
    return undefined;
  }
}

/** Low-S only, as BOLT11 requires when the invoice names the payee. */
export function isSignedBy(publicKey: Uint8Array, digest: Uint8Array, rs: Uint8Array): boolean {
  return verify(rs, digest, publicKey, { prehash: false, lowS: true });
}

/** The point is on the curve; 33 bytes only. */
export function isCompressedKey(bytes: Uint8Array): boolean {
  return bytes.length === 33 && utils.isValidPublicKey(bytes, true);
}

/** Lower-case hex of the compressed key. Throws on a bad private key. */
export function publicKeyOf(privateKeyHex: string): string {
  return hex.encode(getPublicKey(hex.decode(privateKeyHex)));
}
