/** Orders against the simulated DFX. Adapter and simulator were written from DFX's contract by different people. */
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { Json } from '../../domain/offer.ts';
import type { PayoutTo } from '../../domain/payout.ts';
import { ProviderFault } from '../fault.ts';
import type { Answer, BuyQuoteRequest, CallContext, FollowedOrder, OrderEvidence, PlacedOrder } from '../spec.ts';
import { addressOf } from './dfx-identity.ts';
import { createDfxSimulator, type SimulatorControl } from './dfx.simulator.ts';
import type { SimulatorOptions } from './dfx.simulator-state.ts';
import { provider } from './index.ts';

const key = 'an-operator-key-of-at-least-32-characters';
const node: PayoutTo = { kind: 'node_pubkey', value: '02e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad', isProven: true };
const alice: PayoutTo = { kind: 'lightning_address', value: 'alice@wallet.example', isProven: false };
const day = 86_400_000;

let now = 0;
let logs: string[] = [];
let control: SimulatorControl;
/** Makes DFX answer every confirmation with 400. */
let refuseConfirm = false;
let context: CallContext;
beforeEach(() => {
  now = Date.UTC(2026, 10, 29, 12);
  logs = [];
  refuseConfirm = false;
  context = { signal: new AbortController().signal, requestId: 'req', idempotencyKey: 'our-order-1' };
});

let simulator: ReturnType<typeof createDfxSimulator>;
const start = (options: Partial<SimulatorOptions> = {}, settings: object = {}) => {
  const wallets = { ours: { platformBps: 0, autoTradeApproval: true } };
  simulator = createDfxSimulator({ id: 'dfx', now: () => now, network: 'regtest', wallets, ...options });
  ({ control } = simulator);
  return connect(settings);
};
/** Makes an adapter over the running simulator. */
const connect = (settings: object = {}, secret: string = key) => {
  const { buy, sell, accounts } = provider.create(
    {
      providerId: 'dfx',
      http: async ({ method, url, body, headers = {} }) => {
        if (refuseConfirm && url.endsWith('/confirm'))
          return { status: 400, headers: {}, body: new TextEncoder().encode('{"message":"Transaction request is not valid"}') };
        const response = await simulator.app.fetch(new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }));
        return {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          body: new Uint8Array(await response.arrayBuffer()),
        };
      },
      now: () => now,
      newId: () => 'id',
      log: (_level, event) => void logs.push(event),
      network: 'regtest',
      mode: 'sandbox',
      secret: () => secret,
    },
    provider.settings.parse({ base_url: 'https://dfx.example', login_key_env: 'DFX_KEY', wallet: 'ours', ...settings }),
  );
  if (!buy?.payoutKinds || !sell?.connections || !accounts) throw new Error('a ramp is missing');
  return { buy, sell, accounts, connections: sell.connections };
};
type Buy = ReturnType<typeof start>['buy'];

const valueOf = <T>(answer: Answer<T>): T => {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.refusal)}`);
  return answer.value;
};
const buying = async (buy: Buy, amount = 10_000n, fixed: 'pay' | 'receive' = 'pay'): Promise<BuyQuoteRequest> => {
  const option = valueOf(await buy.catalogue(context)).options.find(({ currency }) => currency === 'EUR');
  if (!option) throw new Error('no EUR');
  return { ramp: 'buy', fixed, amount, option };
};
const place = async (buy: Buy, payoutTo: PayoutTo = node, amount = 10_000n, fixed: 'pay' | 'receive' = 'pay'): Promise<Answer<PlacedOrder>> => {
  const quote = await buying(buy, amount, fixed);
  const offer = valueOf(await buy.quote(context, quote));
  return await buy.placeOrder(context, { quote, offer, inputs: { payoutTo } });
};
/** Makes DFX know the customer's e-mail address and nothing else about them. Returns their address for payouts. */
const known = async (buy: Buy, payoutTo: PayoutTo = node): Promise<string> => {
  const address = addressOf(payoutTo) ?? '';
  await place(buy, payoutTo);
  await control.setAccount(address, { mail: 'alice@example.com', level: 10 });
  return address;
};
const followed = (placed: PlacedOrder, more: Partial<FollowedOrder> = {}): FollowedOrder => {
  const { pay, receive, fee, upstreamOrderId = '', facts = {} } = placed;
  return { orderId: 'ours', upstreamOrderId, idempotencyKey: 'our-order-1', createdOn: now, pay, receive, fee, upstream: {}, facts, payoutTo: node, ...more };
};
const read = async (buy: Buy, order: FollowedOrder): Promise<OrderEvidence | undefined> => valueOf(await buy.readOrders(context, order))[0];
const shown = (value: unknown): string => JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}` : one));
const faultOf = async (call: Promise<unknown>): Promise<ProviderFault> => {
  try {
    throw new Error(`no fault: ${shown(await call)}`);
  } catch (fault) {
    if (fault instanceof ProviderFault) return fault;
    throw fault;
  }
};
const sent = (endpoint: string) => control.requests.filter((one) => one.endpoint === endpoint);

describe('placing an order to buy', () => {
  it('shows where to pay, once the order is confirmed', async () => {
    const { buy } = start();
    await known(buy);
    const order = valueOf(await place(buy));
    expect(order).toMatchObject({
      stage: 'awaiting_payment',
      pay: 10_000n,
      receive: 123_137n,
      fee: 149n,
      expiresOn: now + 7 * day,
      facts: { amount_tolerance_bps: 100, provider_btc_price: '8000000' },
      paymentInfo: { kind: 'fiat', paymentDetails: { provider_iban: expect.any(String) as string, provider_reference: expect.any(String) as string } },
    });
    expect(sent('PUT /v1/buy/paymentInfos').at(-1)?.body).toMatchObject({ currency: { id: 2 }, externalTransactionId: 'our-order-1', exactPrice: true });
    expect(sent('PUT /v1/buy/paymentInfos/{id}/confirm')).toHaveLength(1);
  });
  it('an amount of sats', async () => {
    const { buy } = start();
    await known(buy);
    expect(valueOf(await place(buy, node, 107_869n, 'receive'))).toMatchObject({ pay: 8_760n, receive: 107_869n });
  });
  it('is not confirmed, and so takes no payment of another order, if it asks for more than the gateway shows', async () => {
    const { buy } = start();
    await known(buy);
    const quote = await buying(buy, 107_869n, 'receive');
    const offer = valueOf(await buy.quote(context, quote));
    const confirmedAfter = async (mostPay: bigint): Promise<number> => {
      expect(valueOf(await buy.placeOrder(context, { quote, offer, inputs: { payoutTo: node }, mostPay }))).toMatchObject({ pay: 8_760n });
      return sent('PUT /v1/buy/paymentInfos/{id}/confirm').length;
    };
    expect([await confirmedAfter(8_759n), await confirmedAfter(8_760n)]).toEqual([0, 1]);
  });
  it('signs in with the derived secret, and asks for no signature', async () => {
    const { buy } = start();
    await known(buy);
    await place(buy);
    const logins = sent('POST /v1/auth');
    expect(new Set(logins.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(logins[0]?.body).toMatchObject({ address: addressOf(node), signature: expect.stringMatching(/^[a-z0-9]{140}$/) as string, wallet: 'ours' });
    expect(sent('GET /v1/auth/signMessage')).toEqual([]);
  });
});

describe('an address', () => {
  it('that nobody has proved is registered only if the operator wants that', async () => {
    const { buy } = start();
    expect(buy.payoutKinds).toEqual(['node_pubkey']);
    for (const payoutTo of [alice, { ...node, isProven: false }])
      expect(await place(buy, payoutTo)).toEqual({ ok: false, refusal: { reason: 'payout-unsupported', note: 'payout-refused' } });
    expect(sent('POST /v1/auth')).toEqual([]);
    const open = start({}, { unproven_addresses: 'register' });
    expect(open.buy.payoutKinds).toEqual(['lightning_address', 'lnurl', 'node_pubkey']);
    await known(open.buy, alice);
    expect(valueOf(await place(open.buy, alice))).toMatchObject({ stage: 'awaiting_payment' });
  });
  it('that somebody else has registered is left alone', async () => {
    await known(start().buy);
    const other = connect({}, `${key} of somebody else`);
    expect(await place(other.buy)).toEqual({ ok: false, refusal: { reason: 'account-required', note: 'address-known' } });
    expect(sent('PUT /v1/buy/paymentInfos')).toHaveLength(1);
  });
  it('is not registered without a key of the operator, or with a short one', async () => {
    const { buy } = start({}, { login_key_env: undefined });
    const short = connect({}, 'short');
    for (const one of [buy, short.buy]) expect(await place(one)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'token-refused' } });
    expect(sent('POST /v1/auth')).toEqual([]);
  });
});

describe('an order that DFX does not take', () => {
  const page = (more: string) => new RegExp(`^https://app\\.dfx\\.swiss/kyc\\?code=[^&]+${more}$`);
  it('names the page of the customer, with the step that helps', async () => {
    const { buy } = start({ wallets: {} });
    expect(await place(buy)).toEqual({
      ok: false,
      refusal: { reason: 'kyc-required', detail: 'EmailRequired', actionUrl: expect.stringMatching(page('&step=ContactData')) as string },
    });
    await control.setAccount(addressOf(node) ?? '', { mail: 'alice@example.com', level: 10 });
    expect(await place(buy)).toMatchObject({
      refusal: { reason: 'kyc-required', detail: 'RecommendationRequired', actionUrl: expect.stringMatching(page('&step=Recommendation')) as string },
    });
    expect(JSON.stringify(logs)).not.toContain('kyc');
  });
  it('still says why if the page cannot be found out', async () => {
    const { buy } = start();
    control.setFault({ endpoint: 'GET /v2/user', fault: '500', times: 1 });
    expect(await place(buy)).toMatchObject({ ok: false, refusal: { reason: 'kyc-required', detail: 'EmailRequired' } });
  });
  it.each([
    ['AmountTooLow', 'below-minimum'],
    ['KycRequired', 'kyc-required'],
    ['NationalityNotAllowed', 'country-restricted'],
    ['IbanCurrencyMismatch', 'declined'],
  ] as const)('%s under 200, although it comes with bank details: they are not shown', async (word, reason) => {
    const { buy } = start({ refuseOrdersBy: '200', detailsIfInvalid: true });
    await known(buy);
    const quote = await buying(buy);
    const offer = valueOf(await buy.quote(context, quote));
    control.setOptions({ refuse: [word] });
    const answer = await buy.placeOrder(context, { quote, offer, inputs: { payoutTo: node } });
    expect(answer).toMatchObject({ ok: false, refusal: { reason } });
    expect(JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))).not.toMatch(
      /paymentInfo|BFRILI|[A-Z0-9]{4}-[A-Z0-9]{4}-/,
    );
    expect(sent('PUT /v1/buy/paymentInfos/{id}/confirm')).toEqual([]);
  });
  it('because its currency has no bank', async () => {
    const { buy } = start({ noBank: { currencies: ['EUR'], message: 'No Bank for the given amount/currency' } });
    await known(buy);
    expect(await place(buy)).toMatchObject({ refusal: { reason: 'option-unsupported' } });
  });
  it('because the customer is blocked', async () => {
    const { buy } = start();
    await control.setAccount(await known(buy), { blocked: true });
    expect(await place(buy)).toMatchObject({ refusal: { reason: 'declined', note: 'order-refused' } });
  });
  it("because of the gateway's own country: the operator is told", async () => {
    const { buy } = start();
    await known(buy);
    control.setFault({ endpoint: 'POST /v1/auth', fault: 'country-403' });
    expect(await place(buy)).toEqual({ ok: false, refusal: { reason: 'country-restricted' } });
    expect(logs).toEqual(['operator_country']);
  });
  it('because the token has expired, is sent again with a new one; a second refusal is a fault', async () => {
    const { buy } = start();
    await known(buy);
    const before = sent('POST /v1/auth').length;
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'unauthorized', times: 1 });
    expect(valueOf(await place(buy))).toMatchObject({ stage: 'awaiting_payment' });
    expect(sent('POST /v1/auth').length - before).toBe(2);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'unauthorized' });
    expect(await faultOf(place(buy))).toMatchObject({ kind: 'rejected-credentials', taken: 'no' });
  });
});

describe('an answer that cannot be true makes no order', () => {
  it.each(['other-amount', 'other-estimate', 'no-details', 'bad-iban'] as const)('%s', async (kind) => {
    const { buy } = start();
    await known(buy);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: kind });
    expect(await faultOf(place(buy))).toMatchObject({ kind: 'malformed', taken: 'maybe' });
  });
  it('an order that cannot be confirmed', async () => {
    const { buy } = start();
    await known(buy);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos/{id}/confirm', fault: '503' });
    expect(await faultOf(place(buy))).toMatchObject({ kind: 'server', orderMade: expect.stringMatching(/^Q/) as string, taken: 'maybe' });
    refuseConfirm = true;
    expect(await place(buy)).toMatchObject({ refusal: { reason: 'declined', note: 'order-refused' } });
  });
  it('a lost answer: sent again, it is the same way to pay', async () => {
    const { buy } = start();
    await known(buy);
    control.setFault({ endpoint: 'PUT /v1/buy/paymentInfos', fault: 'lost-answer', times: 1 });
    expect((await faultOf(place(buy))).taken).toBe('maybe');
    const [again, more] = [valueOf(await place(buy)), valueOf(await place(buy, node, 20_000n))];
    expect(again.paymentInfo).toEqual(more.paymentInfo);
  });
});

describe('following', () => {
  const placed = async (options: Partial<SimulatorOptions> = {}, settings: object = {}) => {
    const { buy } = start(options, settings);
    await known(buy);
    const order = valueOf(await place(buy));
    return { buy, order: followed(order), uid: order.upstreamOrderId ?? '' };
  };
  it('from the payment to the sats', async () => {
    const { buy, order, uid } = await placed();
    expect(await read(buy, order)).toMatchObject({ stage: 'awaiting_payment', rawStatus: 'WaitingForPayment', upstreamOrderId: uid });
    expect(await read(buy, order)).not.toHaveProperty('moneySeen');
    const transaction = await control.pay(uid);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', moneySeen: true, pay: 10_000n, facts: { transaction_id: transaction } });
    await control.step(uid);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', rawStatus: 'Processing' });
    await control.deliver(uid);
    expect(await read(buy, order)).toMatchObject({
      stage: 'finished',
      receive: 123_137n,
      facts: { payout_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string, payout_on: new Date(now).toISOString() },
      echo: { currency: 'EUR' },
    });
  });
  it('Completed before the transaction is booked is not the end', async () => {
    const { buy, order, uid } = await placed({ unbookedReads: 1 });
    await control.pay(uid);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', rawStatus: 'Completed' });
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', rawStatus: 'Created' });
  });
  it.each(['CheckPending', 'KycRequired', 'LimitExceeded'])('a hold (%s) is a payment that waits', async (state) => {
    const { buy, order, uid } = await placed();
    await control.hold(await control.pay(uid), state);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', moneySeen: true });
  });
  it.each([
    ['Failed', 'failed'],
    ['Stopped', 'review'],
    ['FeeTooHigh', 'paid'],
    ['SomethingNew', undefined],
  ])('%s', async (state, stage) => {
    const { buy, order, uid } = await placed();
    await control.setState(await control.pay(uid), state);
    expect(await read(buy, order)).toMatchObject({ rawStatus: state, moneySeen: true });
    expect((await read(buy, order))?.stage).toBe(stage);
  });
  it('money that goes back', async () => {
    const { buy, order, uid } = await placed();
    const transaction = await control.pay(uid);
    await control.giveBack(transaction);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', rawStatus: 'ReturnPending' });
    await control.giveBack(transaction);
    expect(await read(buy, order)).toMatchObject({ stage: 'refunded', pay: 10_000n });
  });
  it('half a percent more or less is this payment, and is told', async () => {
    const { buy, order, uid } = await placed();
    await control.pay(uid, 9_950);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', pay: 9_950n });
  });
  test.each([
    ['too much', 10_300, 2 * day],
    ['too late', 10_000, 8 * day],
  ])('%s: DFX books it without the order, and it is still found', async (_, amount, later) => {
    const { buy, order, uid } = await placed();
    now += later;
    await control.pay(uid, amount);
    expect(await read(buy, order)).toMatchObject({ stage: 'paid', pay: BigInt(amount), moneySeen: true, upstreamOrderId: uid });
    await control.deliver((await read(buy, order))?.facts?.transaction_id ?? '');
    expect(await read(buy, order)).toMatchObject({ stage: 'finished', facts: { payout_id: expect.any(String) as string } });
  });
  it('does not ask for unlinked payments on the first day', async () => {
    const { buy, order, uid } = await placed();
    await control.pay(uid, 10_300);
    expect(await read(buy, order)).toMatchObject({ stage: 'awaiting_payment' });
    expect(sent('GET /v1/transaction/detail')).toEqual([]);
  });
  it('two payments without an order, or another order as near: a person must look', async () => {
    const { buy, order, uid } = await placed();
    now += 2 * day;
    await control.pay(uid, 10_300);
    const other = valueOf(await place(buy, node, 10_500n));
    expect(await read(buy, order)).toMatchObject({ stage: 'review', moneySeen: true });
    expect(other.upstreamOrderId).not.toBe(uid);
  });
  it('a payment from long before belongs to another order', async () => {
    const { buy, order } = await placed();
    await control.pay(order.upstreamOrderId ?? '', 10_300);
    now += day;
    const later = followed(valueOf(await place(buy)));
    now += 2 * day;
    expect(await read(buy, later)).toMatchObject({ stage: 'awaiting_payment' });
  });
  it('after 90 days DFX knows nothing of an unpaid order', async () => {
    const { buy, order } = await placed();
    now += 91 * day;
    expect(valueOf(await buy.readOrders(context, order))).toEqual([]);
  });
  it('the state of another order is not believed, nor is one of a sale', async () => {
    const { buy, order } = await placed();
    control.setFault({ endpoint: 'GET /v1/transaction/single', fault: 'other-uid', times: 1 });
    expect(await faultOf(read(buy, order))).toMatchObject({ kind: 'malformed' });
    control.setOptions({ says: (_endpoint, truth) => ({ ...(truth as object), type: 'Sell' }) });
    expect(await faultOf(read(buy, order))).toMatchObject({ kind: 'malformed' });
  });
  it.each([
    ['routing-error', 'paid'],
    ['below-minimum', 'failed'],
    ['unclear', 'review'],
  ] as const)('a payout that meets %s', async (payout, stage) => {
    const { buy, order, uid } = await placed({ payout });
    await control.pay(uid);
    await control.step(uid);
    await control.step(uid);
    await control.step(uid);
    expect(await read(buy, order)).toMatchObject({ stage, moneySeen: true });
  });
  it('a guaranteed price that takes the fee twice is told as it was delivered', async () => {
    const { buy, order, uid } = await placed({ guaranteedPrice: true });
    await control.pay(uid);
    await control.deliver(uid);
    expect(await read(buy, order)).toMatchObject({ stage: 'finished', receive: 121_300n });
  });
  it('orders cannot be listed without naming one', async () => {
    const { buy } = start();
    expect(await buy.readOrders(context)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'orders-not-listed' } });
  });
});

type Parts = ReturnType<typeof start>;
const email = 'alice@example.com';
/** Starts an account, and makes its customer known to DFX. Returns the account's blob. */
const seller = async ({ accounts }: Parts): Promise<string> => {
  const answer = await accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
  await control.setAccount(addressOf(node) ?? '', { approved: true, level: 30, dataComplete: true });
  return answer.customer ?? '';
};
const iban = 'DE89370400440532013000';
const sale = async ({ sell, connections }: Parts, customer: string, amount = 250_000n, fixed: 'pay' | 'receive' = 'pay', account = iban) => {
  const known = { ...context, customer };
  const option = valueOf(await sell.catalogue(known)).options.find(({ currency }) => currency === 'EUR');
  if (!option) throw new Error('no EUR');
  const quote = { ramp: 'sell', fixed, amount, option, network: 'lightning' } as const;
  const offer = valueOf(await sell.quote(known, quote));
  const connection = valueOf(await connections.create(known, { name: 'bank', direction: 'sell', network: 'lightning', iban: account }));
  return { offer, answer: await sell.placeOrder(known, { quote, offer, inputs: { connection: JSON.parse(JSON.stringify(connection)) as Json } }) };
};

describe('an account', () => {
  it('is one address: it asks for what is missing, then leads to the page of DFX', async () => {
    const { accounts } = start();
    expect(await accounts.startAccount(context, { email, ref: 'r' })).toEqual({ ok: true, value: { status: 'onboarding', needs: ['payout_to'] } });
    const first = await accounts.startAccount(context, { payoutTo: node, ref: 'r' });
    expect(first).toMatchObject({ ok: true, value: { status: 'onboarding', needs: ['email'], userId: expect.stringMatching(/^\d+$/) as string } });
    const known = { ...context, customer: first.customer ?? '' };
    const second = await accounts.startAccount(known, { email, ref: 'r' });
    expect(second).toMatchObject({ value: { status: 'onboarding', signupUrl: expect.stringMatching(/^https:\/\/app\.dfx\.swiss\/kyc\?code=/) as string } });
    await control.setAccount(addressOf(node) ?? '', { dataComplete: true });
    expect(await accounts.readAccount(known)).toMatchObject({ value: { status: 'connected' } });
    await control.setAccount(addressOf(node) ?? '', { level: -20 });
    expect(await accounts.readAccount(known)).toMatchObject({ value: { status: 'rejected' } });
    expect(await accounts.startAccount(known, { payoutTo: alice, ref: 'r' })).toMatchObject({ refusal: { note: 'payout-refused' } });
  });
  it('waits for the code that DFX has sent', async () => {
    const { accounts } = start({ mailCode: 'always' });
    const begun = await accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
    expect(begun).toMatchObject({ value: { status: 'onboarding', needs: ['code'], codeSentBy: 'mail' } });
    const known = { ...context, customer: begun.customer ?? '' };
    expect(await accounts.readAccount(known)).toMatchObject({ value: { needs: ['code'] } });
    expect(await accounts.codes?.confirm(known, '000000x')).toEqual({ ok: 'code-wrong' });
    expect(await accounts.codes?.send(known)).toMatchObject({ value: { needs: ['code'] } });
    const code = [...control.books.accounts.values()].find((one) => one.pending)?.pending?.code ?? '';
    const done = (await accounts.codes?.confirm(known, code)) ?? begun;
    expect(done).toMatchObject({ ok: true, value: { status: 'onboarding' } });
    expect(done).not.toHaveProperty(['value', 'needs']);
    expect(await accounts.codes?.confirm({ ...context, customer: 'customer' in done ? (done.customer ?? '') : '' }, code)).toMatchObject({
      refusal: { note: 'no-code-expected' },
    });
  });
  it.each(['GET /v2/user', 'PUT /v2/user/mail'])('that the login has made is there, although %s is limited', async (endpoint) => {
    const { accounts } = start({ mailCode: 'always' });
    control.setFault({ endpoint, fault: '429', times: 1 });
    const begun = accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
    expect(await faultOf(begun)).toMatchObject({ kind: 'rate-limited', taken: 'maybe' });
  });
  it('to which DFX has sent a code, or which it has confirmed, is there although the read after that is limited', async () => {
    const { accounts } = start({ mailCode: 'always' });
    const begun = await accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
    const known = { ...context, customer: begun.customer ?? '' };
    control.setFault({ endpoint: 'GET /v2/user', fault: '429', times: 1 });
    expect((await faultOf(accounts.codes?.send(known) ?? Promise.resolve())).taken).toBe('maybe');
    const code = [...control.books.accounts.values()].find((one) => one.pending)?.pending?.code ?? '';
    control.setFault({ endpoint: 'GET /v2/user', fault: '429', times: 1 });
    expect((await faultOf(accounts.codes?.confirm(known, code) ?? Promise.resolve())).taken).toBe('maybe');
  });
  it('whose login DFX refuses says nothing about the operator’s key', async () => {
    const { accounts } = start({ mailCode: 'always' });
    const begun = await accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
    const { token: _old, ...withoutToken } = JSON.parse(begun.customer ?? '{}') as { token?: string };
    const known = { ...context, customer: JSON.stringify(withoutToken) };
    control.setFault({ endpoint: 'POST /v1/auth', fault: 'country-403' });
    expect(await faultOf(accounts.codes?.send(known) ?? Promise.resolve())).toMatchObject({ kind: 'rejected-credentials', status: 403 });
    const keyless = start({ mailCode: 'always' }, { login_key_env: undefined });
    expect(await faultOf(keyless.accounts.codes?.send(known) ?? Promise.resolve())).toMatchObject({ kind: 'rejected-credentials', status: undefined });
  });
  it('needs an address of which we know whose it is', async () => {
    const { accounts } = start();
    expect(await accounts.startAccount(context, { email, payoutTo: alice, ref: 'r' })).toMatchObject({ refusal: { note: 'payout-refused' } });
    expect(sent('POST /v1/auth')).toEqual([]);
  });
  it('of an address that nobody has proved gets no page of its user, until it is proved', async () => {
    const { accounts } = start({}, { unproven_addresses: 'register' });
    const named = { ...node, isProven: false };
    const first = await accounts.startAccount(context, { payoutTo: named, email, ref: 'r' });
    expect(first).toMatchObject({ ok: true, value: { status: 'onboarding' } });
    const read = await accounts.readAccount({ ...context, customer: first.customer ?? '' });
    const again = await accounts.startAccount({ ...context, customer: first.customer ?? '' }, { email, ref: 'r' });
    // A blob as an earlier release wrote it.
    const { isProven: _unknown, ...earlier } = JSON.parse(first.customer ?? '{}') as { isProven?: boolean };
    const before = await accounts.readAccount({ ...context, customer: JSON.stringify(earlier) });
    for (const answer of [first, read, again, before]) expect(JSON.stringify(answer)).not.toContain('/kyc?');
    const proven = await accounts.startAccount({ ...context, customer: read.customer ?? '' }, { payoutTo: node, ref: 'r' });
    expect(proven).toMatchObject({ value: { signupUrl: expect.stringContaining('/kyc?code=') as string } });
    // Later calls that name no address keep what was proved.
    expect(await accounts.readAccount({ ...context, customer: proven.customer ?? '' })).toMatchObject({
      value: { signupUrl: expect.stringContaining('/kyc?code=') as string },
    });
  });
  it('with the e-mail address of another account is refused, or becomes part of that one', async () => {
    const { accounts } = start({}, { unproven_addresses: 'register' });
    await accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
    expect(await accounts.startAccount(context, { email, payoutTo: alice, ref: 'r' })).toMatchObject({ refusal: { note: 'email-refused' } });
    control.setOptions({ mailOfAnother: 'merged' });
    expect(await accounts.startAccount(context, { email, payoutTo: alice, ref: 'r' })).toMatchObject({ ok: true, value: { status: 'onboarding' } });
  });
  it('keeps the token of the last login, and no secret', async () => {
    const parts = start();
    const customer = await seller(parts);
    const secret = /[a-z0-9]{140}/.exec(JSON.stringify(sent('POST /v1/auth')))?.[0] ?? 'none';
    expect(customer).toContain('"token"');
    expect(customer).not.toContain(secret);
    const before = sent('POST /v1/auth').length;
    await parts.accounts.readAccount({ ...context, customer });
    expect(sent('POST /v1/auth')).toHaveLength(before);
    now += 3 * day;
    const later = await parts.accounts.readAccount({ ...context, customer });
    expect(sent('POST /v1/auth')).toHaveLength(before + 1);
    expect(later.customer).not.toBe(customer);
  });
});

describe('selling', () => {
  it('shows the invoice of the order, and never the LNURL', async () => {
    const parts = start();
    const { offer, answer } = await sale(parts, await seller(parts));
    expect(offer.requires).toEqual(['connection']);
    expect(answer).toMatchObject({
      ok: true,
      value: {
        pay: 250_000n,
        receive: 19_802n,
        fee: 198n,
        matchedBy: 'amount',
        expiresOn: now + 3_600_000,
        paymentInfo: { kind: 'invoice', value: expect.stringMatching(/^lnbcrt2500u1/) as string, amountSats: 250_000n },
      },
    });
    expect(shown(answer)).not.toMatch(/lnurl/i);
    expect(sent('PUT /v1/sell/paymentInfos').at(-1)?.body).toMatchObject({ iban, currency: { id: 2 }, exactPrice: true });
  });
  it('for an amount of fiat sells the sats of the offer', async () => {
    const parts = start();
    const { offer, answer } = await sale(parts, await seller(parts), 19_801n, 'receive');
    expect(valueOf(answer).pay).toBe(offer.pay);
    expect(valueOf(answer).receive >= 19_801n).toBe(true);
  });
  it('needs an account, a bank account, and what DFX wants to know', async () => {
    const parts = start();
    const begun = await parts.accounts.startAccount(context, { email, payoutTo: node, ref: 'r' });
    expect((await sale(parts, begun.customer ?? '')).answer).toMatchObject({
      refusal: { reason: 'kyc-required', detail: 'KycDataRequired', actionUrl: expect.stringContaining('/kyc?code=') as string },
    });
    const option = valueOf(await parts.sell.catalogue(context)).options[0];
    if (!option) throw new Error('no option');
    const quote = { ramp: 'sell', fixed: 'pay', amount: 250_000n, option, network: 'lightning' } as const;
    const offer = valueOf(await parts.sell.quote(context, quote));
    expect(offer.requires).toEqual(['account', 'connection']);
    expect(await parts.sell.placeOrder(context, { quote, offer, inputs: {} })).toEqual({ ok: false, refusal: { reason: 'account-required' } });
    expect(await parts.sell.placeOrder({ ...context, customer: begun.customer ?? '' }, { quote, offer, inputs: {} })).toMatchObject({
      refusal: { note: 'connection-required' },
    });
  });
  it('to an account that is none, or in a country that the currency does not allow', async () => {
    const parts = start();
    const request = { name: 'x', direction: 'sell', network: 'lightning' } as const;
    expect(await parts.connections.create(context, { ...request, iban: 'DE00' })).toMatchObject({ refusal: { note: 'iban-invalid' } });
    expect(await parts.connections.create(context, { ...request, network: 'onchain', iban })).toMatchObject({ refusal: { note: 'network-unsupported' } });
    const { answer } = await sale(parts, await seller(parts), 250_000n, 'pay', 'GB29NWBK60161331926819');
    expect(answer).toMatchObject({ refusal: { reason: 'declined', note: 'iban-invalid' } });
  });
  it.each(['invoice-amount', 'other-network', 'no-details', 'other-amount', 'other-estimate'] as const)('%s makes no order', async (fault) => {
    const parts = start();
    const customer = await seller(parts);
    control.setFault({ endpoint: 'PUT /v1/sell/paymentInfos', fault });
    expect(await faultOf(sale(parts, customer))).toMatchObject({ kind: 'malformed', taken: 'maybe' });
  });
  it('an order that would pay to another account makes none either', async () => {
    const parts = start();
    const customer = await seller(parts);
    control.setOptions({
      says: (at, truth) => (at.startsWith('PUT /v1/sell/pay') ? { ...(truth as object), beneficiary: { iban: 'AT611904300234573201' } } : undefined),
    });
    expect(await faultOf(sale(parts, customer))).toMatchObject({ kind: 'malformed' });
  });
  it('is followed from the payment to the bank, and listed', async () => {
    const parts = start();
    const customer = await seller(parts);
    const placed = valueOf((await sale(parts, customer)).answer);
    const known = { ...context, customer };
    const order = followed(placed);
    const reading = async () => valueOf(await parts.sell.readOrders(known, order))[0];
    expect(await reading()).toMatchObject({ stage: 'awaiting_payment' });
    const { paymentInfo, upstreamOrderId: uid = '' } = placed;
    await control.payInvoice(paymentInfo.kind === 'invoice' ? paymentInfo.value : '');
    expect(await reading()).toMatchObject({ stage: 'paid', pay: 250_000n, moneySeen: true });
    await control.step(uid);
    await control.step(uid);
    expect(await reading()).toMatchObject({ stage: 'filled', rawStatus: 'PayoutInProgress' });
    await control.deliver(uid);
    expect(await reading()).toMatchObject({ stage: 'finished', receive: 19_802n, echo: { currency: 'EUR' } });
    expect(await reading()).not.toHaveProperty(['facts', 'payout_id']);
    expect(valueOf(await parts.sell.transactions(known, { limit: 5 }))).toMatchObject([{ upstreamId: uid, stage: 'finished', receive: 19_802n, kind: 'sell' }]);
  });
  it.each([
    ["of the same request, is the order's", 'our-order-1', [{ stage: 'paid', pay: 250_000n, moneySeen: true }]],
    ['of another request, is not', 'another-order', [{ stage: 'awaiting_payment' }]],
  ])('a payment that DFX links to a newer order %s', async (_, idempotencyKey, evidence) => {
    const parts = start();
    const customer = await seller(parts);
    const shownToCustomer = valueOf((await sale(parts, customer)).answer);
    // The request whose answer was lost reaches DFX after its repeat.
    now += 1_000;
    context = { ...context, idempotencyKey };
    await sale(parts, customer);
    await control.payInvoice(shownToCustomer.paymentInfo.kind === 'invoice' ? shownToCustomer.paymentInfo.value : '');
    const order = followed(shownToCustomer, { createdOn: now - 1_000 });
    now += 700_000;
    expect(valueOf(await parts.sell.readOrders({ ...context, customer }, order))).toMatchObject(evidence);
  });
  it.each([
    ['sent once', undefined, 'awaiting_payment'],
    ['sent again', 2, 'review'],
  ])("a sale in DFX's own app for exactly the amount of an order that was %s does not make that order look paid", async (_, attempt, stage) => {
    const parts = start();
    const customer = await seller(parts);
    context = { ...context, ...(attempt === undefined ? {} : { attempt }) };
    const order = followed(valueOf((await sale(parts, customer)).answer));
    now += 1_000;
    const { idempotencyKey: _ours, ...inApp } = context;
    context = inApp;
    const own = valueOf((await sale(parts, customer)).answer);
    await control.payInvoice(own.paymentInfo.kind === 'invoice' ? own.paymentInfo.value : '');
    now += 700_000;
    const [said] = valueOf(await parts.sell.readOrders({ ...context, customer }, order));
    expect(said).toMatchObject({ stage });
    expect(said).not.toHaveProperty('moneySeen');
  });
  it('a payment of another order of the request is listed with both its ids', async () => {
    const parts = start();
    const customer = await seller(parts);
    const { paymentInfo, upstreamOrderId } = valueOf((await sale(parts, customer)).answer);
    await control.payInvoice(paymentInfo.kind === 'invoice' ? paymentInfo.value : '');
    await control.deliver(upstreamOrderId ?? '');
    expect(valueOf(await parts.sell.transactions({ ...context, customer }, { limit: 5 }))).toMatchObject([
      { upstreamId: upstreamOrderId, paymentId: expect.stringMatching(/^T/) as string },
    ]);
  });
  it('the invoice of an older order, paid after a newer one was made, is still found', async () => {
    const parts = start();
    const customer = await seller(parts);
    const older = valueOf((await sale(parts, customer)).answer);
    now += 1_000;
    await sale(parts, customer, 300_000n);
    await control.payInvoice(older.paymentInfo.kind === 'invoice' ? older.paymentInfo.value : '');
    const order = followed(older, { createdOn: now - 1_000 });
    now += 700_000;
    expect(valueOf(await parts.sell.readOrders({ ...context, customer }, order))).toMatchObject([{ stage: 'paid', pay: 250_000n, moneySeen: true }]);
  });
});

it('nothing that is logged or thrown holds a secret', async () => {
  const { buy } = start();
  await known(buy);
  control.setFault({ endpoint: 'POST /v1/auth', fault: '503' });
  const fault = await faultOf(place(buy));
  const signature = /[a-z0-9]{140}/.exec(JSON.stringify(sent('POST /v1/auth')))?.[0];
  expect(signature).toBeDefined();
  expect(`${fault.stack}${JSON.stringify(fault)}${logs.join()}`).not.toContain(signature);
});
