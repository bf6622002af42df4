/** Forms of refusals, of orders, and of answers that are neither, as sellers may write them. A scripted seller returns one answer per call. */
import { describe, expect, it } from 'vitest';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import type { ProviderOffer } from '../../domain/offer.ts';
import { ProviderFault } from '../fault.ts';
import type { Answer, FollowedOrder, HttpResponse, LiquidityAdapter, LiquidityQuoteRequest } from '../spec.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const peer = '03532ff5138dc42af8dbee58f1779710186d792ab55cea54456fc24247eea1c66c@seller.example:9735';
const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const invoiceOver = (sats: bigint | undefined): string =>
  encodeInvoice({
    network: 'regtest',
    ...(sats === undefined ? {} : { amountMsat: sats * 1000n }),
    timestamp: now / 1000,
    expirySeconds: 3600,
    paymentHash: '00'.repeat(32),
    paymentSecret: '11'.repeat(32),
    description: 'channel',
    payeePrivateKey: '22'.repeat(32),
  });
const invoice = invoiceOver(5400n);
const info = { uris: [peer], min_initial_lsp_balance_sat: '100000', max_initial_lsp_balance_sat: '10000000', max_channel_expiry_blocks: 13_140 };
const asked: LiquidityQuoteRequest = {
  ramp: 'liquidity',
  product: 'inbound',
  amountSats: 1_000_000n,
  payWith: 'lightning',
  leaseBlocks: 4320,
  announce: false,
  firm: true,
  nodePubkey: '02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619',
  refundOnchain: address,
};
const expires_at = '2026-11-21T11:15:00.000Z';
const bolt11 = { state: 'EXPECT_PAYMENT', expires_at, fee_total_sat: '5400', order_total_sat: '5400', invoice };
const onchain = { state: 'EXPECT_PAYMENT', expires_at, fee_total_sat: '6300', order_total_sat: '6300', address, min_onchain_payment_confirmations: 0 };
const order = {
  order_id: 'o-1',
  lsp_balance_sat: '1000000',
  client_balance_sat: '0',
  channel_expiry_blocks: 4320,
  announce_channel: false,
  order_state: 'CREATED',
  payment: { bolt11, onchain },
  channel: null,
};

type Said = { status?: number; body: unknown; type?: string };
const toResponse = ({ status = 200, body, type }: Said): HttpResponse => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    status,
    headers: { 'content-type': type ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json') },
    body: new TextEncoder().encode(text),
  };
};
const seller = (answer: Said, settings: object = {}, infoBody: unknown = info) => {
  const sent: { url: string; body: unknown }[] = [];
  const { liquidity } = provider.create(
    {
      providerId: 'x',
      http: ({ url, body }) => {
        sent.push({ url, body: body === undefined ? undefined : (JSON.parse(body) as unknown) });
        return Promise.resolve(toResponse(url.endsWith('/get_info') ? { body: infoBody } : answer));
      },
      now: () => now,
      newId: () => 'id',
      log: () => undefined,
      network: 'regtest',
      mode: 'sandbox',
      secret: () => 'a-coupon',
    },
    provider.settings.parse({ base_url: 'https://seller.example/api/v1', pay_with: ['lightning', 'onchain'], ...settings }),
  );
  if (!liquidity) throw new Error('no liquidity');
  return { adapter: liquidity, sent };
};
const context = { signal: new AbortController().signal, requestId: 'r' };
const withToken = { token_env: 'TOKEN' };

/** Returns what became of a firm price: an offer, a refusal that says whether there is an order, or a fault that says whether there may be one. */
const outcomeOf = async (answering: Promise<Answer<ProviderOffer>>): Promise<unknown> => {
  try {
    const answer = await answering;
    return answer.ok ? answer.value : answer.refusal;
  } catch (fault) {
    if (!(fault instanceof ProviderFault)) throw fault;
    return { fault: fault.kind, taken: fault.taken, orderMade: fault.orderMade };
  }
};
const quoted = async (answer: Said, request: Partial<LiquidityQuoteRequest> = {}, settings: object = {}): Promise<unknown> =>
  await outcomeOf(seller(answer, settings).adapter.quote(context, { ...asked, ...request }));

describe('refusals that are certain', () => {
  const connect = { reason: 'peer-not-connected', connectTo: peer };
  const zeus = { statusCode: 400, message: 'You must be connected to our node as a peer first', error: 'Bad Request' };
  it.each<[string, Said, object]>([
    ['error and message (ZEUS)', { status: 400, body: zeus }, connect],
    ['the same under 200', { body: zeus }, connect],
    ['the same under 500', { status: 500, body: zeus }, connect],
    ['a list of messages (NestJS)', { status: 400, body: { ...zeus, message: [zeus.message] } }, connect],
    ['JSON-RPC', { status: 400, body: { error: { code: 1, message: 'Client rejected', data: { message: 'Peer is offline' } } } }, connect],
    [
      'JSON-RPC in whole, under 500',
      { status: 500, body: { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'Client rejected: no connection to your node' } } },
      connect,
    ],
    ['a text as error', { status: 422, body: { error: 'Please connect to our node first' } }, connect],
    ['a list of errors', { status: 400, body: { errors: [{ code: 'PEER_NOT_CONNECTED', message: 'Nope' }] } }, connect],
    ['a code in camel case', { status: 400, body: { errorType: 'nodeNotConnected' } }, connect],
    ['detail (FastAPI)', { status: 400, body: { detail: 'Node is not connected' } }, connect],
    [
      'problem+json',
      { status: 409, body: { type: 'about:blank', title: 'Conflict', detail: 'peer must be connected', status: 409 }, type: 'application/problem+json' },
      connect,
    ],
    ['a message alone', { status: 403, body: { message: 'the peer is disconnected' } }, connect],
    ['a message alone under 200', { body: { message: 'Client rejected: your node is not connected to ours' } }, connect],
    ['plain text', { status: 400, body: 'peer not connected' }, connect],
    ['plain text under 200', { body: 'Not connected: connect to our node first.' }, connect],
    ['a text as JSON', { status: 400, body: '"Unable to reach node"', type: 'application/json' }, connect],
    [
      'a page',
      { status: 400, body: '<!doctype html><title>400</title><script>x.connect(peer)</script><p>You need to be connected as a peer</p>', type: 'text/html' },
      connect,
    ],
    [
      'a page of a firewall',
      { status: 403, body: '<html><h1>Sorry, you have been blocked</h1><p>Your connection was refused</p></html>', type: 'text/html' },
      { reason: 'declined' },
    ],
    ['an empty body', { status: 400, body: '' }, { reason: 'declined' }],
    ['an empty object', { status: 422, body: {} }, { reason: 'declined' }],
    ['a number', { status: 400, body: '7', type: 'application/json' }, { reason: 'declined' }],
    ['a coupon', { status: 400, body: { message: 'This discount code has expired', error: 'Bad Request' } }, { reason: 'declined', note: 'token-refused' }],
    [
      'a field (pydantic)',
      { status: 422, body: { detail: [{ type: 'x', loc: ['body', 'channel_expiry_blocks'], msg: 'Input should be less than 4000' }] } },
      { reason: 'lease-unsupported' },
    ],
    [
      'a field as the name of a member (Rails)',
      { status: 422, body: { errors: { refund_onchain_address: ['is invalid'] } } },
      { reason: 'payment-method-unsupported' },
    ],
    ['too little (class-validator)', { status: 400, body: { message: ['lsp_balance_sat must not be less than 2000000'] } }, { reason: 'below-minimum' }],
    ['too much', { status: 400, body: { error: 'channel size exceeds our maximum' } }, { reason: 'above-maximum' }],
    ['a range', { status: 400, body: { error: 'lsp_balance_sat: minimum 1, maximum 2' } }, { reason: 'option-unsupported' }],
    ['private channels', { status: 400, body: { error: 'we open public channels only' } }, { reason: 'option-unsupported' }],
    ['a list of nodes', { status: 403, body: { detail: 'Not on the allow-list' } }, { reason: 'declined', note: 'node-not-listed' }],
    ['JSON-RPC invalid params under 200', { body: { jsonrpc: '2.0', id: 1, error: { code: -32_602, message: 'Invalid params' } } }, { reason: 'declined' }],
    ['success: false', { body: { success: false, message: 'No capacity, sorry' } }, { reason: 'declined' }],
    [
      'a request that is repeated in the error',
      { status: 400, body: { error: 'declined', request: { token: 'x', channel_expiry_blocks: 4320 } } },
      { reason: 'declined' },
    ],
  ])('%s', async (_name, answer, refusal) => {
    expect(await quoted(answer)).toEqual(refusal);
  });

  it.each<[string, Said]>([
    ['in words', { status: 400, body: { message: 'Too many requests, slow down' } }],
    ['in plain text under 200', { body: 'rate limit exceeded' }],
    ['as a code', { status: 400, body: { error: { code: 'RATE_LIMITED', message: '' } } }],
  ])('a rate limit %s is one', async (_name, answer) => {
    expect(await quoted(answer)).toEqual({ fault: 'rate-limited', taken: 'no', orderMade: undefined });
  });
});

describe('what may have made an order', () => {
  const maybe = (fault: string) => ({ fault, taken: 'maybe', orderMade: undefined });
  it.each<[string, Said, string]>([
    ['nothing at all', { status: 204, body: '' }, 'malformed'],
    ['an empty object', { body: {} }, 'malformed'],
    ['an empty list', { body: [] }, 'malformed'],
    ['done, without an id', { body: { status: 'ok', message: 'Order created' } }, 'malformed'],
    ['done, and a duty', { body: 'Order accepted. You must pay within an hour.' }, 'malformed'],
    ['words that say nothing', { body: { message: 'Something went wrong' } }, 'malformed'],
    ['a text that says nothing', { body: 'Hello' }, 'malformed'],
    ['an error of the server under 200', { body: { error: { code: -32_603, message: 'Internal error' } } }, 'malformed'],
    ['a page under 200', { body: '<html>Peer not connected</html>', type: 'text/html' }, 'malformed'],
    ['an order without an id', { body: { ...order, order_id: undefined } }, 'malformed'],
    ['an order whose id is nothing', { body: { ...order, order_id: ' ' } }, 'malformed'],
    ['a broken server', { status: 500, body: { error: 'Internal server error' } }, 'server'],
    ['a broken server that is not connected to something', { status: 500, body: { error: 'database error: invalid state' } }, 'server'],
    ['a gateway', { status: 502, body: '<html>Bad Gateway</html>', type: 'text/html' }, 'server'],
    ['a request that came in too slowly', { status: 408, body: { message: 'Request timeout' } }, 'server'],
    ['a connection that its client closed', { status: 499, body: '' }, 'server'],
  ])('%s', async (_name, answer, fault) => {
    expect(await quoted(answer)).toEqual(maybe(fault));
  });
});

describe('orders in other forms', () => {
  const { order_id: _id, ...unnamed } = order;
  const { payment: _payment, ...unpaid } = order;
  const camel = {
    orderId: 'o-1',
    lspBalanceSat: 1_000_000,
    clientBalanceSat: 0,
    channelExpiryBlocks: '4320',
    announceChannel: 'false',
    orderState: 'created',
    payment: { bolt11: { state: 'expectPayment', expiresAt: now + 3_600_000, feeTotalSat: 5400, orderTotalSat: 5400, invoice } },
  };
  const paying = (payment: unknown): Said => ({ body: { ...order, payment } });
  it.each<[string, Said, string?]>([
    ['as in the standard', { body: order }],
    ['201', { status: 201, body: order }],
    ['payment required', { status: 402, body: order }],
    ['without a content type', { body: order, type: 'text/plain' }],
    ['JSON-RPC', { body: { jsonrpc: '2.0', id: 7, result: order } }],
    ['result beside an empty error', { body: { result: order, error: null } }],
    ['data', { body: { success: true, data: order } }],
    ['order', { body: { order } }],
    ['body', { body: { statusCode: 200, body: order } }],
    ['data in order in a list', { body: [{ data: { order: [order] } }] }],
    ['order and payment side by side', { body: { status: 'ok', order: { id: 'o-1', state: 'CREATED', lsp_balance_sat: '1000000' }, payment: order.payment } }],
    ['a number as id', { body: { ...order, order_id: 12_345 } }, '12345'],
    [
      'a number that no float holds',
      { body: `${JSON.stringify(unnamed).slice(0, -1)},"order_id":20261128175930417}`, type: 'application/json' },
      '20261128175930417',
    ],
    ['id', { body: { ...unnamed, id: 'o-1' } }],
    ['id in an envelope that has one', { body: { id: 3, result: { ...unnamed, id: 'o-1' } } }],
    ['orderID', { body: { ...unnamed, orderID: 'o-1' } }],
    ['an id in an object', { body: { ...unnamed, _id: { $oid: 'o-1' } } }],
    ['camel case', { body: camel }],
    ['numbers', paying({ bolt11: { ...bolt11, fee_total_sat: 5400, order_total_sat: 5400.0 } })],
    ['sats by name', paying({ bolt11: { ...bolt11, fee_total_sat: '5400 sats', order_total_sat: '5400sat' } })],
    ['msat by name', paying({ bolt11: { ...bolt11, fee_total_sat: '5400000 msat', order_total_sat: '0.000054 BTC' } })],
    ['msat', paying({ bolt11: { state: 'EXPECT_PAYMENT', fee_total_msat: 5_400_000, order_total_msat: '5400000', invoice } })],
    ['without a fee', paying({ bolt11: { ...bolt11, fee_total_sat: undefined } })],
    ['without a total', paying({ bolt11: { ...bolt11, order_total_sat: null } })],
    ['with nothing but the invoice', paying({ bolt11: { invoice } })],
    ['the invoice alone', paying({ bolt11: invoice })],
    ['flat', paying({ state: 'EXPECT_PAYMENT', fee_total_sat: 5400, order_total_sat: 5400, lightning_invoice: invoice, onchain_address: address })],
    ['flat, under bolt11', paying({ state: 'EXPECT_PAYMENT', order_total_sat: 5400, bolt11: invoice, onchain: null })],
    [
      'a list',
      paying([
        { type: 'onchain', ...onchain },
        { type: 'BOLT11', ...bolt11 },
      ]),
    ],
    ['beside the order', { body: { ...unpaid, order_total_sat: '5400', bolt11_invoice: invoice } }],
    ['other names', { body: { ...unpaid, payment_options: { lightning: bolt11, on_chain: onchain } } }],
    ['a link', paying({ bolt11: { ...bolt11, invoice: `lightning:${invoice.toUpperCase()}` } })],
    [
      'inside a bitcoin link',
      paying({ bolt11: { ...bolt11, invoice: `BITCOIN:${address.toUpperCase()}?AMOUNT=0.000054&LIGHTNING=${invoice.toUpperCase()}` } }),
    ],
    ['in seconds', paying({ bolt11: { ...bolt11, expires_at: now / 1000 + 3600 } })],
    ['in milliseconds', paying({ bolt11: { ...bolt11, expires_at: String(now + 3_600_000) } })],
    ['an expiry that nobody can read', paying({ bolt11: { ...bolt11, expires_at: 'in an hour' } })],
    [
      'states of other clients',
      { body: { ...order, order_state: 'ORDER_STATE_CREATED', payment: { bolt11: { ...bolt11, state: 'PAYMENT_STATE_EXPECT_PAYMENT' } } } },
    ],
    ['a channel that is no object', { body: { ...order, channel: [] } }],
    ['without a channel', { body: { ...order, channel: undefined } }],
    ['only what is needed', { body: { order_id: 'o-1', payment: { bolt11: { invoice } } } }],
  ])('%s', async (_name, answer, id = 'o-1') => {
    expect(await quoted(answer)).toMatchObject({
      pay: 5400n,
      receive: 0n,
      fee: 5400n,
      binding: true,
      expiresOn: now + 3_600_000,
      reservation: { upstreamOrderId: id, acceptUntil: now + 3_600_000 },
      upstream: { pay_with: 'lightning', order_id: id },
      facts: { inbound_sats: 1_000_000, lease_blocks: 4320 },
    });
  });

  it.each<[string, object]>([
    ['an address', onchain],
    ['an address in capitals', { ...onchain, address: address.toUpperCase() }],
    ['a link as address', { ...onchain, address: `BITCOIN:${address.toUpperCase()}?amount=0.000063` }],
    ['only a link', { ...onchain, address: null, bip21: `bitcoin:${address}?amount=0.00006300&lightning=${invoice}` }],
    ['an end of the order', { ...onchain, expires_at: undefined }],
    ['confirmations in words', { ...onchain, min_onchain_payment_confirmations: 'zero-conf' }],
  ])('on chain, %s', async (_name, way) => {
    const offer = await quoted({ body: { ...order, expires_at, payment: { bolt11, onchain: way } } }, { payWith: 'onchain' });
    // The offer ends half an hour before the order, so that a payment has time to confirm.
    expect(offer).toMatchObject({ pay: 6300n, expiresOn: now + 1_800_000, secret: expect.stringMatching(new RegExp(address, 'i')) as unknown });
    const { adapter } = seller({ body: {} });
    const placed = await adapter.placeOrder(context, { quote: asked, offer: offer as ProviderOffer, inputs: {} });
    expect(placed).toMatchObject({ ok: true, value: { paymentInfo: { kind: 'onchain', amountSats: 6300n } } });
  });
});

describe('an order that is there, but cannot be sold', () => {
  const refused = (reason: string) => ({ reason, orderMade: 'o-1' });
  it.each<[string, object, string]>([
    ['no invoice', { payment: { bolt11: null, onchain } }, 'payment-method-unsupported'],
    ['only another way to pay', { payment: { bolt12: { offer: 'lno1' } } }, 'payment-method-unsupported'],
    ['no way to pay, and no coupon', { payment: {} }, 'payment-method-unsupported'],
    ['nothing about payment', { payment: null }, 'payment-method-unsupported'],
    ['announced, though private was asked for', { announce_channel: true }, 'option-unsupported'],
    ['the same as a text', { announce_channel: 'true' }, 'option-unsupported'],
    ['failed at once', { order_state: 'FAILED' }, 'declined'],
    ['cancelled at once', { payment: { bolt11: { ...bolt11, state: 'CANCELLED' } } }, 'declined'],
    ['an error beside it', { error: { code: 1, message: 'Client rejected' } }, 'declined'],
    ['an error that says why', { error: 'Peer is not connected' }, 'peer-not-connected'],
  ])('%s', async (_name, more, reason) => {
    expect(await quoted({ body: { ...order, ...more } })).toMatchObject(refused(reason));
  });

  it('an order whose ways to pay are named but null is not free, whatever coupon was sent', async () => {
    for (const payment of [{ bolt11: null }, { bolt11: null, onchain: {} }, { bolt12: { offer: 'lno1' } }])
      expect(await quoted({ body: { ...order, payment } }, {}, withToken)).toEqual(refused('payment-method-unsupported'));
  });

  it('private, though an announced channel was asked for', async () => {
    expect(await quoted({ body: order }, { announce: true })).toEqual(refused('option-unsupported'));
  });

  it.each<[string, object, Said['status']?]>([
    ['other balances', { lsp_balance_sat: '999999' }],
    ['a balance that is no number', { lsp_balance_sat: 'a lot' }],
    ['a total that is not the sum', { payment: { bolt11: { ...bolt11, order_total_sat: '5401' } } }],
    ['an invoice over more', { payment: { bolt11: { ...bolt11, invoice: invoiceOver(5401n) } } }],
    ['an invoice that is none', { payment: { bolt11: { ...bolt11, invoice: 'lnbcrt1x' } } }],
    ['an amount with a unit that nobody knows', { payment: { bolt11: { ...bolt11, order_total_sat: '5400 gwei' } } }],
    ['paid already', { payment: { bolt11: { ...bolt11, state: 'PAID' } } }],
    ['over already', { payment: { bolt11: { ...bolt11, expires_at: now / 1000 - 1 } } }],
    ['nothing to pay, with an invoice to pay', { payment: { bolt11: { ...bolt11, fee_total_sat: 0, order_total_sat: 0 } } }],
  ])('%s: a fault that names it', async (_name, more) => {
    expect(await quoted({ body: { ...order, ...more } })).toEqual({ fault: 'malformed', taken: 'maybe', orderMade: 'o-1' });
  });

  it.each(['?amount=1&x=', '?lightning=lnbcrt1', '?', ' ', '\n?amount=1', '&amount=1', '#x', '?req-x=1'])('an address with “%s” behind it', async (more) => {
    for (const way of [{ address: `${address}${more}x` }, { address: `bitcoin:${address}?label=a b${more}x` }]) {
      const said = await quoted({ body: { ...order, payment: { onchain: { ...onchain, ...way } } } }, { payWith: 'onchain' });
      expect(said).toEqual({ fault: 'malformed', taken: 'maybe', orderMade: 'o-1' });
    }
  });

  it('a firm price of an earlier release with such an address', async () => {
    const offer = (await quoted({ body: { ...order, expires_at, payment: { bolt11, onchain } } }, { payWith: 'onchain' })) as ProviderOffer;
    const { adapter } = seller({ body: {} });
    const placed = await adapter.placeOrder(context, { quote: asked, offer: { ...offer, secret: `${address}?amount=1&x=` }, inputs: {} });
    expect(placed).toEqual({ ok: false, refusal: { reason: 'declined', note: 'reservation-ended' } });
  });

  const within = async (way: object, settings: object = {}) =>
    await quoted({ body: { ...order, payment: { onchain: { ...onchain, ...way } } } }, { payWith: 'onchain' }, settings);
  it.each<[string, object, object, number | undefined]>([
    ['a confirmation', { min_onchain_payment_confirmations: 1 }, {}, 1800],
    ['two confirmations take the whole hour', { min_onchain_payment_confirmations: 2 }, {}, undefined],
    ['two, at a seller that the operator trusts to see them soon', { min_onchain_payment_confirmations: '2' }, { onchain_margin_s: 900 }, 1800],
    ['an hour, as wanted by the operator', {}, { onchain_margin_s: 3600 }, undefined],
    ['too little time', { expires_at: now / 1000 + 1800 }, {}, undefined],
    ['a second', { expires_at: now / 1000 + 1801 }, {}, 1],
    ['no end stated', { expires_at: null }, { onchain_life_s: 900 }, 900],
  ])('time for confirmations: %s', async (_what, way, settings, left) => {
    const inTime = { expiresOn: now + (left ?? 0) * 1000, reservation: { acceptUntil: now + (left ?? 0) * 1000 } };
    expect(await within(way, settings)).toMatchObject(left === undefined ? refused('payment-method-unsupported') : inTime);
  });

  it.each(['bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'soon', 7, {}])(
    'a refund that would go elsewhere: %s',
    async (refund_onchain_address) => {
      expect(await within({ refund_onchain_address })).toEqual({ fault: 'malformed', taken: 'maybe', orderMade: 'o-1' });
      // If the order is paid by invoice, the refund address does not matter: a Lightning payment goes back by itself.
      expect(await quoted({ body: { ...order, payment: { bolt11, onchain: { ...onchain, refund_onchain_address } } } })).toMatchObject({ pay: 5400n });
    },
  );
  it.each([address, address.toUpperCase(), ` ${address}`, `bitcoin:${address}`, null, undefined, ''])('a refund to the customer: %s', async (mirrored) => {
    expect(await within({ refund_onchain_address: mirrored })).toMatchObject({ pay: 6300n });
  });

  it('a link over another amount than the order', async () => {
    const bip21 = `bitcoin:${address}?amount=0.00006301`;
    expect(await quoted({ body: { ...order, payment: { onchain: { ...onchain, bip21 } } } }, { payWith: 'onchain' })).toMatchObject({ orderMade: 'o-1' });
  });

  it('a refusal under 4xx that names an order', async () => {
    expect(await quoted({ status: 409, body: { message: 'You have an open order', order } })).toEqual(refused('declined'));
  });

  it('ordered from an estimate, such an order is kept under its id and not shown, as is one with a shorter lease than promised', async () => {
    const estimate: ProviderOffer = {
      pay: 5400n,
      receive: 0n,
      fee: 5400n,
      binding: false,
      upstream: { pay_with: 'lightning' },
      facts: {},
      requires: [],
      warnings: [],
    };
    const place = async (body: unknown, offer = estimate): Promise<unknown> =>
      await seller({ body }).adapter.placeOrder(context, { quote: { ...asked, firm: false }, offer, inputs: {} });
    const longer = { ...estimate, facts: { lease_blocks: 8640 } };
    expect(await place(order, longer)).toMatchObject({ value: { upstreamOrderId: 'o-1', paymentInfo: { kind: 'none', problem: 'lease-too-short' } } });
    for (const [more, problem] of [
      [{ announce_channel: true }, 'option-unsupported'],
      [{ payment: { onchain } }, 'payment-method-unsupported'],
      [{ channel_expiry_blocks: 144 }, 'lease-too-short'],
    ] as const)
      expect(await place({ ...order, ...more })).toMatchObject({ ok: true, value: { upstreamOrderId: 'o-1', paymentInfo: { kind: 'none', problem } } });
    await expect(place({ ...order, lsp_balance_sat: '1' })).rejects.toMatchObject({ taken: 'maybe', orderMade: 'o-1' });
  });
});

describe('a channel for nothing', () => {
  const free = { ...order, token: 'a-coupon', payment: {} };
  const nothing = { state: 'EXPECT_PAYMENT', fee_total_sat: '0', order_total_sat: '0' };
  it.each<[string, object, object]>([
    ['no way to pay, for a coupon (ZEUS)', free, withToken],
    ['payment of null, for a coupon', { ...free, payment: null }, withToken],
    ['being opened', { ...free, order_state: 'OPENING' }, {}],
    ['a total of nothing', { ...free, payment: { bolt11: { ...nothing, invoice: null } } }, {}],
    ['a total of nothing, and an invoice over nothing', { ...free, payment: { bolt11: { ...nothing, invoice: invoiceOver(undefined) } } }, {}],
  ])('%s', async (_name, body, settings) => {
    const { adapter, sent } = seller({ body }, settings);
    const answer = await adapter.quote(context, asked);
    expect(answer).toMatchObject({
      ok: true,
      value: { pay: 0n, receive: 0n, fee: 0n, binding: true, reservation: { upstreamOrderId: 'o-1' }, upstream: { order_id: 'o-1', free: true } },
    });
    const offer = (answer as { value: ProviderOffer }).value;
    const before = sent.length;
    expect(await adapter.placeOrder(context, { quote: asked, offer, inputs: {} })).toEqual({
      ok: true,
      value: { upstreamOrderId: 'o-1', stage: 'paid', pay: 0n, receive: 0n, fee: 0n, paymentInfo: { kind: 'none' } },
    });
    expect(sent).toHaveLength(before);
  });

  it("a turbo channel's price includes its balance", async () => {
    const body = { ...free, client_balance_sat: '1000000' };
    const turbo = { ...info, max_initial_client_balance_sat: '2000000' };
    const { adapter } = seller({ body }, withToken, turbo);
    expect(await outcomeOf(adapter.quote(context, { ...asked, product: 'turbo' }))).toMatchObject({ reason: 'payment-method-unsupported', orderMade: 'o-1' });
    const paid = { ...body, payment: { bolt11: { ...bolt11, fee_total_sat: 0, order_total_sat: 1_000_000, invoice: invoiceOver(1_000_000n) } } };
    const offer = await outcomeOf(seller({ body: paid }, {}, turbo).adapter.quote(context, { ...asked, product: 'turbo' }));
    expect(offer).toMatchObject({ pay: 1_000_000n, receive: 1_000_000n, fee: 0n });
  });

  it('is opened, or fails and owes nothing', async () => {
    const stage = async (more: object): Promise<unknown> =>
      await staged(seller({ body: { ...free, ...more } }).adapter, { pay_with: 'lightning', order_id: 'o-1', free: true });
    expect(await stage({})).toBe('paid');
    expect(await stage({ expires_at: now / 1000 - 60 })).toBe('paid');
    expect(await stage({ order_state: 'COMPLETED' })).toBe('finished');
    expect(await stage({ order_state: 'FAILED' })).toBe('refunded');
  });
});

const followed = (upstreamOrderId: string, upstream: FollowedOrder['upstream']): FollowedOrder => ({
  orderId: 'ours',
  upstreamOrderId,
  createdOn: now,
  pay: 5400n,
  receive: 0n,
  fee: 5400n,
  upstream,
  facts: {},
});
const staged = async (adapter: LiquidityAdapter, upstream: FollowedOrder['upstream'], id = 'o-1'): Promise<unknown> => {
  const answer = await adapter.readOrders(context, followed(id, upstream));
  return answer.ok ? answer.value[0]?.stage : answer.refusal;
};

describe('reading an order', () => {
  const lightning = { pay_with: 'lightning' };
  it.each<[string, unknown, string?]>([
    ['in an envelope', { result: order }],
    ['a list of one', [order]],
    ['a number as id', { ...order, order_id: 12_345 }, '12345'],
    ['a UUID in capitals', { ...order, order_id: 'BB4B5D0A-8334-49D8-9463-90A6D413AF7C' }, 'bb4b5d0a-8334-49d8-9463-90a6d413af7c'],
    ['a status beside it', { status: 'success', ...order }],
  ])('%s', async (_name, body, id = 'o-1') => {
    const answer = await seller({ body }).adapter.readOrders(context, followed(id, lightning));
    expect(answer).toMatchObject({ ok: true, value: [{ upstreamOrderId: id, stage: 'awaiting_payment', pay: 5400n }] });
  });

  it.each<[string, object, string | undefined]>([
    ['small letters', { order_state: 'completed' }, 'finished'],
    ['camel case', { payment: { bolt11: { ...bolt11, state: 'hold' } } }, 'paid'],
    ['a state without "order"', { order_state: undefined, state: 'Failed', payment: { bolt11: { ...bolt11, state: 'refunded' } } }, 'refunded'],
    ['a status of LSPS1', { order_state: undefined, status: 'COMPLETED' }, 'finished'],
    ['a word that nobody knows', { order_state: 'shiny' }, undefined],
    ['a number', { order_state: 3 }, undefined],
  ])('%s', async (_name, more, stage) => {
    expect(await staged(seller({ body: { ...order, ...more } }).adapter, lightning)).toBe(stage);
  });

  it.each<[string, object]>([
    ['a balance that is no number', { client_balance_sat: 'none' }],
    ['a lease that is no number', { channel_expiry_blocks: 'a month' }],
    ['a total in an unknown unit', { payment: { bolt11: { ...bolt11, state: 'PAID', order_total_sat: '5400 gwei' } } }],
    ['an invoice that is none', { payment: { bolt11: { ...bolt11, state: 'PAID', invoice: { spent: true } } } }],
  ])('%s does not hide that the order was paid', async (_name, more) => {
    const paid = { ...order, payment: { bolt11: { ...bolt11, state: 'PAID' } } };
    for (const order_state of ['CREATED', 'COMPLETED']) {
      const answer = await seller({ body: { ...paid, ...more, order_state } }).adapter.readOrders(context, followed('o-1', lightning));
      expect(answer).toMatchObject({ ok: true, value: [{ upstreamOrderId: 'o-1', rawStatus: `${order_state}/PAID`, stage: 'review', moneySeen: true }] });
    }
    // Without any money, such an answer is malformed. Nothing is lost by that, since the order is read again later.
    const unpaid = { ...order, ...more, payment: { bolt11: { ...bolt11, order_total_sat: '5400 gwei' } } };
    await expect(seller({ body: unpaid }).adapter.readOrders(context, followed('o-1', lightning))).rejects.toBeInstanceOf(ProviderFault);
  });

  it('a channel in other forms', async () => {
    const channel = { fundedAt: now / 1000, fundingOutpoint: { txid: 'ab'.repeat(32), vout: 1 }, expires_at: now + 86_400_000 };
    const answer = await seller({ body: { ...order, order_state: 'COMPLETED', channel } }).adapter.readOrders(context, followed('o-1', lightning));
    expect(answer).toMatchObject({
      value: [{ statusOn: now, facts: { funding_outpoint: `${'ab'.repeat(32)}:1`, channel_expires_on: '2026-11-22T10:15:00.000Z' } }],
    });
  });

  it.each<[string, Said]>([
    ['404 and nothing', { status: 404, body: '' }],
    ['404 and words', { status: 404, body: { detail: 'no' } }],
    ['400 and a code', { status: 400, body: { error: { code: 101, message: 'x' } } }],
    ['plain text', { status: 400, body: 'Order not found' }],
    ['plain text under 200', { body: 'no such order' }],
    ['an error that repeats the id', { status: 400, body: { error: 'Order not found', order_id: 'o-1' } }],
    ['under 500', { status: 500, body: { error: { code: 101, message: 'Not found' } } }],
  ])('an order that the seller does not know: %s', async (_name, answer) => {
    expect(await seller(answer).adapter.readOrders(context, followed('o-1', lightning))).toEqual({ ok: true, value: [] });
  });

  it.each<[string, Said]>([
    ['a page under 404', { status: 404, body: '<html><h1>404 Not Found</h1></html>', type: 'text/html' }],
    ['no such path', { status: 404, body: '404 page not found' }],
    ['another order', { body: { ...order, order_id: 'o-2' } }],
    ['an order without an id', { body: { ...order, order_id: null } }],
    ['an error of another kind', { body: { error: 'Client rejected' } }],
    ['nothing', { body: {} }],
    ['403', { status: 403, body: { message: 'no' } }],
  ])('%s does not say whether there is an order', async (_name, answer) => {
    await expect(seller(answer).adapter.readOrders(context, followed('o-1', lightning))).rejects.toBeInstanceOf(ProviderFault);
  });
});

describe('get_info in other forms', () => {
  it.each<[string, unknown]>([
    ['an envelope', { jsonrpc: '2.0', id: 1, result: info }],
    ['options in data', { data: { uris: [peer], options: { ...info, uris: undefined } } }],
    ['camel case and numbers', { uris: [peer], minInitialLspBalanceSat: 100_000, maxInitialLspBalanceSat: 10_000_000, maxChannelExpiryBlocks: '13140' }],
    ['amounts with a unit, one address as a text', { ...info, uris: peer, max_initial_lsp_balance_sat: '10000000 sat' }],
    ['confirmations in words', { ...info, min_required_channel_confirmations: 'zero-conf', min_funding_confirms_within_blocks: null }],
  ])('%s', async (_name, body) => {
    const { adapter } = seller({ body: order }, {}, body);
    expect(await adapter.catalogue(context)).toMatchObject({
      ok: true,
      value: [{ product: 'inbound', minSats: 100_000n, maxSats: 10_000_000n, maxLeaseBlocks: 13_140, peers: [peer] }],
    });
  });
});

it('sends what every public client sends', async () => {
  const { adapter, sent } = seller({ body: order });
  await adapter.quote(context, asked);
  expect(sent[1]?.body).toMatchObject({ token: '', refund_onchain_address: address });
});
