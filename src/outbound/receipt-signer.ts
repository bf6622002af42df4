/**
 * Signs receipts. The key is derived from the newest webhook signing seed (HKDF, RFC 5869), so the operator has no further secret to keep, and
 * rotates both together. The two keys differ, because public keys of receipts stay published for good and those of webhooks do not.
 */
import { base64urlnopad } from '@scure/base';
import { CompactSign } from 'jose';
import { sha256 } from '@noble/hashes/sha2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalBytes } from '../domain/receipt.ts';
import type { ReceiptKey, ReceiptSigner } from '../ports/receipts.ts';
import { importSeed, type SigningKey } from './sign.ts';

export const createReceiptSigner = ([newest]: readonly SigningKey[]): ReceiptSigner => {
  if (!newest) throw new Error('no signing key');
  // Cache the key, never a promise of it: on Workers a promise belongs to the request that made it.
  let ready: Awaited<ReturnType<typeof derive>> | undefined;
  const made = async () => (ready ??= await derive(newest.seed));
  return {
    sign: async (what, typ) => {
      const { key, jwk } = await made();
      return await new CompactSign(canonicalBytes(what)).setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ }).sign(key);
    },
    key: async () => (await made()).jwk,
  };
};

const derive = async (seed: Uint8Array) => {
  const { key, x } = await importSeed(hkdf(sha256, seed, undefined, utf8ToBytes('ramp-gateway receipts'), 32));
  const kid = `r-${bytesToHex(sha256(base64urlnopad.decode(x))).slice(0, 16)}`;
  const jwk: ReceiptKey = { kid, kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA', x };
  return { key, jwk };
};
