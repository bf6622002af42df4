import type { Facts, MatchedBy } from '../domain/offer.ts';
import type { Stage } from '../domain/order.ts';
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
  /** sell: what the provider said when it took the order; the offer's own word is not kept with the order. */
  matchedBy?: MatchedBy;
  /** Found at the provider after a restore: nothing is known of what was agreed. */
  adopted?: true;
};
/** What following an order has learnt and needs at the next read. */
export type OrderWatch = {
  /** The last stage before review; without it only the operator leaves review. */
  beforeReview?: Stage;
  /** Since when the provider has refused to tell of the order. */
  unreadableSince?: number;
  /** That another order has its upstream order was seen at the withdrawal: the operator has the word from then on. */
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
  /** The customer's own bounds, as the order was placed with them. */
  minReceive?: bigint;
  maxPay?: bigint;
  /** What the provider's status told last, also where it was not applied. */
  toldPay?: bigint;
  toldReceive?: bigint;
  toldFee?: bigint;
  toldOn?: number;
  /** What the withdrawal link pays, read once. */
  linkReceive?: bigint;
  linkReadOn?: number;
  /** Paid, and filled with less than was ordered. */
  disputed?: boolean;
  shortReleasedOn?: number;
  recordedOn?: number;
  /** The upstream order id again: one upstream order is one order here. */
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
  wake(id: string, now: number): Promise<void>;
  /** A customer's orders at a provider with this amount that can still be paid and whose payment nothing else tells, also of a removed account. */
  payableByAmount(providerId: string, customerId: string, pay: bigint, now: number): Promise<{ id: string; network: OrderTerms['network'] }[]>;
  /** The upstream payments and orders that a customer's orders at a provider stand for, by the provider's ids; `except` is left out. */
  explained(providerId: string, customerId: string, except?: string): Promise<{ upstreamIds: string[]; openAmounts: bigint[] }>;
};
