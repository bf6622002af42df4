/** docs/wallet.md promises that its recipes work: here its code runs unchanged against a gateway, the three ramps in parallel. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuyOrder, Money, Offer, Order, OrderState } from '../../packages/client/src/index.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { readPage, type Recipes } from './recipes.ts';
import { createCustomer, startSellers, type Sellers } from './world.ts';

type Body = Record<string, unknown>;
const { blocks, loadRecipes, otherBlocks, recipeNames } = readPage('wallet.md');
const ran = new Set<string>();
const load = (wallet: object): Recipes => loadRecipes(sellers.gateway.url, wallet, ran);
let sellers: Sellers;
beforeAll(async () => {
  sellers = await startSellers();
});
afterAll(async () => await sellers.close());

const bank = (name: string) => ({ iban: 'DE89370400440532013000', bic: 'COBADEFFXXX', beneficiaryName: name, lightningUsername: name.toLowerCase() });

describe.concurrent('the recipes of docs/wallet.md', () => {
  it('best price, SEPA, card, resume after a kill, withdraw', async () => {
    const { run, restart, shown, store, payAlpine } = createCustomer(sellers, 'alice@example.com', load);
    const offer = (await run('bestPrice', '100')) as Offer;
    expect(offer).toMatchObject({ rank: 1, provider: { id: 'alpine' }, pays: { text: '100.00', currency: 'EUR' } });
    expect(shown.at(-1)).toEqual({
      prices: [expect.stringMatching(/^alpine: \d+ sat, until 20/), expect.stringMatching(/^dune: /)],
      others: ['dove: payout-required'],
    });
    expect([...store.keys()]).toEqual([`ramp-gateway:${new URL(sellers.gateway.url).host}`]);

    const order = (await run('buyBySepa', offer)) as BuyOrder;
    const { before, reference, qr, pay } = shown.at(-1) as Body;
    expect([pay, reference, qr, before]).toEqual(['100.00 EUR', expect.stringMatching(/^ALP-/), expect.stringContaining('EUR100.00'), expect.any(Date)]);
    const card = (await run('buyByCard', '50.00')) as BuyOrder;
    expect(card).toMatchObject({ pays: { text: '50.00' }, provider: { id: 'alpine' }, pay: { kind: 'page' } });

    restart();
    const [first, second, ...others] = (await run('resume')) as BuyOrder[];
    expect([first?.id, first?.stage, second?.id, second?.stage, others]).toEqual([card.id, 'filled', order.id, 'awaiting_payment', []]);
    expect(shown.at(-1)).toMatchObject({ pay: '100.00 EUR', to: { provider_reference: reference }, before });
    expect(await first?.until('finished')).toMatchObject({ stage: 'finished', final: true });
    await payAlpine(0);
    expect(await run('withdraw', second)).toMatchObject({ stage: 'finished', final: true });
  });

  it('the sats go to the customer’s own node', async () => {
    const { run, shown, payDove, wallet } = createCustomer(sellers, 'grace@example.com', load);
    const [state] = (await Promise.all([run('buyToOwnNode', '100'), payDove()])) as [OrderState, void];
    expect(state).toMatchObject({ stage: 'finished', final: true, provider: { id: 'dove' }, raw: { payout_id: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    expect(shown).toEqual([{ pay: '100.00 EUR', to: expect.any(Object), before: expect.any(Date), satsGoTo: wallet.nodePubkey }]);
  });

  it('webhook at a backend: genuine ones once, forged ones never', async () => {
    const { run } = createCustomer(sellers, 'carol@example.com', load);
    const backend = await startWebhookReceiver();
    const { openSession } = readPage('wallet-http.md').loadRecipes(sellers.gateway.url, createCustomer(sellers, 'c@example.com').wallet, new Set());
    const call = async (path: string, body: object) =>
      await (await fetch(sellers.gateway.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();
    expect(await call('/webhook-test', { session_id: await openSession?.(), webhook_url: backend.url })).toEqual({ delivered: true, status_class: '2xx' });
    await backend.close();
    const [delivery] = backend.received;
    if (!delivery) throw new Error('nothing was delivered');
    const { headers, body } = delivery;
    const told: string[] = [];
    const receive = async (text: string): Promise<unknown> => await run('receiveWebhook', headers, text, (type: string) => void told.push(type));
    expect([await receive(body.replace('test', 'tset')), told]).toEqual([401, []]);
    expect([await receive(body), await receive(body), told]).toEqual([200, 200, ['test']]);
  });

  it('sell to a bank, top up a card', async () => {
    const { run, asked, shown } = createCustomer(sellers, 'bob@example.com', load);
    expect(await run('sellToBank', '250000', 'bob@example.com', bank('Bob'))).toMatchObject({
      stage: 'filled',
      pays: { text: '250000' },
      raw: { delivered_to: 'bank_transfer_started' },
    });
    expect(shown[0]).toMatchObject({ sell: '250000 sat', estimated: true, first: ['account', 'connection'] });
    expect(asked).toEqual(['the code from the text message', 'the code from the text message']);
    expect(await run('sellToBank', 260_000n, 'bob@example.com', bank('Bob'))).toMatchObject({ stage: 'filled', pays: { units: 260_000n } });
    expect(asked).toHaveLength(2);
    const account = await run('openAccount', 'bringin', 'bob@example.com');
    const balance = (await run('topUpCard', account, '250000')) as Money;
    expect([balance.currency, balance.units > 20_000n]).toEqual(['EUR', true]);
  });

  it('can I receive N sats, buy inbound: a channel from a seller first connected to, and a redemption', async () => {
    const { run, shown, connectedTo } = createCustomer(sellers, 'dave@example.com', load);
    expect(await run('canReceive', 40_000n)).toEqual({ now: true });
    const answer = (await run('canReceive', 1_000_000n)) as { about: Money };
    expect(answer).toMatchObject({ now: false, sellers: 3 });
    expect(answer.about.units).toBeGreaterThan(10_000n);
    expect([sellers.north, sellers.west].map((one) => one.control.orders.size)).toEqual([0, 0]);
    expect(await run('buyInbound', 1_000_000n, 4320)).toMatchObject({ stage: 'finished', provider: { id: 'west' }, pays: { units: 3000n } });
    expect(connectedTo).toEqual([expect.stringMatching(/@west\.example:9735$/)]);
    expect(await run('buyInbound', 5_000_000n)).toMatchObject({ provider: { id: 'thor' }, deliveredAs: 'redemption' });
    expect(shown).toEqual([{ status: 'OK' }]);
  });
});

it('a provider that declines: the customer chooses, or the gateway goes on within the bound', async () => {
  const alpine = sellers.gateway.simulators['alpine']?.control;
  const declines = (): void => alpine?.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  const chooser = createCustomer(sellers, 'erin@example.com', load);
  const offer = await chooser.run('bestPrice', '100');
  declines();
  expect(await chooser.run('orderOrChoose', offer)).toMatchObject({ provider: { id: 'dune' }, stage: 'awaiting_payment' });
  expect(chooser.asked).toEqual([expect.stringMatching(/^alpine did not keep its offer. Take \d+ sat from dune\?$/)]);

  const mover = createCustomer(sellers, 'frank@example.com', load);
  const best = await mover.run('bestPrice', '100');
  declines();
  const order = (await mover.run('buyWithFailover', best)) as Order;
  expect(order).toMatchObject({ provider: { id: 'dune' }, movedFrom: [{ provider: { id: 'alpine' }, reason: 'provider-declined' }] });
  expect(mover.shown.at(-1)).toMatchObject({ gets: `${order.gets?.text} sat from dune`, instead: ['alpine: provider-declined'], pay: '100.00 EUR' });
});

it.each([
  ['a little less', 0.995, 0],
  ['much less', 0.9, 1],
])('filled with %s', async (_how, share, questions) => {
  const { run, shown, asked, payAlpine } = createCustomer(sellers, `${String(share)}@example.com`, load);
  const alpine = sellers.gateway.simulators['alpine']?.control;
  if (!alpine) throw new Error('no alpine');
  const order = await run('buyBySepa', await run('bestPrice', '100'));
  alpine.options.says = (endpoint, truth) =>
    endpoint === 'order-status'
      ? Object.fromEntries(
          Object.entries(truth as Record<string, Body>).map(([id, one]) => [id, { ...one, amount_sats: Math.floor(Number(one['amount_sats']) * share) }]),
        )
      : undefined;
  await payAlpine();
  const state = (await run('withdrawWhatIsThere', order)) as OrderState;
  delete alpine.options.says;
  expect(shown.at(-1)).toEqual({ warnings: ['filled-differently'] });
  expect([asked.length, state.disputed]).toEqual([questions, questions === 1]);
});

it('ran every function of the page, and the page has no other code', () => {
  expect(recipeNames.filter((name) => !ran.has(name))).toEqual([]);
  expect([blocks.length, recipeNames.length, otherBlocks]).toEqual([16, 16, []]);
});
