/** A provider that sends the bought sats itself: who is offered it, where the sats go, and what the wallet learns. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { encodeInvoice, type NewInvoice } from '../../src/bitcoin/bolt11.ts';
import { freshSecrets } from '../../src/config/secrets.ts';
import { encodeLnurl } from '../../src/bitcoin/lnurl.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startFiatOnRampSimulator, type RunningSimulator } from '../../src/providers/fiat-on-ramp/fiat-on-ramp.simulator.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { pushRamp } from '../support/push-ramp.ts';
import { needsPostgres } from '../support/postgres.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

type Body = Record<string, unknown>;
type Offer = Body & { quote_id: string; provider: { id: string }; amount_sats: number };
type Reply = { status: number; body: Body };

const clock = movableClock();
const lightning = pushRamp('push-lightning', ['lightning_address', 'lnurl', 'invoice', 'node_pubkey']);
const chain = pushRamp('push-chain', ['onchain']);
const token = 'the-token-of-an-operator-of-this-gateway';
const address = 'alice@wallet.example';
const onchain = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
let sims: Record<'pusher' | 'chainer', RunningSimulator>;
let gateway: TestGateway;
/** Another instance on the same database. */
let second: TestGateway | undefined;
let hooks: WebhookReceiver;
beforeAll(async () => {
  const own = { now: clock.now, quoteTtlS: 2 * 86_400 };
  // The pusher has the best price, the chain the second best, and FLS01's provider the worst.
  const [pusher, chainer] = await Promise.all([
    startFiatOnRampSimulator({ id: 'pusher', spreadBps: 0, repost: 'same', ...own }),
    startFiatOnRampSimulator({ id: 'chainer', spreadBps: 20, ...own }),
  ]);
  sims = { pusher, chainer };
  hooks = await startWebhookReceiver();
  const shared = { clock, environment: freshSecrets(randomBytes), config: { orders: { max_open: 50 }, operator: { token_hashes: [sha256Hex(token)] } } };
  const pushes = { kind: 'push-lightning', base_url: pusher.url, repost: 'same' };
  gateway = await startTestGateway(
    { plain: { simulator: { spreadBps: 40, quoteTtlS: 2 * 86_400 } } },
    {
      ...shared,
      modules: [lightning.module, chain.module],
      blocks: { pusher: pushes, chainer: { kind: 'push-chain', base_url: chainer.url }, shade: { kind: 'push-chain', base_url: chainer.url, mode: 'shadow' } },
    },
  );
  // The embedded database serves one instance at a time.
  if (gateway.database.kind === 'postgres')
    second = await startTestGateway({}, { ...shared, database: gateway.database, modules: [lightning.module], blocks: { pusher: pushes } });
});
afterAll(async () => {
  await second?.close();
  await gateway.close();
  await Promise.all([sims.pusher.close(), sims.chainer.close(), hooks.close()]);
});
beforeEach(() => {
  clock.move(60_000);
  sims.pusher.control.clearFaults();
  sims.chainer.control.clearFaults();
  lightning.tolerance.bps = undefined;
});

const sepa = { currency_id: 1, payment_option_id: 1 };
const instant = { currency_id: 1, payment_option_id: 2 };
const customer = async (key = randomBytes(32).toString('hex'), url = gateway.url) => {
  const wallet = createWallet(url, key);
  const { sessionId } = await wallet.open();
  const call = async (path: string, body: object = {}, headers = {}): Promise<Reply> => await wallet.call(path, { session_id: sessionId, ...body }, headers);
  const price = async (kinds?: string[], asked: object = { amount_fiat: 10_000, ...sepa }): Promise<Body> =>
    (await call('/offers', { ...asked, ...(kinds ? { payout_kinds: kinds } : {}) })).body;
  const offered = async (kinds?: string[], asked?: object): Promise<Offer[]> => (await price(kinds, asked))['offers'] as Offer[];
  const offerOf = async (id: string, kinds = ['lightning_address', 'lnurl', 'invoice', 'node_pubkey', 'onchain'], asked?: object): Promise<Offer> => {
    const found = (await offered(kinds, asked)).find(({ provider }) => provider.id === id);
    if (!found) throw new Error(`no offer of ${id}`);
    return found;
  };
  const order = async (offer: Offer, more: object = {}, headers = {}): Promise<Reply> => await call('/order', { quote_id: offer.quote_id, ...more }, headers);
  const status = async (id: unknown): Promise<Body> => (await call('/order-status', { order_id: id })).body[String(id)] as Body;
  return { pubkey: wallet.pubkey, key, call, price, offered, offerOf, order, status };
};
const ids = (offers: Offer[]): string[] => offers.map(({ provider }) => provider.id);
const upstreamOf = async (orderId: unknown): Promise<string> => {
  const [row] = await gateway.database.sql<{ id: string }[]>`select upstream_order_id as id from orders where id = ${String(orderId)}`;
  return row?.id ?? '';
};
const invoice = (more: Partial<NewInvoice> = {}): string =>
  encodeInvoice({
    network: 'regtest',
    timestamp: Math.floor(clock.now() / 1000),
    expirySeconds: 3 * 86_400,
    paymentHash: randomBytes(32).toString('hex'),
    paymentSecret: randomBytes(32).toString('hex'),
    description: 'sats',
    payeePrivateKey: randomBytes(32).toString('hex'),
    ...more,
  });

describe('who is offered a pushed payout', () => {
  it('nobody who does not say that they can name a destination', async () => {
    const { price } = await customer();
    const before = sims.pusher.control.history.requests.length;
    const body = await price();
    expect(ids(body['offers'] as Offer[])).toEqual(['plain']);
    const refused = (body['refused'] as { provider: { id: string } }[]).toSorted((a, b) => (a.provider.id < b.provider.id ? -1 : 1));
    expect(refused).toEqual(['chainer', 'pusher'].map((id) => ({ provider: { id, name: id }, reason: 'payout-required' })));
    expect(sims.pusher.control.history.requests.slice(before).filter(({ endpoint }) => endpoint === 'quote')).toEqual([]);
    expect((body['offers'] as Offer[])[0]).toMatchObject({ payout: 'claim', requires: [] });
  });

  it('who can name a kind of destination that the provider pays', async () => {
    const { price } = await customer();
    const body = await price(['onchain', 'lnurl']);
    const offers = body['offers'] as Offer[];
    expect(ids(offers)).toEqual(['pusher', 'chainer', 'plain']);
    expect(offers.map(({ payout, payout_kinds, requires }) => ({ payout, payout_kinds, requires }))).toEqual([
      { payout: 'push', payout_kinds: ['lnurl'], requires: ['payout'] },
      { payout: 'push', payout_kinds: ['onchain'], requires: ['payout'] },
      { payout: 'claim', payout_kinds: undefined, requires: [] },
    ]);
    expect((await price(['onchain']))['refused']).toEqual([{ provider: { id: 'pusher', name: 'pusher' }, reason: 'payout-unsupported' }]);
  });

  it('as the best quote, with what it needs; an old client gets the best that it can withdraw, in the old shape', async () => {
    const { call } = await customer();
    const asked = { amount_fiat: 10_000, ...sepa };
    const pushed = await call('/quote', { ...asked, payout_kinds: ['lightning_address'] });
    expect(pushed.body).toMatchObject({ provider: { id: 'pusher' }, payout: 'push', payout_kinds: ['lightning_address'], requires: ['payout'] });
    const old = await call('/quote', asked);
    expect(old.body['provider']).toEqual({ id: 'plain', name: 'plain' });
    expect(Object.keys(old.body).filter((name) => /payout_(?!option)|^payout$|requires/.test(name))).toEqual([]);
  });

  it('nobody by a shadow provider, which is asked all the same', async () => {
    const { price } = await customer();
    const { offers_id } = await price();
    const rows = await gateway.database.sql<
      { shadow: { providerId: string }[] }[]
    >`select route -> 'shadow' as shadow from routes where id = ${String(offers_id)}`;
    expect(rows.map(({ shadow }) => shadow.map(({ providerId }) => providerId))).toEqual([['shade']]);
  });

  it('in the list of providers', async () => {
    const answer = (await (await fetch(`${gateway.url}/providers`)).json()) as { providers: { id: string; features: Body }[] };
    expect(Object.fromEntries(answer.providers.map(({ id, features }) => [id, [features['payout'], features['payout_kinds']]]))).toEqual({
      plain: ['claim', undefined],
      pusher: ['push', ['lightning_address', 'lnurl', 'invoice', 'node_pubkey']],
      chainer: ['push', ['onchain']],
    });
  });
});

describe('a purchase by push', () => {
  it('goes to the destination, and is finished once the provider shows that it sent the sats', async () => {
    const { offerOf, order, status, call } = await customer();
    const offer = await offerOf('pusher');
    const url = `${hooks.url}/push`;
    const made = await order(offer, { payout_to: { lightning_address: ' Lightning:Alice@Wallet.Example ' }, webhook_url: url });
    const destination = { lightning_address: address, is_proven: false };
    expect(made).toMatchObject({ status: 200, body: { stage: 'awaiting_payment', payout: 'push', payout_to: destination, amount_sats: offer.amount_sats } });
    expect(lightning.placed.at(-1)).toEqual({ kind: 'lightning_address', value: address, isProven: false });
    const id = made.body['order_id'];
    const withdrawal = async (): Promise<unknown> => {
      const { status: code, body } = await call('/withdrawal', { order_id: id });
      return [code, body['code'], body['action'], String(body['detail']).split('So far: ')[1]];
    };
    expect(await withdrawal()).toEqual([409, 'order-not-withdrawable', 'read-order', 'the payment has not arrived.']);
    const upstream = await upstreamOf(id);
    const step = async (word: string): Promise<Body> => {
      await sims.pusher.control.pay(upstream, word);
      await gateway.pass(11_000);
      return await status(id);
    };
    expect(await step('paid')).toMatchObject({ stage: 'paid', payout: 'push', payout_to: destination });
    expect(await withdrawal()).toEqual([409, 'order-not-withdrawable', 'read-order', 'the payment has arrived, and the sats have not been sent.']);
    // The provider says that it is done, and shows nothing, or something that cannot be a payment.
    for (const word of ['filled', 'finished']) expect(await step(word)).toMatchObject({ stage: 'paid', final: false });
    lightning.shown.set(upstream, { payout_id: 'done, believe me', payout_on: 'yesterday' });
    expect(await step('finished')).toMatchObject({ stage: 'paid', final: false });
    lightning.shown.set(upstream, { payout_id: 'AB'.repeat(32) });
    expect(await step('filled')).toMatchObject({ stage: 'filled', final: false });
    const dossier = (await (await fetch(`${gateway.url}/operator/orders/${String(id)}`, { headers: { authorization: `Bearer ${token}` } })).json()) as Body;
    expect(dossier['for_customer']).toMatch(/the provider is sending it to the destination of your order\.$/);
    expect(JSON.stringify(dossier)).not.toMatch(/alice/i);
    expect(await withdrawal()).toEqual([409, 'order-not-withdrawable', 'read-order', 'the sats are bought, and their payout has begun.']);
    const payout_on = new Date(clock.now()).toISOString();
    lightning.shown.set(upstream, { payout_id: 'AB'.repeat(32), payout_on });
    expect(await step('finished')).toMatchObject({ stage: 'finished', final: true, payout_id: 'ab'.repeat(32), payout_on, payout_to: destination });
    expect(await withdrawal()).toEqual([409, 'order-not-withdrawable', 'read-order', 'the sats were sent.']);
    expect(lightning.read.at(-1)).toEqual({ kind: 'lightning_address', value: address, isProven: false });
    await gateway.pass(1000);
    const told = hooks.received.filter(({ path }) => path === '/push').map(({ body }) => JSON.parse(body) as { type: string; data: { stage: string } });
    expect(told.map(({ type, data }) => [type, data.stage])).toEqual(['paid', 'filled', 'finished'].map((stage) => ['order_status_changed', stage]));
    const rows = await gateway.database.sql<{ text: string }[]>`
      select row_to_json(i)::text || row_to_json(o)::text || coalesce((select row_to_json(r)::text from routes r where left(r.id::text, 34) = left(o.quote_id::text, 34)), '') as text
      from intents i join orders o on o.intent_id = i.id where o.id = ${String(id)}`;
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows) + gateway.logs.join('\n')).not.toMatch(/alice/i);
  });

  it('to every kind of destination, in its canonical form', async () => {
    const { offerOf, order, pubkey, key } = await customer();
    const [any, own] = [invoice(), invoice({ payeePrivateKey: key })];
    const lnurl = encodeLnurl('https://pay.wallet.example/lnurlp/alice');
    for (const [sent, shown] of [
      [{ lnurl: 'lnurlp://pay.wallet.example/lnurlp/alice' }, { lnurl, is_proven: false }],
      [{ lnurl: `lightning:${lnurl.toLowerCase()}` }, { lnurl, is_proven: false }],
      [{ invoice: `LIGHTNING:${any.toUpperCase()}` }, { invoice: any, is_proven: false }],
      [{ invoice: own }, { invoice: own, is_proven: true }],
      [{ node_pubkey: pubkey.toUpperCase() }, { node_pubkey: pubkey, is_proven: true }],
    ] as const)
      expect((await order(await offerOf('pusher'), { payout_to: sent })).body['payout_to']).toEqual(shown);
    const made = await order(await offerOf('chainer'), { payout_to: { onchain: `bitcoin:${onchain.toUpperCase()}` } });
    expect(made.body['payout_to']).toEqual({ onchain, is_proven: false });
  });

  it('with the amount in the invoice, which is finished only by that invoice', async () => {
    const { offerOf, order, status } = await customer();
    const offer = await offerOf('pusher');
    const paymentHash = randomBytes(32).toString('hex');
    const made = await order(offer, { payout_to: { invoice: invoice({ amountMsat: BigInt(offer.amount_sats) * 1000n, paymentHash }) } });
    expect(made.status).toBe(200);
    const id = made.body['order_id'];
    const upstream = await upstreamOf(id);
    await sims.pusher.control.pay(upstream, 'finished');
    lightning.shown.set(upstream, { payout_id: 'cd'.repeat(32) });
    await gateway.pass(11_000);
    expect(await status(id)).toMatchObject({ stage: 'paid' });
    lightning.shown.set(upstream, { payout_id: paymentHash });
    await gateway.pass(11_000);
    expect(await status(id)).toMatchObject({ stage: 'finished', payout_id: paymentHash });
  });

  it('must be paid so early that the money arrives while the invoice lives', async () => {
    const { offerOf, order } = await customer();
    const timestamp = Math.floor(clock.now() / 1000);
    const made = await order(await offerOf('pusher'), { payout_to: { invoice: invoice({ timestamp, expirySeconds: 36 * 3600 }) } });
    expect(made.body['expires_on']).toBe(new Date((timestamp + 11 * 3600) * 1000).toISOString());
  });

  it('rings for what the wallet named, and by default for every step', async () => {
    const { offerOf, order, status } = await customer();
    const payout_to = { lightning_address: address };
    const named = await order(await offerOf('pusher'), { payout_to, webhook_url: `${hooks.url}/named`, webhook_events: ['withdrawal_ready'] });
    const plain = await order(await offerOf('plain'), { payout_to, webhook_url: `${hooks.url}/plain` });
    for (const [sim, made] of [[sims.pusher, named] as const, [gateway.simulators['plain'], plain] as const]) {
      const upstream = await upstreamOf(made.body['order_id']);
      lightning.shown.set(upstream, { payout_id: '0a'.repeat(32) });
      await sim?.control.pay(upstream, 'filled');
      await gateway.pass(11_000);
      expect(await status(made.body['order_id'])).toMatchObject({ stage: 'filled' });
    }
    await gateway.pass(1000);
    expect(hooks.received.filter(({ path }) => path === '/named')).toEqual([]);
    expect(hooks.received.filter(({ path }) => path === '/plain').map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual(['withdrawal_ready']);
    // The other provider's sats are withdrawn as usual, and are not sent to the destination that came with the order.
    expect(plain.body).not.toHaveProperty('payout_to');
  });
});

describe('a destination that cannot be paid', () => {
  const stranger = publicKeyOf('01'.repeat(32));
  it.each([
    ['none at all', undefined, 422, 'payout-required', '/payout_to'],
    ['an empty one', {}, 400, 'invalid-request', '/payout_to'],
    ['two at once', { lightning_address: address, lnurl: 'x' }, 400, 'invalid-request', '/payout_to'],
    ['of a kind that the provider does not pay', { onchain }, 422, 'payout-unsuitable', '/payout_to/onchain'],
    ['not an address', { lightning_address: 'alice' }, 422, 'payout-unsuitable', '/payout_to/lightning_address'],
    ['at a private host', { lightning_address: 'alice@10.0.0.1' }, 422, 'payout-unsuitable', '/payout_to/lightning_address'],
    ['at an internal name', { lightning_address: 'alice@db.internal' }, 422, 'payout-unsuitable', '/payout_to/lightning_address'],
    ['an LNURL to a private host', { lnurl: encodeLnurl('https://169.254.169.254/latest') }, 422, 'payout-unsuitable', '/payout_to/lnurl'],
    ['an LNURL to this machine', { lnurl: encodeLnurl('https://localhost/x') }, 422, 'payout-unsuitable', '/payout_to/lnurl'],
    ['an LNURL on another port', { lnurl: encodeLnurl('https://wallet.example:22/x') }, 422, 'payout-unsuitable', '/payout_to/lnurl'],
    ['an LNURL to withdraw', { lnurl: encodeLnurl('https://wallet.example/x?tag=withdrawRequest') }, 422, 'payout-unsuitable', '/payout_to/lnurl'],
    ['an LNURL to log in', { lnurl: encodeLnurl('https://wallet.example/x?tag=login&k1=00') }, 422, 'payout-unsuitable', '/payout_to/lnurl'],
    ['an invoice of another network', { invoice: invoice({ network: 'main' }) }, 422, 'payout-unsuitable', '/payout_to/invoice'],
    ['an invoice for another amount', { invoice: invoice({ amountMsat: 1_000_000n }) }, 422, 'payout-unsuitable', '/payout_to/invoice'],
    ['an invoice with a typo', { invoice: invoice().replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')) }, 422, 'payout-unsuitable', '/payout_to/invoice'],
    ["a stranger's node", { node_pubkey: stranger }, 403, 'proof-required', '/payout_to/node_pubkey'],
    ['not a key', { node_pubkey: `02${'ff'.repeat(32)}` }, 422, 'payout-unsuitable', '/payout_to/node_pubkey'],
  ] as const)('%s', async (_what, payout_to, status, code, pointer) => {
    const { offerOf, order } = await customer();
    const before = lightning.placed.length;
    const answer = await order(await offerOf('pusher'), payout_to === undefined ? {} : { payout_to });
    expect([answer.status, answer.body['code'], (answer.body['errors'] as { pointer: string }[])[0]?.pointer]).toEqual([status, code, pointer]);
    expect(lightning.placed).toHaveLength(before);
  });

  it('an address of another network', async () => {
    const { offerOf, order } = await customer();
    const answer = await order(await offerOf('chainer'), { payout_to: { onchain: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' } });
    expect([answer.status, answer.body['code']]).toEqual([422, 'payout-unsuitable']);
  });

  it('an invoice that would expire before the payout', async () => {
    const { offerOf, order } = await customer();
    const day = invoice({ expirySeconds: 86_400 + 3600 });
    const slow = await order(await offerOf('pusher'), { payout_to: { invoice: day } });
    expect([slow.status, slow.body['code']]).toEqual([422, 'payout-unsuitable']);
    expect(String(slow.body['detail'])).toContain('would expire before');
    const quick = await order(await offerOf('pusher', undefined, { amount_fiat: 10_000, ...instant }), { payout_to: { invoice: day } });
    expect(quick.status).toBe(200);
  });

  it('an amount in the invoice, if the price is an estimate', async () => {
    sims.pusher.control.options.estimate = true;
    try {
      const { offerOf, order } = await customer();
      const offer = await offerOf('pusher');
      const amountMsat = BigInt(offer.amount_sats) * 1000n;
      expect((await order(offer, { payout_to: { invoice: invoice({ amountMsat }) } })).body['code']).toBe('payout-unsuitable');
      expect((await order(offer, { payout_to: { invoice: invoice() } })).status).toBe(200);
    } finally {
      sims.pusher.control.options.estimate = false;
    }
  });
});

describe('the order keeps its destination', () => {
  it('for every repeat, whatever it names', async () => {
    const { offerOf, order } = await customer();
    const offer = await offerOf('pusher');
    const made = await order(offer, { payout_to: { lightning_address: address } });
    const before = lightning.placed.length;
    expect(await order(offer, { payout_to: { lightning_address: 'ALICE@wallet.example' } })).toEqual(made);
    expect(await order(offer)).toEqual(made);
    for (const other of [{ lightning_address: 'mallory@wallet.example' }, { lnurl: encodeLnurl('https://wallet.example/.well-known/lnurlp/alice') }]) {
      const refused = await order(offer, { payout_to: other });
      expect([refused.status, refused.body['code'], refused.body['order_id']]).toEqual([409, 'quote-used', made.body['order_id']]);
      expect(JSON.stringify(refused.body)).not.toMatch(/mallory|alice/);
    }
    expect(lightning.placed).toHaveLength(before);
  });

  it('when failover moves it, and is not moved to a provider that cannot pay there', async () => {
    const { offerOf, order, offered } = await customer();
    const least = { max: 3, min_amount_sats: 1000 };
    const refuse = (): void => sims.pusher.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
    const offer = await offerOf('pusher');
    refuse();
    // The second best pays on-chain only.
    const made = await order(offer, { payout_to: { lightning_address: address }, failover: least });
    expect(made.body).toMatchObject({ provider: { id: 'plain' }, moved_from: [{ provider: { id: 'pusher' } }] });
    expect(made.body).not.toHaveProperty('payout');
    // A customer who named no destination is never moved to a provider that pushes.
    const other = await customer();
    const [first] = (await other.offered(['lightning_address', 'onchain'])).filter(({ provider }) => provider.id === 'plain');
    gateway.simulators['plain']?.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
    const refused = await other.order(first!, { failover: least });
    expect([refused.status, refused.body['code']]).toEqual([409, 'provider-declined']);
    expect(await offered()).toHaveLength(1);
  });

  it('in the offers that come with a declined order: they are for the same kinds', async () => {
    const ask = async (kinds?: string[]) => {
      const { offerOf, order } = await customer();
      const offer = await offerOf('plain', kinds ?? []);
      gateway.simulators['plain']?.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
      return ((await order(offer)).body['offers'] as Offer[] | undefined)?.map(({ provider }) => provider.id);
    };
    expect(await ask(['onchain'])).toEqual(['chainer']);
    expect(await ask()).toEqual([]);
    await gateway.pass(1000);
  });

  it('through POST /route', async () => {
    const { offerOf, order, call } = await customer();
    const offer = await offerOf('pusher', ['lightning_address']);
    const made = await order(offer, { payout_to: { lightning_address: address } });
    const route = (await call('/route', { order_id: made.body['order_id'] })).body;
    expect((route['offers'] as Offer[])[0]).toMatchObject({ payout: 'push', payout_kinds: ['lightning_address'], requires: ['payout'] });
    expect(route['refused']).toEqual([{ provider: { id: 'chainer', name: 'chainer' }, reason: 'payout-unsupported' }]);
    expect(JSON.stringify(route)).not.toContain(address);
  });

  it('when its answer is lost, and the instance that sent it has stopped', async () => {
    const { offerOf, order, status } = await customer();
    const offer = await offerOf('pusher');
    sims.pusher.control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    const payout_to = { lightning_address: address };
    const lost = await order(offer, { payout_to });
    expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
    expect((await order(offer, { payout_to: { lightning_address: 'mallory@wallet.example' } })).body['code']).toBe('quote-used');
    await gateway.restart();
    const sent = lightning.placed.length;
    const made = await gateway.passUntil('the order is found', async () => {
      const again = await order(offer, { payout_to });
      return again.status === 200 ? again : undefined;
    });
    expect(made.body['payout_to']).toEqual({ lightning_address: address, is_proven: false });
    expect(await status(made.body['order_id'])).toMatchObject({ payout_to: { lightning_address: address } });
    expect(lightning.placed.slice(sent)).toEqual([{ kind: 'lightning_address', value: address, isProven: false }]);
  });
});

describe('an invoice is the destination of one order', () => {
  const one = () => {
    const paymentHash = randomBytes(32).toString('hex');
    // Two invoices that ask for the same payment.
    return [{ payout_to: { invoice: invoice({ paymentHash }) } }, { payout_to: { invoice: invoice({ paymentHash, description: 'the same sats' }) } }] as const;
  };
  const refusal = ({ status, body }: Reply): unknown => [status, body['code'], (body['errors'] as Body[] | undefined)?.[0]?.['pointer']];
  const refused = [422, 'payout-unsuitable', '/payout_to/invoice'];

  it('whoever names it again, also once that order has expired: money for it may still arrive', async () => {
    const [first, again] = one();
    const { offerOf, order, status } = await customer();
    const offer = await offerOf('pusher');
    const made = await order(offer, first);
    expect([made.status, await order(offer, first)]).toEqual([200, made]);
    const other = await customer();
    for (const stranger of [await order(await offerOf('pusher'), again), await other.order(await other.offerOf('pusher'), first)]) {
      expect(refusal(stranger)).toEqual(refused);
      expect(JSON.stringify(stranger.body)).not.toContain(String(made.body['order_id']));
    }
    clock.move(2 * 86_400_000 + 60_000);
    await gateway.pass(11_000);
    expect((await status(made.body['order_id']))['stage']).toBe('expired');
    const later = await customer();
    expect(refusal(await later.order(await later.offerOf('pusher'), first))).toEqual(refused);
    expect((await later.order(await later.offerOf('pusher'), { payout_to: { invoice: invoice() } })).status).toBe(200);
  });

  it('of two that are sent at the same moment', async () => {
    const named = one();
    const customers = await Promise.all([customer(), customer(undefined, second?.url)]);
    const offers = await Promise.all(customers.map(async ({ offerOf }) => await offerOf('pusher')));
    const before = lightning.placed.length;
    const answers = await Promise.all(customers.map(async ({ order }, n) => await order(offers[n]!, named[n])));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
    expect(lightning.placed.slice(before)).toHaveLength(1);
  });

  it('unless the provider did not take that order, or pays out in another way', async () => {
    const [first, again] = one();
    const { offerOf, order } = await customer();
    sims.pusher.control.setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
    const moved = await order(await offerOf('pusher'), { ...first, failover: { max: 3, min_amount_sats: 1000 } });
    expect(moved.body).toMatchObject({ provider: { id: 'plain' } });
    expect((await order(await offerOf('plain'), again)).status).toBe(200);
    const other = await customer();
    expect((await other.order(await other.offerOf('pusher'), again)).status).toBe(200);
    expect(refusal(await other.order(await other.offerOf('pusher'), first))).toEqual(refused);
  });

  it('after a lost answer, too', async () => {
    const [first, again] = one();
    const { offerOf, order } = await customer();
    const offer = await offerOf('pusher');
    sims.pusher.control.setFault({ endpoint: 'order', fault: 'lost-answer', times: 1 });
    expect((await order(offer, first)).body['code']).toBe('order-pending');
    const other = await customer();
    expect(refusal(await other.order(await other.offerOf('pusher'), again))).toEqual(refused);
    await gateway.passUntil('the order is found', async () => ((await order(offer, first)).status === 200 ? true : undefined));
    expect(refusal(await other.order(await other.offerOf('pusher'), again))).toEqual(refused);
  });
});

describe('two open orders that the provider could not tell apart', () => {
  const payout_to = { lightning_address: address };
  it('are refused, and the sentence names the open one', async () => {
    const { offerOf, order } = await customer();
    const of = async (amount_fiat: number): Promise<Offer> => await offerOf('pusher', undefined, { amount_fiat, ...sepa });
    lightning.tolerance.bps = 100;
    const open = await order(await of(10_000), { payout_to });
    expect(open.status).toBe(200);
    for (const near of [9_900, 10_000, 10_101]) {
      const refused = await order(await of(near), { payout_to });
      expect([refused.status, refused.body['code'], refused.body['order_ids']]).toEqual([409, 'amount-in-use', [open.body['order_id']]]);
      expect(refused.body['detail']).toContain(String(open.body['order_id']));
    }
    for (const far of [9_899, 10_103]) expect((await order(await of(far), { payout_to })).status).toBe(200);
    // Another customer's orders do not matter, and neither do those that can no longer be paid.
    const other = await customer();
    expect((await other.order(await other.offerOf('pusher'), { payout_to })).status).toBe(200);
  });

  it('are refused at the same moment, too, in two sessions', async () => {
    lightning.tolerance.bps = 100;
    const key = randomBytes(32).toString('hex');
    const [one, two] = [await customer(key), await customer(key)];
    const offers = await Promise.all([one.offerOf('pusher'), two.offerOf('pusher')]);
    const answers = await Promise.all([one.order(offers[0], { payout_to }), two.order(offers[1], { payout_to })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});

describe('two instances', () => {
  const inBoth = async (key: string) => {
    if (!second) throw new Error('there is one instance');
    return [await customer(key), await customer(key, second.url)] as const;
  };
  needsPostgres('make one order of one quote, to the destination of the request that was first', async () => {
    const [one, two] = await inBoth(randomBytes(32).toString('hex'));
    const offer = await one.offerOf('pusher');
    const before = lightning.placed.length;
    const answers = await Promise.all([
      one.order(offer, { payout_to: { lightning_address: address } }),
      two.order(offer, { payout_to: { lightning_address: 'alice@other.example' } }),
    ]);
    const [made, refused] = answers.sort((a, b) => a.status - b.status);
    expect([made?.status, refused?.status, refused?.body['code']]).toEqual([200, 409, 'quote-used']);
    expect(lightning.placed.slice(before)).toHaveLength(1);
    expect(made?.body['payout_to']).toEqual({ lightning_address: lightning.placed.at(-1)?.value, is_proven: false });
  });
  needsPostgres('have no two open orders of one customer that the provider could not tell apart', async () => {
    lightning.tolerance.bps = 100;
    const customers = await inBoth(randomBytes(32).toString('hex'));
    const offers = await Promise.all(customers.map(async (one) => await one.offerOf('pusher')));
    const answers = await Promise.all(customers.map(async (one, n) => await one.order(offers[n]!, { payout_to: { lightning_address: address } })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});

// The record of the pusher is worse from here on, and so is its rank.
describe('a payout that was short', () => {
  it('is disputed, and has nothing to release to the customer', async () => {
    const { offerOf, order, status } = await customer();
    const made = await order(await offerOf('pusher'), { payout_to: { lightning_address: address } });
    const id = String(made.body['order_id']);
    const upstream = await upstreamOf(id);
    lightning.shown.set(upstream, { payout_id: 'ef'.repeat(32) });
    lightning.short.add(upstream);
    await sims.pusher.control.pay(upstream, 'finished');
    await gateway.pass(11_000);
    expect(await status(id)).toMatchObject({ stage: 'finished', disputed: true, final: false });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const dossier = (await (await fetch(`${gateway.url}/operator/orders/${id}`, { headers })).json()) as Body;
    expect(dossier['settlings']).toEqual(['close-dispute']);
    const body = JSON.stringify({ settling: 'release-short', reason: 'they agreed', pin: dossier['pin'] });
    const refused = (await (await fetch(`${gateway.url}/operator/orders/${id}/settle`, { method: 'POST', headers, body })).json()) as Body;
    expect(refused['detail']).toContain('its provider sends the sats');
  });
});
