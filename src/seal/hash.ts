import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';

/** Returns the SHA-256 of UTF-8 text in lower-case hex. Synchronous on both runtimes. */
export const sha256Hex = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** Compares two strings in a time that depends only on their lengths. */
export const constantTimeEqual = (a: string, b: string): boolean => {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
};

/**
 * Makes and checks the tokens in the URLs that providers call: HMAC-SHA256 over (purpose, id), 128 bits. Nothing is stored. During a rotation there
 * are several keys: tokens are made with the first, and checked with all of them.
 */
export const createNoticeTokens = (keys: readonly Uint8Array[]) => {
  const make = (key: Uint8Array, purpose: string, id: string): string =>
    base64urlnopad.encode(hmac(sha256, key, utf8ToBytes(`${purpose}\n${id}`)).subarray(0, 16));
  const [current] = keys;
  if (!current) throw new Error('no notice key');
  return {
    token: (purpose: string, id: string): string => make(current, purpose, id),
    check: (purpose: string, id: string, token: string): boolean => keys.map((key) => constantTimeEqual(make(key, purpose, id), token)).includes(true),
    isKey: constantTimeEqual,
  };
};
