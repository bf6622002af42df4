/** A simulated Thor over real HTTP, with payments, webhooks and LNURL redemption. It misbehaves on demand. For the sandbox and for tests. */
import { Hono, type Context } from 'hono';
import { createFaults, cutConnection, transportFault, type Faults, type OwnFaults } from '../kit/faults.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { jumpBps } from './bitrefill.simulator-magic.ts';
import { createOrder, deliver, fail, goOn, listOrder, magicOf, pay, payLater, showOrder, type Body } from './bitrefill.simulator-orders.ts';
import { inventoryOf } from './bitrefill.simulator-price.ts';
import { clock, createState, errorReply, type Fault, type Order, type SimulatorOptions, type State } from './bitrefill.simulator-state.ts';
import { channelRequest, openChannel } from './bitrefill.simulator-thor.ts';
import { post } from './bitrefill.simulator-webhooks.ts';

export type { SimulatorOptions } from './bitrefill.simulator-state.ts';
export type SimulatorControl = ReturnType<typeof createControl>;
/** `baseUrl` is `url` with the version, as the setting `base_url` wants it. */
export type RunningSimulator = { url: string; baseUrl: string; port: number; control: SimulatorControl; close: () => Promise<void> };

const prefix = '/v1';

const createControl = (state: State, faults: Faults<Fault>, origin: () => string) => {
  /** Finds an order by id, invoice or address. */
  const orderBy = (target: string): Order => {
    const found = [...state.orders.values()].find((one) => one.id === target || one.invoice === target || one.address === target);
    if (!found) throw new Error(`no order ${target}`);
    return found;
  };
  return {
    state,
    setFault: (fault: Fault): void => faults.set(fault),
    clearFaults: (): void => faults.clear(),
    setOptions: (options: Partial<SimulatorOptions>): void => void Object.assign(state.options, options),
    moveClock: (ms: number): void => void (state.clockOffsetMs += ms),
    /** Sets the BTC/EUR quote this many basis points above the quote in Bitrefill's document. The rates in sats follow. */
    moveQuote: (bps: number): void => void (state.quoteBps = bps),
    setBalance: (sats: number): void => void (state.balance = sats),
    order: orderBy,
    /** Pays an order, even after its deadline, because customers may pay late. */
    pay: async (target: string): Promise<void> => await pay(state, orderBy(target), origin()),
    underpay: (target: string): void => void (orderBy(target).partial = true),
    deliver: async (target: string): Promise<void> => await deliver(state, orderBy(target), origin()),
    /** Marks a recharge as on its way: `sent`, not yet `delivered`. */
    send: (target: string): void => void Object.assign(orderBy(target), { paid: true, sent: true }),
    fail: async (target: string): Promise<void> => await fail(state, orderBy(target), origin()),
    expire: (target: string): void => void (orderBy(target).deadline = clock(state) - 1),
    refund: (target: string): void => void (orderBy(target).refunded = true),
    setStatus: (target: string, status: string): void => void (orderBy(target).status = status),
    /** Posts to a webhook URL, as a stranger who has learned it could. */
    forge: async (url: string, body: object): Promise<void> => await post(state, url, body),
  };
};

const parse = (raw: string): Body | undefined => {
  try {
    const value: unknown = raw === '' ? {} : JSON.parse(raw);
    return typeof value === 'object' && value !== null ? (value as Body) : undefined;
  } catch {
    return undefined;
  }
};

type Call = { c: Context; body: Body; endpoint: string };

const slowDown = (headers: Record<string, string>): Response => Response.json({ message: 'slow down' }, { status: 429, headers });
const ownFaults = (state: State): OwnFaults<Fault> => ({
  // v2 documents the reset as a Unix time; an older client took it for the number of seconds to wait.
  '429': () => slowDown({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.floor(clock(state) / 1000) + 30) }),
  '429-old': () => slowDown({ 'ratelimit-remaining': '0', 'ratelimit-reset': '7' }),
  '500': () => Response.json({ message: 'Internal server error' }, { status: 500 }),
  'error-200': () => Response.json({ error: 'Something went wrong' }),
});

export const createBitrefillSimulator = (options: SimulatorOptions, origin: () => string) => {
  const state = createState(options);
  const faults = createFaults<Fault>();
  const own = ownFaults(state);
  const control = createControl(state, faults, origin);
  const app = new Hono({ strict: false });

  const isAuthorized = (c: Context): boolean =>
    c.req.header('authorization') === `Basic ${Buffer.from(`${state.apiKey}:${state.apiSecret}`).toString('base64')}`;

  const route = (method: 'GET' | 'POST', path: string, handle: (call: Call) => Response | Promise<Response>): void => {
    const endpoint = `${method} ${path}`;
    const served = async (c: Context): Promise<Response> => {
      const body = parse(method === 'POST' ? await c.req.text() : '');
      const authorized = isAuthorized(c);
      state.requests.push({ endpoint, path: c.req.path, body: body ?? {}, authorized });
      await state.catchUp();
      const fault = await transportFault(c, endpoint, faults, own);
      if (fault) return fault;
      if (!authorized) return errorReply(state, state.options.unauthorizedStatus ?? 401, 'Invalid credentials');
      if (!body) return errorReply(state, 400, 'The body is not JSON', 'parse_error');
      const answer = await handle({ c, body, endpoint });
      if (faults.take(endpoint, 'lost-answer')) return cutConnection(c);
      if (!faults.take(endpoint, 'unknown-member')) return answer;
      return Response.json({ ...((await answer.json()) as Body), somethingNew: { since: 2027 } }, { status: answer.status });
    };
    // Paths with a trailing slash work too.
    const pattern = `${prefix}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    app.on(method, [pattern, `${pattern}/`], served);
  };

  const notFound = (what: string): Response => errorReply(state, state.options.notFoundStatus ?? 404, `${what} not found`, 'not_found');

  route('GET', '/test', () => new Response('Hello World!', { headers: { 'content-type': 'text/html; charset=utf-8' } }));
  route('GET', '/account_balance', () => Response.json({ balance: state.balance, currency: 'XBT' }));
  route('GET', '/inventory/{slug}', ({ c }) => {
    const found = inventoryOf(state, c.req.param('slug') ?? '');
    return found ? Response.json(found) : notFound('Operator');
  });
  const creating =
    (fromBalance: boolean) =>
    async ({ body, endpoint }: Call): Promise<Response> => {
      const jump = faults.take(endpoint, 'price-jump')?.bps ?? (magicOf(state, String(body['valuePackage'])) === 'price-changed' ? jumpBps : 0);
      const made = createOrder(state, body, fromBalance, jump, { amount: faults.take(endpoint, 'other-amount') !== undefined });
      if (made instanceof Response) return made;
      if (faults.take(endpoint, 'other-product')) made.slug = 'turbo-lightning-channel';
      const shown = showOrder(state, made, origin());
      if (fromBalance) await goOn(state, made, origin());
      else payLater(state, made, origin());
      return Response.json(shown);
    };
  route('POST', '/order', creating(false));
  route('POST', '/purchase', creating(true));
  route('GET', '/order/{id}', ({ c, endpoint }) => {
    const order = state.orders.get(c.req.param('id') ?? '');
    if (!order) return notFound('Order');
    const shown = faults.take(endpoint, 'unknown-status') ? { ...order, status: 'in_orbit' } : order;
    return Response.json(showOrder(state, shown, origin()));
  });

  // The list that Edge's reporter reads, newest first. Bitrefill's document does not mention it.
  route('GET', '/orders', ({ c }) => {
    const { listPage = 0 } = state.options;
    if (listPage === 0) return new Response('404 Not Found', { status: 404, headers: { 'content-type': 'text/plain' } });
    const from = Number(c.req.query('from') ?? 0);
    const all = [...state.orders.values()].toReversed();
    const orders = all.slice(from, from + listPage).map((order) => listOrder(state, order, origin()));
    const next = from + listPage;
    return Response.json({ orders, ...(next < all.length ? { nextUrl: `${origin()}${prefix}/orders/?from=${next}` } : {}) });
  });

  app.get(`${prefix}/thor`, (c) => {
    const query = c.req.query();
    return query['q'] === undefined ? openChannel(state, query) : channelRequest(state, query['q'], origin());
  });
  app.get('/thor/:k1', (c) => c.html('<h1>Open your channel</h1><p>Scan the LNURL, connect to the node, ask for the channel.</p>'));

  /** Takes {do, args}: the name of a function of the control object, and its arguments. Returns what happened so far, without k1. */
  app.post('/__control', async (c) => {
    const { do: name, args = [] } = (await c.req.json()) as { do: string; args?: unknown[] };
    const action: unknown = Object.hasOwn(control, name) ? control[name as keyof SimulatorControl] : undefined;
    if (typeof action === 'function') await (action as (...all: unknown[]) => unknown)(...args);
    else if (name !== 'look') return c.json({ error: `no ${name}` }, 404);
    const orders = [...state.orders.values()].map(({ k1: _k1, ...order }) => order);
    return c.json({ ok: true, orders, balance: state.balance, channels: state.channels.length, requests: state.requests, webhooks: state.webhooks.length });
  });
  return { app, control };
};

export const startBitrefillSimulator = async (options: SimulatorOptions): Promise<RunningSimulator> => {
  const running = await serveSimulator(options.port ?? 0, (origin) => createBitrefillSimulator(options, origin));
  return { ...running, baseUrl: `${running.url}${prefix}` };
};
