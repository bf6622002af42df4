import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { dump, restore } from './dump.ts';
import { runCommand } from './run.ts';

const environment: Record<string, string> = { ...freshSecrets(randomBytes), BITREFILL_API_KEY: 'thor-key', BITREFILL_API_SECRET: 'thor-secret' };
let north: Awaited<ReturnType<typeof startLsps1Simulator>>;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
let gateway: TestGateway;
let folder = '';
beforeAll(async () => {
  north = await startLsps1Simulator({ id: 'north', baseSats: 1000, ppm: 2000, leasePpm: 2400 });
  thor = await startBitrefillSimulator({ id: 'thor' });
  const blocks = {
    north: { kind: 'lsps1', base_url: north.url, quotes_per_node_per_day: 9 },
    thor: {
      kind: 'bitrefill',
      base_url: thor.baseUrl,
      api_key_env: 'BITREFILL_API_KEY',
      api_secret_env: 'BITREFILL_API_SECRET',
      receipt_email: 'receipts@example.com',
      repost: 'duplicates',
    },
  };
  gateway = await startTestGateway({}, { environment, blocks });
  folder = mkdtempSync(join(tmpdir(), 'restored-'));
  writeFileSync(join(folder, 'config.yaml'), stringify({ mode: 'sandbox', network: 'regtest', providers: blocks }));
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([north.close(), thor.close()]);
  rmSync(folder, { recursive: true, force: true });
});

it('after a restore, what may have been shown in the lost time is neither given up nor shown to somebody else', async () => {
  const { sql } = gateway.database;
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const call = async (path: string, body: object) => await wallet.call(path, { session_id: sessionId, ...body });
  const quoted = async (provider: string, asked: object): Promise<string> => {
    const { body } = await call('/liquidity/offers', { pay_with: 'lightning', ...asked });
    return (body['offers'] as { provider: { id: string }; quote_id: string }[]).find((one) => one.provider.id === provider)?.quote_id ?? '';
  };
  const reserve = async () => await quoted('north', { product: 'inbound', amount_sats: 1_300_000, firm: true });
  const invoiceOf = (body: Record<string, unknown>): unknown => (body['payment_info'] as Record<string, unknown>)['lightning_invoice'];

  // In the dump, one order is being placed, and one is reserved but not ordered. The first one's response came, and was shown, after the dump.
  const turbo = await quoted('thor', { product: 'turbo', amount_sats: 500_000 });
  const shown = await call('/liquidity/order', { quote_id: turbo });
  const id = String(shown.body['order_id']);
  expect([shown.status, typeof invoiceOf(shown.body)]).toEqual([200, 'string']);
  const reserved = await reserve();
  await dump(sql);
  await sql`delete from dumped.order_events where order_id = ${id}`;
  await sql`delete from dumped.orders where id = ${id}`;
  await sql`update dumped.intents set state = 'sending', answer = null, upstream_order_id = null, lease_owner = null, lease_until = null where order_id = ${id}`;
  const first = await call('/liquidity/order', { quote_id: reserved });
  expect(first.status).toBe(200);

  await gateway.server.stop();
  gateway.server = { ...gateway.server, stop: async () => await Promise.resolve() };
  await restore(sql);
  const ran = await runCommand('restored', ['--wait', '0', '--settle', '5'], {
    ...environment,
    DATABASE_URL: gateway.database.url,
    CONFIG_FILE: join(folder, 'config.yaml'),
  });
  expect([ran.code, ran.error]).toEqual([0, expect.stringMatching(/^\{[^\n]*"event":"intent_settled"[^\n]*"state":"review"[^\n]*\}\n$/)]);
  await gateway.restart();

  const [intent] = await sql<{ state: string }[]>`select state from intents where order_id = ${id}`;
  expect(intent?.state).toBe('review');
  const repeated = await call('/liquidity/order', { quote_id: turbo });
  expect([repeated.status, repeated.body['code'], repeated.body['detail']]).toEqual([
    409,
    'order-unpayable',
    'It is unclear what became of this order, and the operator is checking it. Do not pay anything. Do not order the same again until the operator has answered.',
  ]);

  const second = await call('/liquidity/order', { quote_id: await reserve() });
  expect(second.status).toBe(200);
  expect(invoiceOf(second.body)).not.toBe(invoiceOf(first.body));
});
