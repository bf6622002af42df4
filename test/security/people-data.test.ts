import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { decodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { startBitrefillSimulator } from '../../src/providers/bitrefill/bitrefill.simulator.ts';
import { startFiatOnRampSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { startBlocktankSimulator } from '../../src/providers/blocktank/blocktank.simulator.ts';
import { startLsps1Simulator } from '../../src/providers/lsps1/lsps1.simulator.ts';
import { until } from '../support/gateway.ts';
import { thorBlock } from '../support/scenarios/liquidity.ts';
import { appKey as sellKey, startSellWorld, type SellWorld } from '../support/sell-world.ts';
import { invoiceOver, type Body } from '../support/wallet.ts';

/** One customer on all three ramps. Every canary is personal data or bearer money. */
const person = {
  email: 'canary.person@mailbox.example',
  pastedEmail: 'canary.second@mailbox.example',
  iban: 'GB29NWBK60161331926819',
  bic: 'NWBKGB2LXXX',
  beneficiary: 'Canary Featherstone',
  username: 'canary-bird',
  connection: 'Canary Savings',
  ip: '203.0.113.199',
  receiptEmail: 'canary.receipt@mailbox.example',
  refund: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  webhookPath: 'canary-webhook-path',
};
const spendKey = 'canary-key-that-may-spend';

let world: SellWorld;
let thor: Awaited<ReturnType<typeof startBitrefillSimulator>>;
let tank: Awaited<ReturnType<typeof startBlocktankSimulator>>;
let north: Awaited<ReturnType<typeof startLsps1Simulator>>;
let alpine: Awaited<ReturnType<typeof startFiatOnRampSimulator>>;
const secrets: Record<string, string> = {};
const places: Record<string, string> = {};

/** Returns every text of every table, as a stolen dump would show it. */
const dump = async (): Promise<Map<string, string>> => {
  const { sql } = world.gateway.database;
  const tables = await sql<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public'`;
  const texts = new Map<string, string>();
  for (const { name } of tables)
    texts.set(name, (await sql.unsafe(`select coalesce(string_agg(t::text, E'\n'), '') as rows from ${name} t`))[0]?.['rows'] as string);
  return texts;
};

beforeAll(async () => {
  [thor, tank, north, alpine] = await Promise.all([
    startBitrefillSimulator({ id: 'thor', deliver: 'at-once', balanceSats: 10_000_000 }),
    startBlocktankSimulator({ id: 'tank', lifeS: 172_800 }),
    startLsps1Simulator({ id: 'north', onchainExtraSats: 500 }),
    startFiatOnRampSimulator({ id: 'alpine', quoteTtlS: 3600 }),
  ]);
  const hashed = (key: string) => [createHash('sha256').update(key).digest('hex')];
  world = await startSellWorld(
    {},
    {
      pauseMs: 1_000,
      config: {
        trusted_proxies: ['127.0.0.1'],
        liquidity: { balance_daily_sats: 1_000_000 },
        apps: { wallet: { key_hashes: hashed(sellKey), allow: ['customer_ip'] }, spender: { key_hashes: hashed(spendKey), allow: ['pay_with_balance'] } },
      },
      blocks: {
        alpine: { kind: 'fiat-on-ramp', base_url: alpine.url },
        north: { kind: 'lsps1', base_url: north.url, pay_with: ['lightning', 'onchain'] },
        tank: { kind: 'blocktank', base_url: tank.baseUrl },
        thor: thorBlock(thor.baseUrl),
      },
      environment: { BITREFILL_API_KEY: 'canary-thor-key', BITREFILL_API_SECRET: 'canary-thor-secret' },
    },
  );
  thor.control.state.apiKey = 'canary-thor-key';
  thor.control.state.apiSecret = 'canary-thor-secret';
  const { gateway, control, receiver } = world;
  const wallet = createWallet(gateway.url);
  const { sessionId, recoverySecret } = await wallet.open();
  const from = { 'x-forwarded-for': person.ip };
  const call = async (path: string, body: object = {}, headers: object = {}) => {
    const answer = await wallet.call(path, { session_id: sessionId, ...body }, { ...from, ...headers });
    return answer;
  };
  const webhook_url = `${receiver.url}/${person.webhookPath}`;
  const good = async (path: string, body: object = {}, headers: object = {}): Promise<Body> => {
    const answer = await call(path, body, headers);
    if (answer.status !== 200) throw new Error(`${path} returned ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  // Buy: until the LNURL of the filled order is claimed.
  const buy = await good('/payment-options', { currency_code: 'eur' });
  const euro = (buy['currencies'] as Record<string, { currency_id: number; payment_options: { id: number; option: string }[] }>[])[0]?.['eur'];
  const bought = await good('/quote', {
    amount_fiat: 10_000,
    currency_id: euro?.currency_id,
    payment_option_id: euro?.payment_options.find((one) => one.option === 'SEPA')?.id,
  });
  const order = await good('/order', { quote_id: bought['quote_id'], webhook_url, webhook_events: ['withdrawal_ready', 'order_status_changed'] });
  await alpine.control.pay(alpine.control.history.orders[0]?.orderId ?? '');
  const withdrawal = await until('withdrawal', async () => {
    const answer = await call('/withdrawal', { order_id: order['order_id'], failback_onchain: person.refund });
    return answer.status === 200 ? answer.body : undefined;
  });

  // Sell: an account, a connection, a wrong code, both kinds of order, a lost response, notices.
  const refused = await call('/sell/accounts', { provider: 'bringin', email: `${person.email}@x` });
  const accountId = await world.connected(call, person.email, { webhook_url });
  const badIban = await call('/sell/connections', {
    account_id: accountId,
    name: person.connection,
    lightning_username: person.username,
    iban: `${person.iban.slice(0, -1)}8`,
    bic: person.bic,
    beneficiary_name: person.beneficiary,
  });
  const connection_id = await world.waiting(call, accountId, person.connection, person.username, {
    iban: person.iban,
    bic: person.bic,
    beneficiary_name: person.beneficiary,
  });
  await call('/sell/connection-confirm', { connection_id, code: '000000' });
  await good('/sell/connection-confirm', { connection_id, code: '123456' });
  const keyed = { 'idempotency-key': 'canary-idempotency-key' };
  await good('/sell/connections', { account_id: accountId, name: 'Buying', direction: 'buy', destination_address: person.refund }, keyed);
  const sepa = await good('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(call, 'SEPA')) });
  await good('/sell/order', { quote_id: sepa['quote_id'], connection_id });
  await world.payAddress(person.username, 250_000);
  await world.payAddress(person.username, 60_000);
  const card = await good('/sell/quote', { amount_sats: 120_000, ...(await world.optionOf(call, 'Card balance')) });
  const topUp = await good('/sell/order', { quote_id: card['quote_id'] });
  await control.pay((topUp['payment_info'] as { lightning_invoice: string }).lightning_invoice);
  const second = await good('/sell/quote', { amount_sats: 121_000, ...(await world.optionOf(call, 'Card balance')) });
  control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
  await call('/sell/order', { quote_id: second['quote_id'] });
  await good('/sell/transactions', { account_id: accountId });
  await control.forge(`${control.user(person.email).callback}/verification-status`, {
    userId: 'x',
    apikey: control.user(person.email).key,
    email: person.email,
  });

  // Liquidity: a recharge to the customer's own invoice, a channel to redeem, a reserved order, and an order from the operator's balance whose
  // response is lost.
  const [ownInvoice, balanceInvoice, wrongInvoice] = [invoiceOver(100_000), invoiceOver(20_000), invoiceOver(99_000)];
  const recharge = await good('/liquidity/quote', { product: 'recharge', amount_sats: 100_000, pay_with: 'lightning' });
  await call('/liquidity/order', { quote_id: recharge['quote_id'], invoice: wrongInvoice });
  await good('/liquidity/order', {
    quote_id: recharge['quote_id'],
    invoice: ownInvoice,
    email: person.receiptEmail,
    webhook_url,
    refund_onchain: person.refund,
  });
  const sold = async (provider: string, body: object): Promise<unknown> =>
    ((await good('/liquidity/offers', body))['offers'] as { quote_id: string; provider: { id: string } }[]).find((one) => one.provider.id === provider)
      ?.quote_id;
  const turbo = { product: 'turbo', amount_sats: 1_000_000, pay_with: 'lightning' };
  const channel = await good('/liquidity/order', { quote_id: await sold('thor', turbo) });
  const atThor = [...thor.control.state.orders.values()].at(-1);
  await thor.control.pay(atThor?.id ?? '');
  const redeemable = await until('redeemable', async () => {
    const entry = (await good('/liquidity/order-status', { order_id: channel['order_id'] }))[String(channel['order_id'])] as Body;
    return entry['stage'] === 'filled' ? entry : undefined;
  });
  const opening = await good('/liquidity/order', { quote_id: await sold('tank', turbo) });
  tank.control.pay();
  await until('opened', async () => {
    const entry = (await good('/liquidity/order-status', { order_id: opening['order_id'] }))[String(opening['order_id'])] as Body;
    return entry['stage'] === 'finished' ? entry : undefined;
  });
  expect(tank.control.order().channel?.clientNodePubkey).toBe(wallet.pubkey);
  const inbound = { product: 'inbound', amount_sats: 1_000_000, lease_blocks: 4320, firm: true, refund_onchain: person.refund };
  const firm = await good('/liquidity/offers', { ...inbound, pay_with: 'onchain' });
  const reserved = await good('/liquidity/order', { quote_id: (firm['offers'] as { quote_id: string }[])[0]?.quote_id, refund_onchain: person.refund });
  const unordered = await good('/liquidity/offers', { ...inbound, amount_sats: 900_000, pay_with: 'lightning' });
  expect((unordered['offers'] as Body[]).length).toBe(2);
  const balance = await good('/liquidity/quote', { product: 'recharge', amount_sats: 20_000, pay_with: 'balance' }, { authorization: `Bearer ${spendKey}` });
  thor.control.setFault({ endpoint: 'POST /purchase', fault: 'lost-answer', times: 1 });
  await call('/liquidity/order', { quote_id: balance['quote_id'], invoice: balanceInvoice }, { authorization: `Bearer ${spendKey}` });
  const problem = await call('/liquidity/order', { quote_id: sessionId, invoice: 'lnbc-canary', email: 'not-an-address' });
  await receiver.waitFor('webhooks', (one) => one.body.includes('sell_settled') || one.body.includes('finished'), world.gateway);
  await world.gateway.pass(1_500);

  const redemption = redeemable['redemption'] as { lnurl: string; link: string };
  Object.assign(secrets, {
    email: person.email,
    receiptEmail: person.receiptEmail,
    iban: person.iban,
    bic: person.bic,
    beneficiary: person.beneficiary,
    username: person.username,
    connection: person.connection,
    ip: person.ip,
    refund: person.refund,
    webhook: person.webhookPath,
    session: sessionId,
    recovery: recoverySecret ?? '',
    nodeKey: wallet.pubkey,
    ownInvoice,
    balanceInvoice,
    wrongInvoice,
    userKey: control.user(person.email).key,
    callback: (control.user(person.email).callback ?? '').split('/').at(-1) ?? '',
    k1: atThor?.k1 ?? '',
    redemptionLnurl: redemption.lnurl,
    redemptionUrl: decodeLnurl(redemption.lnurl, { loopbackHttp: true }) ?? '',
    redemptionLink: redemption.link,
    withdrawal: String(withdrawal['lnurlw']),
    topUpInvoice: (topUp['payment_info'] as { lightning_invoice: string }).lightning_invoice,
    channelInvoice: (channel['payment_info'] as { lightning_invoice: string }).lightning_invoice,
    openingInvoice: (opening['payment_info'] as { lightning_invoice: string }).lightning_invoice,
    reservedAddress: (reserved['payment_info'] as { address: string }).address,
    providerIban: (order['payment_info'] as { payment_details: Record<string, string> }).payment_details['provider_iban'] ?? '',
    appKey: spendKey,
    thorSecret: 'canary-thor-secret',
  });
  Object.assign(places, {
    ...Object.fromEntries([...(await dump())].map(([table, text]) => [`table ${table}`, text])),
    logs: gateway.logs.join('\n'),
    metrics: await (await fetch(`${gateway.url}/metrics`)).text(),
    webhooks: receiver.received.map((one) => one.body).join('\n'),
    problems: JSON.stringify([refused.body, badIban.body, problem.body]),
  });
});
afterAll(async () => {
  await world.close();
  await Promise.all([thor, tank, north, alpine].map((one) => one.close()));
});

describe("people's data after a run of all three ramps", () => {
  it('stands in no table, log line, metric, webhook body or problem document in clear', () => {
    for (const [name, secret] of Object.entries(secrets)) expect([name, secret.length > 7]).toEqual([name, true]);
    const found = Object.entries(places).flatMap(([place, text]) =>
      Object.entries(secrets).flatMap(([name, secret]) => (text.toLowerCase().includes(secret.toLowerCase()) ? [`${name} in ${place}`] : [])),
    );
    expect(found).toEqual([]);
  });

  it('was there to be found: each table that the run uses has rows', () => {
    const used = ['accounts', 'connections', 'orders', 'intents', 'routes', 'notices', 'deliveries', 'settlements', 'claims', 'last_prices', 'daily_uses'];
    expect(used.filter((name) => (places[`table ${name}`] ?? '') === '')).toEqual([]);
    expect(places['table idempotency_keys']).not.toContain('canary');
    expect(places['logs']?.length).toBeGreaterThan(1_000);
  });
});
