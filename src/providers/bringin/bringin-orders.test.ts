/** Prices, both ways to sell, and what happens to a payment, through the real adapter and real HTTP against the simulator. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBringin, valueOf, type Bringin, type Person } from '../../../test/support/bringin.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import type { Json } from '../../domain/offer.ts';
import type { CallContext, CatalogueOption, FollowedOrder, PlacedOrder, SellQuoteRequest } from '../spec.ts';
import { readNotice } from './bringin-notice.ts';

let bringin: Bringin;
let receiver: WebhookReceiver;
let person: Person;
let connection: Json;
let sepa: CatalogueOption;
let card: CatalogueOption;
const email = 'alice@example.com';
beforeAll(async () => {
  bringin = await startBringin({ linkMs: 0 });
  receiver = await startWebhookReceiver();
  person = await bringin.connectedPerson(email, `${receiver.url}/notices/o_1`);
  const { options } = valueOf(await bringin.adapter.catalogue(person.context()));
  [sepa, card] = options as [CatalogueOption, CatalogueOption];
  connection = await activeConnection('alice');
});
afterAll(async () => {
  await bringin.close();
  await receiver.close();
});
afterEach(() => {
  bringin.control.clearFaults();
  bringin.control.setOptions({ depositForm: 'lightning_address', expiryUnit: 'ms', webhooks: {}, convertMs: 0 });
});

type At = { network?: 'lightning' | 'onchain'; by?: Bringin; owner?: Person };
const activeConnection = async (lightningUsername: string, { network = 'lightning', by = bringin, owner = person }: At = {}): Promise<Json> => {
  const { connections } = by;
  const request = {
    name: `To bank ${lightningUsername}`,
    direction: 'sell',
    network,
    iban: 'DE89370400440532013000',
    bic: 'COBADEFFXXX',
    beneficiaryName: 'Alice Nakamoto',
    lightningUsername,
  } as const;
  const made = valueOf(await connections.create(owner.context(), request));
  const waiting = valueOf(await connections.read(owner.context(), made));
  return { ...valueOf<object>(await connections.confirm(owner.context(), waiting, '123456')) } as Json;
};
const asked = (more: Partial<SellQuoteRequest> = {}): SellQuoteRequest => ({
  ramp: 'sell',
  fixed: 'pay',
  amount: 250_000n,
  option: card,
  network: 'lightning',
  ...more,
});
const quote = async (request: SellQuoteRequest, by: Bringin = bringin) => await by.adapter.quote(person.context(), request);
const place = async (request: SellQuoteRequest, inputs: { connection?: Json } = {}, more: Partial<CallContext> = {}, by: Bringin = bringin) => {
  const offer = valueOf(await quote(request, by));
  return await person.does((context) => by.adapter.placeOrder(context, { quote: request, offer, inputs }), { idempotencyKey: 'intent-1', ...more });
};
const follow = (request: SellQuoteRequest, placed: PlacedOrder): FollowedOrder => ({
  orderId: 'ours',
  createdOn: bringin.simulator.control.state.clockOffsetMs + Date.now(),
  pay: placed.pay,
  receive: placed.receive,
  fee: placed.fee,
  upstream: { rail: request.option === card ? 'card' : 'sepa', network: request.network },
  facts: placed.facts ?? {},
  ...(placed.upstreamOrderId === undefined ? {} : { upstreamOrderId: placed.upstreamOrderId }),
  ...(placed.expiresOn === undefined ? {} : { expiresOn: placed.expiresOn }),
});
const evidence = async (order?: FollowedOrder) => valueOf(await bringin.adapter.readOrders(person.context(), order));
const askedForAddress = ({ control }: Bringin): unknown => control.state.requests.findLast(({ endpoint }) => endpoint === 'POST /offramp/address')?.body;
const valueIn = (placed: PlacedOrder): string => ('value' in placed.paymentInfo ? placed.paymentInfo.value : '');

describe('listing and prices', () => {
  test('two ways to be paid, from the settings', () => {
    expect([sepa, card]).toEqual([
      { currency: 'EUR', name: 'SEPA', upstream: { rail: 'sepa' }, feePpm: 10_000, minFiat: 2_200n },
      { currency: 'EUR', name: 'Card balance', upstream: { rail: 'card' }, feePpm: 10_000, minFiat: 2_200n },
    ]);
  });
  test('250,000 sats at 91,800.00 less 2.30 are 227.20, an estimate', async () => {
    expect(valueOf(await quote(asked({ option: sepa })))).toEqual({
      pay: 250_000n,
      receive: 22_720n,
      fee: 230n,
      binding: false,
      upstream: { rail: 'sepa', network: 'lightning' },
      facts: { provider_btc_price: '9180000', delivered_to: 'bank_transfer_started', matched_by: 'amount' },
      echo: { currency: 'EUR' },
      requires: ['connection'],
      warnings: [],
    });
  });
  test('for euros to receive', async () => {
    expect(valueOf(await quote(asked({ fixed: 'receive', amount: 22_720n })))).toMatchObject({ pay: 249_995n, receive: 22_720n, fee: 229n, requires: [] });
  });
  test('before there is an account, prices use the master key and name what is missing', async () => {
    const requires = async (option: CatalogueOption): Promise<unknown> =>
      valueOf(await bringin.adapter.quote(bringin.person().context(), asked({ option }))).requires;
    expect([await requires(card), await requires(sepa)]).toEqual([['account'], ['account', 'connection']]);
    const keys = bringin.control.state.requests.filter(({ endpoint }) => endpoint === 'POST /offramp/rates').map(({ key }) => key);
    expect([...new Set(keys)]).toEqual([bringin.simulator.control.state.options.masterKey]);
  });
  test('limits in the unit of the request', async () => {
    const limited = await startBringin({}, { sepa: { min_fiat: 2_200, max_fiat: 100_000 } });
    const of = async (fixed: 'pay' | 'receive', amount: bigint): Promise<unknown> => await quote(asked({ option: sepa, fixed, amount }), limited);
    expect(await of('receive', 2_199n)).toEqual({ ok: false, refusal: { reason: 'below-minimum', limits: { minReceive: 2_200n, maxReceive: 100_000n } } });
    expect(await of('pay', 2_000_000n)).toEqual({ ok: false, refusal: { reason: 'above-maximum', limits: { minPay: 24_208n, maxPay: 1_100_338n } } });
    await limited.close();
  });
  test('what it does not sell', async () => {
    expect(await quote(asked({ option: { ...card, currency: 'CHF' } }))).toEqual({ ok: false, refusal: { reason: 'currency-unsupported' } });
    const cardOnly = await startBringin({}, { options: ['card'] });
    expect(await quote(asked({ option: sepa }), cardOnly)).toEqual({ ok: false, refusal: { reason: 'option-unsupported' } });
    expect(valueOf(await cardOnly.adapter.catalogue(person.context())).options.map(({ name }) => name)).toEqual(['Card balance']);
    await cardOnly.close();
  });
  test.each(['better-than-market', 'other-ticker'] as const)('rates that lie: %s', async (fault) => {
    bringin.control.setFault({ endpoint: 'POST /offramp/rates', fault });
    await expect(quote(asked())).rejects.toMatchObject({ kind: 'malformed' });
  });
});

describe('the card, by an exact order', () => {
  test('Lightning: an invoice over the exact amount, paid, finished, on the balance', async () => {
    const request = asked();
    const placed = valueOf(await place(request));
    const invoice = valueIn(placed);
    expect(placed).toMatchObject({
      stage: 'awaiting_payment',
      pay: 250_000n,
      receive: 22_720n,
      fee: 230n,
      matchedBy: 'order_id',
      facts: { delivered_to: 'card_balance' },
    });
    expect(placed.paymentInfo).toEqual({ kind: 'invoice', value: invoice, amountSats: 250_000n });
    expect(decodeInvoice(invoice)).toMatchObject({
      network: 'regtest',
      amountMsat: 250_000_000n,
      timestamp: (placed.expiresOn ?? 0) / 1000 - 900,
      expirySeconds: 900,
    });
    expect(bringin.control.state.requests.at(-1)?.body).toEqual({
      sourceAmount: '250000',
      ipAddress: '203.0.113.7',
      paymentMethod: 'LIGHTNING',
      sourceId: 'intent-1.1',
    });
    const order = follow(request, placed);
    expect(await evidence(order)).toEqual([]);
    bringin.control.setOptions({ convertMs: 60_000 });
    const paidAs = await bringin.control.pay(invoice);
    expect(paidAs).toBe(placed.upstreamOrderId);
    expect(await evidence(order)).toEqual([
      { upstreamOrderId: paidAs, rawStatus: 'PROCESSING', stage: 'paid', pay: 250_000n, receive: 22_720n, echo: { currency: 'EUR' } },
    ]);
    const before = valueOf(await bringin.adapter.balance(person.context())).amountFiat;
    await bringin.control.setTransaction(email, paidAs, 'SUCCESSFUL');
    expect(await evidence(order)).toMatchObject([{ rawStatus: 'SUCCESSFUL', stage: 'finished' }]);
    expect(valueOf(await bringin.adapter.balance(person.context())).amountFiat - before).toBe(22_720n);
    await expect(bringin.control.pay(invoice)).rejects.toThrow('can no longer be paid');
  });
  test('on chain: an address, with its BIP21', async () => {
    const request = asked({ network: 'onchain' });
    const placed = valueOf(await place(request));
    const address = valueIn(placed);
    expect(placed.paymentInfo).toEqual({ kind: 'onchain', value: address, amountSats: 250_000n, bip21: `bitcoin:${address}?amount=0.0025` });
    expect(bringin.control.state.requests.at(-1)?.body).toMatchObject({ paymentMethod: 'ON_CHAIN' });
    await bringin.control.pay(address, 250_000n);
    expect(await evidence(follow(request, placed))).toMatchObject([{ upstreamOrderId: placed.upstreamOrderId, stage: 'finished' }]);
  });
  test.each([
    ['FAILED', 'failed'],
    ['EXPIRED', 'expired'],
    ['INITIATED', 'awaiting_payment'],
  ])('%s', async (status, stage) => {
    const request = asked();
    const placed = valueOf(await place(request));
    await bringin.control.pay(valueIn(placed));
    await bringin.control.setTransaction(email, placed.upstreamOrderId ?? '', status);
    expect(await evidence(follow(request, placed))).toMatchObject([{ rawStatus: status, stage }]);
  });
  test('an unknown status word is neither success nor failure, and is logged', async () => {
    const request = asked();
    const placed = valueOf(await place(request));
    await bringin.control.pay(valueIn(placed));
    bringin.control.setFault({ endpoint: 'POST /account/transactions', fault: 'unknown-status' });
    const [found] = await evidence(follow(request, placed));
    expect([found?.rawStatus, found?.stage]).toEqual(['SWAP_COMPLETED', undefined]);
    expect(bringin.logs.at(-1)).toBe('{"level":"warn","event":"bringin_status_unknown","of":"order","rows":1}');
  });
  test('expiresAt can be in seconds', async () => {
    bringin.control.setOptions({ expiryUnit: 's' });
    expect(Math.abs((valueOf(await place(asked())).expiresOn ?? 0) - Date.now() - 900_000)).toBeLessThan(5_000);
  });
  test("without the customer's own IPv4 nothing is sent; if the setting allows an order without it, no address is made up", async () => {
    const offer = valueOf(await quote(asked()));
    const sent = bringin.exchanges.length;
    const { customerIp: _none, ...context } = person.context();
    expect(await bringin.adapter.placeOrder(context, { quote: asked(), offer, inputs: {} })).toEqual({
      ok: false,
      refusal: { reason: 'declined', note: 'client-ipv4-required' },
    });
    expect(bringin.exchanges.length).toBe(sent);
    const lenient = await startBringin({}, { client_ipv4: 'optional', card_by: 'address' });
    const other = await lenient.connectedPerson();
    const { customerIp: _neither, ...without } = other.context();
    expect((await lenient.adapter.placeOrder(without, { quote: asked(), offer, inputs: {} })).ok).toBe(true);
    expect(askedForAddress(lenient)).toEqual({ sourceCurrency: 'BTC', sourceBlockchain: 'LIGHTNING' });
    await lenient.close();
  });
  test.each([
    ['other-amount', 'another amount'],
    ['other-network', 'another network'],
    ['other-expiry', 'expire at different times'],
  ] as const)('an order that lies is shown to nobody: %s', async (fault, problem) => {
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault });
    await expect(place(asked())).rejects.toThrow(problem);
  });
  test('an address of another network is shown to nobody', async () => {
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault: 'other-network' });
    await expect(place(asked({ network: 'onchain' }))).rejects.toThrow('the address is not on this network');
  });
  test('what Bringin refuses is refused with its code', async () => {
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault: 'refuse', status: 409 });
    expect(await place(asked())).toEqual({ ok: false, refusal: { reason: 'declined', note: 'order-refused', detail: '20001' } });
  });
  test('a lost answer may have made an order; each further try makes another one, three at most', async () => {
    const orders = () => [...bringin.control.state.payables.values()].map(({ sourceId }) => sourceId).filter((id) => id?.startsWith('intent-lost'));
    const again = async (attempt: number) => await place(asked(), {}, { idempotencyKey: 'intent-lost', attempt });
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 2 });
    await expect(again(1)).rejects.toMatchObject({ taken: 'maybe' });
    await expect(again(2)).rejects.toMatchObject({ taken: 'maybe' });
    const placed = valueOf(await again(3));
    expect(orders()).toEqual(['intent-lost.1', 'intent-lost.2', 'intent-lost.3']);
    expect(await again(4)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'attempts-used' } });
    expect(orders().length).toBe(3);
    // The two abandoned orders appear in no list. The third order is found once it is paid.
    await bringin.control.pay(valueIn(placed));
    expect(await evidence(follow(asked(), placed))).toMatchObject([{ upstreamOrderId: placed.upstreamOrderId, stage: 'finished' }]);
  });
  test('a failure or a rate limit of the rates is reported', async () => {
    bringin.control.setFault({ endpoint: 'POST /offramp/order', fault: '429' });
    await expect(place(asked())).rejects.toMatchObject({ kind: 'rate-limited', retryAfterMs: 2_000, taken: 'no' });
  });
});

describe('an order is at the price of its moment', () => {
  afterEach(() => bringin.control.setOptions({ price: '91800.00', bringinPrice: '90882.00' }));
  test.each(['card', 'sepa'] as const)('%s', async (rail) => {
    const request = asked({ option: rail === 'card' ? card : sepa, amount: 200_000n });
    const offer = valueOf(await quote(request));
    bringin.control.setOptions({ price: '90000.00', bringinPrice: '89000.00' });
    const placed = valueOf(await bringin.adapter.placeOrder(person.context(), { quote: request, offer, inputs: rail === 'sepa' ? { connection } : {} }));
    expect(placed).toMatchObject({ pay: 200_000n, receive: 17_800n, fee: 200n, facts: { provider_btc_price: '9000000' } });
  });
  test.each(['500', 'better-than-market'] as const)('without a price (%s), nothing is ordered', async (fault) => {
    const request = asked({ amount: 200_001n });
    const offer = valueOf(await quote(request));
    const before = bringin.endpoints().filter((endpoint) => endpoint === 'POST /offramp/order').length;
    bringin.control.setFault({ endpoint: 'POST /offramp/rates', fault, times: 1 });
    await expect(bringin.adapter.placeOrder(person.context(), { quote: request, offer, inputs: {} })).rejects.toMatchObject({ taken: 'no' });
    expect(bringin.endpoints().filter((endpoint) => endpoint === 'POST /offramp/order').length).toBe(before);
  });
});

describe('the card, by the reusable address', () => {
  let byAddress: Bringin;
  let owner: Person;
  beforeAll(async () => {
    byAddress = await startBringin({}, { card_by: 'address', lightning_hosts: ['dev.bringin.xyz', '127.0.0.1'] });
    owner = await byAddress.connectedPerson();
  });
  afterAll(async () => await byAddress.close());
  const placeBy = async (request: SellQuoteRequest) => {
    const offer = valueOf(await byAddress.adapter.quote(owner.context(), request));
    return await byAddress.adapter.placeOrder(owner.context(), { quote: request, offer, inputs: {} });
  };
  test.each([
    ['lightning_address', 250_001n],
    ['lnurl', 250_002n],
    ['invoice', 250_003n],
  ] as const)('Lightning, recognised by its form: %s', async (form, amount) => {
    byAddress.control.setOptions({ depositForm: form });
    const request = asked({ amount });
    const placed = valueOf(await placeBy(request));
    const limits = form === 'invoice' ? {} : { minSats: 1_000n, maxSats: 500_000n };
    expect(placed.paymentInfo).toEqual({ kind: form, value: valueIn(placed), amountSats: amount, ...limits });
    expect([placed.matchedBy, placed.upstreamOrderId]).toEqual(['amount', undefined]);
    expect(askedForAddress(byAddress)).toEqual({ ipAddress: '203.0.113.7', sourceCurrency: 'BTC', sourceBlockchain: 'LIGHTNING' });
    const order = follow(request, placed);
    const transaction = await byAddress.control.pay(valueIn(placed), amount);
    expect(valueOf(await byAddress.adapter.readOrders(owner.context(), order))).toMatchObject([
      { stage: 'finished', pay: amount, facts: { transaction_id: transaction } },
    ]);
  });
  test('on chain, with the value of the setting', async () => {
    const request = asked({ network: 'onchain' });
    const placed = valueOf(await placeBy(request));
    expect(placed.paymentInfo).toMatchObject({ kind: 'onchain', amountSats: 250_000n });
    expect(askedForAddress(byAddress)).toMatchObject({ sourceBlockchain: 'BITCOIN' });
    const order = follow(request, placed);
    await byAddress.control.pay(valueIn(placed), 250_000n);
    expect(valueOf(await byAddress.adapter.readOrders(owner.context(), order))).toMatchObject([{ stage: 'finished' }]);
  });
  test('its own limits, in the unit of the request', async () => {
    expect(await placeBy(asked({ amount: 500_001n }))).toEqual({
      ok: false,
      refusal: { reason: 'above-maximum', limits: { minPay: 1_000n, maxPay: 500_000n } },
    });
    expect(await placeBy(asked({ fixed: 'receive', amount: 50_000n }))).toMatchObject({
      ok: false,
      refusal: { reason: 'above-maximum', limits: { minReceive: 91n, maxReceive: 45_440n } },
    });
  });
  test('an address on another host is shown to nobody', async () => {
    byAddress.control.setOptions({ depositForm: 'lightning_address' });
    byAddress.control.setFault({ endpoint: 'POST /offramp/address', fault: 'other-host', times: 1 });
    await expect(placeBy(asked())).rejects.toMatchObject({ kind: 'malformed', taken: 'no' });
  });
  test('nor an LNURL at another host', async () => {
    const strict = await startBringin({ depositForm: 'lnurl' }, { card_by: 'address' });
    const other = await strict.connectedPerson();
    const offer = valueOf(await strict.adapter.quote(other.context(), asked()));
    await expect(strict.adapter.placeOrder(other.context(), { quote: asked(), offer, inputs: {} })).rejects.toThrow('the LNURL is at another host');
    await strict.close();
  });
  test('a Lightning address or invoice is not an on-chain address', async () => {
    const confused = await startBringin({}, { card_by: 'address', onchain_blockchain: 'LIGHTNING' });
    const other = await confused.connectedPerson();
    const request = asked({ network: 'onchain' });
    const offer = valueOf(await confused.adapter.quote(other.context(), request));
    await expect(confused.adapter.placeOrder(other.context(), { quote: request, offer, inputs: {} })).rejects.toMatchObject({ kind: 'malformed' });
    await confused.close();
  });
});

describe('the bank, by a connection', () => {
  const request = (): SellQuoteRequest => asked({ option: sepa, amount: 260_000n + BigInt(bringin.exchanges.length) });
  test('a Lightning address with its limits; a real invoice from it; the conversion is found by its amount', async () => {
    const wanted = request();
    const placed = valueOf(await place(wanted, { connection }));
    expect(placed).toMatchObject({ stage: 'awaiting_payment', matchedBy: 'amount', facts: { delivered_to: 'bank_transfer_started' } });
    expect(placed.upstreamOrderId).toBeUndefined();
    expect(placed.paymentInfo).toEqual({
      kind: 'lightning_address',
      value: 'alice@dev.bringin.xyz',
      amountSats: wanted.amount,
      minSats: 21_787n,
      maxSats: 5_471_036n,
    });
    const order = follow(wanted, placed);
    expect(await evidence(order)).toEqual([]);

    const metadata = (await (await fetch(`${bringin.simulator.url}/.well-known/lnurlp/alice`)).json()) as { callback: string; minSendable: string };
    expect(metadata.minSendable).toBe('21787000');
    const { pr } = (await (await fetch(`${metadata.callback}?amount=${wanted.amount * 1000n}`)).json()) as { pr: string };
    expect(decodeInvoice(pr)?.amountMsat).toBe(wanted.amount * 1000n);
    const transaction = await bringin.control.pay(pr);
    expect(await evidence(order)).toEqual([
      {
        rawStatus: 'SUCCESSFUL',
        stage: 'filled',
        pay: wanted.amount,
        receive: expect.any(BigInt) as unknown,
        facts: { transaction_id: transaction },
        guessed: true,
      },
    ]);
  });
  /** Returns a sale to a bank by Lightning, at a Bringin of its own that lists transactions that nobody has paid. */
  const saleAmongUnpaid = async (listsUnpaid: 'first' | 'last', block: Record<string, unknown> = {}) => {
    const unpaying = await startBringin({ listsUnpaid, linkMs: 0 }, block);
    const owner = await unpaying.connectedPerson();
    const active = await activeConnection('alice', { by: unpaying, owner });
    const wanted = asked({ option: sepa, amount: 145_000n });
    const offer = valueOf(await unpaying.adapter.quote(owner.context(), wanted));
    const ordered = async () => await unpaying.adapter.placeOrder(owner.context(), { quote: wanted, offer, inputs: { connection: active } });
    const sale = follow(wanted, valueOf(await ordered()));
    const reading = async () => valueOf(await unpaying.adapter.readOrders(owner.context(), sale));
    const invoice = async (): Promise<string> => {
      const answer = await (await fetch(`${unpaying.simulator.url}/lnurlp/alice/callback?amount=145000000`)).json();
      return (answer as { pr: string }).pr;
    };
    /** Adds `count` unpaid rows, as calls to the public LNURL callback would. */
    const strangers = async (count: number, sats = 145_000n): Promise<void> => {
      const one = unpaying.control.state.payables.get(await invoice());
      if (!one) throw new Error('no such invoice');
      for (let n = 1; n < count; n += 1) unpaying.control.state.payables.set(`invoice-${sats}-${n}`, { ...one, sats, orderId: `row-${sats}-${n}` });
    };
    return { unpaying, owner, offer, ordered, reading, invoice, strangers };
  };
  test('a top-up of the same amount that nobody pays is never taken for its payment', async () => {
    const { unpaying, owner, offer, reading, invoice } = await saleAmongUnpaid('last');
    unpaying.control.setFault({ endpoint: 'POST /offramp/order', fault: 'lost-answer', times: 1 });
    const topUp = asked({ amount: 145_000n });
    await expect(
      unpaying.adapter.placeOrder(owner.context(), { quote: topUp, offer: { ...offer, upstream: { rail: 'card', network: 'lightning' } }, inputs: {} }),
    ).rejects.toMatchObject({
      taken: 'maybe',
    });
    const rows = async () => valueOf(await unpaying.adapter.transactions(owner.context(), { limit: 5 })).map(({ rawStatus }) => rawStatus);
    expect([await rows(), await reading()]).toEqual([['INITIATED'], []]);
    const pr = await invoice();
    expect([(await rows()).length, await reading()]).toEqual([2, []]);
    const transaction = await unpaying.control.pay(pr);
    expect(await reading()).toMatchObject([{ stage: 'filled', facts: { transaction_id: transaction } }]);
    unpaying.pass(16 * 60_000);
    expect((await rows()).toSorted()).toEqual(['EXPIRED', 'SUCCESSFUL']);
    expect(await reading()).toMatchObject([{ stage: 'filled', facts: { transaction_id: transaction } }]);
    await unpaying.close();
  });
  test('rows that a stranger makes at its address, and nobody pays, do not hide its payment', async () => {
    const { unpaying, reading, invoice, strangers } = await saleAmongUnpaid('first', { transaction_pages: 1 });
    await strangers(250);
    expect(await reading()).toEqual([]);
    const transaction = await unpaying.control.pay(await invoice());
    expect(await reading()).toMatchObject([{ stage: 'filled', facts: { transaction_id: transaction } }]);
    await unpaying.close();
  });
  test('a read that is cut says nothing about it, unless its payment was read, and nothing is ordered then', async () => {
    const { unpaying, ordered, reading, invoice, strangers } = await saleAmongUnpaid('first', { transaction_pages: 1 });
    await strangers(400);
    const cut = { kind: 'busy', retryable: false, taken: 'no' };
    await expect(reading()).rejects.toMatchObject(cut);
    const transaction = await unpaying.control.pay(await invoice());
    await expect(reading()).rejects.toMatchObject(cut);
    await expect(ordered()).rejects.toMatchObject(cut);
    expect(unpaying.logs).toContain('{"level":"warn","event":"bringin_transactions_cut","rows":400}');
    unpaying.control.setOptions({ listsUnpaid: 'last' });
    expect(await reading()).toMatchObject([{ stage: 'filled', facts: { transaction_id: transaction } }]);
    await unpaying.close();
  });
  test('of many rows that a stranger makes, those of its very amount are stored with it, and too many of these leave it unordered', async () => {
    const { unpaying, ordered, reading, strangers } = await saleAmongUnpaid('first');
    await strangers(500, 144_999n);
    await strangers(100);
    // Two of the rows are real invoices, and the others are copies of them.
    const alike = async () => valueOf(await ordered()).facts?.earlier_payments;
    await expect(ordered()).resolves.toEqual({ ok: false, refusal: { reason: 'declined', note: 'amount-crowded' } });
    unpaying.control.state.payables.delete('invoice-145000-1');
    expect(await alike()).toHaveLength(100);
    expect((await alike())?.filter((id) => id.includes('144999'))).toEqual([]);
    // An order that was placed before can still be read.
    expect(await reading()).toEqual([]);
    await strangers(100);
    unpaying.pass(16 * 60_000);
    expect(await alike()).toEqual([]);
    await unpaying.close();
  });
  test('an earlier row of its amount that is paid only now is not its payment; what other orders have is asked for such rows alone', async () => {
    const { unpaying, owner, ordered, invoice } = await saleAmongUnpaid('first');
    const early = await invoice();
    const wanted = asked({ option: sepa, amount: 145_000n });
    const asking: (readonly string[])[] = [];
    const known: string[] = [];
    const ofOthers = async (ids: readonly string[]) => await Promise.resolve((asking.push(ids), ids.filter((id) => known.includes(id))));
    const sale = { ...follow(wanted, valueOf(await ordered())), ofOthers };
    const reading = async () => valueOf(await unpaying.adapter.readOrders(owner.context(), sale));
    await unpaying.control.pay(early);
    await unpaying.control.pay(((await (await fetch(`${unpaying.simulator.url}/lnurlp/alice/callback?amount=144000000`)).json()) as { pr: string }).pr);
    expect([await reading(), asking]).toEqual([[], []]);
    const transaction = await unpaying.control.pay(await invoice());
    expect(await reading()).toMatchObject([{ stage: 'filled', facts: { transaction_id: transaction } }]);
    known.push(transaction);
    expect([await reading(), asking]).toEqual([[], [[transaction], [transaction]]]);
    await unpaying.close();
  });
  test('two payments of the same amount: nobody guesses', async () => {
    const wanted = request();
    const order = follow(wanted, valueOf(await place(wanted, { connection })));
    for (let times = 0; times < 2; times += 1) {
      const answer = (await (await fetch(`${bringin.simulator.url}/lnurlp/alice/callback?amount=${wanted.amount * 1000n}`)).json()) as { pr: string };
      await bringin.control.pay(answer.pr);
    }
    expect(await evidence(order)).toEqual([{ stage: 'review', rawStatus: 'AMBIGUOUS' }]);
  });
  test.each([-5_000, 5_000])("a payment is found though Bringin's clock differs by %s ms, and an earlier one is not taken for it", async (ms) => {
    bringin.control.moveClock(ms);
    const wanted = request();
    const pay = async () => {
      const answer = (await (await fetch(`${bringin.simulator.url}/lnurlp/alice/callback?amount=${wanted.amount * 1000n}`)).json()) as { pr: string };
      return await bringin.control.pay(answer.pr);
    };
    await pay();
    const order = { ...follow(wanted, valueOf(await place(wanted, { connection }))), createdOn: Date.now() };
    expect(await evidence(order)).toEqual([]);
    const transaction = await pay();
    expect(await evidence(order)).toMatchObject([{ stage: 'filled', facts: { transaction_id: transaction } }]);
    bringin.control.moveClock(-ms);
  });
  test('on chain: the deposit address of the connection', async () => {
    const onchain = await activeConnection('unused', { network: 'onchain' });
    const wanted = asked({ option: sepa, network: 'onchain', amount: 777_000n });
    const placed = valueOf(await place(wanted, { connection: onchain }));
    expect(placed.paymentInfo).toMatchObject({ kind: 'onchain', amountSats: 777_000n });
    const order = follow(wanted, placed);
    await bringin.control.pay(valueIn(placed), 777_000n);
    expect(await evidence(order)).toMatchObject([{ stage: 'filled', pay: 777_000n }]);
    expect(await place(asked({ option: sepa }), { connection: onchain })).toEqual({
      ok: false,
      refusal: { reason: 'declined', note: 'connection-unsuitable' },
    });
  });
  test('more than the address takes', async () => {
    expect(await place(asked({ option: sepa, amount: 5_471_037n }), { connection })).toEqual({
      ok: false,
      refusal: { reason: 'above-maximum', limits: { minPay: 21_787n, maxPay: 5_471_036n } },
    });
  });
  test("refused: no connection, or one that waits, has ended or is another customer's", async () => {
    const declined = (note: string): unknown => ({ ok: false, refusal: { reason: 'declined', note } });
    expect(await place(request())).toEqual(declined('connection-required'));
    const id = (connection as { upstreamId: string }).upstreamId;
    for (const status of ['INITIATING', 'INACTIVE', 'EXPIRED']) {
      bringin.control.setLink(email, id, status);
      expect(await place(request(), { connection })).toEqual(declined('connection-not-active'));
    }
    bringin.control.setLink(email, id, 'ACTIVE');
    expect(await place(request(), { connection: { ...(connection as object), upstreamId: 'nobodys' } as Json })).toEqual(declined('connection-not-found'));
    // The connection would pay a bank account that differs from the stored one.
    expect(await place(request(), { connection: { ...(connection as object), iban: 'FR1420041010050500013M02606' } as Json })).toEqual(
      declined('connection-not-active'),
    );
  });
  test('an address that moved to another host is shown to nobody', async () => {
    const elsewhere = await startBringin({ linkMs: 0, lightningDomain: 'evil.example' }, { ln_address_form: 'username' });
    const owner = await elsewhere.connectedPerson();
    const active = await activeConnection('alice', { by: elsewhere, owner });
    const offer = valueOf(await elsewhere.adapter.quote(owner.context(), asked({ option: sepa })));
    const placing = elsewhere.adapter.placeOrder(owner.context(), { quote: asked({ option: sepa }), offer, inputs: { connection: active } });
    await expect(placing).rejects.toMatchObject({ kind: 'malformed', taken: 'no' });
    await elsewhere.close();
  });
  test.each(['GET /bringin-link/{id}', 'GET /.well-known/lnurlp'])('a failure of %s ordered nothing', async (endpoint) => {
    bringin.control.setFault({ endpoint, fault: '500', times: 1 });
    await expect(place(request(), { connection })).rejects.toMatchObject({ kind: 'server', taken: 'no' });
  });
  test('an address that refuses payments', async () => {
    const wanted = request();
    bringin.control.setFault({ endpoint: 'GET /.well-known/lnurlp', fault: 'refuse', status: 404, times: 1 });
    expect(await place(wanted, { connection })).toEqual({ ok: false, refusal: { reason: 'declined', note: 'address-not-payable' } });
  });
  test("no key goes to the Lightning address's host", () => {
    const asking = bringin.exchanges.filter(({ request: { url } }) => url.includes('lnurlp'));
    expect(asking.length).toBeGreaterThan(0);
    expect(asking.flatMap(({ request: { headers } }) => Object.keys(headers ?? {}).filter((name) => name === 'api-key' || name === 'authorization'))).toEqual(
      [],
    );
  });
});

describe('reading', () => {
  test('page by page, none skipped; the newest first where a list is shown', async () => {
    const many = await startBringin({ linkMs: 0 });
    const owner = await many.connectedPerson();
    const { transactions } = many.control.user(email);
    const rows = Array.from({ length: 250 }, (_, index) => ({
      orderId: `t-${index}`,
      type: 'OFFRAMP_WITHOUT_FIAT_WITHDRAWAL',
      subType: 'LIGHTNING',
      sourceAmount: '1000',
      sourceCurrency: 'BTC',
      destinationAmount: '90',
      destinationCurrency: 'EUR',
      destinationAddress: 'x',
      status: 'SUCCESSFUL',
      createdAt: new Date(Date.now() + ((index * 37) % 250) * 1_000).toISOString(),
      sourceId: undefined,
    }));
    transactions.push(...rows);
    expect(valueOf(await many.adapter.readOrders(owner.context())).length).toBe(250);
    const pages = many.control.state.requests.filter(({ endpoint }) => endpoint === 'POST /account/transactions');
    expect(pages.map(({ body }) => body)).toEqual(['0', '100', '200'].map((offset) => ({ limit: '100', offset })));
    const shown = valueOf(await many.adapter.transactions(owner.context(), { limit: 3 }));
    expect(shown.map(({ createdOn }) => createdOn)).toEqual(
      rows
        .map(({ createdAt }) => Date.parse(createdAt))
        .sort((a, b) => b - a)
        .slice(0, 3),
    );
    const short = await startBringin({}, { transaction_pages: 1 });
    const other = await short.connectedPerson();
    short.control.user(email).transactions.push(...rows);
    expect(valueOf(await short.adapter.readOrders(other.context())).length).toBe(100);
    expect(short.logs).toContain('{"level":"warn","event":"bringin_transactions_cut","rows":100}');
    await many.close();
    await short.close();
  });
  test('the notice of a top-up names the order and our id; a forged one moves nothing', async () => {
    bringin.control.setOptions({ webhooks: { duplicates: 1, hold: true } });
    const first = valueOf(await place(asked(), {}, { idempotencyKey: 'first' }));
    const second = valueOf(await place(asked({ amount: 251_000n }), {}, { idempotencyKey: 'second' }));
    await bringin.control.pay(valueIn(first));
    await bringin.control.pay(valueIn(second));
    receiver.received.length = 0;
    await bringin.control.releaseReversed();
    const notices = receiver.received.map(({ path, body }) => [path, (JSON.parse(body) as { sourceId: string }).sourceId]);
    expect(notices).toEqual(['second.1', 'second.1', 'first.1', 'first.1'].map((id) => ['/notices/o_1/order-status', id]));
    expect(readNotice('/order-status', receiver.received.at(-1)?.body ?? '')).toEqual({ about: 'orders', upstreamId: first.upstreamOrderId });

    const request = asked();
    const unpaid = valueOf(await place(request));
    await bringin.control.forge(`${receiver.url}/notices/o_1/order-status`, {
      orderId: unpaid.upstreamOrderId,
      status: 'SUCCESSFUL',
      destinationAmount: '22720',
    });
    expect(await evidence(follow(request, unpaid))).toEqual([]);
  });
  test.each(['503', 'reset', 'html200', 'truncated', 'redirect'] as const)('%s while reading changes nothing', async (fault) => {
    bringin.control.setFault({ endpoint: 'POST /account/transactions', fault, times: 1 });
    await expect(bringin.adapter.readOrders(person.context())).rejects.toMatchObject({ name: 'ProviderFault' });
    expect((await bringin.adapter.readOrders(person.context())).ok).toBe(true);
  });
  test('an endless response is cut off at the largest size', async () => {
    bringin.control.setFault({ endpoint: 'POST /account/get-balance', fault: 'endless', times: 1 });
    await expect(bringin.adapter.balance(person.context())).rejects.toMatchObject({ kind: 'malformed' });
  });
  test('a slow response is cut off by the signal', async () => {
    bringin.control.setFault({ endpoint: 'POST /account/get-balance', fault: 'latency', ms: 2_000, times: 1 });
    await expect(bringin.adapter.balance(person.context({ signal: AbortSignal.timeout(50) }))).rejects.toMatchObject({ kind: 'timeout' });
  });
});
