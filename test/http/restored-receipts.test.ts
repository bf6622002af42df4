/** Receipts after a restore. Days are moved in the database, because its clock cannot be. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet, type Wallet } from '../../scripts/demo/wallet.ts';
import { verifyRoot, type Inclusion, type PublicKeys } from '../../src/domain/receipt.ts';
import { closeReceiptDays } from '../../src/gateway/receipts/close-days.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let wallet: Wallet;
let session_id: string;
beforeAll(async () => {
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 86_400 } } }, { pauseMs: 3_600_000 });
  wallet = createWallet(gateway.url);
  session_id = (await wallet.open()).sessionId;
  // The background work pauses for an hour after this run, so only the test closes days.
  await gateway.server.tick();
});
afterAll(async () => await gateway.close());

type Shown = { receipts: { inclusion?: Inclusion }[] };
const routeOf = async (quote_id: unknown): Promise<Shown> => (await wallet.call('/route', { session_id, quote_id })).body as Shown;
const receipted = async (): Promise<unknown> => {
  const { quote_id } = (await wallet.call('/quote', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 })).body;
  await routeOf(quote_id);
  return quote_id;
};
const inclusionOf = async (quote_id: unknown): Promise<Inclusion | undefined> => (await routeOf(quote_id)).receipts[0]?.inclusion;
/** Moves the newest receipt to an earlier day. */
const moveNewest = async (days: number): Promise<void> =>
  void (await gateway.database.sql`update receipts set day = day - ${days}::int where made_on = (select max(made_on) from receipts)`);
const close = async (): Promise<number> => await closeReceiptDays(gateway.server.gateway, 5);

it('after a restore, no past day gets a root that the gateway may have signed otherwise, and later days are closed as always', async () => {
  const early = await receipted();
  await moveNewest(9);
  expect(await close()).toBe(1);
  const before = await inclusionOf(early);

  // The day of this receipt was closed and published after the backup, with more receipts than the backup has.
  gateway.clock.move(1_000);
  const lost = await receipted();
  await moveNewest(3);
  await gateway.server.gateway.stores.operator.distrustRestored(gateway.clock.now());
  await gateway.server.gateway.stores.operator.distrustRestored(gateway.clock.now());
  expect([await close(), await inclusionOf(lost)]).toEqual([0, undefined]);
  expect((await gateway.database.sql`select 1 from receipt_days where size > 0`).length).toBe(1);
  const [{ day } = { day: '' }] = await gateway.database.sql<{ day: string }[]>`select day::text from receipt_days where size = 0`;
  expect((await fetch(`${gateway.url}/.well-known/receipts/${day}`)).status).toBe(404);
  expect(await inclusionOf(early)).toEqual(before);

  // Days pass.
  await gateway.database.sql`update receipt_days set day = day - 2 where size = 0`;
  gateway.clock.move(1_000);
  const next = await receipted();
  await moveNewest(2);
  expect(await close()).toBe(1);
  const keys = (await (await fetch(`${gateway.url}/.well-known/receipt-keys`)).json()) as PublicKeys;
  const root = await verifyRoot((await inclusionOf(next))?.signed_root ?? '', keys);
  expect(root).toMatchObject({ ok: true, root: { size: 1, previous: { day: before?.day, root: before?.root } } });
});
