/**
 * A simulated seller of channels. It speaks LSPS1 over real HTTP, makes invoices that decode, and misbehaves on demand. For the sandbox and for
 * tests.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { bech32 } from '@scure/base';
import { Hono, type Context } from 'hono';
import { createFaults, cutConnection, transportFault, type OwnFaults } from '../kit/faults.simulator.ts';
import { createLater } from '../kit/later.simulator.ts';
import { serveSimulator } from '../kit/serve.simulator.ts';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { createWording, type Lies } from './lsps1.simulator-answers.ts';
import * as magic from './lsps1.simulator-magic.ts';
import type { Deviation, Fault, Network, RunningSimulator, SimulatedOrder, SimulatorControl, SimulatorOptions } from './lsps1.simulator-state.ts';

export type { Deviation, RunningSimulator, SimulatorOptions } from './lsps1.simulator-state.ts';

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const leaseUnit = 4320;
const prefixes: Record<Network, string> = { main: 'bc', test: 'tb', signet: 'tb', regtest: 'bcrt' };
const ownFaults: OwnFaults<Fault> = {
  '429': () => Response.json({ detail: 'slow down' }, { status: 429, headers: { 'retry-after': '2' } }),
  '500': () => Response.json({ detail: 'broken' }, { status: 500 }),
};
const otherNetwork: Record<Network, Network> = { main: 'test', test: 'main', signet: 'main', regtest: 'main' };

export const createLsps1Simulator = (options: SimulatorOptions) => {
  const { network = 'regtest', minSats = 100_000, maxSats = 10_000_000, maxLeaseBlocks = 13_140, minConfirmations = 0, orderTtlS = 3600 } = options;
  const { now = Date.now } = options;
  const { later, catchUp } = createLater(now);
  // The same id gives the same node key, as with a real seller after a restart.
  const nodeKey = createHash('sha256').update(`lsps1 simulator ${options.id}`).digest('hex');
  const nodePubkey = publicKeyOf(nodeKey);
  const orders = new Map<string, SimulatedOrder>();
  const requests: SimulatorControl['requests'] = [];
  const faults = createFaults<Fault>();
  const has = (deviation: Deviation): boolean => options.deviations?.includes(deviation) ?? false;
  const { order: toWire, refuse, sat, shown } = createWording({ now, has });

  const app = new Hono();
  const route = (method: 'get' | 'post', endpoint: string, handle: (c: Context, body: Record<string, unknown>) => Response): void => {
    app.on(method, `/${endpoint}`, async (c) => {
      const body = method === 'post' ? ((await c.req.json().catch(() => ({}))) as Record<string, unknown>) : c.req.query();
      requests.push({ at: now(), endpoint, body });
      await sleep(options.latencyMs ?? 0);
      await catchUp();
      return (await transportFault(c, endpoint, faults, ownFaults)) ?? handle(c, body);
    });
  };

  route('get', 'get_info', () => {
    const limits = {
      min_required_channel_confirmations: has('zero-conf-words') && minConfirmations === 0 ? 'zero-conf' : minConfirmations,
      min_funding_confirms_within_blocks: 6,
      supports_zero_channel_reserve: false,
      max_channel_expiry_blocks: maxLeaseBlocks,
      min_initial_client_balance_sat: sat(0),
      max_initial_client_balance_sat: sat(options.maxClientSats ?? 0),
      min_initial_lsp_balance_sat: sat(minSats),
      min_channel_balance_sat: sat(minSats),
      ...(has('no-maximum') ? {} : { max_initial_lsp_balance_sat: sat(maxSats), max_channel_balance_sat: sat(maxSats) }),
      min_onchain_payment_confirmations: null,
      min_onchain_payment_size_sat: null,
    };
    const identity = has('no-uris') ? { public_key: nodePubkey } : { uris: [`${nodePubkey}@${options.id}.example:9735`] };
    return Response.json(shown(has('info-in-options') ? { ...identity, options: limits } : { ...identity, ...limits }));
  });

  const isConnected = (key: string): boolean => {
    const { connected = 'all' } = options;
    return connected === 'all' || (connected !== 'none' && connected.includes(key));
  };
  const feeFor = (lsp: number, client: number, lease: number): number =>
    (options.baseSats ?? 1000) + Math.ceil(((lsp + client) * (options.ppm ?? 2000) + (lsp * (options.leasePpm ?? 2400) * lease) / leaseUnit) / 1e6);

  route('post', 'create_order', (c, body) => {
    const key = String(body['public_key']);
    if (!/^0[23][0-9a-f]{64}$/.test(key)) return refuse(422, -32602, 'Invalid params', 'public_key');
    const [lsp, client] = [Number(body['lsp_balance_sat']), Number(body['client_balance_sat'])];
    const lease = Number(body['channel_expiry_blocks']);
    if (typeof body['announce_channel'] !== 'boolean') return refuse(422, -32602, 'Invalid params', 'announce_channel');
    if (!(lsp >= minSats && lsp + client <= maxSats)) return refuse(400, 100, 'Option mismatch', 'max_initial_lsp_balance_sat');
    if (!(client >= 0 && client <= (options.maxClientSats ?? 0))) return refuse(400, 100, 'Option mismatch', 'max_initial_client_balance_sat');
    if (!(lease >= 1 && lease <= maxLeaseBlocks)) return refuse(400, 100, 'Option mismatch', 'max_channel_expiry_blocks');
    if (options.token !== undefined && body['token'] !== options.token) return refuse(400, 102, 'Token is unknown or stale');
    if (!isConnected(key)) return refuse(400, 1, 'Client rejected: your node is not connected to ours');
    const mine = [...orders.values()].filter((one) => one.nodePubkey === key).length;
    if (mine >= (options.ordersPerNode ?? Number.POSITIVE_INFINITY))
      return Response.json({ message: 'too many orders' }, { status: 429, headers: { 'retry-after': '3600' } });
    const order = newOrder(key, lsp, client, lease, body);
    orders.set(order.id, order);
    payLater(order);
    if (faults.take('create_order', 'lost-answer')) return cutConnection(c);
    return Response.json(toWire(order, liesOf('create_order')));
  });

  const magicOf = (sats: number): magic.Magic | undefined => (options.magic === true ? magic.magicOf(sats) : undefined);
  /** Pays an order after `autoPayMs`, if that option is set, and opens its channel. A magic amount may change this. */
  const payLater = ({ id, lspSats }: SimulatedOrder): void => {
    const { autoPayMs } = options;
    const told = magicOf(lspSats);
    if (autoPayMs === undefined || told === 'expired') return;
    const then = told === 'refunded' ? fail : open;
    later(autoPayMs, () => pay(id));
    later(autoPayMs * (told === 'slow' ? magic.slowTimes : 1), () => then(id));
  };

  const newOrder = (key: string, lsp: number, client: number, lease: number, body: Record<string, unknown>): SimulatedOrder => {
    const feeSats = feeFor(lsp, client, lease);
    const createdOn = now();
    const lifeS = magicOf(lsp) === 'expired' ? magic.shortLifeS : orderTtlS;
    const refundOnchain = typeof body['refund_onchain_address'] === 'string' ? body['refund_onchain_address'] : undefined;
    const { onchainExtraSats } = options;
    const invoiced = faults.take('create_order', 'absurd-price') ? (feeSats + client) * 3 : feeSats + client;
    return {
      id: has('numeric-ids') ? String(1_000_000 + orders.size) : randomUUID(),
      nodePubkey: key,
      lspSats: lsp,
      clientSats: client,
      leaseBlocks: lease,
      confirmations: Number(body['required_channel_confirmations']),
      fundingWithin: Number(body['funding_confirms_within_blocks']),
      announce: body['announce_channel'] === true,
      token: typeof body['token'] === 'string' ? body['token'] : '',
      isFree: options.freeToken !== undefined && body['token'] === options.freeToken,
      refundOnchain,
      createdOn,
      expiresOn: createdOn + lifeS * 1000,
      feeSats,
      invoice: encodeInvoice({
        network: faults.take('create_order', 'wrong-currency') ? otherNetwork[network] : network,
        amountMsat: BigInt(invoiced) * 1000n,
        timestamp: Math.floor(createdOn / 1000),
        expirySeconds: lifeS,
        paymentHash: randomBytes(32).toString('hex'),
        paymentSecret: randomBytes(32).toString('hex'),
        description: `${options.id} channel`,
        payeePrivateKey: nodeKey,
      }),
      onchain:
        onchainExtraSats === undefined || refundOnchain === undefined
          ? undefined
          : { address: bech32.encode(prefixes[network], [0, ...bech32.toWords(randomBytes(20))]), feeSats: feeSats + onchainExtraSats },
      state: 'CREATED',
      payments: { bolt11: 'EXPECT_PAYMENT', onchain: 'EXPECT_PAYMENT' },
      channel: undefined,
    };
  };

  route('get', 'get_order', (_c, query) => {
    const order = orders.get(String(query['order_id']));
    return order ? Response.json(toWire(order, liesOf('get_order'))) : refuse(404, 101, 'Not found');
  });
  const liesOf = (endpoint: string): Lies => ({
    totalOff: faults.take(endpoint, 'order-amounts-differ') ? 700 : 0,
    state: faults.take(endpoint, 'unknown-status') ? 'PONDERING' : undefined,
    expired: faults.take(endpoint, 'expired-quote') !== undefined,
  });

  const named = (orderId: string): SimulatedOrder => {
    const order = orders.get(orderId);
    if (!order) throw new Error('no such order');
    return order;
  };
  const pay = (orderId: string, way: 'bolt11' | 'onchain' = 'bolt11'): void => {
    named(orderId).payments[way] = way === 'bolt11' ? 'HOLD' : 'PAID';
  };
  const open = (orderId: string): void => {
    const order = named(orderId);
    const fundedOn = now();
    order.state = 'COMPLETED';
    if (order.payments.bolt11 === 'HOLD') order.payments.bolt11 = 'PAID';
    order.channel = { fundedOn, outpoint: `${randomBytes(32).toString('hex')}:0`, expiresOn: fundedOn + order.leaseBlocks * 600_000 };
  };
  const fail = (orderId: string): void => {
    const order = named(orderId);
    order.state = 'FAILED';
    for (const way of ['bolt11', 'onchain'] as const) if (order.payments[way] !== 'EXPECT_PAYMENT') order.payments[way] = 'REFUNDED';
  };
  const expire = (orderId: string): void => {
    named(orderId).expiresOn = now() - 1000;
  };

  const control: SimulatorControl = { setFault: faults.set, clearFaults: faults.clear, pay, open, fail, expire, requests, orders, options, nodePubkey };
  app.post('/__control', async (c) => {
    const command = (await c.req.json()) as { do: string; fault?: Fault; order_id?: string; way?: 'bolt11' | 'onchain'; options?: Partial<SimulatorOptions> };
    const id = command.order_id ?? [...orders.keys()].at(-1) ?? '';
    if (command.do === 'fault' && command.fault) faults.set(command.fault);
    else if (command.do === 'clear') faults.clear();
    else if (command.do === 'options') Object.assign(options, command.options);
    else if (command.do === 'pay') pay(id, command.way);
    else if (command.do === 'open') open(id);
    else if (command.do === 'fail') fail(id);
    else if (command.do === 'expire') expire(id);
    return c.json({ ok: true, requests, orders: [...orders.values()].map(({ id: order_id, state, payments }) => ({ order_id, state, payments })) });
  });
  return { app, control };
};

export const startLsps1Simulator = async (options: SimulatorOptions): Promise<RunningSimulator> =>
  await serveSimulator(options.port ?? 0, () => createLsps1Simulator(options));
