import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createRamp, RampError, type RampOptions } from './index.ts';
import { createLiquidity } from './liquidity.ts';
import { createSell } from './sell.ts';
import { goodAnswer, orderId, problem, quoteId, scripted, session, theOffer, theOrder } from './scripted-gateway.ts';

type Script = Parameters<typeof scripted>[0];
const url = 'https://gateway.example';
const query = { pay: '100', currency: 'EUR', by: 'SEPA' };

/** Creates a wallet. For each path, its gateway first returns the answers of `script` one by one, then good ones. */
const walletOf = (script: Record<string, ReturnType<Script>[]> = {}, options: Partial<RampOptions> = {}) => {
  const left = new Map(Object.entries(script).map(([path, answers]) => [path, [...answers]]));
  const there = scripted((path) => left.get(path)?.shift() ?? goodAnswer(path));
  const store = new Map<string, string>();
  return { ...there, store, ramp: createRamp({ url, store, runtime: there.runtime, ...options }), paths: () => there.asked.map(({ path }) => path) };
};
const errorOf = async (work: Promise<unknown>): Promise<RampError> => {
  const error: unknown = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  if (!(error instanceof RampError)) throw new Error('no RampError was thrown', { cause: error });
  return error;
};
const told = async (work: Promise<unknown>): Promise<unknown[]> => {
  const { code, action } = await errorOf(work);
  return [code, action];
};
const theAccount = { account_id: orderId, provider: 'bringin', account_status: 'onboarding', connections: [] };
const notFound = problem(404, 'order-not-found', 'fix-request');
const offline = new TypeError('fetch failed');

describe('a gateway that is away, slow or busy', () => {
  it('is not asked twice for another text message: each request may send one', async () => {
    const connection = { connection_id: quoteId, account_id: orderId, name: 'Rent', direction: 'sell', network: 'lightning', connection_status: 'code_sent' };
    const { ramp, paths } = walletOf({
      '/accounts': [[200, theAccount]],
      '/sell/connections': [[200, connection]],
      '/sell/connection-resend': [offline, [200, connection]],
    });
    const account = await createSell(ramp).account('bringin', { email: 'a@example.com' });
    const made = await account.connect({ name: 'Rent', direction: 'buy', destinationAddress: 'bc1q' });
    expect(await told(made.resend())).toEqual(['unreachable', 'retry']);
    expect(paths().filter((path) => path === '/sell/connection-resend')).toHaveLength(1);
    expect((await made.resend()).status).toBe('code_sent');
  });

  it('is asked again after the time that it says, and five times at most', async () => {
    const busy = problem(503, 'temporary-reduced-capacity', 'retry', { retry_after_ms: 700 });
    const { ramp, pauses, paths } = walletOf({
      '/offers': [busy, problem(429, 'rate-limited', 'wait', { retry_after_ms: 2000 }), offline, [502, '<html>'], busy],
    });
    const error = await errorOf(ramp.offers(query));
    expect([error.code, error.action, error.status, error.retryAfterMs, error.requestId]).toEqual(['temporary-reduced-capacity', 'retry', 503, 700, 'req_1']);
    expect(pauses).toEqual([700, 2000, 2000, 4000]);
    expect(paths().filter((path) => path === '/offers')).toHaveLength(5);
    expect((await ramp.offers(query)).best?.id).toBe(quoteId);
  });

  it('is not asked again when that would not help, or not soon', async () => {
    const cases: [ReturnType<Script>, string, string][] = [
      [problem(422, 'option-unavailable', 'fix-request'), 'option-unavailable', 'fix-request'],
      [problem(429, 'rate-limited', 'wait', { retry_after_ms: 31_000 }), 'rate-limited', 'wait'],
      [problem(409, 'account-not-connected', 'wait'), 'account-not-connected', 'wait'],
      [problem(500, 'internal', 'contact-support'), 'internal', 'contact-support'],
      [problem(418, 'a-later-code', 'a-later-action'), 'a-later-code', 'a-later-action'],
      [[404, '<html>nginx</html>', { 'content-type': 'text/html' }], 'unreachable', 'fix-request'],
      [[307, '', { location: 'https://evil.example/' }], 'unreachable', 'fix-request'],
    ];
    for (const [answer, code, action] of cases) {
      const { ramp, paths } = walletOf({ '/offers': [answer] });
      expect(await told(ramp.offers(query))).toEqual([code, action]);
      expect(paths().filter((path) => path === '/offers')).toHaveLength(1);
    }
  });

  it('is given up after the time limit, or when the caller aborts', async () => {
    const { ramp, pauses } = walletOf({ '/offers': ['never', [429, '', { 'retry-after': '3' }]] }, { timeoutMs: 5000 });
    expect((await ramp.offers(query)).all).toHaveLength(1);
    expect(pauses).toEqual([500, 3000]);

    const abort = new AbortController();
    const other = walletOf({ '/offers': [new Promise(() => abort.abort(new Error('the screen was left')))] });
    await expect(other.ramp.offers(query, abort.signal)).rejects.toThrow('the screen was left');
    await expect(other.ramp.offers(query, abort.signal)).rejects.toThrow('the screen was left');
  });
});

describe('a gateway that cannot be read', () => {
  it('is named, with what the system says', async () => {
    const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });
    const messageFor = async (answer: ReturnType<Script>, options: Partial<RampOptions> = {}): Promise<string> => {
      const { ramp } = walletOf({ '/offers': Array.from({ length: 5 }, () => answer) }, { timeoutMs: 5000, ...options });
      return (await errorOf(ramp.offers(query))).message;
    };
    const messages = [refused, offline, 'never', [200, 'not JSON'], [502, '<html>'], [404, '<html>']] as const;
    expect(await Promise.all(messages.map(async (answer) => await messageFor(answer as ReturnType<Script>)))).toEqual([
      'https://gateway.example/offers did not answer (ECONNREFUSED).',
      'https://gateway.example/offers did not answer (no connection).',
      'https://gateway.example/offers did not answer (nothing within 5000 ms).',
      'https://gateway.example/offers did not answer with JSON.',
      'https://gateway.example is down or busy (status 502).',
      'https://gateway.example is not a ramp-gateway (status 404).',
    ]);
  });

  it('has a url that may end in slashes, and may have a path', async () => {
    const { runtime } = scripted(goodAnswer);
    const asked: string[] = [];
    const noting = {
      ...runtime,
      fetch: async (to: string, request: RequestInit) => (asked.push(to), await runtime.fetch(new URL(to).origin + to.slice(to.lastIndexOf('/')), request)),
    };
    for (const end of ['', '/', '//', '/ramp/', '/a/b//']) await createRamp({ url: url + end, store: new Map(), runtime: noting }).open();
    expect([...new Set(asked.filter((to) => to.endsWith('/verify')))]).toEqual(['', '/ramp', '/a/b'].map((path) => `${url}${path}/verify`));
  });
});

describe('a call that no gateway takes', () => {
  it('says what is missing, and sends nothing', async () => {
    const { ramp, asked } = walletOf();
    const [sell, liquidity] = [createSell(ramp), createLiquidity(ramp)];
    const none = undefined as never;
    const account = async () => await createSell(walletOf({ '/accounts': [[200, theAccount]] }).ramp).account('bringin', { email: 'a@example.com' });
    const calls: [Promise<unknown>, string][] = [
      [ramp.buy(none), 'offer: missing (`best` is undefined if there are no offers)'],
      [ramp.buy(none, { atMost: '1' }), 'offer: missing (`best` is undefined if there are no offers)'],
      [ramp.buy({} as never), 'offer: missing (`best` is undefined if there are no offers)'],
      [sell.order(none, { atLeast: '1' }), 'offer: missing (`best` is undefined if there are no offers)'],
      [liquidity.order(none), 'offer: missing (`best` is undefined if there are no offers)'],
      [ramp.offers(none), 'currency, by: missing'],
      [ramp.offers({ pay: '100', currency: 'EUR', by: '' }), 'by: missing'],
      [ramp.offers({ currency: 'EUR', by: 'SEPA' } as never), 'pay: give pay (fiat) or get (sats), not both'],
      [sell.offers({} as never), 'currency, by: missing'],
      [liquidity.offers({ product: 'inbound' } as never), 'sats: missing'],
      [account().then(async (one) => await one.connect({ name: 'My bank' } as never)), 'iban, bic, beneficiaryName, lightningUsername: missing'],
      [
        account().then(async (one) => await one.connect({ network: 'onchain', iban: 'DE89370400440532013000' } as never)),
        'name, bic, beneficiaryName: missing',
      ],
      [account().then(async (one) => await one.connect({ name: 'x', direction: 'buy' } as never)), 'destinationAddress: missing'],
    ];
    for (const [call, message] of calls) {
      const error = await errorOf(call);
      expect([error.code, error.action, error.message]).toEqual(['invalid-request', 'fix-request', message]);
    }
    expect(asked).toEqual([]);
    for (const store of [undefined, null, {}, 'a folder', { getItem: () => null, setItem: () => null }])
      expect(() => createRamp({ url, store: store as never })).toThrow(/^store: (missing|must have get and set, like new Map)/);
    expect(() => createRamp(none)).toThrow('url, store: missing');
  });

  it('includes waiting for a stage or status that does not exist', async () => {
    const { ramp } = walletOf({ '/accounts': [[200, theAccount]] });
    const order = await ramp.buy({ id: quoteId });
    expect((await errorOf(order.until('filed' as never))).message).toMatch(/^stage: filed is not one of awaiting_payment, .*finished/);
    expect((await errorOf(order.until([] as never))).action).toBe('fix-request');
    const account = await createSell(ramp).account('bringin', { email: 'a@example.com' });
    expect((await errorOf(account.until(['conected'] as never))).message).toBe(
      'status: conected is not one of onboarding, pending, connected, rejected, needs_reconnect',
    );
  });

  it('is told in the client’s own words', async () => {
    const wrong = (detail: string): [number, object] => problem(400, 'invalid-request', 'fix-request', { detail, errors: [{ pointer: '/x', detail }] });
    const bound = 'amount_sats is below min_amount_sats, amount_fiat above max_amount_fiat, and max_wait_ms, other_member and webhook_url are odd.';
    const { ramp } = walletOf({ '/offers': [wrong(bound)] });
    const error = await errorOf(ramp.offers({ ...query, maxWaitMs: 1 }));
    expect(error.message).toBe('get is below atLeast, pay above atMost, and maxWaitMs, other_member and webhook are odd.');
    expect(error.problem?.['detail']).toBe(bound);
    const options = { currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [{ option: 'SEPA', id: 1 }] } }] };
    const seller = walletOf({ '/sell/payment-options': [[200, options]], '/sell/offers': [wrong('Send exactly one of amount_fiat and amount_sats.')] });
    expect((await errorOf(createSell(seller.ramp).offers({ pay: '1', currency: 'EUR', by: 'SEPA' }))).message).toBe('Send exactly one of get and pay.');
    const channels = walletOf({ '/liquidity/offers': [wrong('pay_with: amount_sats is too small for balance')] });
    expect((await errorOf(createLiquidity(channels.ramp).offers({ product: 'inbound', sats: '1' }))).message).toBe('payWith: sats is too small for balance');
  });
});

describe('sessions', () => {
  it('treats what was never a token like one that the gateway lost', async () => {
    const detail = 'session_id must be a UUID';
    const garbage = problem(400, 'invalid-request', 'fix-request', { detail, errors: [{ pointer: '/session_id', detail }] });
    const { ramp, store, asked } = walletOf({ '/offers': [garbage] });
    store.set('ramp-gateway:gateway.example', JSON.stringify({ session: 'garbage', recovery: 'recovery-secret-of-this-customer' }));
    expect((await ramp.offers(query)).best?.id).toBe(quoteId);
    expect(asked.filter(({ path }) => path === '/session').map(({ body }) => body['recovery_secret'])).toEqual(['recovery-secret-of-this-customer']);
    expect(JSON.parse(store.get('ramp-gateway:gateway.example') ?? '')).toMatchObject({ session });
  });

  it('opens one for many calls, and keeps it with the recovery secret', async () => {
    const { ramp, store, paths } = walletOf();
    await Promise.all([ramp.offers(query), ramp.offers(query), ramp.open()]);
    expect(paths().filter((path) => path === '/verify' || path === '/session')).toEqual(['/verify', '/session']);
    expect(JSON.parse(store.get('ramp-gateway:gateway.example') ?? '')).toMatchObject({ session, recovery: 'recovery-secret-of-this-customer' });
  });

  it('opens another when the gateway lost it, as the same customer, and asks again once', async () => {
    const lost = problem(401, 'session-invalid', 'reopen-session');
    const { ramp, asked, paths } = walletOf({ '/offers': [lost], '/session': [goodAnswer('/session'), [200, { session_id: 'second', proven: [] }]] });
    expect((await ramp.offers(query)).best?.id).toBe(quoteId);
    expect(asked.filter(({ path }) => path === '/session').map(({ body }) => body['recovery_secret'])).toEqual([undefined, 'recovery-secret-of-this-customer']);
    expect(asked.filter(({ path }) => path === '/offers').map(({ body }) => body['session_id'])).toEqual([session, 'second']);

    const hopeless = walletOf({ '/offers': [lost, lost] });
    expect(await told(hopeless.ramp.offers(query))).toEqual(['session-invalid', 'reopen-session']);
    expect(paths().length).toBe(7);
  });

  it('signs the token of this gateway and of providers, and nothing that would count elsewhere', async () => {
    const signed: string[] = [];
    const node = { pubkey: `02${'ab'.repeat(32)}`, sign: (text: string) => `signed-${signed.push(text)}` };
    const tokens = {
      gateway: 'ramp-gateway:gateway.example:c2VjcmV0c2VjcmV0c2VjcmV0',
      dune: 'c0ffee',
      thief: 'Ramp-Gateway: other.example:c2VjcmV0',
      login: `lnnid ${'02'.repeat(33)}`,
    };
    const verify = (more: object): [number, object] => [200, { session_id: session, tokens: { ...tokens, ...more }, expires_on: '' }];
    const good = walletOf({ '/verify': [verify({})] }, { node });
    await good.ramp.offers(query);
    expect(signed).toEqual([tokens.gateway, 'c0ffee']);
    expect(good.asked[1]?.body).toEqual({ session_id: session, node_pubkey: node.pubkey, signatures: { gateway: 'signed-1', dune: 'signed-2' } });

    for (const gateway of [
      'ramp-gateway:other.example:c2VjcmV0',
      'ramp-gateway:gateway.example.evil.example:c2VjcmV0',
      'c2VjcmV0',
      'ramp-gateway:localhost:c2VjcmV0',
    ]) {
      const bad = walletOf({ '/verify': [verify({ gateway })] }, { node });
      expect(await told(bad.ramp.offers(query))).toEqual(['unsafe-token', 'contact-support']);
      expect([signed.length, bad.paths()]).toEqual([2, ['/verify']]);
    }
  });

  it('begins anew when the token expired while the node was signing, and throws what a new proof cannot mend', async () => {
    const expired = problem(403, 'ownership-proof-failed', 'reopen-session');
    const late = walletOf({ '/session': [expired] });
    await late.ramp.offers(query);
    expect(late.paths().slice(0, 4)).toEqual(['/verify', '/session', '/verify', '/session']);
    const unknown = walletOf({ '/session': [problem(403, 'ownership-proof-failed', 'fix-request')] });
    expect(await told(unknown.ramp.offers(query))).toEqual(['ownership-proof-failed', 'fix-request']);
    expect(unknown.paths()).toEqual(['/verify', '/session']);
    const unproven = walletOf({ '/offers': [problem(403, 'proof-required', 'reopen-session')] });
    expect([await told(unproven.ramp.offers(query)), unproven.paths().filter((path) => path === '/verify')]).toEqual([
      ['proof-required', 'reopen-session'],
      ['/verify'],
    ]);
  });

  describe('whose recovery secret the gateway has lost', () => {
    const unknown = problem(403, 'ownership-proof-failed', 'fix-request', { errors: [{ pointer: '/recovery_secret', detail: 'It is not known.' }] });
    const node = { pubkey: `02${'ab'.repeat(32)}`, sign: (text: string) => `signed ${text}` };
    /** Creates a wallet with a stored recovery secret that the gateway may not know. `script`: the gateway's answers to POST /session. */
    const stranger = (script: ReturnType<Script>[], options: Partial<RampOptions> = {}) => {
      const one = walletOf({ '/session': script }, options);
      one.store.set('ramp-gateway:gateway.example', JSON.stringify({ recovery: 'lost' }));
      const stored = () => JSON.parse(one.store.get('ramp-gateway:gateway.example') ?? '') as Record<string, unknown>;
      const sent = () => one.asked.filter(({ path }) => path === '/session').map(({ body }) => [body['node_pubkey'], body['recovery_secret']]);
      return { ...one, stored, sent };
    };

    it('opens by the key of its node, once, and keeps the secret that is lost', async () => {
      const one = stranger([unknown], { node });
      expect((await one.ramp.offers(query)).best?.id).toBe(quoteId);
      expect(one.sent()).toEqual([
        [node.pubkey, 'lost'],
        [node.pubkey, undefined],
      ]);
      expect(one.stored()).toMatchObject({ session, recovery: 'recovery-secret-of-this-customer', lost: ['lost'] });

      const refused = stranger([unknown, unknown], { node });
      expect(await told(refused.ramp.offers(query))).toEqual(['ownership-proof-failed', 'fix-request']);
      expect([refused.sent().length, refused.stored()]).toEqual([2, { recovery: 'lost' }]);
    });

    it('keeps its secret if the key belongs to a customer that the gateway knows, since it gives no other one then', async () => {
      const one = stranger([unknown, [200, { session_id: session, proven: ['gateway'] }]], { node });
      await one.ramp.offers(query);
      expect(one.stored()).toEqual({ session, recovery: 'lost', write: expect.any(String) as string });
    });

    it('is not opened without a node, and forgets nothing until it is told to', async () => {
      const one = stranger([unknown, unknown]);
      expect(await told(one.ramp.offers(query))).toEqual(['ownership-proof-failed', 'fix-request']);
      expect([one.sent(), one.stored()]).toEqual([[[undefined, 'lost']], { recovery: 'lost' }]);
      expect(await told(one.ramp.open())).toEqual(['ownership-proof-failed', 'fix-request']);
      await one.ramp.forget();
      expect((await one.ramp.offers(query)).best?.id).toBe(quoteId);
      expect(one.stored()).toEqual({ session, recovery: 'recovery-secret-of-this-customer', write: expect.any(String) as string });
    });

    it('forgets only what it is told to, and returns what is left', async () => {
      const one = stranger([]);
      expect(await one.ramp.forget((kept) => kept)).toEqual({ recovery: 'lost' });
      expect(await one.ramp.forget((kept) => (kept.recovery === 'another' ? {} : kept))).toEqual({ recovery: 'lost' });
      expect(one.stored()).toEqual({ recovery: 'lost' });
      expect([await one.ramp.forget((kept) => (kept.recovery === 'lost' ? {} : kept)), one.sent()]).toEqual([{}, []]);
      expect(one.stored()).toEqual({ write: expect.any(String) as string });
    });
  });
});

describe('orders', () => {
  it('writes an order down before it is sent, with its key, and forgets it once it stands at the gateway', async () => {
    const { ramp, store, asked } = walletOf({ '/order': [offline] });
    const seen: unknown[] = [];
    const fetched = asked.push.bind(asked);
    asked.push = (one) => {
      if (one.path === '/order') seen.push((JSON.parse(store.get('ramp-gateway:gateway.example') ?? '') as { placings: object }).placings);
      return fetched(one);
    };
    const order = await ramp.buy({ id: quoteId }, { atLeast: '100000', atMost: '100.00' });
    const body = { quote_id: quoteId, min_amount_sats: 100_000, max_amount_fiat: 10_000 };
    const written = { [quoteId]: { ramp: 'buy', body, idempotencyKey: expect.any(String) as string, on: expect.any(Number) as number } };
    expect(seen).toEqual([written, written]);
    const sent = asked.filter(({ path }) => path === '/order');
    expect(sent.map((one) => [one.body, one.key])).toEqual(
      Array.from({ length: 2 }, () => [{ ...body, session_id: session }, (seen[0] as typeof written)[quoteId]?.idempotencyKey]),
    );
    expect(order).toMatchObject({
      id: orderId,
      pay: { kind: 'bank', iban: 'DE89370400440532013000', reference: 'ALP-4F7K2', amount: { text: '100.00', currency: 'EUR' } },
    });
    expect(JSON.parse(store.get('ramp-gateway:gateway.example') ?? '')).toMatchObject({ placings: {} });
  });

  it('keeps one whose outcome is unknown for the next start, and no other', async () => {
    const kept = async (answer: ReturnType<Script>): Promise<boolean> => {
      const { ramp, store } = walletOf({ '/order': Array.from({ length: 5 }, () => answer) });
      const { pending } = await errorOf(ramp.buy({ id: quoteId }));
      expect(store.get('ramp-gateway:gateway.example')?.includes(quoteId) ?? false).toBe(pending);
      return pending;
    };
    const unknown = [
      offline,
      'never',
      [504, '<html>'],
      [200, 'not JSON'],
      problem(503, 'order-pending', 'retry'),
      problem(500, 'internal', 'contact-support'),
      problem(409, 'quote-used', 'wait'),
    ] as const;
    for (const answer of unknown)
      expect([answer, await kept(typeof answer === 'object' && 'map' in answer ? ([...answer] as [number, object]) : answer)]).toEqual([answer, true]);
    const settled = [
      problem(409, 'price-changed', 'ask-user'),
      problem(410, 'quote-expired', 'requote'),
      problem(503, 'provider-unavailable', 'retry'),
      problem(422, 'amount-out-of-range', 'ask-user'),
    ];
    for (const answer of settled) expect([answer, await kept(answer)]).toEqual([answer, false]);
  });

  it('keeps one after a lost answer until the gateway says what became of it', async () => {
    const kept = async (answers: ReturnType<Script>[], again = false): Promise<boolean> => {
      const { ramp, store } = walletOf({ '/order': answers, '/order-status': [[200, {}], notFound] });
      const first = await errorOf(ramp.buy({ id: quoteId }));
      const { pending } = again ? await errorOf((await ramp.open()).pending[0]?.again() ?? Promise.resolve()) : first;
      expect(store.get('ramp-gateway:gateway.example')?.includes(quoteId) ?? false).toBe(pending);
      return pending;
    };
    const busy = problem(503, 'temporary-reduced-capacity', 'retry', { retry_after_ms: 1000 });
    const limited = problem(429, 'rate-limited', 'wait', { retry_after_ms: 60_000 });
    const changed = problem(409, 'price-changed', 'ask-user');
    const fiveTimes = (answer: ReturnType<Script>) => Array.from({ length: 5 }, () => answer);
    // The first request ordered the offer, and its answer was lost. The gateway refuses the next requests before it looks for that order.
    expect(await kept([offline, busy, busy, busy, busy])).toBe(true);
    expect(await kept(['never', limited])).toBe(true);
    expect(await kept([[504, '<html>'], problem(403, 'ownership-proof-failed', 'fix-request')])).toBe(true);
    expect(await kept([...fiveTimes(offline), ...fiveTimes(busy)], true)).toBe(true);
    expect(await kept([offline, changed])).toBe(false);
    expect(await kept([...fiveTimes(offline), changed], true)).toBe(false);
    const error = (code: string, action: string, more?: object) => problem(409, code, action, more);
    // Only a problem that names the order tells what became of it.
    expect(await kept(['never', error('internal', 'contact-support')])).toBe(true);
    expect(await kept(['never', error('order-unpayable', 'contact-support', { order_id: orderId })])).toBe(false);
    expect(await kept(['never', error('quote-used', 'read-order', { order_id: orderId, errors: [] })])).toBe(false);
    expect(await kept(['never', error('quote-used', 'wait', { order_id: orderId })])).toBe(true);
    // Every request was answered, and none of them ordered anything.
    expect([await kept(fiveTimes(busy)), await kept([limited])]).toEqual([false, false]);
  });

  it('tells after a kill what was being ordered, and repeats the very same request when asked to', async () => {
    const { ramp, store, runtime, asked } = walletOf({ '/order': Array.from({ length: 5 }, () => offline), '/order-status': [[200, {}], notFound] });
    expect(await told(ramp.buy({ id: quoteId }, { atLeast: 100_000n }))).toEqual(['unreachable', 'retry']);
    const next = createRamp({ url, store, runtime });
    const { orders, pending } = await next.open();
    expect([orders, pending.map(({ offerId }) => offerId)]).toEqual([[], [quoteId]]);
    expect((await pending[0]?.again())?.id).toBe(orderId);
    const sent = asked.filter(({ path }) => path === '/order');
    expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(1);
    expect((await next.open()).pending).toEqual([]);
    const other = walletOf({ '/order': Array.from({ length: 5 }, () => offline), '/order-status': [[200, {}], notFound, [200, {}]] });
    await errorOf(other.ramp.buy({ id: quoteId }));
    await (await other.ramp.open()).pending[0]?.forget();
    expect(await other.ramp.open()).toEqual({ orders: [], pending: [] });

    // The order appears between the two reads: it is shown, and is no longer pending.
    const listed: [number, object] = [200, { [orderId]: { ...theOrder, final: false, quote_id: quoteId } }];
    const late = walletOf({ '/order': Array.from({ length: 5 }, () => offline), '/order-status': [[200, {}], listed, listed] });
    await errorOf(late.ramp.buy({ id: quoteId }));
    const both = await late.ramp.open();
    expect([both.orders.map(({ id }) => id), both.pending]).toEqual([[orderId], []]);

    const moved: [number, object] = [200, { [orderId]: { ...theOrder, final: false, quote_id: quoteId.replace(/1$/, '2') } }];
    const third = walletOf({
      '/order': Array.from({ length: 5 }, () => offline),
      '/order-status': [moved, problem(404, 'order-not-found', 'fix-request', { order_id: orderId }), moved],
    });
    expect(await told(third.ramp.buy({ id: quoteId }, { atLeast: 100_000n, failover: 2 }))).toEqual(['unreachable', 'retry']);
    expect(third.asked.at(-1)?.body).toMatchObject({ min_amount_sats: 100_000, failover: { max: 2, min_amount_sats: 100_000 } });
    const found = await third.ramp.open();
    expect([found.orders.map(({ id }) => id), found.pending]).toEqual([[orderId], []]);
  });

  it('finds the order of an interrupted call in the list, and does not send it again', async () => {
    const { ramp, paths } = walletOf({ '/order': Array.from({ length: 5 }, () => offline) });
    await errorOf(ramp.buy({ id: quoteId }));
    const { orders, pending } = await ramp.open();
    expect([orders.map(({ id }) => id), pending, paths().filter((path) => path === '/order').length]).toEqual([[orderId], [], 5]);
  });

  it('reads the order of an offer that was ordered under another key', async () => {
    const used = problem(409, 'quote-used', 'read-order', { order_id: orderId });
    const { ramp } = walletOf({ '/order': [used] });
    expect(await ramp.buy({ id: quoteId })).toMatchObject({ id: orderId, stage: 'awaiting_payment' });
    // There is an order, but it could not be read.
    const away = walletOf({ '/order': [used], '/order-status': Array.from({ length: 5 }, () => offline) });
    expect(await errorOf(away.ramp.buy({ id: quoteId }))).toMatchObject({ code: 'unreachable', pending: true });
  });

  it('does not take an order to another invoice for the order that was asked for', async () => {
    const errors = [{ pointer: '/invoice', detail: 'the quote was ordered with a different value' }];
    const { ramp } = walletOf({ '/order': [problem(409, 'quote-used', 'read-order', { order_id: orderId, errors })] });
    const error = await errorOf(ramp.buy({ id: quoteId }));
    expect([error.code, error.action, error.orderId, error.problem?.['errors']]).toEqual(['quote-used', 'read-order', orderId, errors]);
  });

  it('gives the other offers of a changed price', async () => {
    const { ramp } = walletOf({ '/order': [problem(409, 'price-changed', 'ask-user', { offers: [{ ...theOffer, amount_sats: 107_000 }] })] });
    const error = await errorOf(ramp.buy({ id: quoteId }));
    expect([error.code, error.offers?.map(({ id, gets }) => [id, gets.text])]).toEqual(['price-changed', [[quoteId, '107000']]]);
  });

  it('names a destination to providers that send the sats themselves', async () => {
    const payout_to = { lightning_address: 'alice@wallet.example', is_proven: false };
    const { ramp, asked } = walletOf({
      '/offers': [[200, { offers: [{ ...theOffer, requires: ['payout'], payout_kinds: ['lightning_address'] }], excluded: [], refused: [], failed: [] }]],
      '/order': [[200, { ...theOrder, payout: 'push', payout_to }]],
    });
    const { best } = await ramp.offers({ ...query, payoutKinds: ['lightning_address', 'onchain'] });
    expect(best).toMatchObject({ requires: ['payout'], payoutKinds: ['lightning_address'] });
    expect(await ramp.buy({ id: quoteId }, { payoutTo: { lightning_address: 'alice@wallet.example' } })).toMatchObject({ payoutTo: payout_to });
    const sent = Object.fromEntries(asked.map(({ path, body }) => [path, body]));
    expect(sent['/offers']).toMatchObject({ payout_kinds: ['lightning_address', 'onchain'] });
    expect(sent['/order']).toMatchObject({ payout_to: { lightning_address: 'alice@wallet.example' } });
    await ramp.buy({ id: orderId });
    expect(asked.findLast(({ path }) => path === '/order')?.body).not.toHaveProperty('payout_to');
  });

  it('continues an account with what it needs, up to its code', async () => {
    const needy = { ...theAccount, needs: ['phone', 'terms_accepted'], terms_url: 'https://p.example/terms' };
    const wrong = problem(422, 'code-wrong', 'ask-user', { attempts_left: 4 });
    const { ramp, asked, paths } = walletOf({
      '/accounts': [
        [200, needy],
        [200, { ...theAccount, needs: ['code'] }],
      ],
      '/account-code': [offline, [200, { ...theAccount, needs: ['code'] }]],
      '/account-confirm': [wrong, [200, { ...theAccount, account_status: 'connected' }]],
    });
    const { account } = createSell(ramp);
    expect(await account('known', { payoutTo: { lightning_address: 'a@b.example' } })).toMatchObject({
      needs: ['phone', 'terms_accepted'],
      termsUrl: 'https://p.example/terms',
    });
    const more = await account('known', { phone: '+436641234567', termsAccepted: true });
    expect(asked.filter(({ path }) => path === '/accounts').map(({ body }) => body)).toMatchObject([
      { provider: 'known', payout_to: { lightning_address: 'a@b.example' } },
      { provider: 'known', phone: '+436641234567', terms_accepted: true },
    ]);
    // Each request may send a message, so it is not repeated by itself.
    expect(await told(more.sendCode())).toEqual(['unreachable', 'retry']);
    expect(paths().filter((path) => path === '/account-code')).toHaveLength(1);
    expect((await more.sendCode()).needs).toEqual(['code']);
    expect(await told(more.confirm('000000'))).toEqual(['code-wrong', 'ask-user']);
    expect(await more.confirm('123456')).toMatchObject({ status: 'connected', needs: [] });
  });

  it('passes unknown words and members on', async () => {
    const odd = { ...theOrder, stage: 'in_orbit', warnings: ['too-shiny'], colour: 'blue', payment_info: { kind: 'pigeon', coop: 7 } };
    const offers = [{ ...theOffer, warnings: ['new-warning'], requires: ['selfie'], moon: 'full' }];
    const refused = [{ provider: { id: 'eiger', name: 'Eiger' }, reason: 'full-moon', min_amount_fiat: 25_000 }];
    const { ramp } = walletOf({
      '/offers': [[200, { offers, excluded: [], refused, failed: [], extra: 1 }]],
      '/order': [[200, odd]],
      '/order-status': [
        [200, { [orderId]: odd }],
        [200, { [orderId]: { ...odd, stage: 'finished', final: true } }],
      ],
    });
    const { best, not } = await ramp.offers(query);
    expect(best).toMatchObject({ warnings: ['new-warning'], requires: ['selfie'], raw: { moon: 'full' } });
    expect(not).toMatchObject([{ kind: 'refused', reason: 'full-moon', min: { text: '250.00', currency: 'EUR' } }]);
    const order = await ramp.buy({ id: quoteId });
    expect(order).toMatchObject({
      stage: 'in_orbit',
      pay: { kind: 'other', word: 'pigeon', raw: { coop: 7 } },
      raw: { colour: 'blue' },
      warnings: ['too-shiny'],
    });
    const stages: string[] = [];
    for await (const { stage } of order.updates()) stages.push(stage);
    expect(stages).toEqual(['in_orbit', 'finished']);
  });

  it('waits for a stage, or for what it passed; ends with the reason; and looks soon after a change', async () => {
    const at = (stage: string, more: object = {}): [number, object] => [200, { [orderId]: { ...theOrder, stage, final: false, quote_id: quoteId, ...more } }];
    const { ramp, pauses } = walletOf({
      '/order-status': [
        at('awaiting_payment'),
        at('awaiting_payment', { next_check_on: '2026-11-28T12:00:00.000Z' }),
        ...Array.from({ length: 6 }, () => at('awaiting_payment')),
        at('awaiting_payment', { next_check_on: '2026-11-28T10:01:23.700Z' }),
        at('underpaid', { next_check_on: '2026-11-28T12:00:00.000Z' }),
        at('filled'),
        at('expired'),
      ],
    });
    const order = await ramp.buy({ id: quoteId });
    expect(await order.until('paid')).toMatchObject({ stage: 'filled' });
    expect(pauses).toEqual([2000, 3000, 4500, 6750, 10_125, 15_000, 15_000, 15_000, 12_325, 2000]);
    const { code, action, message, orderId: about } = await errorOf(order.until(['filled', 'finished']));
    expect([code, action, message, about]).toEqual(['ended', 'requote', 'The order expired unpaid. Do not pay it.', orderId]);
    const abort = new AbortController();
    const waiting = (async () => {
      for await (const { stage } of order.updates(abort.signal)) if (stage !== '') abort.abort(new Error('gone'));
    })();
    await expect(waiting).rejects.toThrow('gone');
  });
});

it('final orders are returned beside the open ones on request: the links of finished ones may still be valid', async () => {
  const [ended, refunded] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
  const list = {
    [orderId]: { ...theOrder, final: false, quote_id: quoteId },
    [ended]: { ...theOrder, stage: 'finished', final: true, quote_id: quoteId },
    [refunded]: { ...theOrder, stage: 'refunded', final: true, quote_id: quoteId },
  };
  const { ramp } = walletOf({
    '/order-status': [
      [200, list],
      [200, list],
    ],
  });
  const { orders } = await ramp.open(undefined, true);
  expect([orders.map(({ id }) => id), (await ramp.open()).orders.map(({ id }) => id)]).toEqual([[orderId, ended, refunded], [orderId]]);
  expect((await orders[1]?.withdraw())?.lnurl).toBe('LNURL1SECRET');
});

describe('following an order', () => {
  const at = (stage: string): [number, object] => [200, { [orderId]: { ...theOrder, stage, final: stage === 'finished', quote_id: quoteId } }];
  const away = (times: number) => Array.from({ length: times }, () => offline);

  it('goes on after a gateway that was away for some minutes', async () => {
    const { ramp, pauses } = walletOf({
      '/order-status': [
        at('awaiting_payment'),
        ...away(45),
        problem(429, 'rate-limited', 'wait', { retry_after_ms: 40_000 }),
        at('awaiting_payment'),
        at('finished'),
      ],
    });
    const stages: string[] = [];
    const outages: string[] = [];
    for await (const { stage } of (await ramp.buy({ id: quoteId })).updates(undefined, ({ code }) => outages.push(code))) stages.push(stage);
    expect([stages, pauses.filter((ms) => ms === 15_000).length, pauses.includes(40_000)]).toEqual([
      ['awaiting_payment', 'awaiting_payment', 'finished'],
      9,
      true,
    ]);
    expect(outages).toEqual([...Array<string>(9).fill('unreachable'), 'rate-limited']);
  });

  it('goes on after the device has slept, though the first read after it fails', async () => {
    const there = scripted((path) => (path === '/order-status' ? (answers.shift() ?? at('finished')) : goodAnswer(path)));
    const answers = [at('awaiting_payment'), ...away(5)];
    let sleptMs = 0;
    const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
      sleptMs ||= 3_600_000;
      await there.runtime.sleep(ms, signal);
    };
    const runtime = { ...there.runtime, now: () => there.runtime.now() + sleptMs, sleep };
    const order = await createRamp({ url, store: new Map(), runtime }).buy({ id: quoteId });
    expect((await order.until('finished')).stage).toBe('finished');
  });

  it('ends with the error when it stays away, and at once for what waiting does not mend', async () => {
    const { ramp, pauses } = walletOf({ '/order-status': [at('awaiting_payment'), ...away(100)] });
    const order = await ramp.buy({ id: quoteId });
    expect(await told(order.until('filled'))).toEqual(['unreachable', 'retry']);
    const waited = pauses.reduce((sum, ms) => sum + ms, 0);
    expect([waited > 280_000, waited < 320_000]).toEqual([true, true]);
    const gone = walletOf({ '/order-status': [notFound] });
    expect(await told((await gone.ramp.buy({ id: quoteId })).until('filled'))).toEqual(['order-not-found', 'fix-request']);
    expect(gone.pauses).toEqual([]);
  });
});

describe('a store that fails', () => {
  it('for good is something to correct', async () => {
    for (const [thrown, message] of [
      [
        Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }),
        'The store could not be read or written (EACCES). Nothing was ordered by this call.',
      ],
      [new TypeError('x is not a function'), 'The store could not be read or written. Nothing was ordered by this call.'],
    ] as const) {
      const store = { get: () => Promise.reject(thrown), set: () => undefined };
      const error = await errorOf(walletOf({}, { store }).ramp.open());
      expect([error.code, error.action, error.message]).toEqual(['store-failed', 'fix-request', message]);
    }
  });

  it('orders nothing, and says so', async () => {
    for (const failing of ['get', 'set'] as const) {
      const there = scripted(goodAnswer);
      const broken = new Map<string, string>();
      const store = { get: (key: string) => broken.get(key), set: (key: string, value: string) => broken.set(key, value) };
      const ramp = createRamp({ url, store, runtime: there.runtime });
      const { best } = await ramp.offers(query);
      store[failing] = () => {
        throw new Error('the disk is full');
      };
      const error = await errorOf(ramp.buy(best ?? { id: '' }));
      expect([error.code, error.action, error.message]).toEqual([
        'store-failed',
        'retry',
        'The store could not be read or written. Nothing was ordered by this call.',
      ]);
      expect(there.asked.filter(({ path }) => path === '/order')).toEqual([]);
    }
  });

  it('is not written over when it holds something else', async () => {
    for (const text of ['not JSON', '[1]', 'null', '"text"']) {
      const { ramp, store } = walletOf();
      store.set('ramp-gateway:gateway.example', text);
      expect(await told(ramp.buy({ id: quoteId }))).toEqual(['store-failed', 'fix-request']);
      expect([...store.values()]).toEqual([text]);
    }
  });

  it('still gives the order when it fails only afterwards', async () => {
    const there = scripted(goodAnswer);
    const kept = new Map<string, string>();
    const store = { get: (key: string) => kept.get(key), set: (key: string, value: string) => kept.set(key, value) };
    const ramp = createRamp({
      url,
      store,
      runtime: {
        ...there.runtime,
        fetch: async (to, request) => {
          if (to.endsWith('/order'))
            store.set = () => {
              throw new Error('full');
            };
          return await there.runtime.fetch(to, request);
        },
      },
    });
    expect(await ramp.buy({ id: quoteId })).toMatchObject({ id: orderId });
    store.set = (key, value) => kept.set(key, value);
    expect((await ramp.open()).pending).toEqual([]);
  });
});

it('puts no secret into an error, whatever fails', async () => {
  const secrets = [session, 'recovery-secret-of-this-customer', 'LNURL1SECRET', 'app-key-1'];
  for (const path of ['/verify', '/session', '/payment-options', '/offers', '/order', '/order-status', '/withdrawal'])
    for (const answer of [offline, [500, 'oops'], [200, {}], problem(400, 'invalid-request', 'fix-request')] as ReturnType<Script>[]) {
      const { ramp } = walletOf({ [path]: Array.from({ length: 5 }, () => answer) }, { appKey: 'app-key-1' });
      const whole = async (): Promise<void> => {
        const { best } = await ramp.offers(query);
        const order = await ramp.buy(best ?? { id: '' });
        await order.refresh();
        await order.withdraw();
      };
      const error: unknown = await whole().catch((thrown: unknown) => thrown);
      expect(error, `${path} ${inspect(answer)}`).toBeInstanceOf(Error);
      for (const secret of secrets) expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    }
});

it('refuses an invalid address of a gateway', () => {
  for (const bad of ['gateway.example', 'ftp://gateway.example', 'https://', 'https://user@gateway.example', 'https://gateway.example?x=1'])
    expect(() => createRamp({ url: bad, store: new Map() })).toThrow(`url: "${bad}" is not like https://`);
});
