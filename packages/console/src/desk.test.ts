import { describe, expect, it } from 'vitest';
import { createDesk, sending, settling, switching } from './desk.ts';

const token = 'op_0123456789abcdef';
const overview = { answered_on: '2026-11-29T12:00:00.000Z', waiting: {}, providers: [], instances: [] };
const attention = { review: [] };
type Answer = [status: number, body: unknown] | 'lost';
type Script = Record<string, (Answer | Promise<Answer>)[]>;
const problem = (status: number, code: string, more: object = {}): Answer => [status, { code, detail: `It is ${code}.`, ...more }];

/** Opens the console at a gateway that gives these answers, by path, before the good ones. Pauses last until `wake` is called. */
const opened = async (script: Script = {}) => {
  const asked: string[] = [];
  const bodies: unknown[] = [];
  const sleepers: (() => void)[] = [];
  const answers: Script = { ...script };
  const fetch = async (url: string, init: { body?: string } = {}): Promise<Response> => {
    asked.push(url);
    if (init.body !== undefined) bodies.push(JSON.parse(init.body));
    const next = (await answers[url]?.shift()) ?? ([200, url === '/operator/attention' ? attention : overview] as const);
    if (next === 'lost') return await Promise.reject(new TypeError('Failed to fetch'));
    const [status, body] = next;
    return await Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }));
  };
  const desk = createDesk(
    {
      fetch: fetch as typeof globalThis.fetch,
      now: () => Date.parse('2026-11-29T11:59:00.000Z'),
      sleep: async () => await new Promise((done) => sleepers.push(done)),
      hash: async () => await Promise.resolve('0123456789abcdef'),
      isSeen: () => true,
    },
    () => undefined,
  );
  const settled = async (): Promise<void> => await new Promise((turn) => setImmediate(turn));
  void desk.unlock(token);
  await settled();
  const wake = async (): Promise<void> => {
    for (const done of sleepers.splice(0)) done();
    await settled();
  };
  const act = async (run: Parameters<typeof desk.act>[0]): Promise<string | undefined> => {
    void desk.act(run);
    await settled();
    return desk.state().notice?.text;
  };
  return { desk, asked, bodies, answers, wake, act, settled };
};

it('goes by the gateway’s clock, and names the operator as the log of actions does', async () => {
  const { desk } = await opened();
  expect(desk.state()).toMatchObject({ isOpen: true, actor: 'token:01234567', sheet: { attention } });
  expect(new Date(desk.now()).toISOString()).toBe('2026-11-29T12:00:00.000Z');
});

it.each<[what: string, answer: Answer, text: RegExp]>([
  ['a wrong token', problem(404, 'not-found'), /does not accept this token/],
  ['too many wrong ones', problem(429, 'rate-limited'), /Wait a minute/],
  ['a gateway that is away', 'lost', /does not answer/],
  ['a proxy without a gateway', [502, '<html>Bad Gateway</html>'], /does not answer/],
])('stays locked, and says why: %s', async (_what, answer, text) => {
  const { desk } = await opened({ '/operator/overview': [answer] });
  expect(desk.state()).toMatchObject({ isOpen: false, whyLocked: expect.stringMatching(text) as string });
});

it('forgets everything when the token no longer counts', async () => {
  const { desk, answers, wake } = await opened();
  answers['/operator/overview'] = [problem(404, 'not-found')];
  await wake();
  expect(desk.state()).toMatchObject({ isOpen: false, overview: undefined, sheet: {}, whyLocked: expect.stringMatching(/no longer accepts/) as string });
});

it('keeps what it shows while the gateway or its database is away, and asks again', async () => {
  const { desk, answers, wake } = await opened();
  answers['/operator/overview'] = ['lost', problem(503, 'storage-unavailable')];
  await wake();
  const since = desk.state().awaySince;
  expect([since, desk.state().sheet]).toEqual([desk.now(), { attention }]);
  await wake();
  expect(desk.state().awaySince).toBe(since);
  await wake();
  expect(desk.state().awaySince).toBeUndefined();
});

it('says what came of an action: done, not done and why, or not known', async () => {
  const { act, answers } = await opened();
  answers['/operator/webhooks/msg_1/send'] = [[200, {}], 'lost'];
  expect(await act(sending('msg_1'))).toMatch(/is being sent/);
  expect(await act(sending('msg_1'))).toMatch(/may or may not have done this/);
  answers['/operator/orders/1/settle'] = [problem(409, 'order-changed')];
  expect(await act(settling('1', { settling: 'close-dispute', reason: 'paid back', pin: '5f0c1a9be2d47733' }))).toMatch(/nothing was done/);
  const set = { set_by: 'token:fedcba98', mode: 'drain', set_on: '2026-11-29T11:58:00.000Z', reason: 'bank closed' };
  answers['/operator/providers/alpine'] = [problem(412, 'switch-changed', { switch: set }), problem(412, 'switch-changed'), problem(404, 'not-found')];
  const off = switching('alpine', { mode: 'off', reason: 'slow' }, 'none');
  expect(await act(off)).toBe(
    'Nothing was changed, because another operator was faster: token:fedcba98 set it to "drain" on 2026-11-29 11:58:00 UTC: bank closed',
  );
  expect(await act(off)).toMatch(/back in its configured mode/);
  expect(await act(off)).toBe('It is not-found.');
});

it('does one thing at a time, and shows nothing of a screen that was left', async () => {
  const { desk, answers, asked, settled } = await opened();
  answers['/operator/orders/1'] = [problem(404, 'order-not-found')];
  void desk.go({ screen: 'order', id: '1' });
  void desk.go({ screen: 'providers' });
  await settled();
  expect(desk.state()).toMatchObject({ place: { screen: 'providers' }, sheet: {} });
  void desk.act(sending('msg_1'));
  void desk.act(sending('msg_1'));
  await settled();
  expect(asked.filter((path) => path.endsWith('/send'))).toHaveLength(1);
});

const later = (): [answer: Promise<Answer>, give: (answer: Answer) => void] => {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  return [promise, resolve];
};
const found = (id: string, more: object = {}): Answer => [200, { orders: [{ order_id: id }, { order_id: `${id}b` }], ...more }];
const ids = (desk: Awaited<ReturnType<typeof opened>>['desk']) => desk.state().sheet.found?.rows.map(({ order_id: id }) => id);

it('keeps what a search has found when a refresh that began before it ends after it', async () => {
  const { desk, answers, wake, settled } = await opened();
  await desk.go({ screen: 'find' });
  for (const [run, expected] of [
    [async () => await desk.find('a'), ['a', 'ab']],
    [async () => await desk.more(), ['a', 'ab', 'c', 'cb']],
  ] as const) {
    const [overviewLater, giveOverview] = later();
    const [foundLater, giveFound] = later();
    answers['/operator/overview'] = [overviewLater];
    answers['/operator/orders-search'] = [foundLater];
    void run();
    await wake();
    giveFound(expected.length === 2 ? found('a', { next_cursor: 'next' }) : found('c'));
    await settled();
    giveOverview([200, overview]);
    await settled();
    expect(ids(desk)).toEqual(expected);
  }
});

it('lets the operator act after leaving a search that is slow', async () => {
  const { desk, answers, settled } = await opened();
  const [slow, give] = later();
  answers['/operator/orders-search'] = [slow];
  await desk.go({ screen: 'find' });
  void desk.find('a');
  await desk.go({ screen: 'providers' });
  give(found('a'));
  await settled();
  expect(desk.state()).toMatchObject({ isWorking: false, sheet: {} });
});

it('shows how it is after an action, not what was read during it', async () => {
  const { desk, answers, wake, settled } = await opened();
  const [before, give] = later();
  const [done, end] = later();
  answers['/operator/webhooks/msg_1/send'] = [done];
  answers['/operator/attention'] = [before];
  void desk.act(sending('msg_1'));
  await wake();
  end([200, {}]);
  await settled();
  give([200, { review: ['before'] }]);
  await settled();
  expect(desk.state().sheet).toEqual({ attention });
});

const closing = settling('A', { settling: 'close-dispute', reason: 'paid back', pin: '5f0c1a9be2d47733' });

describe('an action that ends after the console was locked', () => {
  it.each<[what: string, answer: Answer]>([
    ['done', [200, { done: 'A is no longer disputed' }]],
    ['refused', problem(409, 'order-changed')],
    ['refused with the token', problem(404, 'not-found')],
    ['lost', 'lost'],
  ])('is nothing to the next operator: %s', async (_what, answer) => {
    for (const isNext of [false, true]) {
      const { desk, answers, settled } = await opened();
      const [done, end] = later();
      answers['/operator/orders/A/settle'] = [done];
      void desk.act(closing);
      await settled();
      desk.lock();
      if (isNext) void desk.unlock('op_fedcba9876543210');
      await settled();
      const before = desk.state();
      end(answer);
      await settled();
      expect(desk.state()).toEqual(before);
      expect([before.isOpen, before.whyLocked, before.notice]).toEqual([isNext, undefined, undefined]);
    }
  });
});

it('forgets a search that ends while the next operator unlocks the console', async () => {
  const { desk, answers, settled } = await opened();
  const [slow, give] = later();
  const [overviewLater, giveOverview] = later();
  answers['/operator/orders-search'] = [slow];
  await desk.go({ screen: 'find' });
  void desk.find('a');
  await settled();
  desk.lock();
  answers['/operator/overview'] = [overviewLater];
  void desk.unlock('op_fedcba9876543210');
  await settled();
  give('lost');
  await settled();
  giveOverview([200, overview]);
  await settled();
  expect(desk.state()).toMatchObject({ isOpen: true, sheet: {} });
});

it('never replaces an overview by an older one', async () => {
  const { desk, answers, wake, settled } = await opened();
  await desk.go({ screen: 'providers' });
  const [old, giveOld] = later();
  answers['/operator/overview'] = [old, [200, { ...overview, providers: ['off'] }]];
  answers['/operator/providers/alpine'] = [[200, { mode: 'off' }]];
  await wake();
  void desk.act(switching('alpine', { mode: 'off', reason: 'slow' }, 'none'));
  await settled();
  giveOld([200, { ...overview, providers: ['on'] }]);
  await settled();
  expect(desk.state().overview?.providers).toEqual(['off']);
});

it.each<[what: string, answer: Answer, text: RegExp]>([
  ['done', [200, { done: 'A is no longer disputed' }], /^Order A: Done: A is no longer disputed\.$/],
  ['refused', problem(409, 'order-changed'), /^Order A: The order has changed since you saw it, so nothing was done\./],
  ['lost', 'lost', /^Order A: The gateway did not answer/],
])('names the order that an action was about after the operator has gone to another: %s', async (_what, answer, text) => {
  const { desk, answers, settled } = await opened();
  const [done, end] = later();
  answers['/operator/orders/A/settle'] = [done];
  await desk.go({ screen: 'order', id: 'A' });
  void desk.act(closing);
  await settled();
  await desk.go({ screen: 'order', id: 'B' });
  end(answer);
  await settled();
  expect(desk.state()).toMatchObject({ place: { id: 'B' }, notice: { text: expect.stringMatching(text) as string } });
});

it('shows the last of two searches that begin at an order, and none after the operator has left', async () => {
  for (const isLeft of [false, true]) {
    const { desk, answers, settled } = await opened();
    const [overviewLater, giveOverview] = later();
    const [first, giveFirst] = later();
    const [second, giveSecond] = later();
    await desk.go({ screen: 'order', id: 'A' });
    answers['/operator/overview'] = [overviewLater];
    answers['/operator/orders-search'] = [first, second];
    const one = desk.find('first');
    await settled();
    const two = isLeft ? desk.go({ screen: 'waiting' }) : desk.find('second');
    giveSecond([200, { orders: [{ order_id: 'S' }] }]);
    giveFirst([200, { orders: [{ order_id: 'F' }] }]);
    giveOverview([200, overview]);
    await settled();
    const { place, sheet } = desk.state();
    expect([await one, await two, place.screen, ids(desk), sheet.attention]).toEqual(
      isLeft ? [undefined, undefined, 'waiting', undefined, attention] : [undefined, 'S', 'find', ['S'], undefined],
    );
  }
});

it('shows no figures of another time', async () => {
  const { desk, answers } = await opened();
  await desk.go({ screen: 'wins' });
  answers['/operator/overview'] = ['lost'];
  await desk.look('day');
  expect(desk.state()).toMatchObject({ span: 'day', sheet: {} });
});

it('reads a day that follows what is searched for', async () => {
  const { desk, answers, bodies } = await opened();
  answers['/operator/orders-search'] = [found('a'), found('a'), found('a')];
  for (const words of ['100 EUR 2026-11-29', '2026-11-29', 'INV 2026-11']) await desk.find(words);
  expect(bodies.slice(-3)).toEqual([{ anything: '100 EUR', day: '2026-11-29' }, { anything: '2026-11-29' }, { anything: 'INV 2026-11' }]);
});
