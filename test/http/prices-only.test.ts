/** A provider that only gives prices, in both directions: it is asked and recorded with every decision, but never offered to anybody. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startBringinSimulator, type RunningSimulator as Bringin } from '../../src/providers/bringin/bringin.simulator.ts';
import { startDfxSimulator, type RunningSimulator as Dfx } from '../../src/providers/dfx/dfx.simulator.ts';
import { apiSecret, bringinBlock, masterKey } from '../support/bringin.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = movableClock();
const token = 'the-token-of-an-operator-of-this-gateway';
let gateway: TestGateway;
let bringin: Bringin;
let dfx: Dfx;
beforeAll(async () => {
  bringin = await startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret });
  dfx = await startDfxSimulator({ id: 'dfx', now: clock.now });
  gateway = await startTestGateway(
    { alpine: { simulator: {} } },
    {
      clock,
      blocks: { bringin: bringinBlock(bringin.url), dfx: { kind: 'dfx', mode: 'shadow', base_url: dfx.url } },
      environment: { BRINGIN_MASTER_KEY: masterKey, BRINGIN_API_SECRET: apiSecret },
      config: { operator: { token_hashes: [sha256Hex(token)] } },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([bringin.close(), dfx.close()]);
});

type Listing = { currencies: { [code: string]: { currency_id: number; payment_options: { id: number; option: string }[] } }[] };
/** Prices 100 EUR, or 250,000 sats, and returns who was shown and who was recorded in secret. */
const priced = async (ramp: '' | '/sell') => {
  const wallet = createWallet(gateway.url);
  const session_id = (await wallet.open()).sessionId;
  const { currencies } = (await wallet.call(`${ramp}/payment-options`, { session_id, currency_code: 'EUR' })).body as Listing;
  const listed = currencies[0]?.['eur'];
  const option = listed?.payment_options.find((one) => one.option === 'SEPA');
  const amount = ramp === '' ? { amount_fiat: 10_000 } : { amount_sats: 250_000 };
  const { body } = await wallet.call(`${ramp}/offers`, { session_id, ...amount, currency_id: listed?.currency_id, payment_option_id: option?.id });
  const [row] = await gateway.database.sql<{ shadow: { providerId: string; pay: string; receive: string; fee: string }[] }[]>`
    select route -> 'shadow' as shadow from routes where id = ${String(body['offers_id'])}`;
  return {
    shown: ((body['offers'] ?? []) as { provider: { id: string } }[]).map(({ provider }) => provider.id),
    text: JSON.stringify([body, currencies]),
    recorded: row?.shadow.map(({ providerId, pay, receive, fee }) => ({ providerId, pay, receive, fee })),
  };
};
const inSecret = async (): Promise<void> => {
  const bought = await priced('');
  expect(bought.shown).toEqual(['alpine']);
  expect(bought.recorded).toEqual([{ providerId: 'dfx', pay: '10000', receive: '123137', fee: '149' }]);
  const sold = await priced('/sell');
  expect(sold.shown).toEqual(['bringin']);
  expect(sold.recorded).toEqual([{ providerId: 'dfx', pay: '250000', receive: '19802', fee: '198' }]);
  expect(bought.text + sold.text).not.toContain('dfx');
};

it('is recorded in both directions, and shown in none', inSecret);

it('can be compared with the winner by the query of its README', async () => {
  const readme = readFileSync(new URL('../../src/providers/dfx/README.md', import.meta.url), 'utf8');
  const query = /```sql\n([^]+?)```/.exec(readme)?.[1] ?? '';
  const { text } = await priced('');
  const best = /"amount_sats":(\d+)/.exec(text)?.[1];
  const [row] = await gateway.database.sql.unsafe(query.replace(';', ' order by created_on desc limit 1'));
  expect(row).toMatchObject({ fixed: 'pay', pay: '10000', dfx_receives: '123137', best_receives: best });
});

it('cannot be switched on by an operator', async () => {
  const { call } = createWallet(gateway.url);
  const answer = await call('/operator/providers/dfx', { mode: 'on', reason: 'looks cheap' }, { authorization: `Bearer ${token}` });
  expect([answer.status, answer.body['errors']]).toEqual([
    400,
    [{ pointer: '/mode', detail: 'cannot be on: with its settings this provider gives prices, but takes no orders. Use shadow' }],
  ]);
  await inSecret();
});

it('stays in shadow if a switch from earlier says on', async () => {
  await gateway.server.gateway.stores.operator.setSwitch({ name: 'provider/dfx', mode: 'on', reason: 'old', setOn: clock.now(), setBy: 'someone' });
  await gateway.pass(5_000);
  await inSecret();
});

it('has no accounts', async () => {
  const { call, open } = createWallet(gateway.url);
  const { sessionId } = await open();
  const answer = await call('/sell/accounts', { session_id: sessionId, provider: 'dfx', email: 'alice@example.com' });
  expect([answer.status, answer.body['code']]).toEqual([400, 'invalid-request']);
});
