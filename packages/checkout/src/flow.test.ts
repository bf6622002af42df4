import { describe, expect, it, vi } from 'vitest';
import { createRamp, type OrderState } from '@ramp-gateway/client';
import { goodAnswer, orderId, problem, quoteId, scripted, theOffer, theOrder } from '../../client/src/scripted-gateway.ts';
import { createFlow, type State } from './flow.ts';
import type { RampBuyNews } from './public.ts';

type Answered = Awaited<ReturnType<Parameters<typeof scripted>[0]>>;
type Scripted = Answered | (() => Promise<Answered>);
const query = { pay: '100', currency: 'EUR', by: 'SEPA' };
const none: [number, object] = [200, {}];
const at = (stage: string, more: object = {}): [number, object] => [200, { [orderId]: { ...theOrder, stage, final: false, quote_id: quoteId, ...more } }];

/**
 * Creates a customer. For each path, the gateway first returns the answers of `script` one by one, then good ones. Unless `script` says otherwise,
 * the first list of orders is empty.
 */
const customer = (script: Record<string, Scripted[]> = {}, store = new Map<string, string>()) => {
  const all: Record<string, Scripted[]> = { '/order-status': [none], ...script };
  const left = new Map(Object.entries(all).map(([path, answers]) => [path, [...answers]]));
  const there = scripted((path) => {
    const next = left.get(path)?.shift() ?? goodAnswer(path);
    return typeof next === 'function' ? next() : next;
  });
  const news: RampBuyNews[] = [];
  const states: State[] = [];
  // Pauses take no time, so following an order would let no other task run. Each pause therefore waits for one turn of the event loop.
  const runtime = {
    ...there.runtime,
    sleep: async (ms: number, signal?: AbortSignal) => {
      await there.runtime.sleep(ms, signal);
      await new Promise((turn) => setImmediate(turn));
    },
  };
  const ramp = createRamp({ url: 'https://gateway.example', store, runtime });
  const flow = createFlow({ ramp, runtime, changed: (state) => states.push(state), tell: (one) => news.push(one) });
  const becomes = async (is: (state: State) => boolean): Promise<State> =>
    await vi.waitUntil(() => (is(flow.state()) ? flow.state() : undefined), { timeout: 30_000, interval: 1 });
  const sent = (path: string): number => there.asked.filter((one) => one.path === path).length;
  return { flow, news, states, store, sent, becomes, asked: there.asked };
};
const offersOf = async ({ flow, becomes }: ReturnType<typeof customer>) => {
  await flow.start();
  await flow.compare(query);
  const { offers } = await becomes(({ step }) => step === 'offers');
  return offers?.all ?? [];
};
const buy = async (one: ReturnType<typeof customer>): Promise<void> => {
  const [offer] = await offersOf(one);
  if (offer) await one.flow.order(offer);
};

it('goes from the amount to the bitcoin, and reports each step once and without a secret', async () => {
  const one = customer({ '/order-status': [none, at('awaiting_payment'), at('paid'), at('filled'), at('filled'), at('finished', { final: true })] });
  await buy(one);
  const last = await one.becomes(({ order }) => order?.stage === 'finished');
  expect([last.withdrawal?.lnurl, last.trouble]).toEqual(['LNURL1SECRET', undefined]);
  const detail = (stage: string) => ({ orderId, stage, provider: 'Alpine', pays: '100.00 EUR', gets: '107869 sat' });
  expect(one.news).toEqual([
    { name: 'offer', detail: { offers: 1, provider: 'Alpine', pays: '100.00 EUR', gets: '107869 sat' } },
    { name: 'ordered', detail: detail('awaiting_payment') },
    { name: 'filled', detail: detail('filled') },
    { name: 'finished', detail: detail('finished') },
  ]);
  expect(JSON.stringify(one.news)).not.toMatch(/SECRET|DE89|ALP-/);
  expect(one.sent('/withdrawal')).toBe(1);
});

describe('an order that is finished', () => {
  const finished = (order_status_date: string) => at('finished', { final: true, order_status_date });
  const [now, before] = ['2026-11-28T10:00:00.000Z', '2026-11-26T10:00:00.000Z'];
  const over = problem(409, 'order-not-withdrawable', 'contact-support');
  const late: [number, object] = [200, { order_id: orderId, lnurlw: 'LNURL1SECRET', withdrawal_expiration_date: before }];

  it('is listed after a reload while its code is valid, and shows it', async () => {
    const one = customer({ '/order-status': [finished(now), finished(now), finished(now)] });
    await one.flow.start();
    const { step, open } = one.flow.state();
    expect([step, open.map(({ id, stage }) => [id, stage])]).toEqual(['amount', [[orderId, 'finished']]]);
    const [order] = open;
    if (order) await one.flow.show(order);
    expect((await one.becomes(({ withdrawal }) => withdrawal !== undefined)).withdrawal?.lnurl).toBe('LNURL1SECRET');
    await one.flow.begin();
    expect(one.flow.state().open).toHaveLength(1);
  });

  it('and cannot be read is listed after the open ones, and says what is wrong until it can be read', async () => {
    const other = '7b1d2c3e-6a57-4c34-9b1e-0f6d2a7b8c22';
    const third = '7b1d2c3e-6a57-4c34-9b1e-0f6d2a7b8c33';
    const all: [number, object] = [
      200,
      {
        [orderId]: { ...theOrder, stage: 'finished', final: true, quote_id: quoteId, order_status_date: now },
        [other]: { ...theOrder, order_id: other, stage: 'paid', final: false, quote_id: other, order_status_date: now },
        [third]: { ...theOrder, order_id: third, stage: 'paid', final: false, quote_id: third, order_status_date: now },
      },
    ];
    const away = problem(503, 'claim-outcome-unknown', 'wait', { retry_after_ms: 5000 });
    const away20 = Array<Answered>(20).fill(away);
    const one = customer({ '/order-status': [all, finished(now), finished(now)], '/withdrawal': away20 });
    await one.flow.start();
    expect(one.flow.state().open.map(({ stage }) => stage)).toEqual(['paid', 'paid', 'finished']);
    const [, , order] = one.flow.state().open;
    if (order) await one.flow.show(order);
    const { noCode, withdrawal, trouble } = await one.becomes((state) => state.order?.id === orderId && state.noCode !== undefined);
    expect([noCode?.code, withdrawal, trouble]).toEqual(['claim-outcome-unknown', undefined, undefined]);
    one.flow.stop();
  });

  it('and disputed, and so not final, is listed after the open ones', async () => {
    const other = '7b1d2c3e-6a57-4c34-9b1e-0f6d2a7b8c22';
    const both: [number, object] = [
      200,
      {
        [orderId]: { ...theOrder, stage: 'finished', disputed: true, final: false, quote_id: quoteId },
        [other]: { ...theOrder, order_id: other, stage: 'paid', final: false, quote_id: other },
      },
    ];
    const one = customer({ '/order-status': [both] });
    await one.flow.start();
    expect(one.flow.state().open.map(({ stage }) => stage)).toEqual(['paid', 'finished']);
    one.flow.stop();
  });

  it('has another code when the customer asks and the provider gives one', async () => {
    const one = customer({ '/order-status': [finished(now), finished(now), finished(now), finished(now)], '/withdrawal': [over, over, over] });
    await one.flow.start();
    await one.flow.show({ id: orderId } as OrderState);
    expect((await one.becomes((state) => state.noCode !== undefined)).noCode?.code).toBe('order-not-withdrawable');
    await one.flow.withdraw(false);
    expect([one.flow.state().trouble?.code, one.flow.state().withdrawal]).toEqual(['order-not-withdrawable', undefined]);
    // The page itself only reads what the gateway holds. Its provider is asked when the customer presses the button.
    expect(one.asked.filter(({ path }) => path === '/withdrawal').map(({ body }) => body['only_held'])).toEqual([true, true, undefined]);
    await one.flow.withdraw(false);
    expect([one.flow.state().withdrawal?.lnurl, one.flow.state().trouble, one.flow.state().noCode]).toEqual(['LNURL1SECRET', undefined, undefined]);
  });

  it('stays listed if its code has expired, because only there can the customer ask for another', async () => {
    const one = customer({ '/order-status': [finished(now)], '/withdrawal': [late] });
    await one.flow.start();
    expect([one.flow.state().open.length, one.flow.state().trouble, one.sent('/withdrawal')]).toEqual([1, undefined, 1]);
  });

  it.each([
    ['there is no code any more', now, over, 1],
    ['it is older than a day', before, undefined, 0],
  ])('is not listed if %s, and that is no trouble', async (_why, on, answer, asked) => {
    const one = customer({ '/order-status': [finished(on)], ...(answer ? { '/withdrawal': [answer] } : {}) });
    await one.flow.start();
    expect([one.flow.state().open, one.flow.state().trouble, one.sent('/withdrawal')]).toEqual([[], undefined, asked]);
  });
});

it('orders once, however often the button is pressed, and never for less than was shown', async () => {
  const one = customer();
  const [offer] = await offersOf(one);
  if (!offer) throw new Error('no offer');
  await Promise.all([one.flow.order(offer), one.flow.order(offer), one.flow.order(offer)]);
  expect(one.asked.filter(({ path }) => path === '/order').map(({ body }) => [body['quote_id'], body['min_amount_sats']])).toEqual([[quoteId, 107_869]]);
  one.flow.stop();
  const estimated = customer({
    '/offers': [[200, { offers_id: quoteId, offers: [{ ...theOffer, is_estimate: true }], excluded: [], refused: [], failed: [], policy: {} }]],
  });
  await buy(estimated);
  expect(estimated.asked.find(({ path }) => path === '/order')?.body['min_amount_sats']).toBe(106_790);
  estimated.flow.stop();
});

const busy = problem(503, 'temporary-reduced-capacity', 'retry', { retry_after_ms: 100 });
const pending = problem(503, 'order-pending', 'retry', { retry_after_ms: 100 });
it.each([
  ['order-pending', Array<Answered>(5).fill(pending)],
  // The first request may have ordered, and its answer was lost.
  ['temporary-reduced-capacity', [new TypeError('fetch failed'), busy, busy, busy, busy]],
  ['rate-limited', [new TypeError('fetch failed'), problem(429, 'rate-limited', 'wait', { retry_after_ms: 60_000 })]],
  ['quote-used', [problem(409, 'quote-used', 'wait')]],
])('lets nothing else be ordered while the outcome of the first order is unknown: %s', async (code, answers) => {
  const one = customer({ '/order': answers });
  await buy(one);
  const { unsure, trouble } = one.flow.state();
  expect([unsure?.id, trouble?.code, one.sent('/order')]).toEqual([quoteId, code, answers.length]);
  if (unsure) await one.flow.order(unsure);
  const keys = new Set(one.asked.filter(({ path }) => path === '/order').map(({ key }) => key));
  expect([one.flow.state().step, one.flow.state().unsure, keys.size]).toEqual(['order', undefined, 1]);
  one.flow.stop();
});

it('lets another offer be ordered if the gateway refused each request before it ordered anything', async () => {
  const one = customer({ '/order': Array<Answered>(5).fill(busy) });
  await buy(one);
  expect([one.flow.state().unsure, one.flow.state().trouble?.code]).toEqual([undefined, 'temporary-reduced-capacity']);
});

it('gives up an order of which nothing is known, and forgets the request', async () => {
  const one = customer({ '/order': Array<Answered>(5).fill(pending), '/order-status': [none, none, none, unknown, none] });
  await buy(one);
  const { unsure } = one.flow.state();
  if (unsure) await one.flow.giveUp([unsure.id]);
  const { step, unsure: still, open } = one.flow.state();
  expect([unsure?.id, step, still, open, one.sent('/order')]).toEqual([quoteId, 'amount', undefined, [], 5]);
  expect([...one.store.values()].join()).not.toContain(quoteId);
});

const unknown = problem(404, 'order-not-found', 'fix-request');
const others: Answered = [
  200,
  Object.fromEntries(['01', '02'].map((end) => [orderId.replace(/..$/, end), { ...theOrder, stage: 'awaiting_payment', quote_id: end }])),
];
/** Returns a customer who comes back after the answer to an order was lost. `answers` are what the gateway says to the repeated request. */
const afterReload = async (answers: Scripted[], listed: Scripted[]) => {
  const store = new Map<string, string>();
  const closed = customer({ '/order': Array<Answered>(5).fill(new TypeError('fetch failed')) }, store);
  await buy(closed);
  closed.flow.stop();
  const again = customer({ '/order': answers, '/order-status': listed }, store);
  await again.flow.start();
  return again;
};
const inReview = problem(409, 'order-unpayable', 'contact-support', { order_id: orderId });
it.each<[string, Answered[], isPending: boolean]>([
  ['order-pending', Array<Answered>(5).fill(pending), true],
  ['provider-unavailable', Array<Answered>(5).fill(problem(503, 'provider-unavailable', 'retry', { retry_after_ms: 2000 })), true],
  ['temporary-reduced-capacity', Array<Answered>(5).fill(busy), true],
  ['rate-limited', [problem(429, 'rate-limited', 'wait', { retry_after_ms: 60_000 })], true],
  ['internal', [problem(500, 'internal', 'contact-support')], true],
  ['app-key-required', [problem(403, 'app-key-required', 'contact-support')], true],
  ['order-unpayable', [inReview], false],
  ['quote-expired', [problem(410, 'quote-expired', 'requote')], false],
])('shows the other orders, after a reload, whatever the gateway says about a pending one: %s', async (code, answers, isPending) => {
  const again = await afterReload(answers, [others, unknown]);
  const { step, open, trouble, unresolved } = again.flow.state();
  expect([step, open.length, trouble?.code, unresolved]).toEqual(['amount', 2, code, isPending ? [quoteId] : []]);
  expect([...again.store.values()].join().includes(quoteId)).toBe(isPending);
  again.flow.stop();
});

it.each<[string, Answered, step: string]>([
  ['a warning not to order again stays on the screen', inReview, 'amount'],
  ['a quote that has expired needs no attention', problem(410, 'quote-expired', 'requote'), 'order'],
])('after a reload with one other open order, %s', async (_what, answer, step) => {
  const again = await afterReload([answer], [at('paid', { quote_id: 'other' }), unknown]);
  expect([again.flow.state().step, again.flow.state().open.length]).toEqual([step, 1]);
  expect(again.flow.state().trouble?.code).toBe(step === 'amount' ? 'order-unpayable' : undefined);
  again.flow.stop();
});

it('does not begin while a pending request gets no answer from the gateway', async () => {
  const again = await afterReload(Array<Answered>(5).fill([502, '<html>']), [others, unknown]);
  expect([again.flow.state().step, again.flow.state().trouble?.code]).toEqual(['loading', 'unreachable']);
});

it('asks again for what was left unresolved, or gives it up, before anything else may be ordered', async () => {
  const left = async () => await afterReload(Array<Answered>(5).fill(busy), [at('paid', { quote_id: 'other' }), unknown, none, unknown, none]);
  const asked = await left();
  // If nothing were unresolved, the screen of the one open order would be shown.
  expect([asked.flow.state().step, asked.flow.state().open.length, asked.flow.state().unresolved]).toEqual(['amount', 1, [quoteId]]);
  await asked.flow.start();
  const { order } = await asked.becomes(({ step }) => step === 'order');
  expect([order?.id, asked.flow.state().unresolved]).toEqual([orderId, []]);
  asked.flow.stop();

  const given = await left();
  await given.flow.giveUp(given.flow.state().unresolved);
  expect([given.flow.state().step, given.flow.state().unresolved, given.sent('/order')]).toEqual(['amount', [], 5]);
  expect([...given.store.values()].join()).not.toContain(quoteId);
});

it.each<[string, Scripted[], trouble: string | undefined, options: unknown[] | undefined]>([
  ['while nothing can be bought', [[200, { currencies: [] }]], undefined, []],
  ['while the list of ways to pay is refused', [problem(429, 'rate-limited', 'wait', { retry_after_ms: 60_000 })], 'rate-limited', undefined],
])('shows what is open %s', async (_what, answers, trouble, options) => {
  const one = customer({ '/order-status': [others, others], '/payment-options': answers });
  await one.flow.start();
  const { step, open, ...now } = one.flow.state();
  expect([step, open.length, now.trouble?.code, now.options]).toEqual(['amount', 2, trouble, options]);
  // The ways to pay are asked for again.
  await one.flow.begin();
  expect([one.flow.state().trouble, one.flow.state().options?.length]).toEqual([undefined, 1]);
  one.flow.stop();
});

it('rules out another order while another tab does not know what became of its own', async () => {
  const store = new Map<string, string>();
  const other = customer({ '/order-status': [none, none, unknown] }, store);
  await other.flow.start();
  const one = customer({ '/order': Array<Answered>(5).fill(pending) }, store);
  await buy(one);
  other.flow.changedElsewhere();
  const { step, unresolved } = await other.becomes((now) => now.unresolved.length > 0);
  expect([step, unresolved]).toEqual(['amount', [quoteId]]);
  other.flow.stop();
  one.flow.stop();
});

const otherId = quoteId.replace(/01$/, '02');
/** Returns two tabs at the list of offers. The first has ordered the only offer of its list, and does not know what became of it. */
const twoTabs = async () => {
  const store = new Map<string, string>();
  const other = customer(
    {
      '/order-status': [none, none, unknown, none, unknown],
      '/offers': [[200, { offers_id: otherId, offers: [{ ...theOffer, quote_id: otherId }], excluded: [], refused: [], failed: [], policy: {} }]],
    },
    store,
  );
  const [offer] = await offersOf(other);
  const one = customer({ '/order': Array<Answered>(5).fill(pending), '/order-status': [none, none, none, unknown] }, store);
  await buy(one);
  expect(one.flow.state().unsure?.id).toBe(quoteId);
  if (!offer) throw new Error('no offer');
  return { one, other, offer };
};

it('shows at the list of offers, too, that another tab does not know what became of its order', async () => {
  const { one, other } = await twoTabs();
  other.flow.changedElsewhere();
  const { step, unresolved } = await other.becomes((now) => now.unresolved.length > 0);
  expect([step, unresolved]).toEqual(['offers', [quoteId]]);
  // An order that this tab itself is unsure of is not shown as another tab's.
  one.flow.changedElsewhere();
  await one.becomes((now) => now.unresolved.length > 0);
  expect([one.flow.state().step, one.flow.state().unsure?.id]).toEqual(['offers', quoteId]);
});

it('orders nothing while another tab does not know what became of its order, even if it has not heard of that', async () => {
  const { other, offer } = await twoTabs();
  await other.flow.order(offer);
  const { step, unresolved, working, order } = other.flow.state();
  expect([step, unresolved, working, order, other.sent('/order')]).toEqual(['amount', [quoteId], undefined, undefined, 0]);
});

it('orders nothing while it cannot read what is open', async () => {
  const one = customer({ '/order-status': [none, ...Array<Answered>(5).fill(new TypeError('fetch failed'))] });
  await buy(one);
  expect([one.flow.state().step, one.flow.state().unsure, one.flow.state().trouble?.code, one.sent('/order')]).toEqual(['offers', undefined, 'unreachable', 0]);
});

it('replaces a code that has expired, when the customer asks for another', async () => {
  const dead: Answered = [200, { order_id: orderId, lnurlw: 'LNURL1DEAD', withdrawal_expiration_date: '2026-11-28T10:00:00.001Z' }];
  const one = customer({ '/order-status': [none, none, ...Array<Answered>(3).fill(at('filled')), at('filled', { final: true })], '/withdrawal': [dead] });
  await buy(one);
  await one.becomes(({ order }) => order?.final === true);
  expect([one.flow.state().withdrawal?.lnurl, one.sent('/withdrawal')]).toEqual(['LNURL1DEAD', 1]);
  await one.flow.withdraw(false);
  await one.flow.withdraw(false);
  expect([one.flow.state().withdrawal?.lnurl, one.sent('/withdrawal')]).toEqual(['LNURL1SECRET', 2]);
});

it('shows what is left when a provider does not keep its offer', async () => {
  const other = { ...theOffer, quote_id: quoteId.replace(/01$/, '02'), provider: { id: 'borealis', name: 'Borealis' } };
  const one = customer({ '/order': [problem(409, 'price-changed', 'ask-user', { offers: [other] })] });
  await buy(one);
  const { step, offers, instead, trouble, unsure } = one.flow.state();
  expect([step, offers?.best?.provider.name, instead?.provider.name, trouble?.code, unsure]).toEqual([
    'offers',
    'Borealis',
    'Alpine',
    'price-changed',
    undefined,
  ]);
});

it('finds after a reload what was open, and what was being ordered when the page was closed', async () => {
  const store = new Map<string, string>();
  const closed = customer({ '/order': [async () => await new Promise<Answered>(() => undefined)] }, store);
  const [offer] = await offersOf(closed);
  if (offer) void closed.flow.order(offer);
  await vi.waitUntil(() => closed.sent('/order') > 0, { interval: 1 });
  closed.flow.stop();

  const again = customer({ '/order-status': [none, problem(404, 'order-not-found', 'fix-request')] }, store);
  await again.flow.start();
  const { order } = await again.becomes(({ step }) => step === 'order');
  expect([order?.id, again.asked.find(({ path }) => path === '/order')?.key]).toEqual([orderId, closed.asked.find(({ path }) => path === '/order')?.key]);
  again.flow.stop();

  const open = customer({ '/order-status': [at('awaiting_payment')] }, store);
  await open.flow.start();
  expect([open.flow.state().step, open.flow.state().order?.pay?.kind]).toEqual(['order', 'bank']);
  open.flow.stop();
});

it('shows nothing more once it is stopped, whatever is still under way', async () => {
  let answer: (answer: Answered) => void = () => undefined;
  const asking = new Promise<Answered>((done) => (answer = done));
  const one = customer({ '/order-status': [none, async () => await asking] });
  await one.flow.start();
  one.flow.changedElsewhere();
  await vi.waitUntil(() => one.sent('/order-status') === 2, { interval: 1 });
  one.flow.stop();
  const before = one.states.length;
  answer(at('awaiting_payment'));
  for (let n = 0; n < 10; n += 1) await new Promise((turn) => setImmediate(turn));
  expect([one.states.length, one.flow.state().open]).toEqual([before, []]);
});

it('shows what another tab ordered, also while it is already asking because of that tab', async () => {
  let answer: (answer: Answered) => void = () => undefined;
  const asking = new Promise<Answered>((done) => (answer = done));
  const one = customer({ '/order-status': [none, async () => await asking, at('awaiting_payment')] });
  await one.flow.start();
  const before = one.states.length;
  one.flow.changedElsewhere();
  await vi.waitUntil(() => one.sent('/order-status') === 2, { interval: 1 });
  // The other tab's order is made while the answer, which does not contain it, is under way.
  one.flow.changedElsewhere();
  answer(none);
  const { open, step, working } = await one.becomes((state) => state.open.length > 0);
  expect([open[0]?.id, step, working]).toEqual([orderId, 'amount', undefined]);
  // Nothing on the screen made this tab's customer wait.
  expect(one.states.slice(before).some(({ working: at }) => at !== undefined)).toBe(false);
  one.flow.stop();
});

it('keeps following while the gateway is away, and says so', async () => {
  const away = Array<Answered>(6).fill(new TypeError('fetch failed'));
  const one = customer({ '/order-status': [none, at('awaiting_payment'), ...away, at('finished', { final: true })] });
  await buy(one);
  await one.becomes(({ order }) => order?.stage === 'finished');
  expect([one.states.some(({ isAway }) => isAway), one.flow.state().isAway, one.flow.state().trouble]).toEqual([true, false, undefined]);
});

it('asks before it takes less than was ordered', async () => {
  const short = problem(409, 'order-short', 'ask-user', { amount_sats: 90_000, quoted_amount_sats: 107_869 });
  const one = customer({ '/order-status': [none, none, at('filled')], '/withdrawal': [short] });
  await buy(one);
  const state = await one.becomes((now) => now.short !== undefined);
  expect([state.short, state.withdrawal, state.trouble]).toEqual([{ sats: '90000', quotedSats: '107869' }, undefined, undefined]);
  await one.becomes(({ working }) => working === undefined);
  await one.flow.withdraw(true);
  expect([one.flow.state().withdrawal?.lnurl, one.asked.findLast(({ path }) => path === '/withdrawal')?.body['accept_short']]).toEqual(['LNURL1SECRET', true]);
  one.flow.stop();
});

describe('a browser that the gateway no longer knows', () => {
  const key = 'ramp-gateway:gateway.example';
  const unknown = problem(403, 'ownership-proof-failed', 'fix-request', { errors: [{ pointer: '/recovery_secret', detail: 'It is not known.' }] });
  const pending = { [quoteId]: { ramp: 'buy', body: { quote_id: quoteId }, idempotencyKey: 'k', on: Date.parse('2026-11-28T09:59:00Z') } };
  const remembered = JSON.stringify({ recovery: 'lost', placings: pending });
  const stranger = (...sessions: Scripted[]) => customer({ '/session': sessions, '/order-status': [none, none] }, new Map([[key, remembered]]));

  it('is told so, whatever it does, and forgets nothing by itself', async () => {
    const one = stranger(unknown, unknown, unknown);
    await one.flow.start();
    await one.flow.start();
    await one.flow.begin();
    const { trouble } = one.flow.state();
    expect([trouble?.code, trouble?.isStranger, one.store.get(key)]).toEqual(['ownership-proof-failed', true, remembered]);
    expect(one.news.map(({ detail }) => Object.keys(detail).toSorted())).toEqual(Array(3).fill(['action', 'code', 'message', 'requestId']));
  });

  it('begins anew when its customer has confirmed that', async () => {
    const one = stranger(unknown, unknown);
    await one.flow.start();
    await one.flow.forget();
    const { step, trouble, open, unresolved } = one.flow.state();
    expect([step, trouble, open, unresolved]).toEqual(['amount', undefined, [], []]);
    expect(JSON.parse(one.store.get(key) ?? '')).toMatchObject({ recovery: 'recovery-secret-of-this-customer' });
    expect(one.store.get(key)).not.toMatch(/lost|placings/);
  });

  it('forgets nothing if the gateway knows it again, does not answer, or another tab has begun anew', async () => {
    const known = customer(
      { '/session': [unknown, [200, { session_id: quoteId, proven: [] }]], '/order-status': [at('awaiting_payment'), at('awaiting_payment')] },
      new Map([[key, JSON.stringify({ recovery: 'lost' })]]),
    );
    await known.flow.start();
    await known.flow.forget();
    await known.becomes(({ step }) => step === 'order');
    expect([known.flow.state().order?.id, JSON.parse(known.store.get(key) ?? '')]).toMatchObject([orderId, { recovery: 'lost' }]);
    known.flow.stop();

    const away = stranger(unknown, ...Array<Answered>(5).fill(new TypeError('fetch failed')));
    await away.flow.start();
    await away.flow.forget();
    expect([away.flow.state().trouble?.code, away.store.get(key)]).toEqual(['unreachable', remembered]);

    const late = stranger(unknown);
    await late.flow.start();
    late.store.set(key, JSON.stringify({ session: orderId, recovery: 'of the other tab' }));
    await late.flow.forget();
    expect([late.flow.state().step, JSON.parse(late.store.get(key) ?? '')]).toMatchObject(['amount', { session: orderId, recovery: 'of the other tab' }]);
  });

  it('keeps the customer with whom another tab has begun anew during the check', async () => {
    const shared = new Map([[key, remembered]]);
    const theirs: Answered = [200, { session_id: orderId, recovery_secret: 'of the other tab', proven: [] }];
    const other = customer({ '/session': [unknown, unknown, theirs], '/order-status': [none, none, at('awaiting_payment')] }, shared);
    await other.flow.start();
    const beginsAnew = async () => {
      await other.flow.forget();
      await other.flow.compare(query);
      const [offer] = other.flow.state().offers?.all ?? [];
      if (offer) await other.flow.order(offer);
      other.flow.stop();
      return unknown;
    };
    const late = customer({ '/session': [unknown, beginsAnew], '/order-status': [at('awaiting_payment'), at('awaiting_payment')] }, shared);
    await late.flow.start();
    await late.flow.forget();
    expect(other.sent('/order')).toBe(1);
    expect(JSON.parse(shared.get(key) ?? '')).toMatchObject({ session: orderId, recovery: 'of the other tab' });
    expect([late.flow.state().step, late.flow.state().order?.id, late.sent('/session')]).toEqual(['order', orderId, 2]);
    late.flow.stop();
  });

  it('can begin anew from the screen of an order, too', async () => {
    const over = problem(401, 'session-invalid', 'reopen-session');
    const one = customer({ '/order-status': [none, none, at('awaiting_payment'), over, none], '/session': [goodAnswer('/session'), unknown, unknown] });
    await buy(one);
    await one.becomes(({ trouble }) => trouble?.isStranger === true);
    expect([one.flow.state().step, one.store.get(key)]).toEqual(['order', expect.stringContaining('recovery-secret-of-this-customer')]);
    one.store.set(key, JSON.stringify({ recovery: 'lost' }));
    await one.flow.forget();
    expect([one.flow.state().step, one.flow.state().order, one.flow.state().trouble]).toEqual(['amount', undefined, undefined]);
  });
});

it('tells what went wrong, and starts again', async () => {
  const one = customer({ '/order-status': [none, none], '/payment-options': Array<Answered>(5).fill([503, '<html>']) });
  await one.flow.start();
  expect([one.flow.state().step, one.flow.state().trouble?.code, one.news]).toEqual([
    'loading',
    'unreachable',
    [{ name: 'error', detail: expect.objectContaining({ code: 'unreachable', action: 'retry' }) }],
  ]);
  await one.flow.start();
  expect([one.flow.state().step, one.flow.state().trouble, one.flow.state().options?.length]).toEqual(['amount', undefined, 1]);
});
