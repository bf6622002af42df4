import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { dump, restore } from './dump.ts';
import { runCommand } from './run.ts';

const environment: Record<string, string> = freshSecrets(randomBytes);
const lost = 50;
let gateway: TestGateway;
let receiver: WebhookReceiver;
let folder = '';
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } } }, { environment, config: { orders: { max_open: 1000 } } });
  folder = mkdtempSync(join(tmpdir(), 'restored-'));
  writeFileSync(
    join(folder, 'config.yaml'),
    stringify({ mode: 'sandbox', network: 'regtest', providers: { alpine: { kind: 'fiat-on-ramp', base_url: gateway.simulators['alpine']?.url } } }),
  );
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

const ranks = ['awaiting_payment', 'filled', 'finished'];

it(`a dump taken ${lost} orders ago: no order unknown, no status told backwards, nothing told under a new id`, async () => {
  const simulator = gateway.simulators['alpine'];
  if (!simulator) throw new Error('no simulator');
  const { history, pay } = simulator.control;
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const buy = async (): Promise<string> => {
    const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    const order = await wallet.call('/order', {
      session_id: sessionId,
      quote_id: quote.body['quote_id'],
      webhook_url: receiver.url,
      webhook_events: ['order_status_changed', 'withdrawal_ready'],
    });
    expect(order.status).toBe(200);
    return String(order.body['order_id']);
  };
  const told = (): { id: string; event: string; order: string; type: string; stage: string }[] =>
    receiver.received.map(({ headers, body }) => {
      const { type, data } = JSON.parse(body) as { type: string; data: { order_id: string; order_status: string; stage?: string } };
      return {
        id: String(headers['webhook-id']),
        event: `${data.order_id} ${type} ${data.stage ?? data.order_status}`,
        order: data.order_id,
        type,
        stage: data.stage ?? 'filled',
      };
    });
  const stageOf = async (id: string): Promise<string | undefined> =>
    (await gateway.database.sql<{ stage: string }[]>`select stage from orders where id = ${id}`)[0]?.stage;

  const early = [await buy(), await buy(), await buy()];
  const [first, second, third] = history.orders.map((one) => one.orderId);
  await pay(second ?? '', 'filled');
  await gateway.passUntil('the second is told', async () => (await Promise.resolve(told().length)) === 2 || undefined);
  receiver.respond(500);
  await pay(third ?? '', 'filled');
  await gateway.passUntil(
    'the third could not be told',
    async () => (await gateway.database.sql`select 1 from deliveries where state = 'due' and attempt > 0`).length === 2 || undefined,
  );
  // This quote was made before the dump and is ordered after it.
  const quoted = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  await dump(gateway.database.sql);

  receiver.respond(200);
  await pay(first ?? '', 'filled');
  await gateway.passUntil('the first is told', async () => (await Promise.resolve(told().filter((one) => one.order === early[0]).length)) >= 2 || undefined);
  // Since the dump, the customers have been given their links, of which the dump knows nothing.
  for (const order_id of [early[1], early[2]]) expect((await wallet.call('/withdrawal', { session_id: sessionId, order_id })).status).toBe(200);
  await pay(second ?? '', 'finished');
  await gateway.passUntil('the second is finished', async () => ((await stageOf(early[1] ?? '')) === 'finished' ? true : undefined));
  await gateway.passUntil('it is told', async () => told().find((one) => one.order === early[1] && one.stage === 'finished'));
  await pay(third ?? '', 'finished');
  await gateway.passUntil('the third is told', async () => (await Promise.resolve(told())).find((one) => one.order === early[2] && one.stage === 'finished'));
  expect((await wallet.call('/order', { session_id: sessionId, quote_id: quoted.body['quote_id'] })).status).toBe(200);
  for (let n = 1; n < lost; n += 1) await buy();
  expect(history.orders).toHaveLength(3 + lost);

  await gateway.server.stop();
  gateway.server = { ...gateway.server, stop: async () => await Promise.resolve() };
  await restore(gateway.database.sql);
  const ran = await runCommand('restored', ['--wait', '0', '--settle', '5'], {
    ...environment,
    DATABASE_URL: gateway.database.url,
    CONFIG_FILE: join(folder, 'config.yaml'),
  });
  expect([ran.code, ran.error]).toEqual([0, '']);
  expect(ran.out).toContain(`${lost} unknown orders adopted in review`);
  await gateway.restart();

  const { sql } = gateway.database;
  const rows = await sql<{ upstream: string; stage: string }[]>`select upstream_order_id as upstream, stage from orders`;
  expect(rows.map((row) => row.upstream).sort()).toEqual(history.orders.map((one) => one.orderId).sort());
  expect(rows.filter((row) => row.stage === 'review')).toHaveLength(lost);
  // The quote that was ordered after the dump does not make a second order.
  const again = await wallet.call('/order', { session_id: sessionId, quote_id: quoted.body['quote_id'] });
  expect(again.body['code']).toBe('quote-expired');
  expect(history.orders).toHaveLength(3 + lost);
  // The gateway accepts new orders again.
  await buy();
  expect(history.orders).toHaveLength(4 + lost);

  await sql`update deliveries set due_on = now() where state = 'due'`;
  await gateway.passUntil('all is told', async () => ((await sql`select 1 from deliveries where state = 'due'`).length === 0 ? true : undefined));
  const ids = new Map<string, Set<string>>();
  const reached = new Map<string, number>();
  for (const { id, event, order, type, stage } of told()) {
    ids.set(event, (ids.get(event) ?? new Set()).add(id));
    const rank = ranks.indexOf(stage);
    const before = reached.get(`${order} ${type}`) ?? 0;
    expect([order, type, rank >= before]).toEqual([order, type, true]);
    reached.set(`${order} ${type}`, rank);
  }
  expect([...ids].filter(([, one]) => one.size > 1)).toEqual([]);
  expect(await stageOf(early[0] ?? '')).toBe('filled');
  expect([await stageOf(early[2] ?? ''), reached.get(`${early[2]} order_status_changed`)]).toEqual(['finished', 2]);
  // The webhook withdrawal_ready of the third order was waiting in the dump. The order is finished by now.
  const waited = await sql<{ state: string }[]>`select state from deliveries where subject_id = ${early[2] ?? ''} and type = 'withdrawal_ready'`;
  expect(waited.map((row) => row.state)).toEqual(['superseded']);

  // A second run adopts nothing more.
  const twice = await runCommand('restored', ['--wait', '0', '--settle', '1'], {
    ...environment,
    DATABASE_URL: gateway.database.url,
    CONFIG_FILE: join(folder, 'config.yaml'),
  });
  expect(twice.out).toContain(' 0 unknown orders adopted');

  // With another key, the command would seal values that no gateway with the right key can open.
  const other = await runCommand('restored', ['--wait', '0', '--settle', '1'], {
    ...environment,
    SEAL_KEY: freshSecrets(randomBytes).SEAL_KEY,
    DATABASE_URL: gateway.database.url,
    CONFIG_FILE: join(folder, 'config.yaml'),
  });
  expect([other.code, other.out, other.error]).toEqual([1, '', expect.stringContaining('SEAL_KEY does not open the sealed values in this database')]);
});

it('holds and releases by itself', async () => {
  const run = async (flag: string) =>
    await runCommand('restored', [flag], { ...environment, DATABASE_URL: gateway.database.url, CONFIG_FILE: join(folder, 'config.yaml') });
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = async () => await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  expect((await run('--hold')).code).toBe(0);
  await gateway.pass(3_000);
  expect((await order()).body['code']).toBe('provider-unavailable');
  expect((await run('--release')).code).toBe(0);
  await gateway.passUntil('orders are taken again', async () => ((await order()).status === 200 ? true : undefined));
});
