/**
 * A simulated Blocktank (API v2): prices without an order, orders with both ways to pay, and channels that open only when somebody asks. It speaks
 * real HTTP, makes invoices that decode, and misbehaves on demand. For the sandbox and for tests. Written from Blocktank's published API reference,
 * client types and open server of 2023, independently of the adapter, so that the two do not share an error.
 */
import { Hono, type Context } from 'hono';
import { cutConnection, transportFault, type OwnFaults } from '../kit/faults.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { iso, openError, refuse, showInfo, showOrder } from './blocktank.simulator-answers.ts';
import * as orders from './blocktank.simulator-orders.ts';
import { createState, type Channel, type Fault, type OpenCode, type SimulatedOrder, type SimulatorOptions, type State } from './blocktank.simulator-state.ts';

export type { Fault, SimulatorOptions } from './blocktank.simulator-state.ts';
export type SimulatorControl = ReturnType<typeof createControl>;
/** `baseUrl` is `url` with the prefix, as the setting `base_url` wants it. */
export type RunningSimulator = { url: string; baseUrl: string; port: number; control: SimulatorControl; close: () => Promise<void> };

const prefix = '/api';
const mostIds = 50;
const openPath = '/channels/{id}/open';
const openCodes: OpenCode[] = [
  'WRONG_ORDER_STATE',
  'PEER_NOT_REACHABLE',
  'CHANNEL_REJECTED_BY_DESTINATION',
  'CHANNEL_REJECTED_BY_LSP',
  'BLOCKTANK_NOT_READY',
  'UNKNOWN_ERROR',
];

const createControl = (state: State) => {
  /** Finds an order by id, invoice or address. Without `target`, returns the latest order. */
  const orderBy = (target?: string): SimulatedOrder => {
    const all = [...state.orders.values()];
    const found = target === undefined ? all.at(-1) : all.find((one) => one.id === target || one.invoice === target || one.address === target);
    if (!found) throw new Error(`no order ${target}`);
    orders.settle(state, found);
    return found;
  };
  return {
    setFault: (fault: Fault): void => state.faults.set(fault),
    clearFaults: (): void => state.faults.clear(),
    setOptions: (options: Partial<SimulatorOptions>): void => void Object.assign(state.options, options),
    /** Pays the invoice. Throws if it can no longer be paid. */
    pay: (target?: string): void => orders.pay(state, orderBy(target)),
    /** Sends sats to the address, even too few or too late. `mine` confirms them. */
    payOnchain: (target?: string, payment: orders.OnchainPayment = {}): void => orders.payOnchain(state, orderBy(target), payment),
    mine: (blocks = 1): void => orders.mine(state, blocks),
    /** Makes the order and its invoice expire now. */
    expire: (target?: string): void => {
      const order = orderBy(target);
      const now = state.options.now();
      Object.assign(order, { expiresOn: now, invoiceExpiresOn: now });
      orders.settle(state, order);
    },
    /** Sends the on-chain payment back, as a person at the seller does. */
    refund: (target?: string): void => {
      const order = orderBy(target);
      if (order.payment !== 'refundAvailable') throw new Error(`nothing to refund: the payment is ${order.payment}`);
      order.payment = 'refunded';
    },
    closeChannel: (target?: string, close: NonNullable<Channel['close']> = 'cooperative'): void => {
      const { channel } = orderBy(target);
      if (!channel) throw new Error('no channel to close');
      Object.assign(channel, { state: 'closed', close });
    },
    order: orderBy,
    orders: state.orders,
    requests: state.requests,
    options: state.options,
    nodePubkey: state.nodePubkey,
  };
};

type Call = { c: Context; body: Record<string, unknown>; endpoint: string; order: () => SimulatedOrder | undefined };
type Handle = (call: Call) => Response | Promise<Response>;

export const createBlocktankSimulator = (given: SimulatorOptions, origin: () => string) => {
  const state = createState(given);
  const { options, faults } = state;
  const control = createControl(state);
  const notFound = (): Response => refuse(state, 404, 'Not found');
  const ownFaults: OwnFaults<Fault> = {
    '429': () => Response.json({ message: 'slow down' }, { status: 429, headers: { 'retry-after': '2' } }),
    '500': () => Response.json({ message: 'broken' }, { status: 500 }),
    ...Object.fromEntries(openCodes.map((code) => [code, () => openError(state, code)])),
  };
  const app = new Hono();

  const route = (method: 'GET' | 'POST' | 'OPTIONS', path: string, handle: Handle): void => {
    const endpoint = `${method} ${path}`;
    app.on(method, `${prefix}${path.replace('{id}', ':id')}`, async (c) => {
      const body = method === 'POST' ? ((await c.req.json().catch(() => undefined)) as Call['body'] | undefined) : c.req.query();
      state.requests.push({ at: options.now(), endpoint, path: c.req.path, body: body ?? {} });
      if (options.latencyMs > 0) await new Promise((done) => setTimeout(done, options.latencyMs));
      await state.catchUp();
      for (const order of state.orders.values()) orders.settle(state, order);
      const fault = await transportFault(c, endpoint, faults, ownFaults);
      if (fault) return fault;
      const answer =
        body === undefined
          ? refuse(state, 400, 'The body is not JSON')
          : await handle({ c, body, endpoint, order: () => state.orders.get(c.req.param('id') ?? '') });
      return faults.take(endpoint, 'lost-answer') ? cutConnection(c) : answer;
    });
  };
  const geoBlocked = (): Response => Response.json({ error: 'GEO_BLOCKED' }, { status: options.geoStatus });
  /** A handler for a body that describes an order. */
  const ordering =
    (handle: (body: orders.OrderBody, call: Call) => Response): Handle =>
    (call) => {
      if (options.geoBlocked) return geoBlocked();
      const read = orders.orderBody(state).safeParse(call.body);
      return read.success ? handle(read.data, call) : refuse(state, 400, 'Invalid body', read.error.issues);
    };

  // UNKNOWN in the docs: what geocheck says to a caller who is not blocked.
  for (const method of ['GET', 'OPTIONS'] as const) route(method, '/geocheck', () => (options.geoBlocked ? geoBlocked() : Response.json({})));
  route('GET', '/info', () => Response.json(showInfo(state)));

  const estimate = (body: orders.OrderBody): object => {
    const { paySats, networkFeeSats: networkFeeSat, serviceFeeSats: serviceFeeSat } = orders.priceOf(state, body);
    const feeSat = paySats - (options.estimateFeeWithClient ? 0 : body.clientBalanceSat);
    const { satPerVByte, endsOn } = orders.zeroConfFeeOf(state);
    return { feeSat, ...(options.estimates === 'full' ? { networkFeeSat, serviceFeeSat } : {}), min0ConfTxFee: { satPerVByte, validityEndsAt: iso(endsOn) } };
  };
  const estimating = ordering((body) => Response.json(estimate(body), { status: options.estimateStatus }));
  route('POST', '/channels/estimate-fee-full', (call) => (options.estimates === 'full' ? estimating(call) : notFound()));
  const estimatingSimply = ordering((body) => Response.json({ feeSat: (estimate(body) as { feeSat: number }).feeSat }, { status: options.estimateStatus }));
  route('POST', '/channels/estimate-fee', (call) => (options.estimates === 'none' ? notFound() : estimatingSimply(call)));

  route(
    'POST',
    '/channels',
    ordering((body, { endpoint }) => {
      const order = orders.newOrder(state, body);
      state.orders.set(order.id, order);
      payLater(order);
      return Response.json(showOrder(state, order, endpoint, origin()), { status: 201 });
    }),
  );
  /** Pays an order after `autoPayMs`, if that option is set and nobody paid it sooner. */
  const payLater = (order: SimulatedOrder): void => {
    if (options.autoPayMs === undefined || orders.magicOf(state, order.lspSats) === 'expired') return;
    state.later(options.autoPayMs, () => {
      orders.settle(state, order);
      if (order.invoiceState === 'pending') orders.pay(state, order);
    });
  };

  route('GET', '/channels/{id}', ({ endpoint, order }) => {
    const found = order();
    return found ? Response.json(showOrder(state, found, endpoint, origin())) : notFound();
  });
  route('GET', '/channels', ({ c, endpoint }) => {
    const ids = c.req.queries('ids[]') ?? [];
    if (ids.length === 0 || ids.length > mostIds) return refuse(state, 400, `ids: 1 to ${mostIds}`);
    const found = ids.map((id) => state.orders.get(id)).filter((one) => one !== undefined);
    if (found.length < ids.length && options.unknownInList === '404') return notFound();
    return Response.json(found.map((one) => showOrder(state, one, endpoint, origin())));
  });
  route('POST', openPath, async ({ body, endpoint, order }) => {
    const found = order();
    if (!found) return notFound();
    const read = orders.openBody.safeParse(body);
    if (!read.success) return refuse(state, 400, 'Invalid body', read.error.issues);
    const code = await orders.openChannel(state, found, read.data.connectionStringOrPubkey, read.data.announceChannel);
    return code === undefined ? Response.json(showOrder(state, found, endpoint, origin())) : openError(state, code);
  });
  // UNKNOWN in the docs: what this path answers for an order without zeroConfPayment. Here it answers as for any other order.
  route('GET', '/channels/{id}/min-0conf-tx-fee', ({ order }) => {
    const found = order();
    if (!found) return notFound();
    const { satPerVByte, endsOn } = orders.zeroConfFeeOf(state, found);
    return Response.json({ satPerVByte, validityEndsAt: iso(endsOn) });
  });

  // LUD-02, at the path of API v1. UNKNOWN in the docs: whether v2 still has it.
  const failed = (reason: string): Response => Response.json({ status: 'ERROR', reason });
  route('GET', '/lnurl/channel', async ({ body: query }) => {
    const order = state.orders.get(String(query['order_id']));
    if (!order || !options.lnurl) return failed('This order is unknown');
    if (order.state !== 'paid') return failed('This order is not paid, or its channel was opened');
    const callback = `${origin()}${prefix}/lnurl/channel?order_id=${order.id}`;
    if (query['k1'] === undefined)
      return Response.json({ tag: 'channelRequest', uri: `${state.nodePubkey}@${options.id}.example:9735`, callback, k1: order.k1 });
    if (query['k1'] !== order.k1) return failed('k1 is wrong');
    if (query['cancel'] === '1') return Response.json({ status: 'OK' });
    const read = orders.openBody.safeParse({ connectionStringOrPubkey: query['remoteid'], announceChannel: query['private'] === '0' });
    if (!read.success) return failed('remoteid is not a node id');
    const code = await orders.openChannel(state, order, read.data.connectionStringOrPubkey, read.data.announceChannel);
    return code === undefined ? Response.json({ status: 'OK' }) : failed(code);
  });
  app.notFound(notFound);

  app.post('/__control', async (c) => {
    const command = (await c.req.json()) as {
      do: string;
      fault?: Fault;
      order_id?: string;
      options?: Partial<SimulatorOptions>;
      blocks?: number;
    } & orders.OnchainPayment;
    const { order_id: id } = command;
    if (command.do === 'fault' && command.fault) control.setFault(command.fault);
    else if (command.do === 'clear') control.clearFaults();
    else if (command.do === 'options') control.setOptions(command.options ?? {});
    else if (command.do === 'pay') control.pay(id);
    else if (command.do === 'pay-onchain') control.payOnchain(id, command);
    else if (command.do === 'mine') control.mine(command.blocks);
    else if (command.do === 'expire') control.expire(id);
    else if (command.do === 'refund') control.refund(id);
    else if (command.do === 'close') control.closeChannel(id);
    const all = [...state.orders.values()].map((one) => ({ order_id: one.id, state: one.state, payment: one.payment, invoice: one.invoiceState }));
    return c.json({ ok: true, requests: state.requests, orders: all });
  });
  return { app, control };
};

export const startBlocktankSimulator = async (options: SimulatorOptions): Promise<RunningSimulator> => {
  const running = await serveSimulator(options.port ?? 0, (origin) => createBlocktankSimulator(options, origin));
  return { ...running, baseUrl: `${running.url}${prefix}` };
};
