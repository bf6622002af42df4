/** The options and state of a simulated Thor. Where Bitrefill documents nothing, we chose the behaviour: README, "Choices". */
import { randomBytes } from 'node:crypto';
import type { Fault as KitFault } from '../kit/faults.simulator.ts';
import { createLater, type Later } from '../kit/later.simulator.ts';

export type ErrorShape =
  | 'message'
  | 'status-message'
  | 'error-type'
  | 'error-200'
  | 'error-message-200'
  | 'v2'
  | 'error-and-message'
  | 'message-list'
  | 'error-list'
  | 'detail'
  | 'rpc'
  | 'plain-text'
  | 'plain-text-200'
  | 'page'
  | 'empty';
export type WebhookStyle = { deliveries?: 0 | 1 | 3; delayMs?: number; /** Whether the webhook is sent before a GET shows the final state. */ early?: boolean };

export type SimulatorOptions = {
  id: string;
  /** The simulator's clock, if not the machine's. */
  now?: () => number;
  port?: number;
  apiKey?: string;
  apiSecret?: string;
  network?: 'main' | 'test' | 'signet' | 'regtest';
  /** The products on sale; any other is not found. */
  slugs?: string[];
  /** Fixed sizes instead of a range, as Bitrefill had them until October 2019. */
  packages?: Record<string, { value: string; satoshiPrice: number }[]>;
  /** The step between two amounts. */
  step?: number;
  stepFrom?: 'min' | 'zero';
  /** Whether prices include `purchaseFee`. Without it, 1,000 sats cost 1,100, as in one order of 2019. */
  applyPurchaseFee?: boolean;
  /** Whether Lightning prices are rounded up to 100 sats, as the prices for other payment methods are. */
  round100OnLightning?: boolean;
  /** The dialect of every order (bitrefill-wire.ts, `orderReply`), instead of B for recharges and A for channels. */
  dialect?: 'A' | 'B';
  errorShape?: ErrorShape;
  /** The member that holds an order's id. With `orderId`, which lntxbot and Edge read, every order also has the booleans that these clients read. */
  idMember?: 'id' | 'orderId' | 'order_id' | 'orderID';
  numericIds?: boolean;
  /** The envelope around every order. */
  envelope?: 'result' | 'data' | 'order' | 'body';
  /** How the range says that there is no fee. */
  withoutFee?: 'missing' | 'null';
  zeroConfStatus?: string;
  upperCaseStatus?: boolean;
  /**
   * The link of an on-chain order, in upper case (BITCOIN:BC1…?AMOUNT=…). `with-invoice`: the link also carries a Lightning invoice. `alone`: the
   * reply has the link but no `address` member.
   */
  link?: 'upper-case' | 'with-invoice' | 'alone';
  /** Times in dialect B as seconds or in ISO 8601, instead of the milliseconds of Bitrefill's document. */
  times?: 's' | 'iso';
  /** How sats are written: as a string, or with their unit. */
  amounts?: 'text' | 'with-unit';
  /** Whether the invoice is written as a `lightning:` link. */
  invoiceAsLink?: boolean;
  /** Whether `valuePackage` may also be a number, as lntxbot sends it. */
  numberValues?: boolean;
  /** How many orders one page of GET /orders/ has. Absent or 0: there is no such path, as in Bitrefill's document. */
  listPage?: number;
  /** HTTP status for wrong credentials. */
  unauthorizedStatus?: number;
  /** HTTP status for an unknown slug and for an unknown order. */
  notFoundStatus?: number;
  /** The status word of a failed order in dialect A. */
  failedStatus?: string;
  /** When a paid order is delivered: `at-once`, after this many milliseconds, or (`by-hand`) when the test calls `control.deliver`. */
  deliver?: 'at-once' | 'by-hand' | number;
  /** How many milliseconds after its creation an order is paid automatically. */
  autoPayMs?: number;
  /** Whether some amounts decide what happens: bitrefill.simulator-magic.ts. */
  magic?: boolean;
  balanceSats?: number;
  /**
   * What every channel order has instead of the right `thorInfo`. `empty`, `nulls`: no members, or placeholders, even before the order is paid.
   * `foreign`: a link on a foreign host, once the order is delivered. `missing`: no `thorInfo`.
   */
  thorInfo?: 'empty' | 'nulls' | 'foreign' | 'missing' | undefined;
  /** Whether an order that was paid from the balance has an LNURL. */
  lnurlForBalance?: boolean;
  webhooks?: WebhookStyle;
  /** Whether the LNURL's first response has capacity and push, as wallets of 2019 read them. */
  oldChannelRequest?: boolean;
  /** false: a k1 can be used more than once. */
  k1Once?: boolean;
  /** false: the callback says OK, but no channel comes. */
  opensChannels?: boolean;
  /** Seconds until an on-chain order expires. */
  onchainLifeS?: number;
  lightningLifeS?: number;
};

/** `endpoint` is e.g. "POST /order" or "*". */
export type Fault = KitFault<
  '429-old' | 'lost-answer' | 'error-200' | 'unknown-member' | 'price-jump' | 'other-amount' | 'other-product' | 'unknown-status'
> & { /** By how many basis points the price rises under `price-jump`. */ bps?: number };

export type Order = {
  id: string;
  createdAt: number;
  slug: string;
  value: string;
  price: number;
  /** Undefined: the order is paid from the account's balance. */
  method: string | undefined;
  email: string;
  sendEmail: boolean;
  number: string | undefined;
  userRef: string | undefined;
  webhookUrl: string | undefined;
  refundAddress: string | undefined;
  address: string;
  invoice: string | undefined;
  invoiceSats: number;
  altcoin: { code: string; price: string } | undefined;
  deadline: number;
  partial: boolean;
  paid: boolean;
  sent: boolean;
  done: boolean;
  failed: boolean;
  refunded: boolean;
  k1: string;
  redeemed: boolean;
  /** If set, this word is reported instead of the order's own status. */
  status: string | undefined;
};
export type Channel = { k1: string; remoteid: string; private: boolean; capacity: number; push: number };
export type Request = { endpoint: string; path: string; body: Record<string, unknown>; authorized: boolean };

export type State = Later & {
  options: SimulatorOptions;
  apiKey: string;
  apiSecret: string;
  orders: Map<string, Order>;
  channels: Channel[];
  requests: Request[];
  webhooks: { url: string; body: object; status: number | undefined }[];
  balance: number;
  /** How far the BTC/EUR quote is from the quote in Bitrefill's document, in basis points. */
  quoteBps: number;
  clockOffsetMs: number;
};

export const createState = (options: SimulatorOptions): State => {
  const state: State = {
    ...createLater(() => clock(state)),
    options,
    apiKey: options.apiKey ?? 'thor-key',
    apiSecret: options.apiSecret ?? 'thor-secret',
    orders: new Map(),
    channels: [],
    requests: [],
    webhooks: [],
    balance: options.balanceSats ?? 1_000_000,
    quoteBps: 0,
    clockOffsetMs: 0,
  };
  return state;
};

export const clock = (state: State): number => (state.options.now ?? Date.now)() + state.clockOffsetMs;
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');
/**
 * Returns a new id in Bitrefill's form: eight hex digits of the clock in seconds, and sixteen random ones. With the option `numericIds`, a number.
 */
export const newId = (state: State): string =>
  state.options.numericIds === true
    ? String(7_000_000 + state.orders.size)
    : Math.floor(clock(state) / 1000)
        .toString(16)
        .padStart(8, '0') + randomHex(8);

/** Returns an error in the shape that the options choose. */
export const errorReply = (state: State, status: number, message: string, code = 'invalid_param'): Response => {
  switch (state.options.errorShape ?? 'message') {
    case 'message':
      return Response.json({ message }, { status });
    case 'status-message':
      return Response.json({ status, message }, { status });
    case 'error-type':
      return Response.json({ errorType: code, errorMessage: message }, { status });
    case 'error-200':
      return Response.json({ error: message });
    case 'error-message-200':
      return Response.json({ errorMessage: message });
    case 'error-and-message':
      return Response.json({ statusCode: status, error: 'Bad Request', message }, { status });
    case 'message-list':
      return Response.json({ statusCode: status, error: 'Bad Request', message: [message] }, { status });
    case 'error-list':
      return Response.json({ errors: [{ message }] }, { status });
    case 'detail':
      return Response.json({ detail: message }, { status });
    case 'rpc':
      return Response.json({ jsonrpc: '2.0', id: 1, error: { code: -32_602, message } }, { status: 500 });
    case 'plain-text':
      return new Response(message, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    case 'plain-text-200':
      return new Response(message, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
    case 'page':
      return new Response(`<!doctype html><title>Error</title><p>${message}</p>`, { status, headers: { 'content-type': 'text/html' } });
    case 'empty':
      return new Response('', { status });
    case 'v2':
      return Response.json({ meta: { _endpoint: '/' }, message, error_code: code }, { status });
  }
};
