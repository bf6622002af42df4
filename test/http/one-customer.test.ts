/** What one customer brings about at a provider, by their calls or their texts, changes nothing for the other customers. */
import { expect, it } from 'vitest';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startBringinSimulator } from '../../src/providers/bringin/bringin.simulator.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { apiSecret, masterKey } from '../support/bringin.ts';
import { movableClock } from '../support/clock.ts';
import { startFront, type Said } from '../support/front.ts';
import { startTestGateway } from '../support/gateway.ts';
import { thorBlock } from '../support/scenarios/liquidity.ts';
import { startSellWorld } from '../support/sell-world.ts';
import { opened, type Body, type Call } from '../support/wallet.ts';

const limited: Said = { status: 429, headers: { 'retry-after': '300' }, body: '{}' };
const ask = { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
const seen = (logs: string[], event: string): number => logs.filter((line) => (JSON.parse(line) as { event?: string }).event === event).length;

it('a limit that a provider sets one session stops no other session and no paid order', async () => {
  const clock = movableClock();
  const alpine = await startFiatOnRampSimulator({ id: 'alpine', now: clock.now, quoteTtlS: 3600, webhooks: false });
  const quotes = new Map<string, number>();
  const front = await startFront(alpine.url, ({ path, body }) => {
    if (!path.endsWith('/quote')) return undefined;
    const session = String((JSON.parse(body) as Body)['session_id']);
    quotes.set(session, (quotes.get(session) ?? 0) + 1);
    return (quotes.get(session) ?? 0) > 10 ? limited : undefined;
  });
  const gateway = await startTestGateway({}, { clock, blocks: { alpine: { kind: 'fiat-on-ramp', base_url: front.url } } });
  const victim = await opened(gateway.url);
  const { body: quote } = await victim.call('/quote', ask);
  const { body: order } = await victim.call('/order', { quote_id: quote['quote_id'] });
  const order_id = String(order['order_id']);
  const attacker = await opened(gateway.url);
  for (let n = 0; n < 11; n += 1) await attacker.call('/quote', { ...ask, amount_fiat: 10_000 + 100 * n });
  const refused = await attacker.call('/quote', ask);
  expect([refused.status, refused.body['code']]).toEqual([503, 'all-providers-failed']);
  expect(Math.max(...quotes.values())).toBe(11);

  await alpine.control.pay(alpine.control.history.orders.at(-1)?.orderId ?? '');
  await gateway.passUntil('filled', async () => ((await victim.call('/order-status', { order_id })).body[order_id] as Body)['stage'] === 'filled' || undefined);
  expect((await victim.call('/withdrawal', { order_id })).status).toBe(200);
  const other = await opened(gateway.url);
  expect([(await other.call('/quote', ask)).status, (await victim.call('/quote', ask)).status]).toEqual([200, 200]);
  await gateway.close();
  await front.close();
  await alpine.close();
});

it("a limit of one customer's key at a sell provider is that customer's, and the gateway limits reads itself", async () => {
  const clock = movableClock();
  const bringin = await startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret, linkMs: 50, webhookRetryMs: [20] });
  const reads = new Map<string, number>();
  const front = await startFront(bringin.url, ({ path, headers, body }) => {
    // Text that a firewall takes for an attack.
    if (body.includes("'or'")) return { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>blocked</html>' };
    if (!path.endsWith('/get-balance')) return undefined;
    const key = String(headers['api-key']);
    reads.set(key, (reads.get(key) ?? 0) + 1);
    return (reads.get(key) ?? 0) > 3 ? limited : undefined;
  });
  const limits = { verify_per_minute: 1000, quotes_per_minute: 40, quotes_per_minute_network: 1000, orders_per_minute: 100 };
  const world = await startSellWorld({}, { clock, block: { base_url: front.url }, config: { limits } });
  const connect = async (call: Call, email: string): Promise<string> => {
    const started = await call('/sell/accounts', { provider: 'bringin', email });
    while (!bringin.control.user(email).connected) await bringin.control.advanceKyc(email);
    const id = String(started.body['account_id']);
    await world.accountIs(call, id, 'connected');
    return id;
  };
  const [attacker, victim] = [await world.opened(), await world.opened()];
  const own = await connect(attacker, 'mallory@example.com');
  const others = await connect(victim, 'alice@example.com');
  clock.move(60_000);
  const answers: unknown[] = [];
  for (let n = 0; n < 41; n += 1) {
    const { status, body } = await attacker(n % 2 === 0 ? '/sell/balance' : '/sell/connection-status', { account_id: own });
    answers.push(body['code'] ?? status);
  }
  expect([answers[0], answers[6], answers[8], answers[40]]).toEqual([200, 'provider-unavailable', 'provider-unavailable', 'rate-limited']);
  expect(Math.max(...reads.values())).toBe(4);
  expect((await attacker('/sell/transactions', { account_id: own })).body['code']).toBe('rate-limited');
  expect((await victim('/sell/balance', { account_id: others })).status).toBe(200);

  for (const email of ['<script>@mallory.example', 'mallory', 'a;b@mallory.example', 'a@b@mallory.example', 'mallory @example.com'])
    expect((await (await world.opened())('/sell/accounts', { provider: 'bringin', email })).body['code']).toBe('invalid-request');
  const odd = await (await world.opened())('/sell/accounts', { provider: 'bringin', email: "x'or'1@mallory.example" });
  expect(odd.body['code']).toBe('provider-unavailable');
  expect((await victim('/sell/balance', { account_id: others })).status).toBe(200);
  for (const email of ["o'brien+sats@example.com", ' bob@example.com ', 'käthe@müller.example', 'a!#$%&*/=?^_`{|}~-b@sub.example.co'])
    expect([email, (await (await world.opened())('/sell/accounts', { provider: 'bringin', email })).status]).toEqual([email, 200]);
  expect(seen(world.gateway.logs, 'provider_credentials_refused')).toBe(0);
  await world.close();
  await front.close();
  await bringin.close();
});

it("a firewall's 403 to one customer's text is no refusal of our key; a refused key stops prices until it is accepted again", async () => {
  const clock = movableClock();
  const thor = await startBitrefillSimulator({ id: 'thor', now: clock.now, deliver: 'at-once', balanceSats: 10_000_000, step: 1000, stepFrom: 'zero' });
  const unauthorized: Said = { status: 401, headers: { 'content-type': 'application/json' }, body: '{"message":"Invalid credentials"}' };
  let isRevoked = false;
  const front = await startFront(thor.baseUrl, ({ body }) =>
    isRevoked ? unauthorized : body.includes("'or'") ? { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>blocked</html>' } : undefined,
  );
  const environment = { BITREFILL_API_KEY: 'thor-key', BITREFILL_API_SECRET: 'thor-secret' };
  const gateway = await startTestGateway({}, { clock, blocks: { thor: { ...thorBlock(front.url), step_from: 'zero' } }, environment });
  const turbo = { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' };
  const offersOf = async (call: Call) => (await call('/liquidity/offers', turbo)).body as { offers?: Body[]; failed?: Body[]; code?: string };
  const buy = async (call: Call, more: object = {}) => await call('/liquidity/order', { quote_id: (await offersOf(call)).offers?.[0]?.['quote_id'], ...more });
  const circuits = async () => ((await (await fetch(`${gateway.url}/providers`)).json()) as { providers: { circuits: Body }[] }).providers[0]?.circuits;

  const victim = await opened(gateway.url);
  const order_id = String((await buy(victim.call)).body['order_id']);
  const second = String((await buy(victim.call)).body['order_id']);
  const attacker = await opened(gateway.url);
  expect((await buy(attacker.call, { email: '<script>@mallory.example' })).body['code']).toBe('invalid-request');
  for (let n = 0; n < 6; n += 1) expect((await buy(attacker.call, { email: `x'or'${n}@mallory.example` })).status).not.toBe(200);
  expect((await offersOf((await opened(gateway.url)).call)).offers).toHaveLength(1);
  const pay = async (n: number): Promise<void> => await thor.control.pay([...thor.control.state.orders.keys()][n] ?? '');
  const stageOf = async (id: string): Promise<unknown> => ((await victim.call('/liquidity/order-status', { order_id: id })).body[id] as Body)['stage'];
  await pay(0);
  await gateway.passUntil('delivered', async () => ['filled', 'finished'].includes(String(await stageOf(order_id))) || undefined, { limitMs: 120_000 });
  expect([seen(gateway.logs, 'provider_credentials_refused'), (await circuits())?.['quote']]).toEqual([0, 'closed']);

  // Now the key is refused. The first call without any customer's text is the listing.
  isRevoked = true;
  clock.move(3_600_000);
  await victim.call('/liquidity/products');
  await gateway.pass(1000);
  expect((await offersOf(victim.call)).failed).toMatchObject([{ reason: 'rejected-credentials' }]);
  expect(await circuits()).toMatchObject({ quote: 'off', order: 'closed', claim: 'closed', status: 'closed', account: 'closed' });
  for (let n = 0; n < 4; n += 1) {
    await gateway.pass(61_000);
    await victim.call('/liquidity/products');
  }
  expect(seen(gateway.logs, 'provider_credentials_refused')).toBe(1);
  // A payment is seen at once when the key works again, however short the time since the last refusal.
  isRevoked = false;
  await pay(1);
  await gateway.passUntil('delivered', async () => ['filled', 'finished'].includes(String(await stageOf(second))) || undefined, { limitMs: 120_000 });
  await gateway.pass(61_000);
  expect((await offersOf(victim.call)).offers).toHaveLength(1);
  expect([seen(gateway.logs, 'provider_credentials_accepted'), (await circuits())?.['quote']]).toEqual([1, 'closed']);
  await gateway.close();
  await front.close();
  await thor.close();
});
