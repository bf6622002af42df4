/**
 * The options, faults and orders of a simulated Blocktank. Amounts are whole sats. "UNKNOWN in the docs" marks what no document says: the default is
 * our guess, and the option is there so that a test can try the other answers.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { BitcoinNetwork } from '../../bitcoin/address.ts';
import { publicKeyOf } from '../../bitcoin/secp256k1.ts';
import { createFaults, type Fault as KitFault, type Faults } from '../kit/faults.simulator.ts';
import { createLater, type Later } from '../kit/later.simulator.ts';

export type OpenCode =
  | 'WRONG_ORDER_STATE'
  | 'PEER_NOT_REACHABLE'
  | 'CHANNEL_REJECTED_BY_DESTINATION'
  | 'CHANNEL_REJECTED_BY_LSP'
  | 'BLOCKTANK_NOT_READY'
  | 'UNKNOWN_ERROR';

/**
 * `endpoint`: as in `POST /channels/{id}/open`, without the prefix `/api`, or `*`. An OpenCode makes the open call answer 412. Four faults change the
 * order that is made: `absurd-price`, `wrong-currency` (the invoice is for another network), `wrong-address` (the address is for another network) and
 * `invoice-amount` (the invoice is for more than the price). All others change one answer only.
 */
export type Fault = KitFault<
  | 'lost-answer'
  | 'absurd-price'
  | 'wrong-currency'
  | 'wrong-address'
  | 'invoice-amount'
  | 'order-amounts-differ'
  | 'other-balance'
  | 'other-weeks'
  | 'foreign-node'
  | 'unknown-status'
  | 'expired-quote'
  | OpenCode
>;

type Options = {
  id: string;
  now: () => number;
  port: number;
  latencyMs: number;
  /** Ids of orders: UUIDs today, 24 hex digits in old orders. */
  newId: () => string;
  randomBytes: (length: number) => Uint8Array;
  network: BitcoinNetwork;

  minSats: number;
  maxSats: number;
  /** The smallest balance that is allowed on the seller's side, whatever `minSats` says. */
  minLspSats: number;
  /** A limit that /info does not show, since it is in fiat. */
  hiddenMaxSats: number;
  /** Absent from /info if undefined, as in the reference's sample. */
  maxClientSats: number | undefined;
  /** Only stated in /info. UNKNOWN in the docs: what it limits. */
  max0ConfClientSats: number;
  /** Whether the client's balance is required and must be less than the seller's, as in 2023. */
  strictClient: boolean;
  minWeeks: number;
  maxWeeks: number;
  /** How many confirmations an on-chain payment needs: with `zeroConfPayment`, and without it. */
  minConfirmations: number;
  minHighRiskConfirmations: number;

  /** sat/vB, as in /info. */
  feeRates: { fast: number; mid: number; slow: number };
  /** UNKNOWN in the docs: which rate the miner's fee is calculated with. The published sample fits `mid`. */
  priceRate: 'fast' | 'mid' | 'slow';
  /** Virtual bytes of opening and closing, from the published sample. */
  channelVbytes: number;
  /** A fixed miner's fee, instead of `channelVbytes` at the rate of `priceRate`. */
  networkFeeSats: number | undefined;
  /** UNKNOWN in the docs: how the service fee is rounded. */
  rounding: 'up' | 'down';
  /** Whether `feeSat` of an order includes the client's balance. If not, the invoice still does. */
  orderFeeWithClient: boolean;
  /** UNKNOWN in the docs: whether `feeSat` of an estimate includes the client's balance. */
  estimateFeeWithClient: boolean;
  /** Which endpoints give estimates. `old`: only estimate-fee, which returns only `feeSat`. */
  estimates: 'full' | 'old' | 'none';
  /** UNKNOWN in the docs: the HTTP status of an estimate, a POST that creates nothing. */
  estimateStatus: 200 | 201;

  /** How long an order can be paid. UNKNOWN in the docs for production: 2 days according to one developer, 30 minutes in the open server. */
  lifeS: number;
  /** How long the invoice lives, if not as long as the order. */
  invoiceLifeS: number | undefined;
  /**
   * How long after its expiry an order stays alive if an on-chain payment is still unconfirmed at the expiry. UNKNOWN in the docs for today's server,
   * as is whether the channel can still be opened when the payment confirms within this time. In the simulator it can. With 0 there is no such time,
   * so it cannot.
   */
  pendingGraceS: number;
  /** UNKNOWN in the docs: how long after the order's end an on-chain payment is sent back to `refundOnchainAddress`. */
  refundAfterS: number;
  /** false: a refund needs a human even with `refundOnchainAddress`. */
  automaticRefunds: boolean;
  /** Whether an on-chain payment of exactly the price is too little, as in the code of 2023. */
  exactIsTooLittle: boolean;
  /** Whether no payment changes an order's state, as users reported. */
  stuck: boolean;

  /** UNKNOWN in the docs: whether a paid order's `state2` is `paid` before the channel opens. */
  paidWord: 'paid' | 'created';
  /** UNKNOWN in the docs: whether a held Lightning payment makes `payment.state2` paid, or only the invoice says so. */
  heldIn: 'payment' | 'invoice';
  /** UNKNOWN in the docs: `payment.state2` after a held Lightning payment has gone back. */
  cancelledBackWord: 'canceled' | 'refunded';
  /** UNKNOWN in the docs: `payment.state2` of an order that ended without a payment. */
  unpaidWord: 'created' | 'canceled';
  /** Other words for states, e.g. {holding: 'inflight', canceled: 'failed'}, or capitals. */
  words: Record<string, string>;
  /** Whether the states are only the old ones, without `state2`. */
  onlyOldStates: boolean;
  /** Whether orders have networkFeeSat and serviceFeeSat, as newer ones do. */
  feeParts: boolean;
  /** Whether `orderExpiresAt` is misspelt as `orderExiresAt`, as in one sample. */
  misspelt: boolean;
  /** UNKNOWN in the docs: whether orders still have an LNURL to open the channel with. No sample has one. */
  lnurl: boolean;

  /** The keys of the connected nodes, `all` or `none`. An open call with a bare key needs the connection. */
  connected: 'all' | 'none' | string[];
  /** How long a call to `open` takes. The order is locked until the call ends. */
  openCallMs: number;
  /** How long a channel is `opening`, unless it was ordered with zeroConf. */
  openingS: number;
  /** Whether every order needs clientNodeId, signature and timestamp. UNKNOWN in the docs. */
  signatureRequired: boolean;
  /** Whether the caller is in a blocked country. UNKNOWN in the docs: which calls are refused. Here: geocheck, estimates and new orders. */
  geoBlocked: boolean;
  /** UNKNOWN in the docs: the HTTP status of GEO_BLOCKED. */
  geoStatus: number;
  /** UNKNOWN in the docs for today's server: the body of a 400 or 404. The server of 2023 sends zod's issues or text. */
  errorBodies: 'issues' | 'text' | 'message';
  /** The members of a 412: `code` and `details` in the reference, `type` in the client's README, `code` and `detail` in 2023. */
  openErrors: 'code' | 'type' | '2023';
  /** UNKNOWN in the docs: what a list does with an unknown id. */
  unknownInList: 'left-out' | '404';

  /** The time from the creation of an order until its invoice is paid, without a call to `control`. */
  autoPayMs: number | undefined;
  /** Whether some amounts decide what happens: blocktank.simulator-magic.ts. */
  magic: boolean;
};
export type SimulatorOptions = { id: string } & Partial<Options>;

/** Limits, rates and weeks are those of the reference's sample. */
const defaults: Omit<Options, 'id'> = {
  now: Date.now,
  port: 0,
  latencyMs: 0,
  newId: randomUUID,
  randomBytes,
  network: 'regtest',
  minSats: 1000,
  maxSats: 3_170_000,
  minLspSats: 20_000,
  hiddenMaxSats: Number.MAX_SAFE_INTEGER,
  maxClientSats: undefined,
  max0ConfClientSats: 317_000,
  strictClient: false,
  minWeeks: 1,
  maxWeeks: 53,
  minConfirmations: 0,
  minHighRiskConfirmations: 1,
  feeRates: { fast: 54, mid: 50, slow: 49 },
  priceRate: 'mid',
  channelVbytes: 245,
  networkFeeSats: undefined,
  rounding: 'up',
  orderFeeWithClient: true,
  estimateFeeWithClient: true,
  estimates: 'full',
  estimateStatus: 200,
  lifeS: 1800,
  invoiceLifeS: undefined,
  pendingGraceS: 3600,
  refundAfterS: 600,
  automaticRefunds: true,
  exactIsTooLittle: false,
  stuck: false,
  paidWord: 'paid',
  heldIn: 'payment',
  cancelledBackWord: 'canceled',
  unpaidWord: 'created',
  words: {},
  onlyOldStates: false,
  feeParts: true,
  misspelt: false,
  lnurl: false,
  connected: 'all',
  openCallMs: 0,
  openingS: 600,
  signatureRequired: false,
  geoBlocked: false,
  geoStatus: 403,
  errorBodies: 'issues',
  openErrors: 'code',
  unknownInList: 'left-out',
  autoPayMs: undefined,
  magic: false,
};

export type Transaction = {
  amountSat: number;
  txId: string;
  vout: number;
  feeRate: number;
  /** How many confirmations the transaction needs to count. */
  needs: number;
  /** undefined: not in a block yet. */
  minedAt: number | undefined;
  /** Whether its fee is so low that no block takes it. */
  neverMined: boolean;
};
export type Channel = {
  state: 'opening' | 'open' | 'closed';
  clientNodePubkey: string;
  announce: boolean;
  fundingTx: { id: string; vout: number };
  openOn: number;
  close: 'cooperative' | 'force' | 'breach' | undefined;
};
export type SimulatedOrder = {
  id: string;
  createdOn: number;
  updatedOn: number;
  expiresOn: number;
  lspSats: number;
  clientSats: number;
  weeks: number;
  zeroConf: boolean;
  zeroReserve: boolean;
  clientNodeId: string | undefined;
  refundAddress: string | undefined;
  networkFeeSats: number;
  serviceFeeSats: number;
  /** What the customer pays: the client's balance and both fees. */
  paySats: number;
  invoice: string;
  invoiceExpiresOn: number;
  invoiceState: 'pending' | 'holding' | 'paid' | 'canceled';
  address: string;
  requiredConfirmations: number;
  transactions: Transaction[];
  zeroConfFee: { satPerVByte: number; endsOn: number } | undefined;
  state: 'created' | 'paid' | 'executed' | 'expired';
  payment: 'created' | 'paid' | 'refundAvailable' | 'refunded' | 'canceled';
  /** When the on-chain payment became refundable. */
  refundableOn: number;
  /** Whether an on-chain payment was still unconfirmed when the order ended. */
  isLate: boolean;
  /** Whether an open call is in progress. */
  isLocked: boolean;
  channel: Channel | undefined;
  k1: string;
};

export type State = Later & {
  options: Options;
  faults: Faults<Fault>;
  nodeKey: string;
  nodePubkey: string;
  orders: Map<string, SimulatedOrder>;
  requests: { at: number; endpoint: string; path: string; body: Record<string, unknown> }[];
  /** The height of the chain. */
  tip: number;
};

export const createState = (given: SimulatorOptions): State => {
  const options: Options = { ...defaults, ...given };
  // The same id gives the same node key, as with a real seller after a restart.
  const nodeKey = createHash('sha256').update(`blocktank simulator ${given.id}`).digest('hex');
  return {
    ...createLater(() => options.now()),
    options,
    faults: createFaults<Fault>(),
    nodeKey,
    nodePubkey: publicKeyOf(nodeKey),
    orders: new Map(),
    requests: [],
    tip: 792_900,
  };
};
