/**
 * Checks the proof that a customer holds a Lightning node's key: a message signature as LND, Core Lightning, LDK and Eclair make it.
 *
 * digest = SHA-256(SHA-256("Lightning Signed Message:" + message)); 65 bytes = header (31 + recovery id) || r || s; text form z-base-32.
 *
 * Recovery alone proves nothing: even from a signature that no node made, it often returns some key. Only the comparison with a key that was stated
 * beforehand proves something. We ask no node whether it knows the key, because the nodes of wallets are mostly not in the public graph.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { hex } from '@scure/base';
import { isCompressedKey, recoverKey, signDigest } from './secp256k1.ts';

const ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769';
const PREFIX = 'Lightning Signed Message:';
/** No node uses the headers of uncompressed keys (27..30). */
const FIRST_HEADER = 31;

/** FLS01's own example. The brackets belong to the sentence; only the word TOKEN is replaced. */
const DEFAULT_TEMPLATES: readonly string[] = ['I confirm my bitcoin wallet. [TOKEN]'];

/** Encodes bytes as z-base-32 (lower case, no padding characters). */
export function zbase32Encode(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((buffer >> (bits - 5)) & 31);
    buffer &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET.charAt((buffer << (5 - bits)) & 31) : text;
}

/**
 * Decodes z-base-32. Returns undefined for a character outside the alphabet, and for text that no encoder prints (left-over bits set, a character too
 * many).
 */
export function zbase32Decode(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    buffer = (buffer << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(buffer >> bits);
      buffer &= (1 << bits) - 1;
    }
  }
  return bits < 5 && buffer === 0 ? Uint8Array.from(bytes) : undefined;
}

export function signedMessageDigest(message: string): Uint8Array {
  return sha256(sha256(new TextEncoder().encode(PREFIX + message)));
}

/**
 * Returns the compressed key (lower-case hex) that signed `message`, or undefined if there is none. Accepts 104 characters of z-base-32, or Eclair's
 * 130 hex digits, whose header may also be the bare recovery id. Never throws.
 */
export function recoverNodeKey(message: string, signature: string): string | undefined {
  const isHex = /^[0-9a-f]{130}$/i.test(signature);
  const bytes = isHex ? hex.decode(signature) : signature.length === 104 ? zbase32Decode(signature) : undefined;
  const header = bytes?.[0];
  if (bytes === undefined || header === undefined) return undefined;
  const recoveryId = isHex && header <= 3 ? header : header - FIRST_HEADER;
  if (recoveryId < 0 || recoveryId > 3) return undefined;
  return recoverKey(signedMessageDigest(message), { recoveryId, rs: bytes.slice(1) });
}

/**
 * Returns whether `nodePubkey` (hex, any case) signed the bare token, or one of the `templates` with the token in place of the word TOKEN. Skips a
 * template without that word: its signature could be replayed for ever.
 */
export function verifyNodeSignature(proof: { token: string; signature: string; nodePubkey: string; templates?: readonly string[] }): boolean {
  if (proof.token === '') return false;
  const expected = proof.nodePubkey.toLowerCase();
  const sentences = (proof.templates ?? DEFAULT_TEMPLATES).filter((template) => template.includes('TOKEN'));
  const messages = [proof.token, ...sentences.map((template) => template.split('TOKEN').join(proof.token))];
  return messages.some((message) => recoverNodeKey(message, proof.signature) === expected);
}

/** Returns the z-base-32 signature that LND's signmessage prints. Throws on a bad private key. */
export function signNodeMessage(message: string, privateKeyHex: string): string {
  const { recoveryId, rs } = signDigest(signedMessageDigest(message), privateKeyHex);
  return zbase32Encode(Uint8Array.of(FIRST_HEADER + recoveryId, ...rs));
}

/** Returns whether a text is 66 hex digits (any case) that name a point on the curve. */
export function isNodePubkey(text: string): boolean {
  return /^[0-9a-f]{66}$/i.test(text) && isCompressedKey(hex.decode(text));
}
