/** Request signing as on docs.bringin.app, page "authentication/hmac-signing". POST /application/connect demands it if the body has a callback. */
import { hmac } from '@noble/hashes/hmac.js';
import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

export type SignedParts = { method: 'GET' | 'POST'; path: string; body?: string; timestampMs: number };

/**
 * Returns the Authorization header. `body` must be exactly the string that is sent. It is unknown whether the server hashes the raw bytes or the
 * parsed body; compact JSON in insertion order suits both. Without a body, the two characters `{}` are hashed. `path` starts at /api/v0.
 */
export const hmacHeader = (secret: string, { method, path, body = '{}', timestampMs }: SignedParts): string => {
  const raw = `${timestampMs}${method}${path}${bodyHash(body)}`;
  // The secret is the key string itself, not its base64-decoded bytes.
  return `HMAC ${timestampMs}:${bytesToHex(hmac(sha256, utf8ToBytes(secret), utf8ToBytes(raw)))}`;
};

/** Returns a body's MD5 hash in lower-case hex. Bringin chose MD5; the security comes from the HMAC over the hash. */
export const bodyHash = (body: string): string => bytesToHex(md5(utf8ToBytes(body)));
