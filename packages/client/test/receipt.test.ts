/** What `verifyReceipt` says about each receipt that is wrong, as the client's README lists it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { canonicalBytes } from '../../../src/domain/receipt.ts';
import { decide } from '../../../src/domain/route.ts';
import { aCandidate, buyFor, decidedOn, policy } from '../../../test/support/offers.ts';
import { aReceiptKey, decisionOf } from '../../../test/support/receipts.ts';
import { verifyReceipt, type PublicKeys } from '../src/receipt.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const table = readme.slice(readme.indexOf('| `verified.problem`')).split('\n\n')[0] ?? '';
const listed = table.split('\n').flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));

const tieSeed = 'a seed of the gateway';
const route = decide({
  requestId: 'req_of_the_receipt',
  tieSeed,
  asked: buyFor(10_000n),
  candidates: [aCandidate('alpine', { receive: 107_869n, fee: 90n }), aCandidate('borealis', { receive: 107_414n, fee: 149n })],
  refused: [],
  failed: [],
  policy: { ...policy, version: 2 },
  tieKey: (providerId) => createHash('sha256').update(`${tieSeed}${providerId}`).digest('hex'),
  now: decidedOn,
  maxWaitMs: 2500,
  waitedMs: 310,
});
const payload = decisionOf(route);

let keys: PublicKeys;
let signBytes: Awaited<ReturnType<typeof aReceiptKey>>['signBytes'];
beforeAll(async () => {
  ({ keys, signBytes } = await aReceiptKey());
});
/** Signs the payload with other members, as a lying gateway would have to do. */
const signed = async (other: object = {}): Promise<string> => await signBytes(canonicalBytes({ ...payload, ...other }));
type Offers = [Record<string, unknown>, Record<string, unknown>];
const withOffers = async (change: (offers: Offers) => unknown[]): Promise<string> => {
  const copy = structuredClone(payload.route) as { offers: Offers };
  return await signed({ route: { ...copy, offers: change(copy.offers) } });
};
const problemOf = async (...given: Parameters<typeof verifyReceipt>): Promise<string> => {
  const verified = await verifyReceipt(...given);
  return verified.ok ? 'ok' : verified.problem;
};

it('verifies what the gateway signed, and has a sentence of the README for everything else', async () => {
  expect(await verifyReceipt(await signed(), keys)).toEqual({ ok: true, payload });
  const [head = '', body = '', signature = ''] = (await signed()).split('.');
  const otherFigure = Buffer.from(Buffer.from(body, 'base64url').toString().replace('107869', '107868')).toString('base64url');
  const day = { day: '2026-11-28', size: 1, root: '0'.repeat(64) };
  const place = { ...day, index: 0, proof: [], signed_root: await signBytes(canonicalBytes({ version: 1, ...day }), 'receipts-root+jws') };
  const problems = [
    await problemOf(await signed(), { keys: [] }),
    await problemOf(await signBytes(canonicalBytes({ version: 1, day: '2026-11-28' }), 'receipts-root+jws'), keys),
    await problemOf([head, otherFigure, signature].join('.'), keys),
    await problemOf(await signBytes(new TextEncoder().encode(JSON.stringify(payload, undefined, 1))), keys),
    await problemOf(await signed({ version: 2 }), keys),
    await problemOf(await signed({ route: undefined }), keys),
    await problemOf(await signed({ route: { version: 2 } }), keys),
    await problemOf(
      await withOffers(([first, second]) => [
        { ...second, rank: 1 },
        { ...first, rank: 2 },
      ]),
      keys,
    ),
    await problemOf(await withOffers(([first, second]) => [{ ...first, rank: 2 }, second]), keys),
    await problemOf(await withOffers(([first, second]) => [{ ...first, tieKey: '0'.repeat(64) }, second]), keys),
    await problemOf(await signed({ chosen: { rank: 2, provider: 'alpine' } }), keys),
    await problemOf(await signed(), keys, place),
    await problemOf(await signed(), keys, { ...place, root: '1'.repeat(64) }),
    // Mistakes that only a caller in JavaScript can make: the types prevent them.
    await problemOf(await signed(), keys.keys as never),
  ];
  expect(problems.toSorted()).toEqual(listed.filter((text) => text !== 'verified.problem').toSorted());
});

it('never throws', async () => {
  const missing = undefined as never;
  const [receipt, keySet] = [await signed(), listed.find((text) => text.includes('key set like'))];
  expect([await problemOf(receipt, missing), await problemOf(receipt, {} as never), await problemOf(receipt, null as never)]).toEqual([keySet, keySet, keySet]);
  expect(await problemOf(missing, keys)).toContain('does not verify');
  expect(await problemOf('not a receipt', keys)).toContain('does not verify');
  expect(await problemOf(await signBytes(canonicalBytes(null as never)), keys)).toContain('version');
  expect(await problemOf(receipt, keys, {} as never)).toContain('not signed this root');
  const day = { version: 1, day: '2026-11-28', size: 1, root: '' };
  const place = { ...day, index: 0, signed_root: await signBytes(canonicalBytes(day), 'receipts-root+jws') };
  expect(await problemOf(receipt, keys, place as never)).toContain('not in the tree');
  expect(await problemOf(receipt, keys, { ...place, proof: null } as never)).toContain('not in the tree');
});
