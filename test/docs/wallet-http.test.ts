/** docs/wallet-http.md promises that its recipes work: here its code runs unchanged against a gateway, the three ramps in parallel. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { readPage, type Recipes } from './recipes.ts';
import { createCustomer, startSellers, type Sellers } from './world.ts';

type Body = Record<string, unknown>;
const { blocks, loadRecipes, otherBlocks, recipeNames } = readPage('wallet-http.md');
const ran = new Set<string>();
const load = (wallet: object): Recipes => loadRecipes(sellers.gateway.url, wallet, ran);
let sellers: Sellers;
beforeAll(async () => {
  sellers = await startSellers();
});
afterAll(async () => await sellers.close());

describe.concurrent('the recipes of docs/wallet-http.md', () => {
  it('best price, SEPA, card, resume after a kill, withdraw', async () => {
    const { run, restart, shown, store, payAlpine } = createCustomer(sellers, 'alice@example.com', load);
    const session = await run('openSession');
    expect(store.get('session_id')).toBe(session);
    expect(store.get('recovery_secret')).toMatch(/^[\w-]{43}$/);

    const offer = await run('bestPrice', session, 10_000);
    expect(offer).toMatchObject({ rank: 1, provider: { id: 'alpine' }, amount_fiat: 10_000 });
    expect(shown.at(-1)).toEqual({
      prices: [expect.stringMatching(/^alpine: \d+ sats, until 20/), expect.stringMatching(/^dune: /)],
      others: ['dove: payout-required'],
    });

    const { order_id: orderId, expires_on: before } = (await run('buyBySepa', session, offer)) as Body;
    const { pay, reference, qr } = shown.at(-1) as Body;
    expect([pay, shown.at(-1)?.['before']]).toEqual([10_000, before]);
    expect([reference, qr]).toEqual([expect.stringMatching(/^ALP-/), expect.stringContaining('EUR100.00')]);

    const card = (await run('buyByCard', session, 5000)) as Body;
    expect(card).toMatchObject({ amount_fiat: 5000, provider: { id: 'alpine' } });

    restart();
    const seen = (await run('resume')) as Record<string, Body>;
    expect(Object.entries(seen).map(([id, { stage }]) => [id, stage])).toEqual([
      [card['order_id'], 'filled'],
      [orderId, 'awaiting_payment'],
    ]);
    expect(shown.at(-1)).toMatchObject({ pay: 10_000, to: { provider_reference: reference }, before });
    expect(await run('follow', '', session, card['order_id'], 'finished')).toMatchObject({ stage: 'finished', final: true });

    await payAlpine(0);
    expect(await run('withdraw', session, orderId)).toMatchObject({ stage: 'finished', final: true });
  });

  it('the sats go to the customer’s own node', async () => {
    const { run, shown, payDove, wallet } = createCustomer(sellers, 'grace@example.com', load);
    const session = await run('openSession');
    const [state] = (await Promise.all([run('buyToOwnNode', session, 10_000), payDove()])) as [Body, void];
    expect(state).toMatchObject({ stage: 'finished', final: true, payout: 'push', payout_id: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(shown).toEqual([{ pay: 10_000, to: expect.any(Object), satsGoTo: wallet.nodePubkey }]);
  });

  it('webhook at a backend: genuine ones once, forged ones never', async () => {
    const { run } = createCustomer(sellers, 'carol@example.com', load);
    const backend = await startWebhookReceiver();
    const session = await run('openSession');
    expect(await run('call', '/webhook-test', { session_id: session, webhook_url: backend.url })).toEqual({ delivered: true, status_class: '2xx' });
    await backend.close();
    const [delivery] = backend.received;
    if (!delivery) throw new Error('nothing was delivered');
    const { headers, body } = delivery;
    const told: string[] = [];
    const receive = async (more: object, text = body): Promise<unknown> =>
      await run('receiveWebhook', { ...headers, ...more }, text, (type: string) => void told.push(type));
    expect(await receive({}, body.replace('test', 'tset'))).toBe(401);
    // Genuine, but six minutes old.
    const old = { id: 'msg_old', timestamp: Math.floor(Date.now() / 1000) - 360, body };
    const signature = await sellers.gateway.server.gateway.signer.sign(old);
    expect(await receive({ 'webhook-id': old.id, 'webhook-timestamp': String(old.timestamp), 'webhook-signature': signature })).toBe(401);
    expect(told).toEqual([]);
    expect([await receive({}), await receive({})]).toEqual([200, 200]);
    expect(told).toEqual(['test']);
  });

  it('sell to a bank, top up a card', async () => {
    const { run, asked } = createCustomer(sellers, 'bob@example.com', load);
    const session = await run('openSession');
    const bank = { iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiary_name: 'Bob Example' };
    const sold = await run('sellToBank', session, 250_000, 'bob@example.com', bank, 'bob');
    expect(sold).toMatchObject({ stage: 'filled', amount_sats: 250_000, delivered_to: 'bank_transfer_started' });
    expect(asked).toEqual(['the code from the text message', 'the code from the text message']);
    expect(await run('sellToBank', session, 260_000, 'bob@example.com', bank, 'bob')).toMatchObject({ stage: 'filled', amount_sats: 260_000 });
    expect(asked).toHaveLength(2);

    const { account_id: accountId } = (await run('openAccount', session, 'bringin', 'bob@example.com')) as Body;
    const balance = (await run('topUpCard', session, accountId, 250_000)) as Body;
    expect(balance).toMatchObject({ account_id: accountId, currency_code: 'EUR' });
    expect(balance['amount_fiat']).toBeGreaterThan(20_000);
  });

  it('can I receive N sats, buy inbound: a channel from a seller first connected to, and a redemption', async () => {
    const { run, shown, connectedTo } = createCustomer(sellers, 'dave@example.com', load);
    const session = await run('openSession');
    expect(await run('canReceive', session, 40_000)).toEqual({ now: true });
    const answer = (await run('canReceive', session, 1_000_000)) as Body;
    expect(answer).toMatchObject({ now: false, sellers: 3 });
    expect(answer['about']).toBeGreaterThan(10_000);
    expect([sellers.north, sellers.west].map((one) => one.control.orders.size)).toEqual([0, 0]);

    const channel = await run('buyInbound', session, 1_000_000, 4320);
    expect(channel).toMatchObject({ stage: 'finished', provider: { id: 'west' }, inbound_sats: 1_000_000, pay_sats: 3000 });
    expect(connectedTo).toEqual([expect.stringMatching(/@west\.example:9735$/)]);

    expect(await run('buyInbound', session, 5_000_000)).toMatchObject({ provider: { id: 'thor' }, delivered_as: 'redemption' });
    expect(shown).toEqual([{ status: 'OK' }]);
  });
});

it('a provider that declines: the customer chooses, or the gateway goes on within the bound', async () => {
  const alpine = sellers.gateway.simulators['alpine']?.control;
  const declines = (): void => alpine?.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  const chooser = createCustomer(sellers, 'erin@example.com', load);
  const first = await chooser.run('openSession');
  const offer = (await chooser.run('bestPrice', first, 10_000)) as Body;
  declines();
  expect(await chooser.run('orderOrChoose', first, offer)).toMatchObject({ provider: { id: 'dune' }, stage: 'awaiting_payment' });
  expect(chooser.asked).toEqual([expect.stringMatching(/^alpine did not keep its offer. Take \d+ sats from dune\?$/)]);

  const mover = createCustomer(sellers, 'frank@example.com', load);
  const second = await mover.run('openSession');
  const best = (await mover.run('bestPrice', second, 10_000)) as Body;
  declines();
  const order = (await mover.run('buyWithFailover', second, best)) as Body;
  expect(order).toMatchObject({ provider: { id: 'dune' }, moved_from: [{ provider: { id: 'alpine' }, reason: 'provider-declined' }] });
  expect(mover.shown.at(-1)).toMatchObject({ gets: `${String(order['amount_sats'])} sats from dune`, instead: ['alpine: provider-declined'], pay: 10_000 });
});

it.each([
  ['a little less', 0.995, 'filled-differently', 0],
  ['much less', 0.9, 'filled-differently', 1],
])('filled with %s', async (_how, share, warning, questions) => {
  const { run, shown, asked, payAlpine } = createCustomer(sellers, `${String(share)}@example.com`, load);
  const alpine = sellers.gateway.simulators['alpine']?.control;
  if (!alpine) throw new Error('no alpine');
  const session = await run('openSession');
  const { order_id: orderId } = (await run('buyBySepa', session, await run('bestPrice', session, 10_000))) as Body;
  alpine.options.says = (endpoint, truth) =>
    endpoint === 'order-status'
      ? Object.fromEntries(
          Object.entries(truth as Record<string, Body>).map(([id, one]) => [id, { ...one, amount_sats: Math.floor(Number(one['amount_sats']) * share) }]),
        )
      : undefined;
  await payAlpine();
  const order = await run('withdrawWhatIsThere', session, orderId);
  delete alpine.options.says;
  expect(shown.at(-1)).toEqual({ warnings: [warning] });
  expect([asked.length, (order as Body)['disputed']]).toEqual([questions, questions === 1 ? true : undefined]);
});

it('call repeats what is only for now, also too many requests, and nothing that lasts', async () => {
  const answers: [number, object][] = [];
  let asked = 0;
  const server = createServer((_, response) => {
    const [status, body] = answers[asked] ?? [200, { so: true }];
    asked += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const page = loadRecipes(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {}, ran);
  const call = async (...those: [number, object][]): Promise<[unknown, number]> => {
    answers.splice(0, Infinity, ...those);
    asked = 0;
    const answer = await page['call']?.('/quote', {}).catch((error: { problem?: Body }) => error.problem?.['code']);
    return [answer, asked];
  };
  const tooMany = (ms: number): [number, object] => [429, { code: 'rate-limited', action: 'wait', retry_after_ms: ms }];
  try {
    expect(await call(tooMany(30_000), tooMany(1000))).toEqual([{ so: true }, 3]);
    expect(await call(tooMany(31_000))).toEqual(['rate-limited', 1]);
    expect(await call([503, { code: 'order-pending', action: 'retry', retry_after_ms: 2000 }])).toEqual([{ so: true }, 2]);
    expect(await call([409, { code: 'account-not-connected', action: 'wait' }])).toEqual(['account-not-connected', 1]);
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});

it('ran every function of the page, and the page has no other code', () => {
  expect(recipeNames.filter((name) => !ran.has(name))).toEqual([]);
  expect([blocks.length, recipeNames.length, otherBlocks]).toEqual([17, 22, []]);
});
