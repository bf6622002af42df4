/**
 * `@ramp-gateway/client/webhook`, for the wallet's backend. Checks webhooks of the gateway (Standard Webhooks 1.0): `v1a` is Ed25519 with the
 * gateway's keys, `v1` is HMAC-SHA256 with an app's own secret.
 */
import { hashes, verify } from '@noble/ed25519';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Open } from './error.ts';

/** Says which order, account or connection has changed. Read its state again: the statuses given here may be out of date when the webhook arrives. */
export type WebhookEvent = {
  type: Open<'order_status_changed' | 'withdrawal_ready' | 'account_status' | 'connection_status' | 'sell_settled' | 'test'>;
  data: {
    order_id?: string;
    order_status?: string;
    stage?: string;
    account_id?: string;
    account_status?: string;
    connection_id?: string;
    connection_status?: string;
    transaction_id?: string;
    [later: string]: unknown;
  };
  /** The same in every attempt to deliver this event: drop an event whose id you have already seen. */
  id: string;
  /** Rises with each event about the same order, account or connection: drop an event with a lower number than you have already seen. */
  sequence: number | undefined;
  /** 1 for the first attempt to deliver this event. */
  attempt: number | undefined;
  sentOn: Date;
};
export type VerifiedWebhook = { ok: true; event: WebhookEvent } | { ok: false; problem: string };

type Jwk = { kty?: string; crv?: string; x?: string };
/** The answer of GET /.well-known/webhook-keys, or keys as strings: `whpk_…` (the gateway's) and `whsec_…` (an app's secret). */
export type WebhookKeys = { keys: readonly Jwk[] } | readonly string[];
/** The headers of fetch, of Node's `http`, or of a framework like Express. Their names may be in upper or lower case. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | string[] | undefined>>;
export type WebhookOptions = {
  /** When the webhook arrived, in Unix milliseconds. Default: now. */
  receivedAt?: number;
  /** How old the webhook may be, or how far ahead of this machine's clock. Default: 300. */
  toleranceSeconds?: number;
};

/**
 * Returns whether a webhook is from the gateway, and what it says. `body` is the text or the bytes exactly as they came. If the result is not `ok`,
 * answer with 401; if it is, answer with 2xx, which ends the gateway's retries. If a genuine webhook is refused, the keys may have been rotated:
 * fetch them again, at most once a minute. Never throws.
 */
export const verifyWebhook = async (
  headers: WebhookHeaders,
  body: string | Uint8Array,
  keys: WebhookKeys,
  options: WebhookOptions = {},
): Promise<VerifiedWebhook> => {
  const { receivedAt = Date.now(), toleranceSeconds = 300 } = options;
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headerOf(headers, name));
  if (id === undefined || timestamp === undefined || signatures === undefined)
    return refused('it lacks a header: webhook-id, webhook-timestamp or webhook-signature');
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    return refused('the body must be the text or the bytes as they came, not what was parsed from them');
  const sent = Number(timestamp);
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(receivedAt / 1000 - sent) > toleranceSeconds)
    return refused('its timestamp is too old, too far ahead of this clock, or not a number');
  const content = concat(utf8(`${id}.${timestamp}.`), typeof body === 'string' ? utf8(body) : body);
  if (!(await isSigned(content, signatures, keys)))
    return refused(`no signature matches any of the keys${textsOf(keys).some(isWeak) ? `, and a secret has fewer than ${leastSecretBytes} bytes` : ''}`);
  try {
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
    const { type, data } = JSON.parse(text) as Pick<WebhookEvent, 'type' | 'data'>;
    const [sequence, attempt] = ['webhook-sequence', 'webhook-attempt'].map((name) => numberOf(headerOf(headers, name)));
    return { ok: true, event: { type, data, id, sequence, attempt, sentOn: new Date(sent * 1000) } };
  } catch {
    return refused('its signature is valid, but its body is not JSON');
  }
};

const refused = (problem: string): VerifiedWebhook => ({ ok: false, problem });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const concat = (a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

const headerOf = (headers: WebhookHeaders, name: string): string | undefined => {
  if (typeof headers.get === 'function') return (headers as Headers).get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
};
const numberOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined);

/** Decodes base64 or base64url. Returns undefined for anything else. */
const decode = (base64: string): Uint8Array<ArrayBuffer> | undefined => {
  try {
    return Uint8Array.from(atob(base64.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
};

/** Returns the keys as text. An answer that is not a key set, such as the problem of a gateway that is busy, has none. */
const textsOf = (keys: WebhookKeys): string[] => {
  const set = keys as Partial<{ keys: unknown }> | null | undefined;
  const list = [keys, set?.keys].find((one) => Array.isArray(one)) as readonly (string | Jwk | null)[] | undefined;
  return (list ?? []).flatMap((one) => (typeof one === 'string' ? [one] : one?.crv === 'Ed25519' && one.x !== undefined ? [`whpk_${one.x}`] : []));
};

const leastSecretBytes = 16;
const bytesOf = (text: string): Uint8Array<ArrayBuffer> | undefined => decode(text.slice(text.indexOf('_') + 1));
/** Returns whether a key is a secret that is too short, as when its variable is not set. Nothing is verified with such a key. */
const isWeak = (text: string): boolean => text.startsWith('whsec_') && (bytesOf(text)?.length ?? 0) < leastSecretBytes;

const isSigned = async (content: Uint8Array<ArrayBuffer>, signatures: string, keys: WebhookKeys): Promise<boolean> => {
  const texts = textsOf(keys);
  for (const [version, encoded] of signatures.split(' ').map((one) => one.split(','))) {
    const signature = decode(encoded ?? '');
    if (!signature) continue;
    for (const text of texts) {
      const key = bytesOf(text);
      if (!key || isWeak(text)) continue;
      if (version === 'v1a' && text.startsWith('whpk_') && (await isEd25519(signature, content, key))) return true;
      if (version === 'v1' && text.startsWith('whsec_') && areEqual(signature, hmac(sha256, key, content))) return true;
    }
  }
  return false;
};

/** Compares in a time that does not depend on where the two differ, so that an attacker cannot find a signature byte by byte. */
const areEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.reduce((differs, byte, at) => differs | (byte ^ (b[at] ?? 0)), 0) === 0;

/** Verifies with WebCrypto if it supports Ed25519 (Chrome does from 137 on; Hermes has no WebCrypto), else in JavaScript. */
const isEd25519 = async (signature: Uint8Array<ArrayBuffer>, content: Uint8Array<ArrayBuffer>, key: Uint8Array<ArrayBuffer>): Promise<boolean> => {
  const { crypto } = globalThis as { crypto?: typeof globalThis.crypto };
  try {
    if (crypto?.subtle) {
      const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
      return await crypto.subtle.verify('Ed25519', imported, signature, content);
    }
  } catch {
    // Either WebCrypto does not support Ed25519, or the key is invalid. The lines below find out.
  }
  try {
    hashes.sha512 = sha512;
    return verify(signature, content, key, { zip215: false });
  } catch {
    return false;
  }
};
