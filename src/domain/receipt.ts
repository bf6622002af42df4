/**
 * A receipt records one decision, or figures of the order that followed, so that a customer can keep it, show it to others and check it without us
 * (docs/receipts.md). It is a compact JWS over the RFC 8785 form of a payload. Our public keys verify the signature, and the signed root of a day
 * proves that the receipt was in that day's tree. Verifying the receipt of a decision also ranks the stored figures again. These functions are pure:
 * keys, roots and times come as arguments.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { leafHash, provesInclusion } from './merkle.ts';
import type { Json } from './offer.ts';
import { replay, type Route, type RoutedOffer } from './route.ts';
import { fromJson, toJson } from './route-json.ts';

/**
 * What a receipt states. `decision`: the ranking. `filled`: the quoted and the reported amounts. `link`: the amount that the withdrawal link stated.
 */
export type ReceiptKind = 'decision' | 'filled' | 'link';
type Members = { [member: string]: Json };
export type ReceiptPayload = {
  version: 1;
  kind: ReceiptKind;
  /** The host of the gateway that made the receipt. */
  issuer: string;
  /** When the receipt was made, Unix milliseconds. */
  made_on: number;
  /** 32 random bytes in hex, so that a receipt cannot be guessed from its leaf. */
  salt: string;
  /** The newest signed root when the receipt was made. The receipt cannot be older than that root. */
  newest_root?: { day: string; root: string };
  /** For a decision: the route's allowed members. */
  route?: Json;
  /** For a decision: the rank that was ordered, and its provider. */
  chosen?: { rank: number; provider: string };
  /** For the other kinds: the order's figures, all as strings or whole numbers. */
  order?: Members;
};

/** Allow lists: a receipt holds no other member of an offer or its facts. */
const offerMembers = ['pay', 'receive', 'fee', 'binding', 'expiresOn', 'echo', 'facts', 'requires', 'warnings'] as const;
const factMembers = ['provider_btc_price', 'on_chain_fallback', 'inbound_sats', 'lease_blocks', 'delivered_as'] as const;
const pick = <T extends object>(from: T, names: readonly string[]): Partial<T> =>
  Object.fromEntries(Object.entries(from).filter(([name, value]) => names.includes(name) && value !== undefined)) as Partial<T>;

const shownOffer = (offer: RoutedOffer['offer']): RoutedOffer['offer'] =>
  ({ ...pick(offer, offerMembers), facts: pick(offer.facts, factMembers), upstream: null }) as RoutedOffer['offer'];

/**
 * Returns the allowed members of a stored decision, which hold no secrets and none of the adapters' own data. Its offers, ranked again, come in the
 * same sequence as in the route.
 */
export const receiptRoute = (route: Route): Json =>
  toJson({
    ...pick(route, ['version', 'requestId', 'tieSeed', 'asked', 'decidedOn', 'maxWaitMs', 'waitedMs', 'failed', 'policy']),
    offers: route.offers.map((one) => ({ ...one, offer: shownOffer(one.offer) })),
    excluded: route.excluded.map((one) => ({ ...one, offer: shownOffer(one.offer) })),
    refused: route.refused.map(({ providerId, refusal }) => ({ providerId, refusal: pick(refusal, ['reason', 'limits', 'note']) })),
  } as Route);

/** Returns the bytes that are signed. */
export const canonicalBytes = (payload: object): Uint8Array => utf8ToBytes(canonicalize(payload) ?? '');

/** Returns the receipt's leaf in the tree of its day: a hash over the SHA-256 of the compact JWS, which contains the salt. */
export const receiptLeaf = (jws: string): string => leafHash(sha256(utf8ToBytes(jws)));

/** The position of a receipt in a closed day, and the day's signed root, as POST /route returns them. */
export type Inclusion = { day: string; index: number; size: number; proof: string[]; root: string; signed_root: string };
export type PublicKeys = { keys: readonly JWK[] };
export type Verified = { ok: true; payload: ReceiptPayload } | { ok: false; problem: string };

const signedPayload = async (jws: string, of: PublicKeys, type: string): Promise<{ payload: unknown } | { problem: string }> => {
  // The key set comes from the network, and callers in JavaScript have no types.
  const keys = (of as Partial<PublicKeys> | undefined)?.keys;
  if (typeof keys?.find !== 'function') return { problem: 'the keys are not a key set like the one that /.well-known/receipt-keys returns' };
  try {
    const { alg, kid, typ } = decodeProtectedHeader(jws);
    if (alg !== 'EdDSA' || typ !== type) return { problem: `the header says ${String(alg)} ${String(typ)}, not EdDSA ${type}` };
    const key = keys.find((one) => one.kid === kid);
    if (!key) return { problem: `the key set has no key ${String(kid)}: it is the key set of another gateway, or someone else signed this` };
    const { payload } = await compactVerify(jws, await importJWK({ ...key, alg: 'EdDSA' }), { algorithms: ['EdDSA'] });
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    const value: unknown = JSON.parse(text);
    return canonicalize(value) === text ? { payload: value } : { problem: 'the signed text is not in the form of RFC 8785' };
  } catch (error) {
    return {
      problem: `the signature does not verify (${error instanceof Error ? error.name : 'unknown'}): the text was changed after it was signed, or it is no receipt`,
    };
  }
};

/** Computes the key that decides between equal offers. Anybody can compute the key from the seed. A seed favours a provider only by chance. */
const neutralKey = (seed: string, providerId: string): string => bytesToHex(sha256(utf8ToBytes(seed + providerId)));

/** Returns what is wrong with a receipt's decision, or undefined. Throws if the route cannot be read. */
const brokenDecision = ({ route: stored, chosen }: ReceiptPayload): string | undefined => {
  if (stored === undefined) return 'the receipt holds no route';
  const route = fromJson(stored);
  const told = route.offers.map(({ providerId }) => providerId);
  if (replay(route).join('\n') !== told.join('\n')) return 'its offers, ranked again by their stored figures, come out in a different sequence';
  if (route.offers.some(({ rank }, index) => rank !== index + 1)) return 'the ranks of its offers are not 1, 2, 3 …';
  if (route.offers.some(({ providerId, tieKey }) => tieKey !== neutralKey(route.tieSeed ?? route.requestId, providerId)))
    return 'a tie key is not the SHA-256 of the tie seed and the provider id';
  return chosen && told[chosen.rank - 1] !== chosen.provider ? 'the provider that was ordered is not at the stated rank' : undefined;
};

/**
 * Verifies a receipt offline: its signature and its canonical form; for a decision, also the ranking of the stored figures; and, if `inclusion` is
 * given, also that the tree of the day's signed root contains the receipt. A problem is returned as a sentence, not thrown.
 */
export const verifyReceipt = async (jws: string, keys: PublicKeys, inclusion?: Inclusion): Promise<Verified> => {
  const signed = await signedPayload(jws, keys, 'receipt+jws');
  if ('problem' in signed) return { ok: false, problem: signed.problem };
  const payload = signed.payload as ReceiptPayload | null;
  if (payload?.version !== 1) return { ok: false, problem: `receipt version ${JSON.stringify(payload?.version)} is not supported` };
  try {
    const broken = payload.kind === 'decision' ? brokenDecision(payload) : undefined;
    if (broken !== undefined) return { ok: false, problem: broken };
  } catch {
    return { ok: false, problem: 'its decision cannot be read' };
  }
  const problem = inclusion && (await brokenInclusion(jws, keys, inclusion));
  return problem === undefined ? { ok: true, payload } : { ok: false, problem };
};

/** Returns what is wrong with the proof that a day's tree contains a receipt, or undefined. A root counts only if the gateway signed it. */
const brokenInclusion = async (jws: string, keys: PublicKeys, inclusion: Inclusion): Promise<string | undefined> => {
  const { day, index, size, proof, root, signed_root: signed } = inclusion;
  const told = await verifyRoot(signed, keys);
  if (!told.ok || told.root.day !== day || told.root.size !== size || told.root.root !== root) return `the gateway has not signed this root of ${day}`;
  return provesInclusion(receiptLeaf(jws), index, size, proof, root) ? undefined : `the receipt is not in the tree of ${day}`;
};

/** The signed root of a day. `previous` chains the days, so replacing a root later breaks the chain. */
export type DayRoot = { version: 1; issuer: string; day: string; size: number; root: string; closed_on: number; previous?: { day: string; root: string } };

export const verifyRoot = async (jws: string, keys: PublicKeys): Promise<{ ok: true; root: DayRoot } | { ok: false; problem: string }> => {
  const signed = await signedPayload(jws, keys, 'receipts-root+jws');
  if ('problem' in signed) return { ok: false, problem: signed.problem };
  const root = signed.payload as DayRoot | null;
  return root?.version === 1 ? { ok: true, root } : { ok: false, problem: `root version ${JSON.stringify(root?.version)} is not supported` };
};
