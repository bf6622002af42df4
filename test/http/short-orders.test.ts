/** A paid order that was filled with a different amount, and a link that pays less than its order says, over HTTP, with PostgreSQL. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { needsPostgres } from '../support/postgres.ts';
import { runCommand } from '../ops/run.ts';

type Body = Record<string, unknown>;
let gateway: TestGateway;
/** The sats in an order's status, by the sats that were ordered. */
let fills = (sats: number): number => sats;
/** The fiat amount in an order's status, by the amount that was ordered. */
let costs = (hundredths: number): number => hundredths;
/** The sats that the link pays, by the sats that it should pay. */
let pays = (sats: number): number => sats;
beforeAll(async () => {
  gateway = await startTestGateway({
    alpine: {
      simulator: {
        // The quote lives longer than the money needs to arrive, so it counts as binding.
        quoteTtlS: 3 * 86_400,
        withdrawalTtlS: 600,
        linkPays: (sats) => pays(sats),
        says: (endpoint, truth) => {
          if (endpoint !== 'order-status') return undefined;
          return Object.fromEntries(
            Object.entries(truth as Record<string, Body>).map(([id, one]) => [
              id,
              one['order_status'] === 'placed'
                ? one
                : { ...one, amount_sats: fills(Number(one['amount_sats'])), amount_fiat: costs(Number(one['amount_fiat'])) },
            ]),
          );
        },
      },
    },
  });
});
afterAll(async () => await gateway.close());

/** Orders and pays, and waits until the order is filled. */
const bought = async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  const id = String(order.body['order_id']);
  const control = gateway.simulators['alpine']?.control;
  await control?.pay(control.history.orders.at(-1)?.orderId ?? '');
  await gateway.pass(6000);
  const status = async () => (await wallet.call('/order-status', { session_id: sessionId, order_id: id })).body[id] as Body;
  const withdraw = async (more: object = {}) => await wallet.call('/withdrawal', { session_id: sessionId, order_id: id, ...more });
  const fill = async () => (await gateway.database.sql<Body[]>`select told_receive::text, link_receive::text, counted_in from fills where order_id = ${id}`)[0];
  const as = async (change: Partial<{ fills: typeof fills; costs: typeof costs; pays: typeof pays }>): Promise<void> => {
    fills = change.fills ?? ((sats) => sats);
    costs = change.costs ?? ((hundredths) => hundredths);
    pays = change.pays ?? ((sats) => sats);
    gateway.clock.move(6000);
    await status();
  };
  return { id, ordered: Number(order.body['amount_sats']), status, withdraw, fill, as };
};

it('as ordered: what the link pays is read once and kept with the fill', async () => {
  const { ordered, status, withdraw, fill } = await bought();
  const first = await withdraw();
  expect([first.status, first.body['link_sats'], first.body['warnings']]).toEqual([200, ordered, undefined]);
  pays = () => 1;
  expect((await withdraw()).body).toEqual(first.body);
  pays = (sats) => sats;
  expect(await status()).toMatchObject({ link_sats: ordered, amount_sats: ordered, quoted_amount_sats: ordered, quoted_amount_fiat: 10_000 });
  expect(await fill()).toEqual({ told_receive: String(ordered), link_receive: String(ordered), counted_in: 'none' });
});

it('a link that pays less is given all the same: it is recorded and shown, and the operator is alerted', async () => {
  const { id, ordered, status, withdraw, fill } = await bought();
  const less = Math.floor(ordered * 0.99);
  pays = () => less;
  const given = await withdraw();
  expect(given).toMatchObject({ status: 200, body: { link_sats: less, warnings: ['link-pays-less'] } });
  pays = (sats) => sats;
  expect(await status()).toMatchObject({ link_sats: less, warnings: ['link-pays-less'], amount_sats: ordered });
  expect(await fill()).toEqual({ told_receive: String(ordered), link_receive: String(less), counted_in: 'broken' });
  expect(gateway.logs.filter((line) => line.includes('link_pays_less') && line.includes(id) && line.includes('"error"')).length).toBe(1);
  expect(await metrics()).toContain('ramp_order_oddities_total{provider="alpine",kind="link-short"} 1');
});

it('a second link may have been used in part: it is given, and says nothing about the provider', async () => {
  const { id, ordered, withdraw, fill, as } = await bought();
  const first = await withdraw();
  await as({ pays: (sats) => Math.floor(sats / 2) });
  await gateway.pass(601_000);
  const second = await withdraw();
  expect([second.status, second.body['lnurlw'] === first.body['lnurlw'], second.body['warnings']]).toEqual([200, false, undefined]);
  expect(await fill()).toEqual({ told_receive: String(ordered), link_receive: String(ordered), counted_in: 'none' });
  expect(gateway.logs.some((line) => line.includes('link_pays_less') && line.includes(id))).toBe(false);
  await as({});
});

it('one sat less, and a little more: handed out with a warning', async () => {
  const world = await bought();
  await world.as({ fills: (sats) => sats - 1 });
  expect(await world.status()).toMatchObject({
    stage: 'filled',
    amount_sats: world.ordered - 1,
    quoted_amount_sats: world.ordered,
    warnings: ['filled-differently'],
  });
  expect((await world.status())['disputed']).toBeUndefined();
  expect(await world.withdraw()).toMatchObject({ status: 200, body: { warnings: ['filled-differently'] } });
});

it('a link that pays half is given to a customer who agrees, or when the operator has released it; the dispute stays', async () => {
  const world = await bought();
  await world.as({ fills: (sats) => Math.floor(sats / 2) });
  const half = Math.floor(world.ordered / 2);
  expect(await world.status()).toMatchObject({ stage: 'filled', final: false, disputed: true, amount_sats: half, quoted_amount_sats: world.ordered });
  const refused = await world.withdraw();
  expect(refused).toMatchObject({ status: 409, body: { code: 'order-short', action: 'ask-user', amount_sats: half, quoted_amount_sats: world.ordered } });
  expect((await world.withdraw({ accept_short: false })).body['code']).toBe('order-short');
  const run = async (...args: string[]) => await runCommand('order', [world.id, ...args], { DATABASE_URL: gateway.database.url });
  expect((await run('--release-short', '')).code).toBe(1);
  expect((await run('--release-short', 'they agreed by telephone')).out).toContain(`${half} of ${world.ordered}`);
  expect((await world.withdraw()).status).toBe(200);
  expect(await world.status()).toMatchObject({ disputed: true, final: false });
  expect((await run('--json')).out).toContain('"disputed": true');
  expect(gateway.logs.filter((line) => line.includes('order_short') && line.includes(world.id)).length).toBe(1);

  const other = await bought();
  expect((await other.withdraw()).body['code']).toBe('order-short');
  const taken = await other.withdraw({ accept_short: true });
  expect([taken.status, (await other.withdraw()).body]).toEqual([200, taken.body]);
  await other.as({});
});

it('half of it for half the money: only the provider says so, so the customer must agree; the record learns nothing from it', async () => {
  const world = await bought();
  await world.as({ fills: (sats) => Math.floor(sats / 2), costs: (hundredths) => hundredths / 2 });
  const half = Math.floor(world.ordered / 2);
  expect(await world.status()).toMatchObject({
    stage: 'filled',
    disputed: true,
    final: false,
    amount_sats: half,
    amount_fiat: 5000,
    quoted_amount_fiat: 10_000,
    warnings: ['filled-differently'],
  });
  expect(await world.withdraw()).toMatchObject({
    status: 409,
    body: { code: 'order-short', amount_sats: half, quoted_amount_sats: world.ordered, amount_fiat: 5000, quoted_amount_fiat: 10_000 },
  });
  expect((await world.withdraw({ accept_short: true })).status).toBe(200);
  expect(gateway.logs.filter((line) => line.includes('order_short') && line.includes(world.id)).length).toBe(1);
  expect(await attention('disputed')).toContain(world.id);
  await world.as({});
});

it('a dispute that the operator has closed stays closed until the provider reports other amounts', async () => {
  const world = await bought();
  await world.as({ fills: (sats) => Math.floor(sats / 2) });
  const run = async (how: string) => await runCommand('order', [world.id, '--close-dispute', how], { DATABASE_URL: gateway.database.url });
  expect([(await run('')).code, await attention('disputed')]).toEqual([1, expect.arrayContaining([world.id])]);
  expect((await run('the provider paid the rest by bank transfer')).code).toBe(0);
  await world.as({ fills: (sats) => Math.floor(sats / 2) });
  expect(await world.status()).not.toHaveProperty('disputed');
  expect([(await world.withdraw()).status, (await attention('disputed')).includes(world.id)]).toEqual([200, false]);
  expect(await gateway.database.sql`select action, detail from operator_actions where subject = ${world.id}`).toEqual([
    { action: 'order.close-dispute', detail: { how: 'the provider paid the rest by bank transfer' } },
  ]);
  expect((await run('again')).error).toContain('not disputed');
  await world.as({ fills: (sats) => Math.floor(sats / 3) });
  expect(await world.status()).toMatchObject({ disputed: true });
  await world.as({});
});

needsPostgres('a command that ends a dispute or a review is refused if the order changes while it runs, and loses nothing that was learnt', async () => {
  const { sql } = gateway.database;
  // Each read finds money that the operator did not know of when they ran the command.
  const read = async (id: string) =>
    await sql`update orders set checks = checks + 1,
      terms = (terms::jsonb || jsonb_build_object('paidSeenOn', coalesce((terms ->> 'paidSeenOn')::int, 0) + 1))::json where id = ${id}`;
  // A note like this one, on the other hand, says nothing about money.
  const note = async (id: string) => await sql`update orders set terms = (terms::jsonb || '{"linkUnseen": true}')::json where id = ${id}`;
  /** Runs the command, and lets another caller change the order after the command has read it. */
  const during = async (change: (id: string) => Promise<unknown>, id: string, ...args: string[]) => {
    // Reserving waits for ever if the pool has no connection yet, as when this test runs alone.
    await sql`select 1`;
    const held = await sql.reserve();
    // The command writes to this table after it has read the order.
    await held`begin`;
    await held`lock table operator_actions in share mode`;
    const running = runCommand('order', [id, ...args], { DATABASE_URL: gateway.database.url });
    await vi.waitFor(
      // The gateway's own background work deletes old rows of this table, and may wait as well.
      async () =>
        expect(
          await sql`select 1 from pg_locks join pg_stat_activity using (pid)
            where relation = 'operator_actions'::regclass and not granted and query ilike 'insert%'`,
        ).toHaveLength(1),
      20_000,
    );
    await change(id);
    await held`commit`;
    held.release();
    return await running;
  };
  const world = await bought();
  await world.as({ fills: (sats) => Math.floor(sats / 2) });
  const changed = { code: 1, error: expect.stringContaining('changed meanwhile') as string };
  expect(await during(read, world.id, '--close-dispute', 'settled')).toMatchObject(changed);
  expect(await sql`select disputed, terms ->> 'paidSeenOn' as seen from orders where id = ${world.id}`).toEqual([{ disputed: true, seen: '1' }]);
  await sql`update orders set stage = 'review' where id = ${world.id}`;
  expect(await during(read, world.id, '--leave-review', 'filled', '--reason', 'seen')).toMatchObject(changed);
  expect(await sql`select terms ->> 'reviewed' as reviewed from orders where id = ${world.id}`).toEqual([{ reviewed: null }]);
  const learnt = async () => (await sql<{ terms: object }[]>`select terms from orders where id = ${world.id}`)[0]?.terms;
  expect(await during(note, world.id, '--leave-review', 'filled', '--reason', 'seen')).toMatchObject({ code: 0 });
  expect(await learnt()).toMatchObject({ beforeReview: 'filled', linkUnseen: true });
  expect(await learnt()).not.toHaveProperty('paidSeenOn');
  await sql`update orders set stage = 'filled', terms = (terms::jsonb - 'linkUnseen')::json where id = ${world.id}`;
  expect(await during(note, world.id, '--close-dispute', 'settled')).toMatchObject({ code: 0 });
  expect(await learnt()).toMatchObject({ beforeReview: 'filled', linkUnseen: true, disputeClosed: {} });
  await world.as({});
});

it.each([
  ['a cent', 1],
  ['twice', 10_000],
])('%s more, and more for it: handed out, and the record learns nothing from it', async (_name, more) => {
  const scaled = (sats: number): number => Math.floor((sats * (10_000 + more)) / 10_000);
  [fills, costs, pays] = [scaled, (hundredths) => hundredths + more, scaled];
  const world = await bought();
  expect(await world.status()).toMatchObject({
    stage: 'filled',
    amount_fiat: 10_000 + more,
    amount_sats: scaled(world.ordered),
    warnings: ['filled-differently'],
  });
  expect(await world.status()).not.toHaveProperty('disputed');
  expect((await world.withdraw()).status).toBe(200);
  expect(await world.fill()).toMatchObject({ counted_in: 'none' });
  await world.as({});
});

it('more charged at a worse price is not locked away: the customer takes what is there, and the operator knows', async () => {
  costs = (hundredths) => hundredths + 100;
  const world = await bought();
  expect(await world.status()).toMatchObject({ stage: 'filled', disputed: true, final: false, amount_fiat: 10_100, warnings: ['filled-differently'] });
  const refused = await world.withdraw();
  expect(refused).toMatchObject({ status: 409, body: { code: 'order-short', amount_fiat: 10_100, quoted_amount_fiat: 10_000 } });
  expect(refused.body['detail']).toContain('101.00');
  expect((await world.withdraw({ accept_short: true })).status).toBe(200);
  expect(await world.fill()).toMatchObject({ counted_in: 'none' });
  expect(gateway.logs.filter((line) => line.includes('order_overcharged') && line.includes(world.id)).length).toBe(1);
  // The orders of the tests before are read again as well, and say the same.
  expect(await metrics()).toMatch(/ramp_order_oddities_total\{provider="alpine",kind="overcharged"\} [1-9]/);
  expect(await attention('disputed')).toContain(world.id);
  await world.as({});
});

const attention = async (list: 'disputed'): Promise<string[]> =>
  (await gateway.server.gateway.stores.operator.attention(100, gateway.clock.now(), 3))[list].map(({ orderId }) => orderId);
const metrics = async (): Promise<string> => await (await fetch(`${gateway.url}/metrics`)).text();
