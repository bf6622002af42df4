import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { aCandidate, buyFor, decidedOn, policy } from '../../test/support/offers.ts';
import { aReceiptKey, decisionOf } from '../../test/support/receipts.ts';
import { inclusionProof, rootOf } from './merkle.ts';
import { canonicalBytes, receiptLeaf, receiptRoute, verifyReceipt, verifyRoot, type PublicKeys } from './receipt.ts';
import { decide, type Route } from './route.ts';

const requestId = 'req_of_the_receipt';
const tieSeed = 'a seed of our own';
const keyFrom =
  (seed: string) =>
  (providerId: string): string =>
    createHash('sha256').update(`${seed}${providerId}`).digest('hex');
const tieKey = keyFrom(tieSeed);
const route: Route = decide({
  requestId,
  tieSeed,
  asked: buyFor(10_000n),
  candidates: [
    aCandidate('alpine', { receive: 107_869n, fee: 90n, secret: 'lnbc1secret', upstream: { quote: 'upstream-secret' } }),
    aCandidate('borealis', { receive: 107_414n, fee: 149n }),
    aCandidate('cobalt', { receive: 107_983n, fee: 50n, binding: false }, { haircutBps: 100 }),
    aCandidate('dune', { receive: 163_934n, fee: 0n }),
  ],
  refused: [{ providerId: 'eiger', refusal: { reason: 'below-minimum', limits: { minPay: 25_000n }, detail: 'provider words' } }],
  failed: [{ providerId: 'fjord', reason: 'timeout', retryable: true, latencyMs: 2000 }],
  policy: { ...policy, version: 2 },
  tieKey,
  now: decidedOn,
  maxWaitMs: 2500,
  waitedMs: 310,
});
const payload = decisionOf(route);

let keys: PublicKeys;
let sign: (what: object, typ?: string) => Promise<string>;
beforeAll(async () => {
  const key = await aReceiptKey();
  ({ keys } = key);
  sign = async (what, typ) => await key.signBytes(canonicalBytes(what), typ);
});

/** Changes one part of the payload's route and signs the payload again, as a lying gateway would have to do. */
const resigned = async (change: (route: { offers: Record<string, unknown>[] }) => void): Promise<string> => {
  const copy = structuredClone(payload);
  change(copy.route as never);
  return await sign(copy);
};

describe('a receipt', () => {
  it('verifies, and says what was decided', async () => {
    const verified = await verifyReceipt(await sign(payload), keys);
    expect(verified).toEqual({ ok: true, payload });
  });

  it("holds no secret, no adapter's note and no provider's text", () => {
    const text = JSON.stringify(payload);
    for (const secret of ['lnbc1secret', 'upstream-secret', 'provider words']) expect(text).not.toContain(secret);
    for (const told of ['below-minimum', '25000', 'timeout', 'too-good', '163934']) expect(text).toContain(told);
  });

  it('does not verify with one character changed, another key, or another form', async () => {
    const jws = await sign(payload);
    const [head = '', body = '', signature = ''] = jws.split('.');
    const other = Buffer.from(Buffer.from(body, 'base64url').toString().replace('107869', '107868')).toString('base64url');
    expect(await verifyReceipt([head, other, signature].join('.'), keys)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('the text was changed after it was signed'),
    });
    const dropped = { ...payload, route: { ...(payload.route as object), offers: (payload.route as { offers: [] }).offers.slice(1) } };
    const cut = Buffer.from(canonicalBytes(dropped)).toString('base64url');
    expect(await verifyReceipt([head, cut, signature].join('.'), keys)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('the text was changed after it was signed'),
    });
    const stranger = await generateKeyPair('EdDSA', { extractable: true });
    const theirs = { keys: [{ ...(await exportJWK(stranger.publicKey)), kid: 'r1' }] };
    expect(await verifyReceipt(jws, theirs)).toMatchObject({ ok: false });
    expect(await verifyReceipt(jws, { keys: [] })).toMatchObject({ ok: false, problem: expect.stringContaining('the key set has no key r1') });
    expect(await verifyReceipt('not a jws', keys)).toMatchObject({ ok: false });
    expect(await verifyReceipt(await sign(payload, 'JWT'), keys)).toMatchObject({ ok: false, problem: expect.stringContaining('receipt+jws') });
    expect(await verifyReceipt(await sign({ ...payload, version: 9 }), keys)).toMatchObject({ ok: false, problem: expect.stringContaining('version 9') });
  });

  it('does not verify if its figures give another ranking, whoever signed it', async () => {
    const swapped = await resigned((stored) => {
      const [first, second] = stored.offers as [Record<string, unknown>, Record<string, unknown>];
      stored.offers.splice(0, 2, { ...second, rank: 1 }, { ...first, rank: 2 });
    });
    expect(await verifyReceipt(swapped, keys)).toEqual({
      ok: false,
      problem: 'its offers, ranked again by their stored figures, come out in a different sequence',
    });
    const renumbered = await resigned((stored) => Object.assign(stored.offers[0] ?? {}, { rank: 2 }));
    expect(await verifyReceipt(renumbered, keys)).toMatchObject({ ok: false });
    const chosenKey = await resigned((stored) => Object.assign(stored.offers[0] ?? {}, { tieKey: '0'.repeat(64) }));
    expect(await verifyReceipt(chosenKey, keys)).toMatchObject({ ok: false, problem: expect.stringContaining('tie key') });
    expect(await verifyReceipt(await sign({ ...payload, chosen: { rank: 2, provider: 'alpine' } }), keys)).toMatchObject({ ok: false });
    expect(await verifyReceipt(await sign({ ...payload, route: { version: 2 } }), keys)).toMatchObject({ ok: false, problem: 'its decision cannot be read' });
  });

  it('names the seed of its ties, and verifies without one if it was made when the request id was the seed', async () => {
    const { tieSeed: _seed, ...before } = route;
    const old = { ...before, offers: route.offers.map((one) => ({ ...one, tieKey: keyFrom(requestId)(one.providerId) })) };
    expect(await verifyReceipt(await sign({ ...payload, route: receiptRoute(old) }), keys)).toMatchObject({ ok: true });
    const unseeded = await sign({ ...payload, route: receiptRoute(before) });
    expect(await verifyReceipt(unseeded, keys)).toMatchObject({ ok: false, problem: expect.stringContaining('tie seed') });
  });

  it('is in the tree of its day, and of no other', async () => {
    const all = await Promise.all([0, 1, 2, 3, 4].map(async (n) => await sign({ ...payload, salt: `${n}`.repeat(64) })));
    const leaves = all.map(receiptLeaf);
    const day = { day: '2026-11-28', size: 5, root: rootOf(leaves) };
    const signed = async (root: object) => await sign({ version: 1, issuer: 'ramp.wallet.example', closed_on: decidedOn, ...root }, 'receipts-root+jws');
    const place = { ...day, index: 3, proof: inclusionProof(leaves, 3), signed_root: await signed(day) };
    expect(await verifyReceipt(all[3] ?? '', keys, place)).toMatchObject({ ok: true });
    expect(await verifyReceipt(all[2] ?? '', keys, place)).toEqual({ ok: false, problem: 'the receipt is not in the tree of 2026-11-28' });
    const alone = { day: day.day, index: 0, size: 1, proof: [], root: leaves[3] ?? '' };
    const notSigned = { ok: false, problem: 'the gateway has not signed this root of 2026-11-28' };
    // The proof leads to a root that the caller made up. It comes with the true signed root, with a root signed for another day, and with no signed
    // root.
    expect(await verifyReceipt(all[3] ?? '', keys, { ...alone, signed_root: place.signed_root })).toEqual(notSigned);
    expect(await verifyReceipt(all[3] ?? '', keys, { ...alone, signed_root: await signed({ ...alone, day: '2026-11-27' }) })).toEqual(notSigned);
    for (const signed_root of ['', all[3] ?? '', undefined as never])
      expect(await verifyReceipt(all[3] ?? '', keys, { ...alone, signed_root })).toMatchObject({ ok: false });
  });

  it('is not a root, and a root is not a receipt', async () => {
    const root = { version: 1, issuer: 'ramp.wallet.example', day: '2026-11-28', size: 0, root: rootOf([]), closed_on: decidedOn } as const;
    const jws = await sign(root, 'receipts-root+jws');
    expect(await verifyRoot(jws, keys)).toEqual({ ok: true, root });
    expect(await verifyReceipt(jws, keys)).toMatchObject({ ok: false });
    expect(await verifyRoot(await sign(payload), keys)).toMatchObject({ ok: false });
    const odd = await Promise.all([{ ...root, version: 2 }, [], null].map(async (what) => await sign(what as object, 'receipts-root+jws')));
    for (const one of odd) expect(await verifyRoot(one, keys)).toMatchObject({ ok: false, problem: expect.stringContaining('version') });
    expect(await verifyReceipt(await sign(null as unknown as object), keys)).toMatchObject({ ok: false, problem: expect.stringContaining('version') });
  });
});
