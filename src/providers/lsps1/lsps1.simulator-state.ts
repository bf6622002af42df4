/** The options and state of a simulated LSPS1 seller. Amounts are whole sats. */
import type { Fault as KitFault } from '../kit/faults.simulator.ts';

export type Fault = KitFault<'lost-answer' | 'absurd-price' | 'wrong-currency' | 'order-amounts-differ' | 'unknown-status' | 'expired-quote'>;
export type FaultName = Fault['fault'];

/** The ways in which a seller may deviate from the standard. */
export type Deviation =
  | 'info-in-options'
  | 'no-uris'
  | 'flat-payment'
  | 'fee-in-msat'
  | 'number-amounts'
  | 'lower-case-states'
  | 'unix-times'
  | 'cancelled-for-refunded'
  | 'extra-order-states'
  | 'text-errors'
  /** {statusCode, message, error: "Bad Request"}, as ZEUS' client reads it. */
  | 'error-and-message'
  /** {statusCode, message: ["…"], error: "Bad Request"} (NestJS). */
  | 'message-lists'
  /** {errors: [{code, message}]}. */
  | 'error-lists'
  /** {detail} (FastAPI). */
  | 'detail-errors'
  | 'plain-text-errors'
  | 'page-errors'
  | 'empty-errors'
  | 'errors-under-200'
  | 'errors-under-500'
  /** `in-…`: every good answer is inside this member. */
  | 'in-result'
  | 'in-data'
  | 'in-order'
  | 'numeric-ids'
  | 'id-for-order-id'
  | 'camel-case'
  /** ORDER_STATE_CREATED, PAYMENT_STATE_HOLD. */
  | 'prefixed-states'
  | 'milliseconds'
  | 'amounts-with-unit'
  | 'no-fee'
  | 'no-total'
  /** lightning:LNBC… */
  | 'invoice-as-link'
  /** BITCOIN:BC1…?AMOUNT=…&LIGHTNING=… instead of the address. */
  | 'address-as-link'
  | 'no-channel-member'
  /** `bolt11` is null, so the order cannot be paid over Lightning. */
  | 'no-bolt11'
  /** `payment: {}`, whatever the order costs. */
  | 'no-payment'
  /** Every channel is announced. */
  | 'announces'
  /** A tenth of the lease that was asked for. */
  | 'short-lease'
  /** "zero-conf" where a number belongs. */
  | 'zero-conf-words'
  /** get_info names no largest channel. */
  | 'no-maximum';

export type Network = 'main' | 'test' | 'signet' | 'regtest';
export type SimulatorOptions = {
  id: string;
  /** The simulator's clock, if not the machine's. */
  now?: () => number;
  port?: number;
  network?: Network;
  minSats?: number;
  maxSats?: number;
  /** The largest balance on the customer's side. With 0, only inbound capacity is for sale. */
  maxClientSats?: number;
  maxLeaseBlocks?: number;
  minConfirmations?: number;
  /** fee = baseSats + ppm of the channel + leasePpm of the seller's side for every 4,320 blocks. */
  baseSats?: number;
  ppm?: number;
  leasePpm?: number;
  /** How much more an on-chain payment costs; absent: it is not accepted. */
  onchainExtraSats?: number;
  /** How long an order waits for its payment. */
  orderTtlS?: number;
  /** The keys of the connected nodes, `all` or `none`. Orders for other nodes are refused. */
  connected?: 'all' | 'none' | string[];
  /** A coupon that every order needs. */
  token?: string;
  /** A coupon that makes the channel free: the order names no way to pay (ZEUS). */
  freeToken?: string;
  /** How many orders one node key may make. Further ones get 429. */
  ordersPerNode?: number;
  /** The time from the creation of an order until it is paid and its channel opens, without a call to `control`. */
  autoPayMs?: number;
  /** Whether some amounts decide what happens: lsps1.simulator-magic.ts. */
  magic?: boolean;
  latencyMs?: number;
  deviations?: Deviation[];
};

export type PaymentState = 'EXPECT_PAYMENT' | 'HOLD' | 'PAID' | 'REFUNDED';
export type SimulatedOrder = {
  id: string;
  nodePubkey: string;
  lspSats: number;
  clientSats: number;
  leaseBlocks: number;
  confirmations: number;
  fundingWithin: number;
  announce: boolean;
  token: string;
  isFree: boolean;
  refundOnchain: string | undefined;
  createdOn: number;
  expiresOn: number;
  feeSats: number;
  invoice: string;
  onchain: { address: string; feeSats: number } | undefined;
  state: 'CREATED' | 'COMPLETED' | 'FAILED';
  /** The state of each way to pay: only the one that was paid changes. */
  payments: { bolt11: PaymentState; onchain: PaymentState };
  channel: { fundedOn: number; outpoint: string; expiresOn: number } | undefined;
};
export type SimulatorControl = {
  /** Endpoints: get_info, create_order, get_order, `*`. */
  setFault: (fault: Fault) => void;
  clearFaults: () => void;
  /** Marks the payment as seen: HOLD for Lightning, PAID on chain. */
  pay: (orderId: string, way?: 'bolt11' | 'onchain') => void;
  /** Opens the channel: the state becomes COMPLETED. */
  open: (orderId: string) => void;
  /** The state becomes FAILED, and whatever was paid is refunded. */
  fail: (orderId: string) => void;
  /** Ends the time to pay. */
  expire: (orderId: string) => void;
  requests: { at: number; endpoint: string; body: Record<string, unknown> }[];
  orders: Map<string, SimulatedOrder>;
  options: SimulatorOptions;
  nodePubkey: string;
};
export type RunningSimulator = { url: string; port: number; control: SimulatorControl; close: () => Promise<void> };
