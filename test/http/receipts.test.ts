import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeReceiptDays } from '../../src/gateway/receipts/close-days.ts';
import { canonicalBytes, receiptLeaf, verifyReceipt, verifyRoot, type Inclusion, type PublicKeys } from '../../src/domain/receipt.ts';
import { connect } from '../../src/entry/database-node.ts';
import { decide } from '../../src/domain/route.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { runCommand } from '../ops/run.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { aCandidate, buyFor, decidedOn, policy } from '../support/offers.ts';
import { aReceiptKey, decisionOf } from '../support/receipts.ts';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';

type Shown = { receipt: string; receipts: { kind: string; receipt: string; inclusion?: Inclusion }[] };
let gateway: TestGateway;
let wallet: Wallet;
let session: string;
let folder: string;

beforeAll(async () => {
  gateway = await startTestGateway(
    {
      alpine: { simulator: { quoteTtlS: 86_400, spreadBps: 0 } },
      borealis: { simulator: { quoteTtlS: 86_400, spreadBps: 20 } },
      cobalt: { simulator: { estimate: true, spreadBps: 10 } },
    },
    { pauseMs: 1_000 },
  );
  wallet = createWallet(gateway.url);
  session = (await wallet.open()).sessionId;
  // The folder is inside the project, so that the script finds its packages.
  folder = mkdtempSync(join(import.meta.dirname, '../../node_modules/.receipts-'));
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

const quoted = async (): Promise<string> => {
  const { body } = await wallet.call('/offers', { session_id: session, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  return (body['offers'] as { quote_id: string }[])[0]?.quote_id ?? '';
};
const routeOf = async (of: object): Promise<Shown> => (await wallet.call('/route', { session_id: session, ...of })).body as unknown as Shown;
const keysNow = async (): Promise<PublicKeys> => (await (await fetch(`${gateway.url}/.well-known/receipt-keys`)).json()) as PublicKeys;
/** Moves every existing receipt to an earlier day, because the database's clock cannot be moved. */
const aDayLater = async (): Promise<void> => {
  const sql = connect(gateway.database.url, 1);
  await sql`update receipts set day = day - 2 where day > current_date - 2`;
  await sql.end();
};
/** Loads the script that docs/receipts.md prints, unchanged. */
const printed = async (): Promise<(answer: Shown, keys: PublicKeys) => Promise<string[]>> => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/receipts.md'), 'utf8');
  const file = join(folder, 'check.mjs');
  writeFileSync(file, /```js run\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
  const { check } = (await import(pathToFileURL(file).href)) as { check: (answer: Shown, keys: PublicKeys) => Promise<string[]> };
  return check;
};

describe('receipts', () => {
  it('a decision is receipted once, and verifies with our verifier and with the printed script', async () => {
    const quote_id = await quoted();
    const first = await routeOf({ quote_id });
    expect(first.receipts.map(({ kind }) => kind)).toEqual(['decision']);
    expect(await routeOf({ quote_id })).toMatchObject({ receipt: first.receipt });
    const keys = await keysNow();
    expect(await verifyReceipt(first.receipt, keys)).toMatchObject({ ok: true });
    const check = await printed();
    expect([...(await check(first, keys))].toSorted()).toEqual(['alpine', 'borealis', 'cobalt']);
    await expect(check({ ...first, receipt: first.receipt.replace('.ey', '.eY') }, keys)).rejects.toThrow(/signature|JWS/);
    const payload = Buffer.from(first.receipt.split('.')[1] ?? '', 'base64url').toString();
    for (const secret of [session, 'upstream":{', 'customer']) expect(payload).not.toContain(secret);
  });

  it('an order has its decision with the ordered rank, and a receipt when it is filled', async () => {
    const quote_id = await quoted();
    const { body } = await wallet.call('/order', { session_id: session, quote_id });
    const order_id = String(body['order_id']);
    const sql = connect(gateway.database.url, 1);
    // The receipt is made with the order, not when it is requested.
    await until('the receipt of the order', async () => ((await sql`select 1 from receipts where subject_id = ${order_id}`).length === 1 ? true : undefined));
    await sql.end();
    const [simulator] = Object.values(gateway.simulators).filter(({ control }) => control.orders.size > 0);
    await simulator?.control.pay([...simulator.control.orders.keys()][0] ?? '');
    await until('filled', async () => {
      const status = (await wallet.call('/order-status', { session_id: session, order_id })).body[order_id] as { stage: string };
      return status.stage === 'filled' ? true : undefined;
    });
    const shown = await routeOf({ order_id });
    expect(shown.receipts.map(({ kind }) => kind)).toEqual(['decision', 'filled']);
    expect(await routeOf({ quote_id })).toMatchObject({ receipt: shown.receipt, receipts: shown.receipts });
    const [decision, filled] = await Promise.all(shown.receipts.map(async ({ receipt }) => await verifyReceipt(receipt, await keysNow())));
    expect(decision).toMatchObject({ ok: true, payload: { chosen: { rank: 1 } } });
    expect(filled).toMatchObject({ ok: true, payload: { kind: 'filled', order: { order_id, status: 'filled' } } });
  });

  it('a day is closed once: its root is signed, names the one before, and proves each receipt', async () => {
    const asked = await Promise.all([quoted(), quoted(), quoted()]);
    await Promise.all(asked.map(async (quote_id) => await routeOf({ quote_id })));
    expect(await closeReceiptDays(gateway.server.gateway, 5)).toBe(0);
    await aDayLater();
    await Promise.all([closeReceiptDays(gateway.server.gateway, 5), closeReceiptDays(gateway.server.gateway, 5)]);
    const keys = await keysNow();
    const check = await printed();
    for (const quote_id of asked) {
      const shown = await routeOf({ quote_id });
      const { inclusion } = shown.receipts[0] ?? {};
      expect(await verifyReceipt(shown.receipt, keys, inclusion)).toMatchObject({ ok: true });
      expect(await verifyReceipt(shown.receipt, keys, { ...(inclusion as Inclusion), index: (inclusion?.index ?? 0) + 1 })).toMatchObject({ ok: false });
      await expect(check(shown, keys)).resolves.toHaveLength(3);
      const leaf = { ...(inclusion as Inclusion), index: 0, size: 1, proof: [], root: receiptLeaf(shown.receipt) };
      expect(await verifyReceipt(shown.receipt, keys, leaf)).toMatchObject({ ok: false });
      await expect(check({ ...shown, receipts: [{ kind: 'decision', receipt: shown.receipt, inclusion: leaf }] }, keys)).rejects.toThrow('not the signed root');
      const published = (await (await fetch(`${gateway.url}/.well-known/receipts/${inclusion?.day}`)).json()) as { signed_root: string; root: string };
      expect(published).toMatchObject({ root: inclusion?.root, signed_root: inclusion?.signed_root });
      expect(await verifyRoot(published.signed_root, keys)).toMatchObject({ ok: true, root: { day: inclusion?.day, size: inclusion?.size } });
    }
    // The previous release closed days without block roots. A day gets them when its first receipt is shown.
    await gateway.database.sql`update receipt_days set block_roots = null`;
    const again = await Promise.all(asked.map(async (quote_id) => await routeOf({ quote_id })));
    for (const { receipt, receipts } of again) expect(await verifyReceipt(receipt, keys, receipts[0]?.inclusion)).toMatchObject({ ok: true });
    expect((await gateway.database.sql`select 1 from receipt_days where block_roots is null`).length).toBe(0);
    const next = await routeOf({ quote_id: await quoted() });
    expect(await verifyReceipt(next.receipt, keys)).toMatchObject({ payload: { newest_root: { root: expect.any(String) as string } } });
    for (const day of ['2020-01-01', 'yesterday', '2026-02-30', '2026-13-01', '0000-01-01', '0000-00-00', '9999-12-31', '+010000-01-01', '%00', '%ED%A0%80'])
      expect([day, (await fetch(`${gateway.url}/.well-known/receipts/${day}`)).status]).toEqual([day, 404]);
  });

  it('the command says what is valid, and what is wrong', async () => {
    const shown = await routeOf({ quote_id: await quoted() });
    const good = join(folder, 'good.json');
    writeFileSync(good, JSON.stringify(shown));
    const verified = await runCommand('receipt', ['verify', good, '--url', gateway.url], {});
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('its figures, ranked again, give the same ranking')]);
    const bad = join(folder, 'bad.txt');
    const [head, body = '', signature] = shown.receipt.split('.');
    writeFileSync(bad, [head, `${body.slice(0, 40)}${body[40] === 'A' ? 'B' : 'A'}${body.slice(41)}`, signature].join('.'));
    const refused = await runCommand('receipt', ['verify', bad, '--url', gateway.url], {});
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('NOT VALID')]);
  });

  it('the command names an excluded offer that was better than the first, because the ranking alone does not show it', async () => {
    const { keys, signBytes } = await aReceiptKey();
    const tieSeed = 'a seed';
    const decided = decide({
      requestId: 'req_1',
      tieSeed,
      asked: buyFor(10_000n),
      candidates: [aCandidate('alpine', { receive: 107_000n }), aCandidate('borealis', { receive: 106_900n })],
      refused: [],
      failed: [],
      policy: { ...policy, version: 2 },
      tieKey: (providerId) => sha256Hex(`${tieSeed}${providerId}`),
      now: decidedOn,
      maxWaitMs: 2500,
      waitedMs: 310,
    });
    const excluded = [108_000n, 106_000n].map((receive, n) => ({
      providerId: `left\nout-${n}`,
      rule: 'expires-too-soon' as const,
      offer: aCandidate('x', { receive, fee: 0n }).offer,
    }));
    const [file, keyFile] = [join(folder, 'left-out.txt'), join(folder, 'keys.json')];
    writeFileSync(file, await signBytes(canonicalBytes(decisionOf({ ...decided, excluded }))));
    writeFileSync(keyFile, JSON.stringify(keys));
    const { code, out } = await runCommand('receipt', ['verify', file, '--keys', keyFile], {});
    expect([code, out.split('\n').filter((line) => line.includes('excluded'))]).toEqual([
      0,
      ['       not ranked, though better than rank 1: left out-0, excluded by expires-too-soon (pay 10000, receive 108000, fee 0)'],
    ]);
  });
});
