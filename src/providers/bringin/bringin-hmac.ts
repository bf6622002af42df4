/** Request signing of docs.bringin.app "authentication/hmac-signing"; demanded on POST /application/connect when a callback is in the body. */
import { hmac } from '@noble/hashes/hmac.js';
import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

export type SignedParts = { method: 'GET' | 'POST'; path: string; body?: string; timestampMs: number };

/**
 * The Authorization header. `body` must be the very text that is sent: whether the server hashes the raw bytes or what it parsed is not
 * known, and compact JSON in insertion order satisfies both. Without a body the two characters `{}` are hashed. `path` starts at /api/v0.
 */
export const hmacHeader = (secret: string, { method, path, body = '{}', timestampMs }: SignedParts): string => {
  const raw = `${timestampMs}${method}${path}${bodyHash(body)}`;
  // The secret is the key as it is written, not what its base64 would decode to.
  return `HMAC ${timestampMs}:${bytesToHex(hmac(sha256, utf8ToBytes(secret), utf8ToBytes(raw)))}`;
};

/** MD5, lower-case hex. It is Bringin's choice and guards nothing by itself: the HMAC around it does. */
export const bodyHash = (body: string): string => bytesToHex(md5(utf8ToBytes(body)));
