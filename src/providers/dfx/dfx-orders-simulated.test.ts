/** Orders against the simulated DFX. The two were written from DFX's contract by different people. */
import { beforeEach, describe, expect, it, test } from 'vitest';
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
/** Whether DFX says that no order can be confirmed. */
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
  const { buy, sell } = provider.create(
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
  if (!buy?.payoutKinds || !sell) throw new Error('a ramp is missing');
  return { buy, sell };
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
/** What the customer has done at DFX before: an e-mail address, and nothing else. */
const known = async (buy: Buy, payoutTo: PayoutTo = node): Promise<string> => {
  const address = addressOf(payoutTo) ?? '';
  await place(buy, payoutTo);
  await control.setAccount(address, { mail: 'alice@example.com', level: 10 });
  return address;
};
const followed = (placed: PlacedOrder, more: Partial<FollowedOrder> = {}): FollowedOrder => {
  const { pay, receive, fee, upstreamOrderId = '', facts = {} } = placed;
  return { orderId: 'ours', upstreamOrderId, createdOn: now, pay, receive, fee, upstream: {}, facts, payoutTo: node, ...more };
};
const read = async (buy: Buy, order: FollowedOrder): Promise<OrderEvidence | undefined> => valueOf(await buy.readOrders(context, order))[0];
const faultOf = async (call: Promise<unknown>): Promise<ProviderFault> => {
  try {
    throw new Error(`no fault: ${JSON.stringify(await call, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))}`);
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
      expect(await place(buy, payoutTo)).toEqual({ ok: false, refusal: { reason: 'payout-unsupported' } });
    expect(sent('POST /v1/auth')).toEqual([]);
    const open = start({}, { unproven_addresses: 'register' });
    expect(open.buy.payoutKinds).toEqual(['lightning_address', 'lnurl', 'node_pubkey']);
    await known(open.buy, alice);
    expect(valueOf(await place(open.buy, alice))).toMatchObject({ stage: 'awaiting_payment' });
  });
  it('that somebody else has registered is left alone', async () => {
    await known(start().buy);
    const other = connect({}, `${key} of somebody else`);
    expect(await place(other.buy)).toEqual({ ok: false, refusal: { reason: 'account-required' } });
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
  it('because the token is over, is ordered with a new one; twice is a fault', async () => {
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
    expect(await read(buy, order)).toMatchObject({ stage: 'refunded', receive: 10_000n });
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
  it('a payment of long before is of another order', async () => {
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

it('nothing that is logged or thrown holds a secret', async () => {
  const { buy } = start();
  await known(buy);
  control.setFault({ endpoint: 'POST /v1/auth', fault: '503' });
  const fault = await faultOf(place(buy));
  const signature = /[a-z0-9]{140}/.exec(JSON.stringify(sent('POST /v1/auth')))?.[0];
  expect(signature).toBeDefined();
  expect(`${fault.stack}${JSON.stringify(fault)}${logs.join()}`).not.toContain(signature);
});
