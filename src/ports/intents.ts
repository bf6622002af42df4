import type { IntentState } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { NewDelivery } from './deliveries.ts';
import type { Json, Lease } from './runtime.ts';
import type { Order, OrderEvent } from './orders.ts';

/** The row that is written before an order leaves. What carries it out is a placing (src/gateway/ordering/placing.ts). */
export type Intent = {
  id: string;
  quoteId: string;
  orderId: string;
  ramp: Ramp;
  customerId: string;
  providerId: string;
  /**
   * At most one unsettled placing has it: the upstream session or the account that it is placed in, or a hash of what only one may use at a
   * time (a reserved order, the operator's balance at a seller).
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
  /** `moved`: the intent of the next rank that the request goes on with. */
  movedTo?: string;
  /** Whose it is, for what one network may have under way at a provider that has a limit: a keyed hash, forgotten with the quotes. */
  networkKey?: string;
};
export type NewIntent = Omit<Intent, 'state' | 'attempt' | 'sentOn' | 'upstreamOrderId' | 'evidence' | 'answer'>;
export type IntentChange = Partial<Pick<Intent, 'state' | 'deadOn' | 'nextTryOn' | 'upstreamOrderId' | 'evidence' | 'answer' | 'knownBefore'>>;

export type StandsBack = { customerId: string; providerId: string; now: number; until: number };

export type IntentStore = {
  /**
   * `exists`: the quote has a live intent; `busy`: the upstream session has an unsettled one; `open`: the customer's orders that can still be
   * paid or are being placed are `maxOpen` already, counted so that parallel calls cannot pass together. The lease is the caller's when created.
   */
  create(intent: NewIntent, lease: Lease, maxOpen: number): Promise<'created' | 'exists' | 'busy' | { open: string[] }>;
  findByQuote(quoteId: string, customerId: string): Promise<Intent | undefined>;
  find(id: string): Promise<Intent | undefined>;
  /** prepared → sending, only for the lease's owner and only while his lease lasts (the database's clock). */
  startSending(id: string, lease: Lease, now: number): Promise<boolean>;
  /** Ends a placing that was certainly not taken. False where another has held it since: what he has found out counts. */
  reject(id: string, owner: string, evidence: Json): Promise<boolean>;
  change(id: string, owner: string, change: IntentChange, release: boolean): Promise<boolean>;
  /** Settles it for good; in the same transaction its provider stands back for the customer, where it went back on its offer. */
  end(id: string, owner: string, change: IntentChange, standsBack: StandsBack | undefined): Promise<boolean>;
  /**
   * Confirms the intent, stores the order, its first event and its deliveries in one transaction. `lost`: somebody else has settled it; `twin`:
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
  /** Unpayable and dead ones whose `nextTryOn` has come: to be looked at for money that should not be there. */
  claimWithheld(now: number, lease: Lease, limit: number): Promise<Intent[]>;
  /** `was`: only while this is still its answer. */
  changeWithheld(id: string, owner: string, change: IntentChange, was?: string): Promise<boolean>;
  wake(id: string, now: number): Promise<void>;
  earlierIn(exclusiveKey: string): Promise<string[]>;
  /** The one whose outcome is not known yet: until it is, nothing else is placed under its key. */
  unsettledIn(exclusiveKey: string): Promise<Intent | undefined>;
  /** Other placings at a provider that have one of these upstream ids. */
  sharing(providerId: string, upstreamIds: string[], except: string): Promise<Intent[]>;
  claimedUpstreamIds(providerId: string, ids: string[]): Promise<string[]>;
};
