/** What the operator's view, switches and commands need from the database. Nothing here opens a sealed value. */
import type { Json as AnyJson } from '../domain/offer.ts';
import type { IntentState, ReviewReason, Stage } from '../domain/order.ts';
import type { ClaimNow } from '../domain/lost-bought.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Delivery } from './deliveries.ts';
import type { Claim } from './claims.ts';
import type { JudgedAttempt } from './judged.ts';
import type { Intent, NewIntent } from './intents.ts';
import type { Order, OrderChange, OrderEvent, OrderTerms, OrderWatch } from './orders.ts';
import type { LiquidityTerms } from './routes.ts';

type Json = NonNullable<AnyJson>;

export type DossierIntent = Omit<Intent, 'inputs' | 'answer'> & { leaseOwner?: string; leaseUntil?: number; answered: boolean };
/** The stored order, without its sealed values, its webhook, and the hash of its payment reference. */
export type DossierOrder = Omit<Order, 'paymentInfo' | 'secret' | 'referenceHash' | 'webhookUrl' | 'webhookEvents' | 'terms' | 'watch'> & {
  terms: OrderTerms & OrderWatch;
  /** Whether a proof of payment can still count against the provider. */
  countable: boolean;
};
export type DossierEvent = Omit<OrderEvent, 'source'> & { source: string };
export type DossierNotice = { id: string; purpose: string; genuine: boolean; count: number; receivedOn: number };
export type DossierClaim = ClaimNow & Pick<Claim, 'nextTryOn'>;
export type DossierDelivery = Pick<Delivery, 'id' | 'type' | 'sequence' | 'host' | 'state' | 'attempt' | 'lastOutcome' | 'createdOn' | 'dueOn' | 'doneOn'>;
/** One provider's turn in a request with failover. */
export type DossierTurn = Pick<Intent, 'id' | 'orderId' | 'quoteId' | 'providerId' | 'state' | 'evidence'>;
/** What is stored about one intent and its order, without sealed values. */
export type Dossier = {
  intent: DossierIntent;
  /** All turns of the request, first to last, if it moved from one provider to another. */
  turns: DossierTurn[];
  route?: { id: string; createdOn: number; requestId: string; route: Json };
  order?: DossierOrder;
  events: DossierEvent[];
  claim?: DossierClaim;
  notices: DossierNotice[];
  deliveries: DossierDelivery[];
};

/** Where a page of a list ends: the time of its last row in Unix milliseconds, and the row's id. */
export type Place = { on: number; id: string };
export const orderLists = ['review', 'late', 'unknown', 'disputed', 'twins', 'open'] as const;

/** Every member narrows the search. `from` and `to` are Unix milliseconds; `amount` matches what is paid or received, in the ramp's units. */
export type OrderSearch = {
  /** The id of the request that placed the order, or of a request since `pricedSince` that asked for its price. */
  requestId?: string;
  pricedSince?: number;
  upstreamOrderId?: string;
  referenceHash?: string;
  from?: number;
  to?: number;
  amount?: bigint;
  customerId?: string;
  /** The order id, quote id or attempt id. */
  id?: string;
  providerId?: string;
  /**
   * `late`: undelivered orders whose money, at least in part, came before `paidBefore`, and filled orders whose sats may have been lost before that
   * time. `open`: orders that are not final.
   */
  list?: (typeof orderLists)[number];
  paidBefore?: number;
};
export type FoundOrder = {
  intentId: string;
  orderId: string;
  providerId: string;
  ramp: Ramp;
  state: IntentState;
  stage?: Stage;
  reviewReason?: ReviewReason;
  upstreamOrderId?: string;
  requestId: string;
  customerId: string;
  createdOn: number;
  stageOn?: number;
  disputed?: boolean;
  shortReleasedOn?: number;
  shortReleased?: OrderWatch['shortReleased'];
  finishedUnlinked?: boolean;
  /** Whether a proof of payment can still count against the provider. */
  countable?: boolean;
  claim?: ClaimNow;
  /** The order's amounts or, if no order came of the attempt, those of the quote. */
  pay?: bigint;
  receive?: bigint;
  currency?: string;
  liquidity?: LiquidityTerms;
  /** The provider sends the sats itself. */
  payout?: 'push';
};

export type Switch = { name: string; mode: string; reason: string; untilOn?: number; setOn: number; setBy: string };
/** The switches as one instance last read them. */
export type SwitchState = { readOn: number; byName: Map<string, Switch> };
/**
 * An upstream session or account whose credentials are stored, and the customer to whom it belongs. `accountMadeOn`: for an account, when it was
 * added here, in Unix milliseconds.
 */
export type UpstreamSession = { id: string; providerId: string; blob: string; customerId?: string; accountMadeOn?: number };
export type OperatorAction = { at: number; actor: string; action: string; subject: string; detail?: Json };

export type OperatorStore = {
  /**
   * Finds what is stored about an order id, intent id or quote id. `forgedTargets` returns the target ids under which an earlier release stored
   * notices with a wrong token.
   */
  dossier(id: string, forgedTargets: (intentId: string, orderId: string) => string[]): Promise<Dossier | undefined>;
  /** Finds orders and attempts, newest first. With `before`, only those that follow that place in the list. */
  search(search: OrderSearch, limit: number, before?: Place): Promise<FoundOrder[]>;
  /**
   * Returns these lists, with at most `limit` entries each:
   * - `review`: orders and intents in review.
   * - `late`: orders that are late (OrderSearch).
   * - `unknown`: intents that are unresolved.
   * - `twins`: intents that share an order id at the provider.
   * - `disputed`: orders with a disputed fill.
   * - `claims`: the order ids of claims that are in review or refused, unless the operator has ended the order (`paidOtherwiseOn`).
   * - `dead`: webhooks that are no longer tried.
   * - `failing`: webhooks that failed, were tried at least `tries` times and are still tried.
   */
  attention(
    limit: number,
    paidBefore: number,
    tries: number,
  ): Promise<{
    review: FoundOrder[];
    late: FoundOrder[];
    unknown: FoundOrder[];
    twins: FoundOrder[];
    disputed: FoundOrder[];
    claims: string[];
    dead: (DossierDelivery & { subjectId: string })[];
    failing: (DossierDelivery & { subjectId: string })[];
  }>;
  switches(): Promise<Switch[]>;
  /**
   * Stores a switch. If `expected` is given, stores it only if the switch was last set at that time (`null`: only if it is not set). Returns whether
   * it was stored.
   */
  setSwitch(change: Switch, expected?: number | null): Promise<boolean>;
  /**
   * Removes a switch. Returns whether it did. With `expected`, removes the switch only if it was last set at that time; with `null`, removes nothing,
   * and returns whether there is no such switch.
   */
  clearSwitch(name: string, expected?: number | null): Promise<boolean>;
  /**
   * Stores what an operator has settled about an order, together with the changes in `more`, and makes the order due at once. Returns false, and does
   * nothing, if what the operator judged (judgedOf) has changed since it was read. Keeps everything else that was noted in the meantime, for example
   * that a link was given out.
   */
  learn(order: Order, watch: OrderWatch, now: number, more?: Pick<OrderChange, 'disputed' | 'changedOn'>): Promise<boolean>;
  /** Returns the parts of an order's withdrawal on which decisions are based. Returns undefined if the order has no withdrawal. */
  claimNow(orderId: string): Promise<ClaimNow | undefined>;
  /**
   * Ends a filled order whose customer was paid in another way (`paidOtherwiseOn`), and makes it due at once. Any result other than `ended` says why
   * nothing was done:
   * - `changed`: what the operator judged has changed since it was read, in the order or in its withdrawal (`claim`).
   * - `asking`: a call may be asking the provider for a link.
   * - `unsure`: there may be a link that pays the customer, and `isSure` is false.
   */
  paidOtherwise(order: Order, claim: ClaimNow | undefined, now: number, isSure: boolean): Promise<'ended' | 'changed' | 'asking' | 'unsure'>;
  /**
   * Lets the customer withdraw a short fill. Returns false, and does nothing, if the order is not disputed, or if what the operator judged has
   * changed since it was read.
   */
  releaseShort(order: Order, now: number): Promise<boolean>;
  /** Finds an attempt that is in review and led to no order, by its own id or by the order id that it has reserved. */
  attemptInReview(id: string): Promise<JudgedAttempt | undefined>;
  /**
   * Ends an attempt in review that led to no order. Returns false if it is no longer in review, has led to an order, or has changed since it was
   * read.
   */
  closeAttempt(attempt: JudgedAttempt): Promise<boolean>;
  hasWebhook(id: string): Promise<boolean>;
  /**
   * Lists webhooks in these states, newest first. With `before`, only those that follow that place in the list. With `tries`, only those that failed
   * and were tried at least that many times.
   */
  webhooks(
    filter: { states: readonly DossierDelivery['state'][]; tries?: number | undefined },
    limit: number,
    before?: Place,
  ): Promise<(DossierDelivery & { subjectId: string })[]>;
  /** Revokes the sessions of one app, of one customer, or all. Returns how many it revoked. */
  revokeSessions(of: { appId?: string; customerId?: string }, now: number): Promise<number>;
  /**
   * Replaces the customer's recovery secret; the old one no longer opens anything. Returns false if the customer has none, because they are unknown
   * or forgotten.
   */
  replaceRecovery(customerId: string, recoveryHash: string): Promise<boolean>;
  /**
   * Called after a restore. Quotes of the last seven days can no longer be ordered. Unresolved intents become `unknown`, so that their orders are
   * searched for. Sequences are raised so far that the next ones should exceed every sequence that was reported since the backup. Returns how many
   * routes, intents and orders were changed.
   */
  distrustRestored(now: number): Promise<{ quotes: number; placings: number; orders: number }>;
  unfinishedOrders(limit: number, after?: string): Promise<string[]>;
  unsettledPlacings(): Promise<{ id: string; exclusiveKey?: string }[]>;
  /** Marks waiting webhooks as superseded if their order has left the stage that they report. Returns how many. */
  supersedeStale(now: number): Promise<number>;
  upstreamSessions(after: string | undefined, limit: number): Promise<UpstreamSession[]>;
  knownUpstreamIds(providerId: string, ids: string[]): Promise<string[]>;
  /** Stores a provider's order that is unknown here. Returns false if it has become known meanwhile. */
  adopt(intent: NewIntent, upstreamOrderId: string, order: Order, event: OrderEvent): Promise<boolean>;
  record(action: OperatorAction): Promise<void>;
  actions(limit: number): Promise<OperatorAction[]>;
};
