/** Tests the simulator over real sockets against what Blocktank's documents say. The adapter's tests rely on it. */
import { afterEach, describe, expect, it } from 'vitest';
import { movableClock, type Clock } from '../../../test/support/clock.ts';
import { checkPayoutAddress } from '../../bitcoin/address.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import { decodeLnurl } from '../../bitcoin/lnurl.ts';
import { startBlocktankSimulator, type RunningSimulator, type SimulatorOptions } from './blocktank.simulator.ts';

const peer = '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619';
const refundOnchainAddress = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const minute = 60_000;

/** What these tests read of an answer. */
type Body = {
  [member: string]: unknown;
  id: string;
  state: string;
  state2?: string;
  feeSat: number;
  networkFeeSat?: number;
  serviceFeeSat?: number;
  orderExpiresAt: string;
  channelExpiresAt: string;
  lspNode: { pubkey: string };
  lnurl?: string;
  payment: {
    state: string;
    state2?: string;
    paidSat: number;
    bolt11Invoice: { request: string; state: string; amountSat: number; expiresAt: string };
    onchain: {
      address: string;
      confirmedSat: number;
      requiredConfirmations: number;
      transactions: { amountSat: number; blockConfirmations: number; confirmed: boolean }[];
    };
  };
  channel?: { state: string; clientNodePubkey: string; announceChannel: boolean; fundingTx: { id: string; vout: number }; close?: { type: string } };
};
type Answer = { status: number; text: string; body: Body };

let running: RunningSimulator | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

const start = async (options: Partial<SimulatorOptions> = {}) => {
  const clock: Clock = movableClock();
  const seller = await startBlocktankSimulator({ id: 'tank', now: clock.now, feeRates: { fast: 6, mid: 5, slow: 4 }, ...options });
  running = seller;
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const sent = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${seller.baseUrl}${path}`, { method, ...sent });
    const text = await response.text();
    return { status: response.status, text, body: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as Body) : ({} as Body) };
  };
  const inbound = { lspBalanceSat: 1_000_000, clientBalanceSat: 0, channelExpiryWeeks: 5 };
  return {
    ...seller,
    clock,
    call,
    order: async (more: object = {}): Promise<Body> => {
      const made = await call('POST', '/channels', { ...inbound, ...more });
      expect(made).toMatchObject({ status: 201 });
      return made.body;
    },
    refused: async (more: object): Promise<Answer> => await call('POST', '/channels', { ...inbound, ...more }),
    read: async (id: string): Promise<Body> => (await call('GET', `/channels/${id}`)).body,
    open: async (id: string, connectionStringOrPubkey = peer, announceChannel = false): Promise<Answer> =>
      await call('POST', `/channels/${id}/open`, { connectionStringOrPubkey, announceChannel }),
  };
};
/** [order state2, payment state2, invoice state, channel state] */
const states = ({ state2, payment, channel }: Body): unknown[] => [state2, payment.state2, payment.bolt11Invoice.state, channel?.state];

describe('prices', () => {
  it.each([
    { of: 'inbound 1,000,000 at 5 sat/vB', lsp: 1_000_000, client: 0, weeks: 5, mid: 5, service: 944, miner: 1225, pay: 2169 },
    { of: 'inbound 1,000,000 at 50 sat/vB', lsp: 1_000_000, client: 0, weeks: 5, mid: 50, service: 944, miner: 12_250, pay: 13_194 },
    { of: 'turbo 500,000', lsp: 500_000, client: 500_000, weeks: 13, mid: 5, service: 1227, miner: 1225, pay: 502_452 },
  ])('$of costs what the published price says, as an estimate and as an order', async ({ lsp, client, weeks, mid, service, miner, pay }) => {
    const { call, clock } = await start({ feeRates: { fast: mid + 4, mid, slow: mid } });
    const body = { lspBalanceSat: lsp, clientBalanceSat: client, channelExpiryWeeks: weeks };
    const price = { feeSat: pay, networkFeeSat: miner, serviceFeeSat: service };
    const full = await call('POST', '/channels/estimate-fee-full', body);
    expect(full).toMatchObject({ status: 200, body: { ...price, min0ConfTxFee: { satPerVByte: mid + 4 } } });
    expect(Date.parse((full.body['min0ConfTxFee'] as { validityEndsAt: string }).validityEndsAt)).toBeGreaterThan(clock.now() + minute);
    expect((await call('POST', '/channels/estimate-fee', body)).body).toEqual({ feeSat: pay });
    const made = await call('POST', '/channels', body);
    expect(made).toMatchObject({ status: 201, body: { ...price, lspBalanceSat: lsp, clientBalanceSat: client, channelExpiryWeeks: weeks } });
    expect(decodeInvoice(made.body.payment.bolt11Invoice.request)?.amountMsat).toBe(BigInt(pay) * 1000n);
  });

  it("the reference's order comes out by its split of the price", async () => {
    const { order } = await start({ rounding: 'down', networkFeeSats: 12_229 });
    expect(await order({ lspBalanceSat: 3_000_000, channelExpiryWeeks: 12 })).toMatchObject({ feeSat: 19_021, serviceFeeSat: 6792, networkFeeSat: 12_229 });
  });

  it('an estimate makes no order, and may be missing in two ways', async () => {
    const { call, control } = await start({ estimates: 'old' });
    const body = { lspBalanceSat: 1_000_000, channelExpiryWeeks: 5 };
    expect((await call('POST', '/channels/estimate-fee-full', body)).status).toBe(404);
    expect((await call('POST', '/channels/estimate-fee', body)).body).toEqual({ feeSat: 2169 });
    control.setOptions({ estimates: 'none' });
    expect((await call('POST', '/channels/estimate-fee', body)).status).toBe(404);
    expect(control.orders.size).toBe(0);
  });

  it('the client balance may be outside of feeSat, and the invoice still has it', async () => {
    const { call, order } = await start({ orderFeeWithClient: false, estimateFeeWithClient: false });
    const turbo = { lspBalanceSat: 500_000, clientBalanceSat: 500_000, channelExpiryWeeks: 13 };
    expect((await call('POST', '/channels/estimate-fee-full', turbo)).body.feeSat).toBe(2452);
    const made = await order(turbo);
    expect(made.feeSat).toBe(2452);
    expect(decodeInvoice(made.payment.bolt11Invoice.request)?.amountMsat).toBe(502_452_000n);
  });
});

describe('the catalogue', () => {
  it("has the reference's limits, the network and the rates", async () => {
    const { call, control } = await start({ feeRates: { fast: 54, mid: 50, slow: 49 } });
    const { body } = await call('GET', '/info');
    expect(body).toMatchObject({
      nodes: [{ alias: 'tank', pubkey: control.nodePubkey, connectionStrings: [`${control.nodePubkey}@tank.example:9735`] }],
      options: {
        minChannelSizeSat: 1000,
        maxChannelSizeSat: 3_170_000,
        minExpiryWeeks: 1,
        maxExpiryWeeks: 53,
        minPaymentConfirmations: 0,
        minHighRiskPaymentConfirmations: 1,
        max0ConfClientBalanceSat: 317_000,
      },
      onchain: { network: 'Regtest', feeRates: { fast: 54, mid: 50, slow: 49 } },
    });
    expect(body['options']).not.toHaveProperty('maxClientBalanceSat');
    control.setOptions({ maxClientSats: 400_000, network: 'main' });
    expect((await call('GET', '/info')).body).toMatchObject({ options: { maxClientBalanceSat: 400_000 }, onchain: { network: 'Mainnet' } });
  });

  it('blocks countries', async () => {
    const { call, control, refused } = await start();
    expect([(await call('GET', '/geocheck')).status, (await call('OPTIONS', '/geocheck')).status]).toEqual([200, 200]);
    control.setOptions({ geoBlocked: true });
    const blocked = { status: 403, body: { error: 'GEO_BLOCKED' } };
    expect(await call('GET', '/geocheck')).toMatchObject(blocked);
    expect(await refused({})).toMatchObject(blocked);
    expect(await call('POST', '/channels/estimate-fee-full', {})).toMatchObject(blocked);
    expect(control.orders.size).toBe(0);
  });
});

describe('an order', () => {
  it('has both ways to pay, really signed and for the network', async () => {
    const { order, read, clock, control } = await start();
    const made = await clock.still(async () => await order({ refundOnchainAddress, source: 'gateway' }));
    expect(made.id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(states(made)).toEqual(['created', 'created', 'pending', undefined]);
    expect(made).toMatchObject({ state: 'created', zeroConf: false, zeroReserve: false, lspNode: { pubkey: control.nodePubkey } });
    expect(made).toMatchObject({ payment: { state: 'created', paidSat: 0, onchain: { confirmedSat: 0, requiredConfirmations: 1, transactions: [] } } });
    const invoice = decodeInvoice(made.payment.bolt11Invoice.request);
    expect(invoice).toMatchObject({ network: 'regtest', amountMsat: 2_169_000n, expirySeconds: 1800, payee: control.nodePubkey });
    expect(checkPayoutAddress(made.payment.onchain.address, 'regtest')).toEqual({ address: made.payment.onchain.address });
    expect(Date.parse(made.orderExpiresAt)).toBe(Date.parse(String(made['createdAt'])) + 30 * minute);
    // The lease counts from the order's end.
    expect(Date.parse(made.channelExpiresAt)).toBe(Date.parse(made.orderExpiresAt) + 5 * 7 * 1440 * minute);
    expect(made).not.toHaveProperty('lnurl');
    expect(await read(made.id)).toEqual(made);
  });

  it.each([
    ['too small for the seller', { lspBalanceSat: 10_000 }],
    ['a fraction', { lspBalanceSat: 100_000.5 }],
    ['text', { lspBalanceSat: '100000' }],
    ['too large', { lspBalanceSat: 3_170_001 }],
    ['too large with the client balance', { lspBalanceSat: 2_000_000, clientBalanceSat: 1_200_000 }],
    ['more on the client side', { clientBalanceSat: 1_000_001 }],
    ['a negative client balance', { clientBalanceSat: -1 }],
    ['no week', { channelExpiryWeeks: 0 }],
    ['too many weeks', { channelExpiryWeeks: 54 }],
    ['zeroConf and announced', { zeroConf: true, announceChannel: true }],
    ['zeroConfPayment with a client balance', { zeroConfPayment: true, clientBalanceSat: 1 }],
    ['a boolean as text', { zeroReserve: 'true' }],
    ['another node of the seller', { lspNodeId: peer }],
    ['a signature alone', { signature: 'abc' }],
    ['a node without a signature', { clientNodeId: peer }],
    ['a refund address that is too long', { refundOnchainAddress: 'b'.repeat(513) }],
    ['a source that is too long', { source: 's'.repeat(129) }],
  ])('is refused with 400: %s', async (_what, more) => {
    const { refused, call, control } = await start();
    const answer = await refused(more);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual([expect.objectContaining({ message: expect.any(String), path: expect.any(Array) })]);
    const estimate = await call('POST', '/channels/estimate-fee-full', { lspBalanceSat: 1_000_000, channelExpiryWeeks: 5, ...more });
    expect(estimate.status).toBe(400);
    expect(control.orders.size).toBe(0);
  });

  it('takes every member that is documented, in its largest form', async () => {
    const { order, control } = await start();
    const made = await order({
      lspBalanceSat: 1_585_000,
      clientBalanceSat: 1_585_000,
      channelExpiryWeeks: 53,
      zeroConf: true,
      zeroReserve: true,
      lspNodeId: control.nodePubkey,
      clientNodeId: peer,
      signature: 'signed',
      timestamp: '2026-11-29T00:00:00.000Z',
      refundOnchainAddress: 'b'.repeat(512),
      source: 's'.repeat(128),
      discountCode: 'd'.repeat(128),
    });
    expect(made).toMatchObject({ clientNodeId: peer, zeroConf: true, zeroReserve: true });
  });

  it('may be refused by limits that /info does not show, and in other forms', async () => {
    const { refused, control, call, order } = await start({ hiddenMaxSats: 999_999, errorBodies: 'text' });
    expect(await refused({})).toMatchObject({ status: 400, text: 'lspBalanceSat: the channel is too large' });
    control.setOptions({ hiddenMaxSats: 5_000_000, errorBodies: 'message', strictClient: true });
    expect(await refused({ clientBalanceSat: 1_000_000 })).toMatchObject({
      status: 400,
      body: { message: 'clientBalanceSat: must not be over lspBalanceSat' },
    });
    await order({ clientBalanceSat: 999_999 });
    control.setOptions({ signatureRequired: true });
    expect((await refused({})).status).toBe(400);
    expect(await call('GET', '/channels/nothing')).toMatchObject({ status: 404, body: { message: 'Not found' } });
  });

  it('is a new one for every request, and each is found in a list', async () => {
    const { order, call, control } = await start();
    const [one, two] = [await order(), await order()];
    expect(one.payment.onchain.address).not.toBe(two.payment.onchain.address);
    const list = await call('GET', `/channels?ids[]=${one.id}&ids[]=${two.id}&ids[]=unknown`);
    expect(list.body).toMatchObject([{ id: one.id }, { id: two.id }]);
    control.setOptions({ unknownInList: '404' });
    expect((await call('GET', `/channels?ids[]=${one.id}&ids[]=unknown`)).status).toBe(404);
    expect((await call('GET', '/channels')).status).toBe(400);
    expect((await call('GET', `/channels?${'ids[]=a&'.repeat(51)}`)).status).toBe(400);
  });
});

describe('paid over Lightning', () => {
  it('is held until somebody opens the channel, and then settled', async () => {
    const { order, read, open, control, clock } = await start();
    const { id, feeSat } = await order();
    expect((await open(id)).body).toMatchObject({ name: 'ChannelOpenError', code: 'WRONG_ORDER_STATE' });
    control.pay(id);
    const held = await read(id);
    expect(states(held)).toEqual(['paid', 'paid', 'holding', undefined]);
    expect([held.state, held.payment.state, held.payment.paidSat]).toEqual(['created', 'paid', feeSat]);
    expect(() => control.pay(id)).toThrow('holding');
    const opened = await open(id);
    expect(opened.status).toBe(200);
    expect(states(opened.body)).toEqual(['executed', 'paid', 'paid', 'opening']);
    expect(opened.body).toMatchObject({ state: 'open', channel: { clientNodePubkey: peer, announceChannel: false } });
    expect((await open(id)).status).toBe(412);
    clock.move(11 * minute);
    expect(states(await read(id))).toEqual(['executed', 'paid', 'paid', 'open']);
    control.closeChannel(id);
    expect(await read(id)).toMatchObject({ state: 'closed', state2: 'executed', channel: { state: 'closed', close: { type: 'cooperative' } } });
  });

  it('is cancelled back if nobody opens in time', async () => {
    const { order, read, open, control, clock } = await start({ refundAfterS: 0 });
    const { id } = await order();
    control.pay(id);
    clock.move(30 * minute);
    expect((await open(id)).body['code']).toBe('WRONG_ORDER_STATE');
    const ended = await read(id);
    expect(states(ended)).toEqual(['expired', 'canceled', 'canceled', undefined]);
    expect(ended.payment.paidSat).toBe(0);
    control.setOptions({ cancelledBackWord: 'refunded' });
    const other = await order();
    control.pay(other.id);
    control.expire(other.id);
    expect(states(await read(other.id))).toEqual(['expired', 'refunded', 'canceled', undefined]);
  });

  it('cannot be paid after the end of the order, or of the invoice alone', async () => {
    const { order, read, control, clock } = await start({ invoiceLifeS: 60 });
    const { id } = await order();
    clock.move(2 * minute);
    expect(() => control.pay(id)).toThrow('canceled');
    expect(states(await read(id))).toEqual(['created', 'created', 'canceled', undefined]);
    clock.move(30 * minute);
    expect(states(await read(id))).toEqual(['expired', 'created', 'canceled', undefined]);
    control.setOptions({ unpaidWord: 'canceled' });
    control.expire((await order()).id);
    expect(states(await read(control.order().id))).toEqual(['expired', 'canceled', 'canceled', undefined]);
  });

  it('may say so in other words and places', async () => {
    const { order, read, open, control } = await start({ heldIn: 'invoice', words: { holding: 'INFLIGHT' } });
    const { id } = await order();
    control.pay(id);
    const held = await read(id);
    expect([states(held), held.payment.paidSat]).toEqual([['created', 'created', 'INFLIGHT', undefined], 0]);
    control.setOptions({ heldIn: 'payment', paidWord: 'created', onlyOldStates: true, feeParts: false, misspelt: true });
    const old = await read(id);
    expect(states(old)).toEqual([undefined, undefined, 'INFLIGHT', undefined]);
    expect([old.state, old.payment.state, old.payment.paidSat]).toEqual(['created', 'paid', old.feeSat]);
    expect(old['orderExiresAt']).toBe(held.orderExpiresAt);
    for (const member of ['orderExpiresAt', 'networkFeeSat', 'serviceFeeSat']) expect(old).not.toHaveProperty(member);
    expect((await open(id)).body.state).toBe('open');
  });

  it('pays itself after a while, if told to', async () => {
    const { order, read, clock } = await start({ autoPayMs: 60_000 });
    const { id } = await order();
    expect(states(await read(id))[2]).toBe('pending');
    clock.move(minute);
    expect(states(await read(id))[2]).toBe('holding');
  });
});

describe('paid on-chain', () => {
  it('counts when it has its confirmations, and ends the invoice', async () => {
    const { order, read, open, control } = await start();
    const { id, feeSat } = await order();
    control.payOnchain(id);
    expect((await read(id)).payment).toMatchObject({
      state2: 'created',
      paidSat: 0,
      onchain: { confirmedSat: 0, transactions: [{ amountSat: feeSat, blockConfirmations: 0, confirmed: false, feeRateSatPerVbyte: 5 }] },
    });
    control.mine(2);
    const paid = await read(id);
    expect(states(paid)).toEqual(['paid', 'paid', 'canceled', undefined]);
    expect(paid.payment).toMatchObject({ paidSat: feeSat, onchain: { confirmedSat: feeSat, transactions: [{ blockConfirmations: 2, confirmed: true }] } });
    expect(() => control.pay(id)).toThrow('canceled');
    expect(states((await open(id)).body)).toEqual(['executed', 'paid', 'canceled', 'opening']);
  });

  it('is too little, in parts, or too much', async () => {
    const { order, read, control } = await start();
    const { id, feeSat } = await order();
    control.payOnchain(id, { sats: feeSat - 1 });
    control.mine();
    const part = await read(id);
    expect(states(part)).toEqual(['created', 'created', 'pending', undefined]);
    expect([part.payment.state, part.payment.paidSat, part.payment.onchain.confirmedSat]).toEqual(['partiallyPaid', feeSat - 1, feeSat - 1]);
    control.payOnchain(id, { sats: 1001 });
    control.mine();
    expect((await read(id)).payment).toMatchObject({ state: 'paid', state2: 'paid', paidSat: feeSat + 1000 });
  });

  it('is not enough when it is exact, in the code of 2023', async () => {
    const { order, read, control } = await start({ exactIsTooLittle: true });
    const { id } = await order();
    control.payOnchain(id);
    control.mine();
    expect((await read(id)).state2).toBe('created');
    control.payOnchain(id, { sats: 1 });
    control.mine();
    expect((await read(id)).state2).toBe('paid');
  });

  it('needs no confirmation with zeroConfPayment and a good fee', async () => {
    const { order, read, call, control, clock } = await start();
    const [fast, slow] = [await order({ zeroConfPayment: true }), await order({ zeroConfPayment: true })];
    const fee = await call('GET', `/channels/${fast.id}/min-0conf-tx-fee`);
    expect(fee).toMatchObject({ status: 200, body: { satPerVByte: 6 } });
    expect(Date.parse(String(fee.body['validityEndsAt'])) - clock.now()).toBeGreaterThan(minute);
    // The rates rise, and the quoted fee still holds.
    control.setOptions({ feeRates: { fast: 9, mid: 8, slow: 7 } });
    control.payOnchain(fast.id, { feeRate: 6 });
    control.payOnchain(slow.id, { feeRate: 6 });
    expect([(await read(fast.id)).state2, (await read(slow.id)).state2]).toEqual(['paid', 'created']);
    control.mine();
    expect((await read(slow.id)).state2).toBe('paid');
    clock.move(3 * minute);
    expect((await call('GET', `/channels/${fast.id}/min-0conf-tx-fee`)).body['satPerVByte']).toBe(9);
  });

  it('is sent back by itself with a refund address, and else by a human', async () => {
    const { order, read, control, clock } = await start();
    const [withAddress, without] = [await order({ refundOnchainAddress }), await order()];
    for (const { id } of [withAddress, without]) control.payOnchain(id);
    control.mine();
    clock.move(31 * minute);
    expect(states(await read(withAddress.id))).toEqual(['expired', 'refundAvailable', 'canceled', undefined]);
    clock.move(11 * minute);
    expect((await read(withAddress.id)).payment.state2).toBe('refunded');
    expect((await read(without.id)).payment.state2).toBe('refundAvailable');
    control.refund(without.id);
    expect((await read(without.id)).payment.state2).toBe('refunded');
  });

  it('keeps the order alive for an hour while it is not confirmed', async () => {
    const { order, read, control, clock } = await start();
    const [late, never] = [await order(), await order()];
    control.payOnchain(late.id);
    control.payOnchain(never.id, { feeRate: 1, neverMined: true });
    clock.move(60 * minute);
    expect((await read(late.id)).state2).toBe('created');
    control.mine();
    expect(states(await read(late.id))).toEqual(['paid', 'paid', 'canceled', undefined]);
    clock.move(29 * minute);
    expect([(await read(late.id)).state2, (await read(never.id)).state2]).toEqual(['paid', 'created']);
    clock.move(2 * minute);
    expect(states(await read(late.id))).toEqual(['expired', 'refundAvailable', 'canceled', undefined]);
    expect(states(await read(never.id))).toEqual(['expired', 'canceled', 'canceled', undefined]);
  });

  it('waits for a refund when it comes after the end', async () => {
    const { order, read, control } = await start();
    const { id } = await order();
    control.expire(id);
    control.payOnchain(id);
    expect((await read(id)).payment.state2).toBe('created');
    control.mine();
    expect((await read(id)).payment.state2).toBe('refundAvailable');
  });

  it('is not added to a Lightning payment', async () => {
    const { order, read, control } = await start();
    const { id, feeSat } = await order();
    control.payOnchain(id, { sats: feeSat - 1 });
    control.mine();
    control.pay(id);
    expect((await read(id)).payment).toMatchObject({
      state: 'paid',
      state2: 'paid',
      paidSat: feeSat,
      bolt11Invoice: { state: 'holding' },
      onchain: { confirmedSat: feeSat - 1 },
    });
    control.expire(id);
    expect(states(await read(id))).toEqual(['expired', 'refundAvailable', 'canceled', undefined]);
  });

  it('may change nothing, as users saw', async () => {
    const { order, read, open, control } = await start({ stuck: true });
    const { id, feeSat } = await order();
    control.payOnchain(id);
    control.mine(6);
    const stuck = await read(id);
    expect([states(stuck), stuck.payment.onchain.confirmedSat]).toEqual([['created', 'created', 'pending', undefined], feeSat]);
    expect((await open(id)).body['code']).toBe('WRONG_ORDER_STATE');
    control.setOptions({ stuck: false });
    expect((await read(id)).state2).toBe('paid');
  });
});

describe('opening', () => {
  it('needs the connection for a bare key, and none for a connection string', async () => {
    const { order, open, call, control } = await start({ connected: 'none' });
    const { id } = await order();
    control.pay(id);
    const refused = await open(id);
    expect(refused).toMatchObject({ status: 412, body: { name: 'ChannelOpenError', code: 'PEER_NOT_REACHABLE', details: expect.any(String) } });
    expect((await open(id, 'nobody')).status).toBe(400);
    expect((await call('POST', `/channels/${id}/open`, { connectionStringOrPubkey: peer })).status).toBe(400);
    expect((await open('unknown')).status).toBe(404);
    expect((await open(id, `${peer}@203.0.113.7:9735`)).body).toMatchObject({ state2: 'executed', channel: { clientNodePubkey: peer } });
    const other = await order();
    control.pay(other.id);
    control.setOptions({ connected: [peer] });
    expect((await open(other.id, peer, true)).body.channel?.announceChannel).toBe(true);
  });

  it('a zeroConf channel is open at once, and is never announced', async () => {
    const { order, open, control } = await start();
    const { id } = await order({ zeroConf: true });
    control.pay(id);
    expect((await open(id, peer, true)).body['code']).toBe('CHANNEL_REJECTED_BY_LSP');
    expect((await open(id)).body.channel?.state).toBe('open');
  });

  it.each([
    'WRONG_ORDER_STATE',
    'PEER_NOT_REACHABLE',
    'CHANNEL_REJECTED_BY_DESTINATION',
    'CHANNEL_REJECTED_BY_LSP',
    'BLOCKTANK_NOT_READY',
    'UNKNOWN_ERROR',
  ] as const)('fails with %s on demand, and works afterwards', async (fault) => {
    const { order, open, control } = await start();
    const { id } = await order();
    control.pay(id);
    control.setFault({ endpoint: 'POST /channels/{id}/open', fault, times: 2 });
    expect(await open(id)).toMatchObject({ status: 412, body: { name: 'ChannelOpenError', code: fault } });
    control.setOptions({ openErrors: 'type' });
    expect((await open(id)).body).toMatchObject({ type: fault, details: expect.any(String) });
    expect((await open(id)).status).toBe(200);
  });

  it('is locked while a call runs, so that no two channels come of it', async () => {
    const { order, open, read, control } = await start({ openCallMs: 300, openErrors: '2023' });
    const { id } = await order();
    control.pay(id);
    const answers = await Promise.all([open(id), open(id)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect(answers.find(({ status }) => status === 412)?.body).toMatchObject({ code: 'WRONG_ORDER_STATE', detail: expect.any(String) });
    expect((await read(id)).state2).toBe('executed');
  });

  it('happens although its answer is lost', async () => {
    const { order, open, read, control } = await start();
    const { id } = await order();
    control.pay(id);
    control.setFault({ endpoint: 'POST /channels/{id}/open', fault: 'lost-answer', times: 1 });
    await expect(open(id)).rejects.toThrow('fetch failed');
    expect((await read(id)).state2).toBe('executed');
    expect(control.requests.filter(({ endpoint }) => endpoint === 'POST /channels/{id}/open')).toMatchObject([{ body: { connectionStringOrPubkey: peer } }]);
  });

  it('works by LNURL, if orders have one', async () => {
    const { order, read, control } = await start({ lnurl: true });
    const { id, lnurl } = await order();
    const url = new URL(decodeLnurl(lnurl ?? '', { loopbackHttp: true }) ?? '');
    const ask = async (at: URL): Promise<Record<string, string>> => (await (await fetch(at)).json()) as Record<string, string>;
    expect(await ask(url)).toMatchObject({ status: 'ERROR' });
    control.pay(id);
    const request = await ask(url);
    expect(request).toMatchObject({ tag: 'channelRequest', uri: `${control.nodePubkey}@tank.example:9735` });
    const callback = new URL(request['callback'] ?? '');
    for (const [name, value] of Object.entries({ k1: request['k1'] ?? '', remoteid: peer, private: '1' })) callback.searchParams.set(name, value);
    const forged = new URL(callback);
    forged.searchParams.set('k1', 'aa');
    expect(await ask(forged)).toMatchObject({ status: 'ERROR' });
    expect(await ask(callback)).toEqual({ status: 'OK' });
    expect(await read(id)).toMatchObject({ state2: 'executed', channel: { clientNodePubkey: peer, announceChannel: false } });
    expect(await ask(callback)).toMatchObject({ status: 'ERROR' });
  });
});

describe('misbehaves on demand', () => {
  it('in the order that it makes', async () => {
    const { order, control } = await start();
    const lie = (fault: 'wrong-currency' | 'invoice-amount' | 'absurd-price' | 'wrong-address'): void =>
      control.setFault({ endpoint: 'POST /channels', fault, times: 1 });
    lie('wrong-currency');
    expect(decodeInvoice((await order()).payment.bolt11Invoice.request)?.network).toBe('main');
    lie('invoice-amount');
    expect(decodeInvoice((await order()).payment.bolt11Invoice.request)?.amountMsat).toBe(2_869_000n);
    lie('absurd-price');
    const dear = await order();
    expect(dear.feeSat).toBe(6507);
    expect(decodeInvoice(dear.payment.bolt11Invoice.request)?.amountMsat).toBe(6_507_000n);
    lie('wrong-address');
    expect((await order()).payment.onchain.address).toMatch(/^bc1q/);
  });

  it('in one answer, and tells the truth in the next', async () => {
    const { order, read, control, clock } = await start();
    const { id } = await order();
    const truth = await read(id);
    const lied = async (fault: 'order-amounts-differ' | 'other-balance' | 'other-weeks' | 'foreign-node' | 'unknown-status' | 'expired-quote') => {
      control.setFault({ endpoint: 'GET /channels/{id}', fault, times: 1 });
      const answer = await read(id);
      expect(await read(id)).toEqual(truth);
      return answer;
    };
    expect((await lied('order-amounts-differ')).feeSat).toBe(truth.feeSat + 700);
    expect((await lied('other-balance'))['lspBalanceSat']).toBe(999_999);
    expect((await lied('other-weeks'))['channelExpiryWeeks']).toBe(4);
    expect((await lied('foreign-node')).lspNode.pubkey).not.toBe(control.nodePubkey);
    expect((await lied('unknown-status')).state2).toBe('pondering');
    expect(Date.parse((await lied('expired-quote')).orderExpiresAt)).toBeLessThan(clock.now());
  });

  it('makes an order although its answer is lost, and it lapses unpaid', async () => {
    const { order, refused, control, clock } = await start();
    control.setFault({ endpoint: 'POST /channels', fault: 'lost-answer', times: 1 });
    await expect(refused({})).rejects.toThrow('fetch failed');
    await order();
    expect(control.orders.size).toBe(2);
    clock.move(31 * minute);
    for (const id of control.orders.keys()) expect(control.order(id)).toMatchObject({ state: 'expired', invoiceState: 'canceled' });
  });

  it('by the amount, if magic, and by the control over HTTP', async () => {
    const { url, order, read, open, clock } = await start({ magic: true, autoPayMs: 1000, connected: 'none' });
    const tell = async (command: object): Promise<Answer['body']> =>
      (await (await fetch(`${url}/__control`, { method: 'POST', body: JSON.stringify(command) })).json()) as Body;
    await tell({ do: 'options', options: { connected: [peer] } });
    const [expired, refunded, slow] = [
      await order({ lspBalanceSat: 1_000_103 }),
      await order({ lspBalanceSat: 1_000_104 }),
      await order({ lspBalanceSat: 1_000_105 }),
    ];
    clock.move(1000);
    expect((await read(expired.id)).state2).toBe('created');
    expect((await open(refunded.id)).body['code']).toBe('CHANNEL_REJECTED_BY_DESTINATION');
    expect((await open(slow.id)).body['code']).toBe('BLOCKTANK_NOT_READY');
    clock.move(20_000);
    expect((await open(slow.id)).status).toBe(200);
    clock.move(3 * minute);
    expect(states(await read(expired.id))).toEqual(['expired', 'created', 'canceled', undefined]);
    expect(states(await read(refunded.id))).toEqual(['expired', 'canceled', 'canceled', undefined]);
    const { id } = await order();
    await tell({ do: 'pay-onchain', order_id: id });
    expect((await tell({ do: 'mine' }))['orders']).toContainEqual({ order_id: id, state: 'paid', payment: 'paid', invoice: 'canceled' });
    await tell({ do: 'fault', fault: { endpoint: 'GET /info', fault: '500', times: 1 } });
    expect((await fetch(`${url}/api/info`)).status).toBe(500);
  });
});
