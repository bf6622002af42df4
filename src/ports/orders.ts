import type { Facts, MatchedBy } from '../domain/offer.ts';
import type { ReviewReason, Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { NewDelivery } from './deliveries.ts';
import type { RouteTerms } from './routes.ts';
import type { Json, Lease } from './runtime.ts';

/** What was agreed when the order was placed. It never changes. */
export type OrderTerms = RouteTerms & {
  currency?: string;
  /** How the provider names the currency and the option. */
  named?: { currency: string; option: string };
  arrivalSeconds?: number;
  /** sell: what the provider said when it took the order, not what its offer said. */
  matchedBy?: MatchedBy;
  /** Found at the provider after a restore: we do not know what was agreed. */
  adopted?: true;
};
/** What we learnt by following an order, and need at the next read. */
export type OrderWatch = {
  /** The last stage before review. Without it, only the operator ends the review. */
  beforeReview?: Stage;
  /** Why it came into review, for its customer. Orders that an earlier release put there have none. */
  reviewReason?: ReviewReason;
  /**
   * What the provider reported when the operator ended a review: decimal amounts, and its word. The same figures cause no second review, and the same
   * word none against the end that the operator named.
   */
  reviewed?: { pay: string; receive: string; rawStatus?: string };
  /** The provider has said that money arrived, in a read that was not applied. */
  moneySeen?: true;
  /** When it first said so of the whole payment. A part of it, which anyone can send, does not count in the provider's record. */
  paidSeenOn?: number;
  /** Since when the provider has refused to report the order. */
  unreadableSince?: number;
  /** The withdrawal found another order with the same upstream order. From then on the operator decides. */
  twinSeen?: true;
};

export type Order = {
  id: string;
  intentId: string;
  quoteId: string;
  ramp: Ramp;
  customerId: string;
  providerId: string;
  providerSessionId?: string;
  upstreamOrderId?: string;
  stage: Stage;
  stageOn: number;
  rawStatus: string;
  sequence: number;
  pay: bigint;
  receive: bigint;
  fee: bigint;
  quotedPay: bigint;
  quotedReceive: bigint;
  binding: boolean;
  /** The customer's own limits, as given with the order. */
  minReceive?: bigint;
  maxPay?: bigint;
  /** What the provider's status last reported, even if it was not applied. */
  toldPay?: bigint;
  toldReceive?: bigint;
  toldFee?: bigint;
  toldOn?: number;
  /** What the first withdrawal link pays. Read once, before the customer had any link. */
  linkReceive?: bigint;
  /** When it was read, or else when a link was given out without. */
  linkReadOn?: number;
  /** Paid, but filled with less than was ordered. */
  disputed?: boolean;
  shortReleasedOn?: number;
  recordedOn?: number;
  /** The upstream order id once more: one upstream order is one order here. */
  upstreamKey?: string;
  expiresOn?: number;
  terms: OrderTerms;
  watch: OrderWatch;
  facts: Facts;
  upstream: Json;
  paymentInfo: string;
  secret?: string;
  referenceHash?: string;
  webhookUrl?: string;
  webhookEvents?: string[];
  appId?: string;
  createdOn: number;
  changedOn: number;
  checkedOn?: number;
  checks: number;
  nextCheckOn?: number;
  followUntil: number;
  final: boolean;
};
export type OrderEvent = {
  sequence: number;
  at: number;
  fromStage?: Stage;
  toStage: Stage;
  rawStatus: string;
  source: 'place' | 'read' | 'notice' | 'operator' | 'clock';
  note?: string;
};
export type OrderChange = Partial<
  Pick<
    Order,
    | 'stage'
    | 'stageOn'
    | 'rawStatus'
    | 'pay'
    | 'receive'
    | 'fee'
    | 'expiresOn'
    | 'toldPay'
    | 'toldReceive'
    | 'toldFee'
    | 'toldOn'
    | 'disputed'
    | 'shortReleasedOn'
    | 'facts'
    | 'watch'
    | 'secret'
    | 'changedOn'
    | 'checkedOn'
    | 'checks'
    | 'final'
    | 'upstreamOrderId'
  >
> & {
  nextCheckOn?: number | null;
};

export type OrderStore = {
  find(id: string, customerId: string): Promise<Order | undefined>;
  findAny(id: string): Promise<Order | undefined>;
  list(customerId: string, ramp: Ramp | undefined, limit: number, changedSince?: number): Promise<Order[]>;
  /** Writes the change, its event (when the stage moved) and its deliveries in one transaction; false when `sequence` moved meanwhile. */
  advance(order: Pick<Order, 'id' | 'sequence' | 'terms'>, change: OrderChange, event: OrderEvent | undefined, deliveries: NewDelivery[]): Promise<boolean>;
  claimDue(now: number, lease: Lease, limit: number): Promise<Order[]>;
  /** Has the order read then, if it is not due sooner. A final order is followed again until that read, which says anew whether it is final. */
  wake(id: string, now: number): Promise<void>;
  /** A customer's payable orders at a provider that only this amount identifies, including those of a removed account. */
  payableByAmount(providerId: string, customerId: string, pay: bigint, now: number): Promise<{ id: string; network: OrderTerms['network'] }[]>;
  /** The provider's ids of the payments and orders behind a customer's orders there, without `except`. */
  explained(providerId: string, customerId: string, except?: string): Promise<{ upstreamIds: string[]; openAmounts: bigint[] }>;
};
