/** Orders of the simulated Blocktank: their validation and price, and how they proceed. */
import { bech32, hex } from '@scure/base';
import * as z from 'zod';
import type { BitcoinNetwork } from '../../bitcoin/address.ts';
import { encodeInvoice } from '../../bitcoin/bolt11.ts';
import * as magic from './blocktank.simulator-magic.ts';
import type { OpenCode, SimulatedOrder, State, Transaction } from './blocktank.simulator-state.ts';

const prefixes: Record<BitcoinNetwork, string> = { main: 'bc', test: 'tb', signet: 'tb', regtest: 'bcrt' };
const otherNetwork: Record<BitcoinNetwork, BitcoinNetwork> = { main: 'test', test: 'main', signet: 'main', regtest: 'main' };
const nodeKey = /^0[23][0-9a-f]{64}$/i;
const weekMs = 7 * 86_400_000;
/** How long the fee for an unconfirmed payment stays valid. */
const zeroConfFeeMs = 120_000;

// ---- what may be ordered ---------------------------------------------------------------------------------------------------------------

const together = ['clientNodeId', 'signature', 'timestamp'] as const;

/** The body of an order, and of an estimate. Unknown members are ignored (UNKNOWN in the docs). */
export const orderBody = ({ options, nodePubkey }: State) =>
  z
    .object({
      lspBalanceSat: z.int().min(options.minLspSats),
      clientBalanceSat: options.strictClient ? z.int().min(0) : z.int().min(0).default(0),
      channelExpiryWeeks: z.int().min(options.minWeeks).max(options.maxWeeks),
      zeroConf: z.boolean().default(false),
      zeroConfPayment: z.boolean().default(false),
      zeroReserve: z.boolean().default(false),
      announceChannel: z.boolean().default(false),
      lspNodeId: z.literal(nodePubkey).optional(),
      clientNodeId: z.string().regex(nodeKey).optional(),
      // UNKNOWN in the docs: the form of the signature and of the time. The signature is not verified here.
      signature: z.string().min(1).optional(),
      timestamp: z.union([z.string(), z.number()]).optional(),
      refundOnchainAddress: z.string().max(512).optional(),
      source: z.string().max(128).optional(),
      discountCode: z.string().max(128).optional(),
      couponCode: z.string().max(128).optional(),
    })
    .superRefine((body, context) => {
      const { lspBalanceSat: lsp, clientBalanceSat: client } = body;
      const refuse = (member: string, message: string): void => context.addIssue({ code: 'custom', path: [member], message });
      if (options.strictClient ? client >= lsp : client > lsp) refuse('clientBalanceSat', 'must not be over lspBalanceSat');
      if (client > (options.maxClientSats ?? client)) refuse('clientBalanceSat', 'is over maxClientBalanceSat');
      if (lsp + client < options.minSats) refuse('lspBalanceSat', 'the channel is under minChannelSizeSat');
      if (lsp + client > Math.min(options.maxSats, options.hiddenMaxSats)) refuse('lspBalanceSat', 'the channel is too large');
      if (body.zeroConf && body.announceChannel) refuse('announceChannel', 'excludes zeroConf');
      if (body.zeroConfPayment && client > 0) refuse('zeroConfPayment', 'excludes clientBalanceSat');
      const proven = together.filter((member) => body[member] !== undefined).length;
      if ((proven > 0 && proven < together.length) || (proven === 0 && options.signatureRequired))
        refuse('signature', 'clientNodeId, signature and timestamp belong together');
    });
export type OrderBody = z.output<ReturnType<typeof orderBody>>;

export const openBody = z.object({
  connectionStringOrPubkey: z.string().regex(/^0[23][0-9a-f]{64}(?:@[^\s@]+:\d+)?$/i),
  announceChannel: z.boolean(),
});

/** The published price: 1 % of the seller's balance for 53 weeks, and the miner's fee of opening and closing. */
export const priceOf = ({ options }: State, { lspBalanceSat, clientBalanceSat, channelExpiryWeeks }: OrderBody) => {
  const serviceFeeSats = Math[options.rounding === 'up' ? 'ceil' : 'floor']((lspBalanceSat * channelExpiryWeeks) / 5300);
  const networkFeeSats = options.networkFeeSats ?? options.channelVbytes * options.feeRates[options.priceRate];
  return { serviceFeeSats, networkFeeSats, paySats: clientBalanceSat + serviceFeeSats + networkFeeSats };
};

export const newOrder = (state: State, body: OrderBody): SimulatedOrder => {
  const { options, faults, nodeKey: payeePrivateKey } = state;
  const lies = (name: 'absurd-price' | 'wrong-currency' | 'wrong-address' | 'invoice-amount'): boolean => faults.take('POST /channels', name) !== undefined;
  const random = (): string => hex.encode(options.randomBytes(32));
  const { network } = options;
  const price = priceOf(state, body);
  const dearer = lies('absurd-price') ? price.paySats * 2 : 0;
  const paySats = price.paySats + dearer;
  const createdOn = options.now();
  const told = magicOf(state, body.lspBalanceSat);
  const lifeS = told === 'expired' || told === 'refunded' ? magic.shortLifeS : options.lifeS;
  const [timestamp, expirySeconds] = [Math.floor(createdOn / 1000), options.invoiceLifeS ?? lifeS];
  return {
    id: options.newId(),
    createdOn,
    updatedOn: createdOn,
    expiresOn: createdOn + lifeS * 1000,
    lspSats: body.lspBalanceSat,
    clientSats: body.clientBalanceSat,
    weeks: body.channelExpiryWeeks,
    zeroConf: body.zeroConf,
    zeroReserve: body.zeroReserve,
    clientNodeId: body.clientNodeId,
    refundAddress: body.refundOnchainAddress,
    networkFeeSats: price.networkFeeSats + dearer,
    serviceFeeSats: price.serviceFeeSats,
    paySats,
    invoice: encodeInvoice({
      network: lies('wrong-currency') ? otherNetwork[network] : network,
      amountMsat: BigInt(paySats + (lies('invoice-amount') ? 700 : 0)) * 1000n,
      timestamp,
      expirySeconds,
      paymentHash: random(),
      paymentSecret: random(),
      description: `${options.id} channel`,
      payeePrivateKey,
    }),
    invoiceExpiresOn: (timestamp + expirySeconds) * 1000,
    invoiceState: 'pending',
    address: bech32.encode(prefixes[lies('wrong-address') ? otherNetwork[network] : network], [0, ...bech32.toWords(options.randomBytes(20))]),
    requiredConfirmations: body.zeroConfPayment ? options.minConfirmations : options.minHighRiskConfirmations,
    transactions: [],
    zeroConfFee: undefined,
    state: 'created',
    payment: 'created',
    refundableOn: 0,
    isLate: false,
    isLocked: false,
    channel: undefined,
    k1: random(),
  };
};

export const magicOf = ({ options }: State, sats: number): magic.Magic | undefined => (options.magic ? magic.magicOf(sats) : undefined);

/** The fee rate that a payment without confirmation needs. UNKNOWN in the docs: how it is chosen. */
export const zeroConfFeeOf = ({ options }: State, order?: SimulatedOrder): { satPerVByte: number; endsOn: number } => {
  if (order?.zeroConfFee && options.now() < order.zeroConfFee.endsOn) return order.zeroConfFee;
  const fee = { satPerVByte: options.feeRates.fast, endsOn: options.now() + zeroConfFeeMs };
  if (order) order.zeroConfFee = fee;
  return fee;
};

// ---- what was paid ---------------------------------------------------------------------------------------------------------------------

export const confirmationsOf = ({ tip }: State, { minedAt }: Transaction): number => (minedAt === undefined ? 0 : tip - minedAt + 1);
export const isConfirmed = (state: State, transaction: Transaction): boolean => confirmationsOf(state, transaction) >= transaction.needs;
export const confirmedSats = (state: State, order: SimulatedOrder): number =>
  order.transactions.reduce((sum, one) => sum + (isConfirmed(state, one) ? one.amountSat : 0), 0);
const hasPending = (state: State, order: SimulatedOrder): boolean => order.transactions.some((one) => !isConfirmed(state, one));

/** The seller counts the lease from the order's end, not from when the channel opens. */
export const leaseEnd = (order: SimulatedOrder): number => order.expiresOn + order.weeks * weekMs;

const change = (state: State, order: SimulatedOrder, changes: Partial<SimulatedOrder>): void =>
  void Object.assign(order, changes, { updatedOn: state.options.now() });

/** Pays the invoice: the seller holds the payment until the channel opens. Throws if a real payment would fail. */
export const pay = (state: State, order: SimulatedOrder): void => {
  settle(state, order);
  if (order.invoiceState !== 'pending') throw new Error(`the invoice can no longer be paid: it is ${order.invoiceState}`);
  change(state, order, { invoiceState: 'holding' });
  settle(state, order);
};

export type OnchainPayment = { sats?: number; feeRate?: number; neverMined?: boolean };
/** Sends sats to the order's address, at any time: the price of the order, unless `sats` says otherwise. Only `mine` confirms them. */
export const payOnchain = (state: State, order: SimulatedOrder, { sats, feeRate, neverMined = false }: OnchainPayment): void => {
  settle(state, order);
  const { options } = state;
  const rate = feeRate ?? options.feeRates.mid;
  const needs = order.requiredConfirmations === 0 && rate < zeroConfFeeOf(state, order).satPerVByte ? 1 : order.requiredConfirmations;
  const txId = hex.encode(options.randomBytes(32));
  order.transactions.push({ amountSat: sats ?? order.paySats, txId, vout: 0, feeRate: rate, needs, minedAt: undefined, neverMined });
  change(state, order, {});
  settle(state, order);
};

/** Adds blocks to the chain. */
export const mine = (state: State, blocks: number): void => {
  for (const order of state.orders.values()) settle(state, order);
  const waiting = [...state.orders.values()].flatMap(({ transactions }) => transactions).filter((one) => one.minedAt === undefined && !one.neverMined);
  for (const one of waiting) one.minedAt = state.tip + 1;
  state.tip += blocks;
  for (const order of state.orders.values()) settle(state, order);
};

/** Brings an order up to date with the clock and the chain. */
export const settle = (state: State, order: SimulatedOrder): void => {
  const { options } = state;
  const now = options.now();
  const received = confirmedSats(state, order);
  // The two ways to pay are not added up: the first that is complete counts.
  const isHeld = order.invoiceState === 'holding';
  if (order.state === 'created' && !options.stuck && (isHeld || received >= order.paySats + (options.exactIsTooLittle ? 1 : 0)))
    change(state, order, { state: 'paid', payment: 'paid', ...(isHeld ? {} : { invoiceState: 'canceled' }) });
  const isAlive = order.state === 'created' || order.state === 'paid';
  if (isAlive && now >= order.expiresOn && hasPending(state, order)) order.isLate = true;
  const graceMs = order.isLate ? options.pendingGraceS * 1000 : 0;
  if (isAlive && !order.isLocked && now >= order.expiresOn + graceMs) lapse(state, order);
  if (order.invoiceState === 'pending' && now >= order.invoiceExpiresOn) change(state, order, { invoiceState: 'canceled' });
  // On-chain money waits for its refund. UNKNOWN in the docs: whether money that arrives after the end does, too.
  if (order.state === 'expired' && received > 0 && (order.payment === 'created' || order.payment === 'canceled'))
    change(state, order, { payment: 'refundAvailable', refundableOn: now });
  const isRefundDue = order.payment === 'refundAvailable' && now >= order.refundableOn + options.refundAfterS * 1000;
  if (isRefundDue && order.refundAddress !== undefined && options.automaticRefunds) change(state, order, { payment: 'refunded' });
  if (order.channel?.state === 'opening' && now >= order.channel.openOn) order.channel.state = 'open';
};

/** Ends an order whose channel was not opened. A held Lightning payment goes back at once. */
const lapse = (state: State, order: SimulatedOrder): void => {
  const { cancelledBackWord, unpaidWord } = state.options;
  const onLightning = order.invoiceState === 'holding' ? cancelledBackWord : unpaidWord;
  // Users whose payment never confirmed saw "canceled" in their app.
  change(state, order, { state: 'expired', invoiceState: 'canceled', payment: hasPending(state, order) ? 'canceled' : onLightning });
};

/** Opens the channel of a paid order, or returns why not. `peer` with a host needs no connection: the seller connects to it. */
export const openChannel = async (state: State, order: SimulatedOrder, peer: string, announce: boolean): Promise<OpenCode | undefined> => {
  const { options } = state;
  settle(state, order);
  const [key = '', host] = peer.toLowerCase().split('@');
  const told = magicOf(state, order.lspSats);
  if (order.state !== 'paid' || order.isLocked) return 'WRONG_ORDER_STATE';
  const isConnected = options.connected === 'all' || (options.connected !== 'none' && options.connected.includes(key));
  if (host === undefined && !isConnected) return 'PEER_NOT_REACHABLE';
  if (order.zeroConf && announce) return 'CHANNEL_REJECTED_BY_LSP';
  if (told === 'refunded') return 'CHANNEL_REJECTED_BY_DESTINATION';
  if (told === 'slow' && options.now() < order.createdOn + (options.autoPayMs ?? 0) * magic.slowTimes) return 'BLOCKTANK_NOT_READY';
  order.isLocked = true;
  if (options.openCallMs > 0) await new Promise((done) => setTimeout(done, options.openCallMs));
  change(state, order, {
    isLocked: false,
    state: 'executed',
    invoiceState: order.invoiceState === 'holding' ? 'paid' : order.invoiceState,
    channel: {
      state: 'opening',
      clientNodePubkey: key,
      announce,
      fundingTx: { id: hex.encode(options.randomBytes(32)), vout: 0 },
      openOn: options.now() + (order.zeroConf ? 0 : options.openingS * 1000),
      close: undefined,
    },
  });
  settle(state, order);
  return undefined;
};
