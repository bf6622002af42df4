/** The options and state of a simulated FLS01 provider. Amounts are integers. */
import type { Fault as KitFault } from '../kit/faults.simulator.ts';

export type SimulatedOption = { name: string; id: number; feeRate: number; min: number; max: number; pay: 'details' | 'url' };
export type SimulatedCurrency = { code: string; id: number; /** Hundredths per bitcoin. */ price: number; options: SimulatedOption[] };

/**
 * Deviations from the standard; the names say how. Source: the behaviour of the two public FLS01 servers, and of servers that implement only a part
 * of the standard. With `finished-unlinked`, a provider keeps the sats: a paid order is finished at once, and no link is given for it.
 */
export type Deviation =
  | 'html-404-outside'
  | '500-outside'
  | 'redirects'
  | 'html-content-type'
  | 'dates-of-2023'
  | 'no-zone-dates'
  | 'text-amounts'
  | 'pointed-amounts'
  | 'features-names'
  | 'features-500'
  | 'token-is-constant'
  | 'proof-without-token'
  | 'signature-unchecked'
  | 'sentence-signed'
  | 'session-at-auth'
  | 'unknown-session-opens'
  | 'listing-empty'
  | 'listing-after-session'
  | 'listing-by-get'
  | 'listing-ids-change'
  | 'filter-ignored'
  | 'price-after-proof'
  | 'price-of-first-option'
  | 'sats-500'
  | 'sats-asked-as-btc'
  | 'limits-unchecked'
  | 'sessions-unchecked'
  | 'refusals-500'
  | 'orders-of-all'
  | 'withdrawal-before-paid'
  | 'error-string-200'
  | 'order-id-is-quote-id'
  | 'float-amounts'
  | 'amount-btc-only'
  | 'currencies-object'
  | 'two-feature-objects'
  | 'constant-session'
  | 'withdrawal-500-before-paid'
  | 'finished-at-once'
  | 'finished-unlinked'
  | 'second-withdrawal-string'
  | 'microsecond-dates'
  | 'node-stub-errors'
  | 'status-array'
  | 'status-flat'
  | 'status-without-amounts';

export type Fault = KitFault<
  | 'wrong-currency'
  | 'wrong-option'
  | 'absurd-price'
  | 'expired-quote'
  | 'negative-fee'
  | 'lost-answer'
  | 'late-commit'
  | 'unknown-status'
  | 'status-backwards'
  | 'order-refused'
  | 'order-amounts-differ'
  | 'no-payment-info'
  | 'foreign-payment-url'
  | 'foreign-lnurl'
  | 'session-expired'
>;
export type FaultName = Fault['fault'];

export type SimulatorOptions = {
  id: string;
  /** The simulator's clock, if not the machine's. */
  now?: () => number;
  port?: number;
  seed?: number;
  currencies?: SimulatedCurrency[];
  spreadBps?: number;
  /** The most basis points by which the price moves around its starting value. */
  driftBps?: number;
  feeStyle?: 'included' | 'added';
  estimate?: boolean;
  quoteTtlS?: number;
  proof?: 'none' | 'demanded';
  prefix?: string;
  latencyMs?: number | [number, number];
  webhooks?: boolean;
  fallback?: boolean;
  /** The milliseconds from the creation of an order until its money is seen and the order is filled, without a call to `control`. */
  autoFillMs?: number;
  withdrawalTtlS?: number;
  /** Whether some amounts decide what happens: fiat-on-ramp.simulator-magic.ts. */
  magic?: boolean;
  /** Returns how many sats the withdrawal link of an order for `sats` pays. */
  linkPays?: (sats: number) => number;
  repost?: 'same' | 'rejects' | 'duplicates' | 'string200';
  network?: 'main' | 'test' | 'signet' | 'regtest';
  deviations?: Deviation[];
  /** Returns a body to send with status 200 instead of `truth`, or undefined to send `truth`. */
  says?: ((endpoint: string, truth: Record<string, unknown>) => unknown) | undefined;
};

/** Rewrites a good answer as the option `says` demands. */
export const saidInstead = async (options: SimulatorOptions, endpoint: string, answer: Response): Promise<Response> => {
  if (!options.says || answer.status !== 200) return answer;
  const said = options.says(endpoint, (await answer.clone().json()) as Record<string, unknown>);
  return said === undefined ? answer : Response.json(said);
};

export type SimulatedQuote = {
  id: string;
  session: string;
  currency: SimulatedCurrency;
  option: SimulatedOption;
  amountFiat: number;
  amountSats: number;
  fee: number;
  btcPrice: number;
  expiresOn: number | undefined;
};
export type SimulatedOrder = {
  id: string;
  quote: SimulatedQuote;
  /** placed, filled, finished, refunded, or any other word that a test sets. */
  status: string;
  statusOn: number;
  placedOn: number;
  webhookUrl: string | undefined;
  nodePubkey: string | undefined;
  withdrawal: { secret: string; expiresOn: number; fallback: string | undefined; isUsed?: boolean } | undefined;
  visibleFrom: number;
};
export type SimulatedSession = { id: string; token: string | undefined; open: boolean; nodePubkey: string | undefined };

export type History = {
  requests: { at: number; endpoint: string; body: unknown; traceparent: string | undefined }[];
  /** Every order that was made, with the id of its quote. */
  orders: { at: number; orderId: string; quoteId: string }[];
  webhooks: { at: number; url: string; body: unknown; status: number | undefined }[];
};

export const standardCurrencies: SimulatedCurrency[] = [
  {
    code: 'EUR',
    id: 1,
    price: 9_180_000,
    options: [
      { name: 'SEPA', id: 1, feeRate: 0.009, min: 1000, max: 1_000_000, pay: 'details' },
      { name: 'SEPA Instant', id: 2, feeRate: 0.012, min: 1000, max: 500_000, pay: 'details' },
      { name: 'Credit card', id: 3, feeRate: 0.029, min: 2500, max: 200_000, pay: 'url' },
    ],
  },
];
