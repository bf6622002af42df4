/** What the operator's view, switches and commands need from the database. Nothing here opens a sealed value. */
import type { Json as AnyJson } from '../domain/offer.ts';
import type { IntentState, ReviewReason, Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Delivery } from './deliveries.ts';
import type { Claim } from './claims.ts';
import type { Intent, NewIntent } from './intents.ts';
import type { Order, OrderEvent, OrderTerms, OrderWatch } from './orders.ts';

type Json = NonNullable<AnyJson>;

export type DossierIntent = Omit<Intent, 'inputs' | 'answer'> & { leaseOwner?: string; leaseUntil?: number; answered: boolean };
/** The stored row, without what is sealed or about the customer's own server. */
export type DossierOrder = Omit<Order, 'paymentInfo' | 'secret' | 'referenceHash' | 'webhookUrl' | 'webhookEvents' | 'terms' | 'watch'> & {
  terms: OrderTerms & OrderWatch;
};
export type DossierEvent = Omit<OrderEvent, 'source'> & { source: string };
export type DossierNotice = { id: string; purpose: string; genuine: boolean; count: number; receivedOn: number };
export type DossierClaim = Pick<Claim, 'state' | 'attempt' | 'createdOn' | 'nextTryOn' | 'expiresOn'>;
export type DossierDelivery = Pick<Delivery, 'id' | 'type' | 'sequence' | 'host' | 'state' | 'attempt' | 'lastOutcome' | 'createdOn' | 'dueOn' | 'doneOn'>;
/** One provider's turn of a request with failover. */
export type DossierTurn = Pick<Intent, 'id' | 'orderId' | 'quoteId' | 'providerId' | 'state' | 'evidence'>;
/** Everything stored about one intent and what became of it. */
export type Dossier = {
  intent: DossierIntent;
  /** The whole request, in order, if it moved from one provider to another. */
  turns: DossierTurn[];
  route?: { id: string; createdOn: number; requestId: string; route: Json };
  order?: DossierOrder;
  events: DossierEvent[];
  claim?: DossierClaim;
  notices: DossierNotice[];
  deliveries: DossierDelivery[];
};

/** Every member narrows the search. `from` and `to` are Unix milliseconds; `amount` matches what is paid or received, in the ramp's units. */
export type OrderSearch = {
  requestId?: string;
  upstreamOrderId?: string;
  referenceHash?: string;
  from?: number;
  to?: number;
  amount?: bigint;
  customerId?: string;
};
export type FoundOrder = {
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
  pay?: bigint;
  receive?: bigint;
};

export type Switch = { name: string; mode: string; reason: string; untilOn?: number; setOn: number; setBy: string };
/** The switches as one instance last read them. */
export type SwitchState = { readOn: number; byName: Map<string, Switch> };
/** An upstream session that can still be read, and its owner. */
export type UpstreamSession = { id: string; providerId: string; blob: string; customerId?: string };
export type OperatorAction = { at: number; actor: string; action: string; subject: string; detail?: Json };

export type OperatorStore = {
  /** By order id, intent id or quote id. `forgedTargets`: how we store notices about these ids that had a wrong token. */
  dossier(id: string, forgedTargets: (intentId: string, orderId: string) => string[]): Promise<Dossier | undefined>;
  search(search: OrderSearch, limit: number): Promise<FoundOrder[]>;
  /**
   * Orders and intents in review, orders that were paid before `paidBefore` and not delivered since, intents with an unknown outcome or a shared
   * upstream order, claims in review, dead letters.
   */
  attention(
    limit: number,
    paidBefore: number,
  ): Promise<{
    review: FoundOrder[];
    late: FoundOrder[];
    unknown: FoundOrder[];
    twins: FoundOrder[];
    disputed: FoundOrder[];
    claims: string[];
    dead: (DossierDelivery & { subjectId: string })[];
  }>;
  switches(): Promise<Switch[]>;
  setSwitch(change: Switch): Promise<void>;
  clearSwitch(name: string): Promise<boolean>;
  /** Revokes the sessions of one app, one customer, or all. Returns how many ended. */
  revokeSessions(of: { appId?: string; customerId?: string }, now: number): Promise<number>;
  /** The customer's old recovery secret opens nothing from now on. False for a customer who has none: unknown or forgotten. */
  replaceRecovery(customerId: string, recoveryHash: string): Promise<boolean>;
  /**
   * After a restore: earlier quotes can no longer be ordered, intents that may have been sent are looked for and not sent again, and sequences
   * continue above whatever was reported in the lost time.
   */
  distrustRestored(now: number): Promise<{ quotes: number; placings: number; orders: number }>;
  unfinishedOrders(limit: number, after?: string): Promise<string[]>;
  unsettledPlacings(): Promise<{ id: string; exclusiveKey?: string }[]>;
  /** Undelivered webhooks of orders that have moved on from what they report. */
  supersedeStale(now: number): Promise<number>;
  upstreamSessions(after: string | undefined, limit: number): Promise<UpstreamSession[]>;
  knownUpstreamIds(providerId: string, ids: string[]): Promise<string[]>;
  /** Stores a provider's order that is unknown here. Returns false if it has become known meanwhile. */
  adopt(intent: NewIntent, upstreamOrderId: string, order: Order, event: OrderEvent): Promise<boolean>;
  record(action: OperatorAction): Promise<void>;
  actions(limit: number): Promise<OperatorAction[]>;
};
