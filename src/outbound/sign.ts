/**
 * Signs and verifies webhooks as Standard Webhooks 1.0 does. The signed content is `id.timestamp.body`. `v1a` is an Ed25519 signature that anyone can
 * verify (the public keys are at /.well-known/webhook-keys); `v1` is an HMAC-SHA256, for an app with a secret. A webhook has one signature for each
 * of our keys and for each secret of its app.
 */
import { base64, base64urlnopad } from '@scure/base';
import type { Jwk, Signer } from '../ports/deliveries.ts';

/** `seed`: the 32 bytes of an Ed25519 private key. */
export type SigningKey = { kid: string; seed: Uint8Array };

const utf8 = new TextEncoder();
/** The fixed prefix of an Ed25519 private key in PKCS #8 (RFC 8410). The seed follows. */
const pkcs8Head = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);

/** Makes a signer. `keys`: newest first. `appSecrets`: `whsec_…` by app id. */
export const createSigner = (keys: readonly SigningKey[], appSecrets: ReadonlyMap<string, readonly string[]> = new Map()): Signer => {
  let ready: { sign: (content: string) => Promise<string>; jwk: Jwk }[] | undefined;
  const imported = async () => (ready ??= await Promise.all(keys.map(importKey)));
  return {
    sign: async ({ id, timestamp, body, appId }) => {
      const content = `${id}.${timestamp}.${body}`;
      const own = (await imported()).map((key) => key.sign(content));
      const app = (appId === undefined ? [] : (appSecrets.get(appId) ?? [])).map((secret) => hmacSignature(secret, content));
      return (await Promise.all([...own, ...app])).join(' ');
    },
    jwks: async () => ({ keys: (await imported()).map((key) => key.jwk) }),
  };
};

/** Imports a seed: returns the private key, and its public half as in a JWK. */
export const importSeed = async (seed: Uint8Array) => {
  const pkcs8 = new Uint8Array(48);
  pkcs8.set(pkcs8Head);
  pkcs8.set(seed, 16);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  // For 'jwk', exportKey returns an object. The Worker's types say only `ArrayBuffer | JsonWebKey`, hence the cast.
  const { x = '' } = (await crypto.subtle.exportKey('jwk', key)) as { x?: string };
  return { key, x };
};

const importKey = async ({ kid, seed }: SigningKey) => {
  const { key, x } = await importSeed(seed);
  const jwk: Jwk = { kid, kty: 'OKP', crv: 'Ed25519', use: 'sig', x, whpk: `whpk_${base64.encode(base64urlnopad.decode(x))}` };
  return { jwk, sign: async (content: string) => `v1a,${base64.encode(new Uint8Array(await crypto.subtle.sign('Ed25519', key, utf8.encode(content))))}` };
};

const hmacKey = async (secret: string) =>
  await crypto.subtle.importKey('raw', new Uint8Array(base64.decode(secret.replace(/^whsec_/, ''))), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
const hmacSignature = async (secret: string, content: string): Promise<string> =>
  `v1,${base64.encode(new Uint8Array(await crypto.subtle.sign('HMAC', await hmacKey(secret), utf8.encode(content))))}`;

export type Received = { id: string; timestamp: string; signature: string; body: string };

/**
 * Verifies a webhook as a wallet's backend does. Returns true if one of the signatures matches one of the wallet's keys (`whpk_…` or `whsec_…`) and
 * the timestamp is within `toleranceS` seconds of `receivedAt` (Unix milliseconds). Throws on a key or signature that is not base64.
 */
export const verifyDelivery = async (received: Received, keys: readonly string[], receivedAt: number, toleranceS = 300): Promise<boolean> => {
  const timestamp = Number(received.timestamp);
  if (!Number.isSafeInteger(timestamp) || Math.abs(receivedAt / 1000 - timestamp) > toleranceS) return false;
  const content = new Uint8Array(utf8.encode(`${received.id}.${received.timestamp}.${received.body}`));
  for (const part of received.signature.split(' ')) {
    const [version, encoded] = part.split(',');
    if (encoded === undefined) continue;
    for (const key of keys) {
      if (version === 'v1a' && key.startsWith('whpk_') && (await verifiesEd25519(key, encoded, content))) return true;
      if (
        version === 'v1' &&
        key.startsWith('whsec_') &&
        (await crypto.subtle.verify('HMAC', await hmacKey(key), new Uint8Array(base64.decode(encoded)), content))
      )
        return true;
    }
  }
  return false;
};

const verifiesEd25519 = async (whpk: string, signature: string, content: Uint8Array<ArrayBuffer>): Promise<boolean> => {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(base64.decode(whpk.slice(5))), 'Ed25519', false, ['verify']);
  return await crypto.subtle.verify('Ed25519', key, new Uint8Array(base64.decode(signature)), content);
};
