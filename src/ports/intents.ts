import type { IntentState } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { NewDelivery } from './deliveries.ts';
import type { Json, Lease } from './runtime.ts';
import type { Order, OrderEvent } from './orders.ts';

/** The row that we write before an order leaves. src/gateway/ordering/placing.ts executes it. */
export type Intent = {
  id: string;
  quoteId: string;
  orderId: string;
  ramp: Ramp;
  customerId: string;
  providerId: string;
  /**
   * At most one unresolved intent has this key: its upstream session or account, or a hash of what only one may use at a time (a reserved order,
   * the operator's balance at a seller).
   */
  exclusiveKey?: string;
  requestId: string;
  state: IntentState;
  attempt: number;
  quote: Json;
  /** Sealed JSON of what the customer added (webhook, bounds, invoice …). */
  inputs: string;
  idempotencyKey?: string;
  knownBefore?: string[];
  createdOn: number;
  sentOn?: number;
  deadOn: number;
  nextTryOn: number;
  upstreamOrderId?: string;
  evidence?: Json;
  answer?: string;
  /** `moved`: the intent of the next rank, with which the request continues. */
  movedTo?: string;
  /** A keyed hash of the customer's network, to limit what one network has in flight at a provider. Deleted with the quotes. */
  networkKey?: string;
};
export type NewIntent = Omit<Intent, 'state' | 'attempt' | 'sentOn' | 'upstreamOrderId' | 'evidence' | 'answer' | 'movedTo'>;
export type IntentChange = Partial<Pick<Intent, 'state' | 'deadOn' | 'nextTryOn' | 'upstreamOrderId' | 'evidence' | 'answer' | 'knownBefore'>>;

export type StandsBack = { customerId: string; providerId: string; now: number; until: number };

export type IntentStore = {
  /**
   * `exists`: the quote has a live intent. `busy`: the upstream session has an unresolved one. `open`: the customer already has `maxOpen` orders
   * that can be paid or are being placed, counted so that parallel calls cannot pass together. The creator holds the lease.
   */
  create(intent: NewIntent, lease: Lease, maxOpen: number): Promise<'created' | 'exists' | 'busy' | { open: string[] }>;
  findByQuote(quoteId: string, customerId: string): Promise<Intent | undefined>;
  find(id: string): Promise<Intent | undefined>;
  /** prepared → sending, only for the lease's owner and while the lease lasts (by the database's clock). */
  startSending(id: string, lease: Lease, now: number): Promise<boolean>;
  /** Ends an intent that the provider certainly did not take. False if another sender has held it since: that one's result counts. */
  reject(id: string, owner: string, evidence: Json): Promise<boolean>;
  change(id: string, owner: string, change: IntentChange, release: boolean): Promise<boolean>;
  /**
   * Ends it for good. If the provider went back on its offer, the same transaction excludes it for this customer. `declined` only while the lease is
   * still the owner's, as for `reject`.
   */
  end(id: string, owner: string, change: IntentChange, standsBack: StandsBack | undefined): Promise<boolean>;
  /**
   * The request continues with `next`, whose creator holds the lease: this intent becomes `moved`, and both are committed together. `lost`: another
   * sender has held this one since, as for `reject`. `skipped`: the next quote has a live intent, its upstream session an unresolved one, or its
   * provider is excluded for this customer. In both cases nothing has changed.
   */
  move(
    id: string,
    owner: string,
    change: Pick<IntentChange, 'nextTryOn' | 'evidence' | 'upstreamOrderId'>,
    next: { intent: NewIntent; lease: Lease },
    standsBack: StandsBack | undefined,
  ): Promise<'moved' | 'skipped' | 'lost'>;
  /**
   * Confirms the intent, and stores the order, its first event and its deliveries, in one transaction. `lost`: another instance has ended it. `twin`:
   * another order has its upstream id.
   */
  confirm(
    id: string,
    owner: string,
    change: IntentChange,
    placed: { order: Order; event: OrderEvent; deliveries: NewDelivery[] },
  ): Promise<'confirmed' | 'lost' | 'twin'>;
  claimDue(now: number, lease: Lease, limit: number): Promise<Intent[]>;
  claim(id: string, lease: Lease): Promise<Intent | undefined>;
  /** Withheld intents whose `nextTryOn` has come, to check for money that should not be there: unpayable, dead, and moved with an order upstream. */
  claimWithheld(now: number, lease: Lease, limit: number): Promise<Intent[]>;
  changeWithheld(id: string, owner: string, change: IntentChange): Promise<boolean>;
  /** Replaces the answer only while it is still `was`. Needs no lease: a background check that holds it does not touch the answer. */
  replaceAnswer(id: string, was: string, answer: string): Promise<boolean>;
  wake(id: string, now: number): Promise<void>;
  earlierIn(exclusiveKey: string): Promise<string[]>;
  /** The intent with an unknown outcome. Until that is known, nothing else is placed under its key. */
  unsettledIn(exclusiveKey: string): Promise<Intent | undefined>;
  /** Other intents at a provider with one of these upstream ids. */
  sharing(providerId: string, upstreamIds: string[], except: string): Promise<Intent[]>;
  claimedUpstreamIds(providerId: string, ids: string[]): Promise<string[]>;
};
