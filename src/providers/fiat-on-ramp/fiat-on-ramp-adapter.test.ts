import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { verifyNodeSignature } from '../../bitcoin/node-signature.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { ProviderFault } from '../fault.ts';
import type { AdapterDeps, ClaimingBuyer, CatalogueOption, FollowedOrder } from '../spec.ts';
import { provider } from './index.ts';

const now = Date.UTC(2026, 10, 21, 10, 15);
const baseUrl = 'https://provider.example';
const sessionId = 'd7ef9a88-1ca1-4ac8-bc9e-da3d9824cdc5';
const orderId = '3f0a5c9e-6a57-4c34-9b1e-0f6d2a7b8c11';
const nodeKey = '11'.repeat(32);
const option: CatalogueOption = { currency: 'EUR', name: 'SEPA', upstream: { currency_id: 1, id: 3 }, feePpm: 9000, minFiat: 1000n, maxFiat: 100_000n };
const yen: CatalogueOption = { currency: 'JPY', name: 'Bank', upstream: { currency_id: 7, id: 1 }, feePpm: 10_000 };
const quoteReply = {
  quote_id: '8ed13c2a-a8c6-4f0e-b43e-3fdbf1f094a6',
  amount_fiat: 10_000,
  currency_id: 1,
  payment_option_id: 3,
  amount_sats: 107_952,
  is_estimate: false,
  btc_price: 9_180_000,
  order_fee: 90,
  expires_on: '2026-11-24T10:15:00.715Z',
};
const followed: FollowedOrder = {
  orderId: 'ours',
  upstreamOrderId: orderId,
  createdOn: now,
  pay: 10_000n,
  receive: 107_952n,
  fee: 90n,
  upstream: {},
  facts: { currency: 'EUR' },
};

const bareDeps: Omit<AdapterDeps, 'http'> = {
  providerId: 'x',
  now: () => now,
  newId: () => '72614b08-f884-479e-8a90-b13495afd5d9',
  log: () => undefined,
  network: 'regtest',
  mode: 'sandbox',
  secret: (name) => (name === 'NODE_KEY' ? nodeKey : undefined),
};

type Asked = { method: string; url: string; body: unknown };
type Given = { status: number; body: unknown };
/** Makes an adapter whose provider returns these answers in turn. An answer that is not {status, body} is the body of a 200. */
const answering = (answers: unknown[], settings: object = {}): { adapter: ClaimingBuyer; asked: Asked[]; logged: string[] } => {
  const asked: Asked[] = [];
  const logged: string[] = [];
  const left = [...answers];
  const deps: AdapterDeps = {
    ...bareDeps,
    log: (level, event, fields) => logged.push(`${level} ${event} ${JSON.stringify(fields)}`),
    http: (request) => {
      asked.push({ method: request.method, url: request.url, body: request.body === undefined ? undefined : (JSON.parse(request.body) as unknown) });
      const next = left.shift();
      const { status, body } = isGiven(next) ? next : { status: 200, body: next };
      return Promise.resolve({ status, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(JSON.stringify(body)) });
    },
  };
  const { buy } = provider.create(deps, provider.settings.parse({ base_url: baseUrl, ...settings }));
  if (!buy?.claim) throw new Error('no buy ramp');
  return { adapter: buy, asked, logged };
};
const isGiven = (value: unknown): value is Given => typeof value === 'object' && value !== null && 'status' in value && 'body' in value;

const context = { signal: new AbortController().signal, requestId: 'r', customer: JSON.stringify({ sessionId, expiresOn: now + 600_000 }) };
const buying = { ramp: 'buy', fixed: 'pay', amount: 10_000n, option } as const;
const bodies = (asked: Asked[]): unknown[] => asked.map(({ body }) => body);
const faultOf = async (work: Promise<unknown>): Promise<unknown> => await work.catch((error: unknown) => (error instanceof ProviderFault ? error.kind : error));

describe('quotes', () => {
  it('asks in sats, for exactly one amount', async () => {
    const { adapter, asked } = answering([quoteReply]);
    await adapter.quote(context, { ...buying, fixed: 'receive', amount: 107_952n });
    expect(bodies(asked)).toEqual([{ session_id: sessionId, amount_sats: 107_952, currency_id: 1, payment_option_id: 3 }]);
  });

  it('fee added: asks for less, corrects once, and tells the total', async () => {
    const first = { ...quoteReply, amount_fiat: 9910, order_fee: 100 };
    const second = { ...quoteReply, amount_fiat: 9900, order_fee: 99 };
    const { adapter, asked } = answering([first, second], { fee_style: 'added' });
    expect(await adapter.quote(context, buying)).toMatchObject({ ok: true, value: { pay: 9999n, fee: 99n } });
    expect(asked.map(({ body }) => (body as { amount_fiat: number }).amount_fiat)).toEqual([9910, 9900]);
    const hopeless = answering([first, { ...second, order_fee: 200 }, second], { fee_style: 'added' });
    expect(await hopeless.adapter.quote(context, buying)).toEqual({ ok: false, refusal: { reason: 'fee-unresolved' } });
    expect(hopeless.asked).toHaveLength(2);
    const absurd = answering([{ ...first, order_fee: 20_000 }, first], { fee_style: 'added' });
    expect(await absurd.adapter.quote(context, buying)).toEqual({ ok: false, refusal: { reason: 'fee-unresolved' } });
    expect(absurd.asked).toHaveLength(1);
  });

  it('fee added, the sats given: the total is told', async () => {
    const { adapter } = answering([quoteReply], { fee_style: 'added' });
    expect(await adapter.quote(context, { ...buying, fixed: 'receive', amount: 107_952n })).toMatchObject({ value: { pay: 10_090n, fee: 90n } });
  });

  it('fee added, in a currency without decimals: asks for whole units', async () => {
    const reply = { ...quoteReply, amount_fiat: 9900, order_fee: 99, currency_id: 7, payment_option_id: 1 };
    const { adapter, asked } = answering([reply], { fee_style: 'added', minor_units: 'iso4217' });
    expect(await adapter.quote(context, { ...buying, amount: 1_000_000n, option: yen })).toMatchObject({ value: { pay: 999_900n, fee: 9900n } });
    expect(bodies(asked)).toEqual([{ session_id: sessionId, amount_fiat: 9900, currency_id: 7, payment_option_id: 1 }]);
    const tiny = answering([reply], { fee_style: 'added', minor_units: 'iso4217' });
    expect(await tiny.adapter.quote(context, { ...buying, amount: 100n, option: yen })).toEqual({ ok: false, refusal: { reason: 'fee-unresolved' } });
    expect(tiny.asked).toEqual([]);
  });

  it('an amount that the units of the provider cannot express is refused, not rounded', async () => {
    const { adapter, asked } = answering([], { minor_units: 'iso4217' });
    expect(await adapter.quote(context, { ...buying, amount: 10_050n, option: yen })).toEqual({ ok: false, refusal: { reason: 'off-step' } });
    expect(asked).toEqual([]);
    const dinar: CatalogueOption = { ...option, currency: 'KWD' };
    const odd = answering([{ ...quoteReply, amount_fiat: 10_005 }], { minor_units: 'iso4217' });
    expect(await odd.adapter.quote(context, { ...buying, fixed: 'receive', option: dinar })).toEqual({ ok: false, refusal: { reason: 'off-step' } });
  });

  it('after a session has ended, a new session or a new proof is needed', async () => {
    const over = { status: 401, body: {} };
    expect(await answering([over]).adapter.quote(context, buying)).toEqual({ ok: false, refusal: { reason: 'busy' }, customer: '' });
    expect(await answering([over], { proof: 'demanded' }).adapter.quote(context, buying)).toEqual({
      ok: false,
      refusal: { reason: 'proof-required' },
      customer: '',
    });
  });

  it('a message under 200 is a refusal', async () => {
    expect(await answering([{ message: 'Quote not available' }]).adapter.quote(context, buying)).toEqual({ ok: false, refusal: { reason: 'declined' } });
  });

  it('a call without a session is a defect of ours', async () => {
    const { customer: _, ...bare } = context;
    await expect(answering([quoteReply]).adapter.quote(bare, buying)).rejects.toThrow('no upstream session');
  });
});

describe('sessions', () => {
  const verified = { session_id: sessionId, token: 'yyq6qpj2a', expires_on: '2026-11-21T10:25:00.000Z' };

  it('a provider that demands proof against its block is refused, and the setting named', async () => {
    const { adapter, logged } = answering([verified]);
    expect(await adapter.beginSession(context)).toEqual({
      ok: false,
      refusal: { reason: 'proof-required', note: 'proof-not-configured' },
    });
    expect(logged).toEqual(['warn proof_demanded {"setting":"proof: demanded"}']);
  });

  it('passes the token on unchanged, or inside the sentence that this provider wants signed', async () => {
    const tokenWith = async (settings: object): Promise<unknown> => {
      const begun = await answering([verified], { proof: 'demanded', ...settings }).adapter.beginSession(context);
      return begun.ok ? [begun.value.token, begun.customer] : begun;
    };
    const blob = (token: string): string => JSON.stringify({ sessionId, expiresOn: Date.parse(verified.expires_on), token });
    expect(await tokenWith({})).toEqual(['yyq6qpj2a', blob('yyq6qpj2a')]);
    const sentence = 'I confirm my bitcoin wallet. [yyq6qpj2a]';
    expect(await tokenWith({ proof_template: 'I confirm my bitcoin wallet. [TOKEN]' })).toEqual([sentence, blob(sentence)]);
  });

  it('opens without a token with random letters and digits, without an end with one of ours', async () => {
    const { adapter, asked } = answering([{ session_id: sessionId }]);
    expect(await adapter.openSession(context)).toEqual({
      ok: true,
      value: { expiresOn: now + 600_000 },
      customer: JSON.stringify({ sessionId, expiresOn: now + 600_000 }),
    });
    expect(bodies(asked)).toEqual([{ session_id: sessionId, signature: '72614b08f884479e8a90b13495afd5d9' }]);
  });

  it('a new id in the answer wins', async () => {
    const opened = await answering([{ session_id: 'another', expires_on: '2026-11-21 11:15:00.123456+01:00' }]).adapter.openSession(context);
    expect(opened.customer).toBe(JSON.stringify({ sessionId: 'another', expiresOn: Date.UTC(2026, 10, 21, 10, 15, 0, 123) }));
  });

  it("for the listing at a provider that demands proof: the gateway's own key, the id alone, or nothing", async () => {
    const begun = { ...context, customer: JSON.stringify({ sessionId, expiresOn: now, token: 'yyq6qpj2a' }) };
    const own = answering([{ session_id: sessionId }], { proof: 'demanded', catalogue_key_env: 'NODE_KEY' });
    expect(await own.adapter.openSession(begun)).toMatchObject({ ok: true });
    const sent = own.asked[0]?.body as { signature: string; node_pubkey: string };
    expect(sent.node_pubkey).toBe(publicKeyOf(nodeKey));
    expect(verifyNodeSignature({ token: 'yyq6qpj2a', signature: sent.signature, nodePubkey: sent.node_pubkey })).toBe(true);
    const alone = answering([], { proof: 'demanded', catalogue_without_session: true });
    expect(await alone.adapter.openSession(begun)).toEqual({ ok: true, value: { expiresOn: now }, customer: begun.customer });
    // The gateway's own key does not sign a token that would be valid at another service, either.
    const oracle = answering([], { proof: 'demanded', catalogue_key_env: 'NODE_KEY' });
    const asks = { ...begun, customer: JSON.stringify({ sessionId, expiresOn: now, token: 'ramp-gateway:other.example:yyq6qpj2a' }) };
    expect([await oracle.adapter.openSession(asks), oracle.asked]).toEqual([{ ok: false, refusal: { reason: 'proof-required' } }, []]);
    for (const settings of [{}, { catalogue_key_env: 'NOT_SET' }]) {
      const none = answering([], { proof: 'demanded', ...settings });
      expect(await none.adapter.openSession(begun)).toEqual({ ok: false, refusal: { reason: 'proof-required' } });
      expect([...alone.asked, ...none.asked]).toEqual([]);
    }
  });
});

describe('listings', () => {
  const listing = { currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [{ option: 'SEPA', id: 3, fee_rate: 0.009 }] } }] };
  const none = { quotes: false, estimates: false, on_chain_fallback: false, webhook: false };

  it('GET with the fields as query, where the block says so', async () => {
    const { adapter, asked } = answering([{}, listing], { payment_options_method: 'GET', path_map: { 'payment-options': '/options' }, path_prefix: '/v1' });
    expect(await adapter.catalogue(context)).toMatchObject({ value: { options: [{ name: 'SEPA' }] } });
    expect(asked).toEqual([
      { method: 'GET', url: `${baseUrl}/v1/features`, body: undefined },
      { method: 'GET', url: `${baseUrl}/v1/options?session_id=${sessionId}`, body: undefined },
    ]);
  });

  it('a provider from before /features promises nothing', async () => {
    expect(await answering([{ status: 404, body: {} }, listing]).adapter.catalogue(context)).toMatchObject({
      value: { features: none, options: [{ name: 'SEPA' }] },
    });
  });

  it('options of the block: the provider is not asked for its listing', async () => {
    const options = [{ currency: 'eur', name: 'SEPA', currency_id: 1, id: 3, fee_rate: 0.009, min_amount: 1000, max_amount: 100_000 }];
    const { adapter, asked } = answering([{ supported_features: ['quotes'] }], { options });
    expect(await adapter.catalogue(context)).toEqual({ ok: true, value: { features: { ...none, quotes: true }, options: [option] } });
    expect(asked).toHaveLength(1);
  });

  it('a session that ended is named', async () => {
    expect(await answering([{}, { status: 401, body: {} }]).adapter.catalogue(context)).toEqual({ ok: false, refusal: { reason: 'busy' }, customer: '' });
  });
});

describe('orders', () => {
  it('a reference that JavaScript cannot count is passed on digit for digit', async () => {
    const body = `{"order_id":20261128175930417,"payment_info":{"payment_details":{"provider_reference":20261128175930417,"fee":1.10}}}`;
    const deps = { ...bareDeps, http: () => Promise.resolve({ status: 200, headers: {}, body: new TextEncoder().encode(body) }) };
    const { buy } = provider.create(deps, provider.settings.parse({ base_url: baseUrl }));
    const offer = { pay: 1n, receive: 1n, fee: 0n, binding: true, upstream: { quote_id: 'q' }, facts: {}, requires: [], warnings: [] };
    expect(await buy?.placeOrder(context, { quote: buying, offer, inputs: {} })).toMatchObject({
      value: {
        upstreamOrderId: '20261128175930417',
        paymentInfo: { paymentDetails: { provider_reference: '20261128175930417', fee: '1.10' } },
      },
    });
  });

  const entry = { order_status: 'FILLED', amount_sats: 5 };
  const read = async (answer: unknown, order?: FollowedOrder): Promise<unknown> => await faultOf(answering([answer]).adapter.readOrders(context, order));

  it('every shape of a status answer', async () => {
    for (const answer of [{ [orderId]: entry }, [{ order_id: orderId, ...entry }], { order_id: orderId, ...entry }, entry])
      expect(await read(answer, followed)).toMatchObject({ value: [{ upstreamOrderId: orderId, stage: 'filled', receive: 5n }] });
    for (const none of [{}, [], null, { message: 'not found' }, 'Something went wrong', { [orderId]: null }])
      expect(await read(none, followed)).toEqual({ ok: true, value: [] });
    expect(await read({ [orderId]: { order_status: 'in_progress' } }, followed)).toMatchObject({ value: [{ rawStatus: 'in_progress' }] });
  });

  it('an error under 200 is not an empty list of orders', async () => {
    for (const none of [{}, [], null, { status: 404, body: {} }]) expect(await read(none)).toEqual({ ok: true, value: [] });
    for (const error of ['Something went wrong', { message: 'not found' }]) expect(await read(error)).toBe('malformed');
    expect(await read({ status: 400, body: {} })).toBe('server');
  });

  it('an ended session says nothing about the provider or its orders', async () => {
    expect(await read({ status: 401, body: {} }, followed)).toEqual({ ok: false, refusal: { reason: 'busy' } });
    expect(await read({ status: 401, body: {} })).toBe('server');
  });

  it('the statuses that certainly made no order can be configured', async () => {
    const offer = { pay: 1n, receive: 1n, fee: 0n, binding: true, upstream: { quote_id: 'q' }, facts: {}, requires: [], warnings: [] };
    const place = async (status: number, settings: object): Promise<unknown> =>
      await answering([{ status, body: {} }], settings)
        .adapter.placeOrder(context, { quote: buying, offer, inputs: {} })
        .catch((fault: unknown) => (fault instanceof ProviderFault ? `${fault.kind} ${fault.taken}` : fault));
    expect(await place(409, {})).toBe('malformed maybe');
    expect(await place(409, { not_taken_statuses: [409] })).toEqual({ ok: false, refusal: { reason: 'declined' } });
    expect(await place(422, { not_taken_statuses: [409] })).toBe('malformed maybe');
    expect(await place(429, {})).toBe('rate-limited no');
    expect(await place(500, {})).toBe('server maybe');
    expect(await place(401, { proof: 'demanded' })).toEqual({ ok: false, refusal: { reason: 'proof-required' }, customer: '' });
  });
});

describe('withdrawals', () => {
  const lnurl = encodeLnurl('https://pay.provider.example/w/1');
  const claim = async (lnurlw: unknown, settings: object = {}, fallbackAddress?: string): Promise<{ answer: unknown; asked: Asked[] }> => {
    const { adapter, asked } = answering([{ order_id: orderId, lnurlw }], settings);
    return { answer: await faultOf(adapter.claim(context, { order: followed, ...(fallbackAddress === undefined ? {} : { fallbackAddress }) })), asked };
  };

  it.each([
    lnurl,
    lnurl.toLowerCase(),
    `lightning:${lnurl}`,
    'lnurlw://pay.provider.example/w/1',
    'https://pay.provider.example/w/1',
    `https://provider.example/claim?lightning=${lnurl}`,
  ])('%s is one and the same link', async (form) => {
    expect((await claim(form)).answer).toEqual({ ok: true, value: { lnurl } });
  });

  it.each([{ lnurl }, { error: 'no route' }, 'LNURL...', '', 'http://pay.provider.example/w/1', 'https://pay.provider.example/w/1?tag=payRequest', null])(
    '%j is no link',
    async (form) => {
      expect((await claim(form)).answer).toBe('malformed');
    },
  );

  it.each([
    [408, 'server maybe'],
    [425, 'server maybe'],
    [499, 'server maybe'],
    [429, 'rate-limited no'],
    [500, 'server maybe'],
    [400, { ok: false, refusal: { reason: 'declined' } }],
    [409, { ok: false, refusal: { reason: 'declined' } }],
  ])('status %s is a refusal only if it certainly gave no link', async (status, expected) => {
    const { adapter } = answering([{ status, body: { message: 'no' } }]);
    const answer = await adapter.claim(context, { order: followed }).catch((error: unknown) => {
      if (!(error instanceof ProviderFault)) throw error;
      return [error.kind, error.taken].join(' ');
    });
    expect(answer).toEqual(expected);
  });

  it.each(['The withdrawal was fetched already', '', lnurl, `lightning:${lnurl}`])(
    'the string %j with status 200 is neither a link nor a refusal: a link may have been given before',
    async (text) => {
      expect(await faultOf(answering([text]).adapter.claim(context, { order: followed }))).toBe('malformed');
    },
  );

  it('sends the fallback bare, or as a bitcoin: URI', async () => {
    const address = 'bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj';
    const body = { session_id: sessionId, order_id: orderId };
    expect(bodies((await claim(lnurl)).asked)).toEqual([body]);
    expect(bodies((await claim(lnurl, {}, address)).asked)).toEqual([{ ...body, failback_onchain: address }]);
    expect(bodies((await claim(lnurl, { bip21: true }, address)).asked)).toEqual([{ ...body, failback_onchain: `bitcoin:${address}` }]);
  });

  it('a link for another order is not passed on', async () => {
    const claimed = async (order_id: string): Promise<unknown> =>
      await faultOf(answering([{ order_id, lnurlw: lnurl }]).adapter.claim(context, { order: followed }));
    expect(await claimed('11111111-2222-4333-8444-555555555555')).toBe('malformed');
    expect(await claimed(orderId.toUpperCase())).toEqual({ ok: true, value: { lnurl } });
  });

  it('the expiry of a link is read in any form; an unreadable expiry differs from none', async () => {
    const ended = async (withdrawal_expiration_date: unknown): Promise<unknown> => {
      const answer = await answering([{ withdrawal_expiration_date, lnurlw: lnurl }]).adapter.claim(context, { order: followed });
      return answer.ok ? answer.value.expiresOn : answer;
    };
    const end = Date.UTC(2026, 10, 21, 10, 45);
    for (const form of ['2026-11-21T10:45Z', 'Sat, 21 Nov 2026 10:45:00 GMT', end / 1000, String(end)]) expect(await ended(form)).toBe(end);
    expect([await ended('soon'), await ended(0), await ended('0001-01-01T00:00:00Z'), await ended(null)]).toEqual([
      'unreadable',
      'unreadable',
      undefined,
      undefined,
    ]);
  });

  it('an order that the provider never named cannot be claimed', async () => {
    const { upstreamOrderId: _, ...nameless } = followed;
    const { adapter, asked } = answering([{ lnurlw: lnurl }]);
    await expect(adapter.claim(context, { order: nameless })).rejects.toThrow("without the provider's id");
    expect(asked).toEqual([]);
  });
});

it('whatever JSON arrives, the adapter returns an answer or throws a ProviderFault', async () => {
  const settings = fc.constantFrom({}, { fee_style: 'added' }, { minor_units: 'iso4217' }, { sats_field: 'amount_btc', path_prefix: '/ALJAZ/fiatlink/1.0.0' });
  const members = fc.constantFrom(
    'currencies',
    'supported_features',
    'order_status',
    'amount_fiat',
    'quote_id',
    'payment_info',
    'lnurlw',
    orderId,
    '__proto__',
  );
  const odd = fc.oneof(fc.jsonValue(), fc.dictionary(members, fc.jsonValue()), fc.dictionary(members, fc.dictionary(members, fc.jsonValue())));
  const offer = { pay: 1n, receive: 1n, fee: 0n, binding: true, upstream: { quote_id: 'q' }, facts: {}, requires: [], warnings: [] };
  await fc.assert(
    fc.asyncProperty(odd, odd, settings, async (first, second, block) => {
      const calls: ((adapter: ClaimingBuyer) => Promise<unknown>)[] = [
        (adapter) => adapter.beginSession(context),
        (adapter) => adapter.openSession(context),
        (adapter) => adapter.catalogue(context),
        (adapter) => adapter.quote(context, buying),
        (adapter) => adapter.placeOrder(context, { quote: buying, offer, inputs: {} }),
        (adapter) => adapter.readOrders(context),
        (adapter) => adapter.readOrders(context, followed),
        (adapter) => adapter.claim(context, { order: followed }),
      ];
      for (const call of calls) {
        const { adapter } = answering(
          [
            { status: 200, body: first },
            { status: 200, body: second },
          ],
          block,
        );
        const ended = await call(adapter).then(
          (answer) => typeof (answer as { ok: unknown }).ok,
          (error: unknown) => (error instanceof ProviderFault ? 'fault' : error),
        );
        expect(['boolean', 'fault']).toContain(ended);
      }
    }),
  );
});
