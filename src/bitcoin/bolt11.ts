/**
 * Reads BOLT11 invoices strictly, because an invoice from outside decides where sats go. (light-bolt11-decoder accepts invoices with a bad signature,
 * and does not return the payee.) Source: github.com/lightning/bolts 11-payment-encoding.md.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bech32, hex } from '@scure/base';
import type { BitcoinNetwork } from './address.ts';
import { isSignedBy, publicKeyOf, recoverKey, signDigest } from './secp256k1.ts';

const PREFIX_OF: Record<BitcoinNetwork, string> = { main: 'bc', test: 'tb', signet: 'tbs', regtest: 'bcrt' };
const NETWORK_OF: Record<string, BitcoinNetwork> = { bc: 'main', tb: 'test', tbs: 'signet', bcrt: 'regtest' };
/** Pico-bitcoin (tenths of a millisatoshi) in one unit of each multiplier, biggest first. */
const PICO_PER_UNIT: readonly (readonly [string, bigint])[] = Object.entries({ '': 10n ** 12n, m: 10n ** 9n, u: 10n ** 6n, n: 10n ** 3n, p: 1n });

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const TIMESTAMP_WORDS = 7;
const SIGNATURE_WORDS = 104;
const HASH_WORDS = 52;
const KEY_WORDS = 53;
const DEFAULT_EXPIRY_S = 3600;
/** BOLT11 sets no limit, but a huge expiry would overflow a date, and no payer waits that long. */
const LONGEST_EXPIRY_S = 365 * 86_400;
/** As much as one QR code holds. Real invoices are much shorter, even with route hints. */
const MAX_LENGTH = 4296;
/**
 * Required (even) feature bits that payers understand today: onion, payment secret, multi-part, blinded paths, attribution data, metadata (BOLT9).
 */
const KNOWN_REQUIRED = new Set([8, 14, 16, 24, 36, 48]);

export type Invoice = {
  network: BitcoinNetwork;
  /** Absent: the payer chooses. */
  amountMsat?: bigint;
  /** Unix seconds. */
  timestamp: number;
  /** At most a year, whatever the invoice says. */
  expirySeconds: number;
  /** Lower-case hex, like the other hashes and keys. */
  paymentHash: string;
  paymentSecret?: string;
  description?: string;
  descriptionHash?: string;
  /** The key of the node that signed the invoice: the invoice names it and the signature fits it, or it was recovered from the signature. */
  payee: string;
  minFinalCltv?: number;
  /** The feature bits that are set, ascending. */
  features: number[];
};

/** Returns when an invoice expires, in Unix milliseconds. */
export const invoiceExpiry = ({ timestamp, expirySeconds }: Pick<Invoice, 'timestamp' | 'expirySeconds'>): number => (timestamp + expirySeconds) * 1000;

/**
 * Reads an invoice. Returns undefined for one that must not be paid, for example because of a bad checksum, amount or signature, an unknown network
 * or required feature, or a missing payment hash or secret. With `allowMissingSecret`, accepts old invoices (2019) without a secret, which nodes no
 * longer pay. Never throws. Does not check the expiry.
 */
export function decodeInvoice(text: string, options: { allowMissingSecret?: boolean } = {}): Invoice | undefined {
  try {
    const invoice = text.length <= MAX_LENGTH ? readInvoice(text) : undefined;
    return invoice?.paymentSecret === undefined && options.allowMissingSecret !== true ? undefined : invoice;
  } catch {
    // The bech32 and UTF-8 decoders throw, for example on a bad checksum, mixed case, left-over bits or broken text.
    return undefined;
  }
}

export type NewInvoice = {
  network: BitcoinNetwork;
  amountMsat?: bigint;
  /** Unix seconds. */
  timestamp: number;
  expirySeconds?: number;
  paymentHash: string;
  paymentSecret: string;
  description: string;
  minFinalCltv?: number;
  /** 32 bytes of hex. */
  payeePrivateKey: string;
  /** Whether to name the payee in the invoice, instead of letting readers recover it. */
  namePayee?: boolean;
};

/** Makes a signed invoice, for simulators and tests. Throws on bad hex or a bad key. */
export function encodeInvoice(invoice: NewInvoice): string {
  const prefix = `ln${PREFIX_OF[invoice.network]}${invoice.amountMsat === undefined ? '' : amountText(invoice.amountMsat)}`;
  const data = [
    ...integerToWords(BigInt(invoice.timestamp), TIMESTAMP_WORDS),
    ...field('s', bech32.toWords(hex.decode(invoice.paymentSecret))),
    ...field('p', bech32.toWords(hex.decode(invoice.paymentHash))),
    ...field('d', bech32.toWords(new TextEncoder().encode(invoice.description))),
    ...(invoice.expirySeconds === undefined ? [] : field('x', integerToWords(BigInt(invoice.expirySeconds)))),
    ...(invoice.minFinalCltv === undefined ? [] : field('c', integerToWords(BigInt(invoice.minFinalCltv)))),
    ...(invoice.namePayee === true ? field('n', bech32.toWords(hex.decode(publicKeyOf(invoice.payeePrivateKey)))) : []),
    ...field('9', integerToWords((1n << 8n) | (1n << 14n))),
  ];
  const { rs, recoveryId } = signDigest(signingDigest(prefix, data), invoice.payeePrivateKey);
  return bech32.encode(prefix, [...data, ...bech32.toWords(Uint8Array.of(...rs, recoveryId))], false);
}

function readInvoice(text: string): Invoice | undefined {
  const { prefix, words } = bech32.decode(text, false);
  const data = words.slice(0, -SIGNATURE_WORDS);
  const head = readPrefix(prefix);
  const fields = readFields(data.slice(TIMESTAMP_WORDS));
  const facts = fields && readFacts(fields);
  const payee = fields && readPayee(signingDigest(prefix, data), bech32.fromWords(words.slice(-SIGNATURE_WORDS)), fields.get('n'));
  if (head === undefined || facts === undefined || payee === undefined) return undefined;
  return { ...head, timestamp: Number(wordsToInteger(data.slice(0, TIMESTAMP_WORDS))), ...facts, payee };
}

function readPrefix(prefix: string): Pick<Invoice, 'network' | 'amountMsat'> | undefined {
  const match = /^ln(bcrt|tbs|bc|tb)(?:([1-9]\d{0,17})([munp]?))?$/.exec(prefix);
  const network = NETWORK_OF[match?.[1] ?? ''];
  if (network === undefined) return undefined;
  if (match?.[2] === undefined) return { network };
  const unit = PICO_PER_UNIT.find(([letter]) => letter === (match[3] ?? ''))?.[1] ?? 0n;
  const pico = BigInt(match[2]) * unit;
  return pico % 10n === 0n ? { network, amountMsat: pico / 10n } : undefined;
}

function amountText(amountMsat: bigint): string {
  const pico = amountMsat * 10n;
  const [letter, unit] = PICO_PER_UNIT.find(([, size]) => pico % size === 0n) ?? ['p', 1n];
  return `${pico / unit}${letter}`;
}

/** Returns the first field of each type that has the length BOLT11 requires, and skips the others. Returns undefined if a field runs past the end. */
function readFields(words: number[]): Map<string, number[]> | undefined {
  const fields = new Map<string, number[]>();
  for (let at = 0; at < words.length;) {
    const letter = BECH32.charAt(words[at] ?? 0);
    const start = at + 3;
    const length = Number(wordsToInteger(words.slice(at + 1, start)));
    at = start + length;
    if (at > words.length) return undefined;
    const wanted = letter === 'n' ? KEY_WORDS : 'phs'.includes(letter) ? HASH_WORDS : length;
    if (length === wanted && !fields.has(letter)) fields.set(letter, words.slice(start, at));
  }
  return fields;
}

type Facts = Omit<Invoice, 'network' | 'amountMsat' | 'timestamp' | 'payee'>;

function readFacts(fields: Map<string, number[]>): Facts | undefined {
  const [hash, secret, description, descriptionHash] = [...'psdh'].map((letter) => fields.get(letter)).map((words) => words && bech32.fromWords(words));
  const [expiry, cltv] = [...'xc'].map((letter) => fields.get(letter)).map((words) => words && Number(wordsToInteger(words)));
  const features = readFeatures(fields.get('9') ?? []);
  if (hash === undefined || features.some((bit) => bit % 2 === 0 && !KNOWN_REQUIRED.has(bit))) return undefined;
  if (cltv !== undefined && !Number.isSafeInteger(cltv)) return undefined;
  return {
    paymentHash: hex.encode(hash),
    ...(secret && { paymentSecret: hex.encode(secret) }),
    ...(description && { description: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(description) }),
    ...(descriptionHash && { descriptionHash: hex.encode(descriptionHash) }),
    expirySeconds: Math.min(expiry ?? DEFAULT_EXPIRY_S, LONGEST_EXPIRY_S),
    ...(cltv !== undefined && { minFinalCltv: cltv }),
    features,
  };
}

function readFeatures(words: number[]): number[] {
  return words.toReversed().flatMap((word, index) => [0, 1, 2, 3, 4].filter((bit) => (word >> bit) & 1).map((bit) => index * 5 + bit));
}

function readPayee(digest: Uint8Array, signature: Uint8Array, named: number[] | undefined): string | undefined {
  const rs = signature.slice(0, 64);
  if (named === undefined) return recoverKey(digest, { rs, recoveryId: signature[64] ?? 4 });
  const key = bech32.fromWords(named);
  return isSignedBy(key, digest, rs) ? hex.encode(key) : undefined;
}

/** Returns the hash over the prefix and the words, packed into bytes and padded with zero bits. */
function signingDigest(prefix: string, words: number[]): Uint8Array {
  const filled = [...words, ...Array<number>((8 - (words.length % 8)) % 8).fill(0)];
  const packed = bech32.fromWords(filled).slice(0, Math.ceil((words.length * 5) / 8));
  return sha256(Uint8Array.of(...new TextEncoder().encode(prefix), ...packed));
}

function wordsToInteger(words: number[]): bigint {
  return words.reduce((value, word) => (value << 5n) | BigInt(word), 0n);
}

/** Converts an integer to words. Without `length`: as few words as needed, at least one. */
function integerToWords(value: bigint, length = Math.max(1, Math.ceil(value.toString(2).length / 5))): number[] {
  return Array.from({ length }, (_, index) => Number((value >> BigInt(5 * (length - 1 - index))) & 31n));
}

function field(letter: string, words: number[]): number[] {
  return [BECH32.indexOf(letter), ...integerToWords(BigInt(words.length), 2), ...words];
}
