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

/** Signs a digest, deterministically (RFC 6979) and with low S. Throws if the private key is not 32 bytes of hex in range. */
export function signDigest(digest: Uint8Array, privateKeyHex: string): RecoverableSignature {
  const bytes = sign(digest, hex.decode(privateKeyHex), { prehash: false, format: 'recovered' });
  return { recoveryId: bytes[0] ?? 0, rs: bytes.slice(1) };
}

/** Keys that were recovered recently. An invoice is read again with each poll of its order, and recovering its key takes more than a millisecond. */
const recovered = new Map<string, string | undefined>();
const mostRecovered = 256;

/**
 * Recovers the key that made a signature. Returns the compressed key in lower-case hex, or undefined if no key matches. Accepts high S too, because
 * BOLT11's own example has it.
 */
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

/** Returns whether the key signed the digest. Accepts low S only, as BOLT11 requires if the invoice names the payee. */
export function isSignedBy(publicKey: Uint8Array, digest: Uint8Array, rs: Uint8Array): boolean {
  return verify(rs, digest, publicKey, { prehash: false, lowS: true });
}

/** Returns whether the bytes are a compressed key: 33 bytes that name a point on the curve. */
export function isCompressedKey(bytes: Uint8Array): boolean {
  return bytes.length === 33 && utils.isValidPublicKey(bytes, true);
}

/** Returns the compressed key in lower-case hex. Throws on a bad private key. */
export function publicKeyOf(privateKeyHex: string): string {
  return hex.encode(getPublicKey(hex.decode(privateKeyHex)));
}
