/** How the simulated Blocktank writes its catalogue, orders and errors. */
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { confirmationsOf, confirmedSats, isConfirmed, leaseEnd } from './blocktank.simulator-orders.ts';
import type { Channel, Fault, OpenCode, SimulatedOrder, State } from './blocktank.simulator-state.ts';

type Issue = { path: PropertyKey[]; message: string };
const networks = { main: 'Mainnet', test: 'Testnet', signet: 'Signet', regtest: 'Regtest' };
const foreignNode = publicKeyOf('2a'.repeat(32));

export const iso = (ms: number): string => new Date(ms).toISOString();

/** Returns a 400 or 404 with a body as the option `errorBodies` says. */
export const refuse = ({ options }: State, status: 400 | 404, message: string, issues: Issue[] = []): Response => {
  const sentence = issues.length === 0 ? message : issues.map((one) => `${one.path.join('.')}: ${one.message}`).join('; ');
  if (options.errorBodies === 'text') return new Response(sentence, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
  return Response.json(options.errorBodies === 'issues' && issues.length > 0 ? issues : { message: sentence }, { status });
};

export const openError = ({ options }: State, code: OpenCode): Response => {
  const [name, message, details] = ['ChannelOpenError', `Channel not opened: ${code}`, 'simulated'];
  const members = { code: { code, details }, type: { type: code, details }, '2023': { code, detail: details } };
  return Response.json({ name, message, ...members[options.openErrors] }, { status: 412 });
};

const nodeOf = ({ options, nodePubkey }: State) => ({
  alias: options.id,
  pubkey: nodePubkey,
  connectionStrings: [`${nodePubkey}@${options.id}.example:9735`],
  readonly: false,
});

export const showInfo = (state: State): object => {
  const { options } = state;
  return {
    version: 2,
    nodes: [nodeOf(state)],
    options: {
      minChannelSizeSat: options.minSats,
      maxChannelSizeSat: options.maxSats,
      minExpiryWeeks: options.minWeeks,
      maxExpiryWeeks: options.maxWeeks,
      minPaymentConfirmations: options.minConfirmations,
      minHighRiskPaymentConfirmations: options.minHighRiskConfirmations,
      max0ConfClientBalanceSat: options.max0ConfClientSats,
      ...(options.maxClientSats === undefined ? {} : { maxClientBalanceSat: options.maxClientSats }),
    },
    versions: { http: '1.0.0', btc: '1.0.0', ln2: '1.0.0' },
    onchain: { network: networks[options.network], feeRates: options.feeRates },
  };
};

/** Writes an order. Uses up the faults that are set for `endpoint` and change one answer. */
export const showOrder = (state: State, order: SimulatedOrder, endpoint: string, origin: string): object => {
  const { options, faults } = state;
  const lies = (name: Fault['fault']): boolean => faults.take(endpoint, name) !== undefined;
  const word = (text: string): string => options.words[text] ?? text;
  const states = (old: string, current: string): object => ({
    state: word(old),
    ...(options.onlyOldStates ? {} : { state2: word(current) }),
  });
  const feeSat = order.paySats - (options.orderFeeWithClient ? 0 : order.clientSats) + (lies('order-amounts-differ') ? 700 : 0);
  const isUnknown = lies('unknown-status');
  const ends = iso(lies('expired-quote') ? options.now() - 1000 : order.expiresOn);
  return {
    id: order.id,
    ...(isUnknown ? states('pondering', 'pondering') : states(...orderStates(state, order))),
    feeSat,
    ...(options.feeParts ? { networkFeeSat: order.networkFeeSats, serviceFeeSat: order.serviceFeeSats } : {}),
    lspBalanceSat: order.lspSats - (lies('other-balance') ? 1 : 0),
    clientBalanceSat: order.clientSats,
    channelExpiryWeeks: order.weeks - (lies('other-weeks') ? 1 : 0),
    channelExpiresAt: iso(leaseEnd(order)),
    [options.misspelt ? 'orderExiresAt' : 'orderExpiresAt']: ends,
    zeroConf: order.zeroConf,
    zeroReserve: order.zeroReserve,
    ...(order.clientNodeId === undefined ? {} : { clientNodeId: order.clientNodeId }),
    lspNode: lies('foreign-node') ? { ...nodeOf(state), pubkey: foreignNode } : nodeOf(state),
    ...(options.lnurl ? { lnurl: encodeLnurl(`${origin}/api/lnurl/channel?order_id=${order.id}`) } : {}),
    payment: showPayment(state, order, { word, states }),
    ...(order.channel ? { channel: showChannel(state, order.channel, word) } : {}),
    createdAt: iso(order.createdOn),
    updatedAt: iso(order.updatedOn),
  };
};

/** Whether the payment is held, and only the invoice says so. */
const isOnlyInvoice = ({ options }: State, order: SimulatedOrder): boolean => options.heldIn === 'invoice' && order.invoiceState === 'holding';

const orderStates = (state: State, order: SimulatedOrder): [old: string, current: string] => {
  if (order.state === 'executed') return [order.channel?.state === 'closed' ? 'closed' : 'open', 'executed'];
  if (order.state !== 'paid') return [order.state, order.state];
  return ['created', isOnlyInvoice(state, order) ? 'created' : state.options.paidWord];
};

type Wording = { word: (text: string) => string; states: (old: string, current: string) => object };
const showPayment = (state: State, order: SimulatedOrder, { word, states }: Wording): object => {
  const confirmedSat = confirmedSats(state, order);
  const current = isOnlyInvoice(state, order) ? 'created' : order.payment;
  const old = current === 'created' && confirmedSat > 0 && confirmedSat < order.paySats ? 'partiallyPaid' : current;
  // UNKNOWN in the docs: whether `paidSat` includes a held payment. Here it does as soon as `payment.state2` says paid.
  const isByLightning = current === 'paid' && (order.invoiceState === 'holding' || order.invoiceState === 'paid');
  return {
    ...states(old, current),
    paidSat: isByLightning ? order.paySats : confirmedSat,
    bolt11Invoice: {
      request: order.invoice,
      state: word(order.invoiceState),
      amountSat: order.paySats,
      expiresAt: iso(order.invoiceExpiresOn),
      updatedAt: iso(order.updatedOn),
    },
    onchain: {
      address: order.address,
      confirmedSat,
      requiredConfirmations: order.requiredConfirmations,
      transactions: order.transactions.map((one) => ({
        amountSat: one.amountSat,
        txId: one.txId,
        vout: one.vout,
        ...(one.minedAt === undefined ? {} : { blockHeight: one.minedAt }),
        blockConfirmations: confirmationsOf(state, one),
        feeRateSatPerVbyte: one.feeRate,
        confirmed: isConfirmed(state, one),
      })),
    },
  };
};

const showChannel = ({ nodePubkey, tip }: State, channel: Channel, word: (text: string) => string): object => ({
  state: word(channel.state),
  lspNodePubkey: nodePubkey,
  clientNodePubkey: channel.clientNodePubkey,
  announceChannel: channel.announce,
  fundingTx: channel.fundingTx,
  ...(channel.state === 'opening' ? {} : { shortChannelId: `${tip}x1x${channel.fundingTx.vout}` }),
  ...(channel.close === undefined ? {} : { close: { type: channel.close } }),
});
