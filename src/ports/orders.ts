import type { Facts, MatchedBy } from '../domain/offer.ts';
import type { ReviewReason, Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { NewDelivery } from './deliveries.ts';
import type { RouteTerms } from './routes.ts';
import type { Json, Lease, Share } from './runtime.ts';

/** What was agreed when the order was placed. It never changes. */
export type OrderTerms = RouteTerms & {
  currency?: string;
  /** How the provider names the currency and the option. */
  named?: { currency: string; option: string };
  arrivalSeconds?: number;
  /** For sell: how a payment is recognised, as the provider said when it took the order, not as its offer said. */
  matchedBy?: MatchedBy;
  /** For buy: the provider sends the sats itself. Absent if the customer withdraws them. */
  payout?: 'push';
  /** The order was found at the provider after a restore, so we do not know what was agreed. */
  adopted?: true;
};
/** What we have learnt by following an order, and need for the next read. */
export type OrderWatch = {
  /** The last stage before the review. If it is absent, only the operator can end the review. */
  beforeReview?: Stage;
  /** Why the order came into review, shown to its customer. Some orders have no reason, for example those that an earlier release put into review. */
  reviewReason?: ReviewReason;
  /**
   * What the provider had reported when the operator ended a review: its amounts (decimal strings) and its status word. A read with the same amounts
   * causes no new review over amounts, fee, currency or option. The final stage that the operator named stands as long as reads repeat the same
   * amounts and the same status word, and that word means a failure, an expiry or a review.
   */
  reviewed?: { pay: string; receive: string; rawStatus?: string; /** Earlier releases did not store this. */ on?: number };
  /** A read that left the order in review reported that money arrived. */
  moneySeen?: true;
  /**
   * The time of the first read that reported the whole payment but left the order in review. A refund clears it. A partial payment does not set it:
   * anyone can send one, so it must not count in the provider's record.
   */
  paidSeenOn?: number;
  /**
   * The last read that left the order in review reported at least the ordered amount as delivered. The provider's record does not count such an order
   * as never filled, because only our review holds it back.
   */
  filledSeen?: true;
  /** The provider reported a refund, although no payment for the order had been seen. So a payment may still arrive. */
  refundUnseen?: true;
  /** The last read said that a payment is, or may be, on its way. */
  arriving?: true;
  /** Background work fetched the order's withdrawal link, and the customer has not been given it yet. */
  linkUnseen?: true;
  /** The provider's last word was that the sats were withdrawn, although we hold no link by which anybody could have withdrawn them. */
  finishedUnlinked?: true;
  /**
   * The customer may have been given a link that we do not hold: the database was restored after the order was placed. A read that reports a stage
   * before `filled` removes this, because a link can be given only once the order is filled.
   */
  linkUnknown?: true;
  /** When the operator closed a dispute, and the amounts that were delivered and charged then. If an amount changes, the order is judged again. */
  disputeClosed?: { on: number; pay: string; receive: string };
  /** When the operator recorded a proof that the order was paid and not filled. */
  provenOn?: number;
  /** When the operator ended the order, because its customer got the money or the sats in some other way. */
  paidOtherwiseOn?: number;
  /** The amounts that were delivered and charged when the operator released a short fill. Earlier releases did not store them. */
  shortReleased?: { pay: string; receive: string };
  /** The time of the first unsuccessful read of an order that would otherwise be final. A successful read removes this time. */
  unreadSince?: number;
  /** No read has succeeded since the provider's last notice about the order. */
  noticeUnread?: true;
  /** The time since which the provider has refused to report the order. */
  unreadableSince?: number;
  /** At withdrawal, another order was found with the same id at the provider. The operator decides what follows, so this is not checked again. */
  twinSeen?: true;
  /** The ids of other orders here. The provider itself says that the payment recorded for this order is for them, so this order went into review. */
  paymentOf?: string[];
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
  /** The amounts that the provider's status last reported, even if they were not applied. */
  toldPay?: bigint;
  toldReceive?: bigint;
  toldFee?: bigint;
  toldOn?: number;
  /** The sats that the first withdrawal link pays. Read once, before the customer had any link. */
  linkReceive?: bigint;
  /** When we read the amount of the first withdrawal link, or when a link was given out although its amount could not be read. */
  linkReadOn?: number;
  /** Whether the fill is short or overcharged (domain/judge-fill.ts). */
  disputed?: boolean;
  shortReleasedOn?: number;
  recordedOn?: number;
  /** The upstream order id in canonical form. It is unique for each provider: one upstream order is one order here. */
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
  /** The payment that the order gets with this change. If the payment may be another order's (otherWithPayment), nothing is stored. */
  payment?: Payment;
  nextCheckOn?: number | null;
};

/**
 * A payment, with the id that the provider gave it. `linked`: the provider itself says which order the payment is for, by naming the order's id.
 * Otherwise, only the amount tells.
 */
export type Payment = { providerId: string; id: string; linked?: true };

/** A customer at a provider. */
export type UserAt = Pick<Order, 'providerId' | 'customerId'>;

export type OrderStore = {
  find(id: string, customerId: string): Promise<Order | undefined>;
  findAny(id: string): Promise<Order | undefined>;
  /**
   * Returns at most `limit` orders, newest first. If there are more, it chooses orders that are not final before final ones, and orders for which
   * money has arrived before unpaid ones.
   */
  list(customerId: string, ramp: Ramp | undefined, limit: number, changedSince?: number): Promise<Order[]>;
  /**
   * Writes the change, the event if there is one, the webhooks and the provider's record in one transaction. Returns false, and writes nothing, if
   * `sequence` has changed since the order was read, or if `change.payment` may be another order's. If `wake` was called since then, the change
   * neither postpones the check that `wake` made due nor makes the order final. Of `watch`, only what differs from `order.watch` is written.
   */
  advance(
    order: Pick<Order, 'id' | 'sequence' | 'watch' | 'nextCheckOn'>,
    change: OrderChange,
    event: OrderEvent | undefined,
    deliveries: NewDelivery[],
  ): Promise<boolean>;
  /**
   * Claims due orders, unpaid ones last. Unpaid orders take turns: the first order of each IPv4 address, /48 or app comes before the second order of
   * any.
   */
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<Order[]>;
  /**
   * Makes the order due at `now`, if it is not due sooner. A final order is followed again until it has been read; that read decides again whether it
   * is final.
   */
  wake(id: string, now: number): Promise<void>;
  /**
   * Finds a customer's sell orders at a provider that hold this amount (holdsAmount) and whose payments can be told apart only by their amounts.
   * Includes orders of a removed account, and those of other customers who are connected as the same user: a payment appears in all of their
   * accounts.
   */
  payableByAmount(
    providerId: string,
    customerId: string,
    pay: bigint,
    now: number,
  ): Promise<{ id: string; customerId: string; network: OrderTerms['network'] }[]>;
  /**
   * Returns which of these ids are known here: as an order's id at the provider, or as the id of its payment. Searches the orders of this customer,
   * and of other customers who are connected as the same user, except the order `except`. A customer may have any number of orders, so this method
   * and the next two answer a question instead of returning a list of orders.
   */
  explained(user: UserAt, ids: readonly string[], except?: string): Promise<string[]>;
  /** Returns which of these amounts are held (holdsAmount) by a sale of this customer, or of another customer who is connected as the same user. */
  openAmounts(user: UserAt, amounts: readonly bigint[], now: number): Promise<bigint[]>;
  /** Returns when the first later sale of the same amount was placed, by the same customer or another customer who is connected as the same user. */
  soldAgainOn(sale: Pick<Order, 'id' | 'providerId' | 'customerId' | 'pay' | 'createdOn'>): Promise<number | undefined>;
  /**
   * Returns sell orders at a provider whose payment may be on its way, or has arrived but not been paid out (arrivingStages): those of this customer,
   * and of other customers who are connected as the same user. Leaves out orders that ended so long ago that any payment for them would come too
   * late.
   */
  arrivingSales(providerId: string, customerId: string, now: number): Promise<Order[]>;
  /**
   * Finds another order (not `except`) that has this payment, among the orders of all customers at this provider, and returns its id. An order whose
   * own id at the provider is the payment's id also counts, because a provider may give a payment the id of its order. If the payment is `linked`,
   * only an order that has the payment and is not in review counts.
   */
  otherWithPayment(payment: Payment, except: string): Promise<string | undefined>;
};
