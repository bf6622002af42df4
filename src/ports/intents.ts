import type { IntentState } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { NewDelivery } from './deliveries.ts';
import type { Json, Lease, Share } from './runtime.ts';
import type { Order, OrderEvent } from './orders.ts';

/** The row that we write before we send an order to a provider (src/gateway/ordering/send-placing.ts). */
export type Intent = {
  id: string;
  quoteId: string;
  orderId: string;
  ramp: Ramp;
  customerId: string;
  providerId: string;
  /**
   * Only one unresolved intent may have this key. It is the id of the upstream session or account, or a hash of something else that only one intent
   * may use at a time: a reserved order, or the operator's balance at a seller.
   */
  exclusiveKey?: string;
  requestId: string;
  state: IntentState;
  attempt: number;
  quote: Json;
  /** Sealed JSON of what the customer added (webhook, price limits, invoice …). */
  inputs: string;
  idempotencyKey?: string;
  knownBefore?: string[];
  createdOn: number;
  /**
   * When the order was sent. At first this is the time at which the state `sending` was committed. Once the answer is lost, it is the time at which
   * the call began.
   */
  sentOn?: number;
  deadOn: number;
  nextTryOn: number;
  upstreamOrderId?: string;
  evidence?: Json;
  answer?: string;
  /** In the state `moved`: the id of the next rank's intent, with which the request continues. */
  movedTo?: string;
  /**
   * Keyed hashes of the customer's network, used to limit what one network has in flight at a provider (in-flight.ts), and the polls of its unpaid
   * orders (poll-share.ts). Deleted when quotes of the same age are.
   */
  networkKey?: string;
  /**
   * A hash of the payment hash of the invoice that a pushed payout or a recharge pays. An invoice is paid only once, so only one attempt that has no
   * outcome yet, made an order or is in review may have this key. Earlier releases store none.
   */
  payoutKey?: string;
};
export type NewIntent = Omit<Intent, 'state' | 'attempt' | 'sentOn' | 'upstreamOrderId' | 'evidence' | 'answer' | 'movedTo'>;
export type IntentChange = Partial<Pick<Intent, 'state' | 'sentOn' | 'deadOn' | 'nextTryOn' | 'upstreamOrderId' | 'evidence' | 'answer' | 'knownBefore'>>;

export type StandsBack = { customerId: string; providerId: string; now: number; until: number };

/**
 * The amounts to pay that the provider could not tell apart from the new order's amount (`amount_tolerance_bps`), from `least` to `most` inclusive,
 * in the ramp's units. They are compared with the amounts of the customer's other orders at the same provider and in the same currency, as long as
 * these are being placed, or a payment for them may still come (mayBePaid). `slippageBps`: if such an order is being placed for an estimate, and the
 * customer did not fix the amount to pay, that amount may still change by this much.
 */
export type NearAmounts = { currency: string; least: bigint; most: bigint; slippageBps?: number };

export type OpenLimits = { maxOpen: number; near?: NearAmounts };

export type IntentStore = {
  /**
   * Stores a new intent, whose creator holds the lease. A lock on the customer ensures that parallel calls together stay within `limits`. Any result
   * other than `created` says why nothing was stored:
   * - `exists`: the quote already has an intent that was not rejected.
   * - `busy`: another unresolved intent has the same `exclusiveKey`.
   * - `open`: the customer already has `maxOpen` orders that can be paid or are being placed.
   * - `near`: the amount of one of the customer's orders at this provider is within `limits.near`.
   * - `payout-used`: another attempt has the same `payoutKey`.
   */
  create(intent: NewIntent, lease: Lease, limits: OpenLimits): Promise<'created' | 'exists' | 'busy' | 'payout-used' | { open: string[] } | { near: string }>;
  findByQuote(quoteId: string, customerId: string): Promise<Intent | undefined>;
  find(id: string): Promise<Intent | undefined>;
  /**
   * Changes the state from `prepared` to `sending`, but only while `lease.owner` holds the lease (by the database's clock). Returns whether it did.
   */
  startSending(id: string, lease: Lease, now: number): Promise<boolean>;
  /**
   * Ends an intent as `rejected`, because the provider certainly did not take the order. Returns false if another instance has taken the lease since,
   * because then that instance's result counts.
   */
  reject(id: string, owner: string, evidence: Json): Promise<boolean>;
  change(id: string, owner: string, change: IntentChange, release: boolean): Promise<boolean>;
  /**
   * Ends the intent for good. With `standsBack`, the same transaction excludes the provider for this customer. Returns false if another instance has
   * resolved the intent or holds its lease. If `change.state` is `declined`, it also returns false if another instance has taken the lease since,
   * even if that lease has ended.
   */
  end(id: string, owner: string, change: IntentChange, standsBack: StandsBack | undefined): Promise<boolean>;
  /**
   * Moves the request on: in one transaction, stores the intent `next`, whose lease the caller holds, and marks this one as `moved`. After any
   * other result, nothing has changed.
   * - `lost`: another instance has taken this intent's lease since, as in `reject`.
   * - `skipped`: the request cannot continue with the next quote. The quote already has an intent that was not rejected, or its upstream session has
   *   an unresolved one. Or its provider is excluded for this customer, or could not tell its amount apart from that of another open order. Or
   *   another attempt has its `payoutKey`.
   */
  move(
    id: string,
    owner: string,
    change: Pick<IntentChange, 'nextTryOn' | 'evidence' | 'upstreamOrderId'>,
    next: { intent: NewIntent; lease: Lease; near?: NearAmounts },
    standsBack: StandsBack | undefined,
  ): Promise<'moved' | 'skipped' | 'lost'>;
  /**
   * Confirms the intent, and stores the order, its first event and its webhooks, in one transaction. `lost`: another instance has resolved the intent
   * or holds its lease. `twin`: another order already has the same id at the provider. `rung`: confirmed, and a genuine notice about one of
   * `notices.targets` had come, so the order is first checked at `notices.checkOn`. A notice about the intent that is not seen here finds the order,
   * because the notice's handler first writes to the intent, and so waits for this transaction.
   */
  confirm(
    id: string,
    owner: string,
    change: IntentChange,
    placed: { order: Order; event: OrderEvent; deliveries: NewDelivery[]; notices?: { targets: string[]; checkOn: number } },
  ): Promise<'confirmed' | 'rung' | 'lost' | 'twin'>;
  claimDue(now: number, lease: Lease, limit: number, share?: Share): Promise<Intent[]>;
  claim(id: string, lease: Lease): Promise<Intent | undefined>;
  /**
   * Takes the withheld intents that are due: those that are unpayable, dead, or were moved after their provider had made an order. Their customers
   * were never shown how to pay, so these intents are checked for money that should not have arrived.
   */
  claimWithheld(now: number, lease: Lease, limit: number, share?: Share): Promise<Intent[]>;
  changeWithheld(id: string, owner: string, change: IntentChange): Promise<boolean>;
  /** Replaces the answer, but only while it is still `was`. Needs no lease: a background check that holds the lease does not change the answer. */
  replaceAnswer(id: string, was: string, answer: string): Promise<boolean>;
  wake(id: string, now: number): Promise<void>;
  earlierIn(exclusiveKey: string): Promise<string[]>;
  /** Finds the unresolved intent with this key. Until it is resolved, no other intent can get the key. */
  unsettledIn(exclusiveKey: string): Promise<Intent | undefined>;
  /** Returns the customer's unresolved sell intents at a provider, and those of other customers who are connected there as the same user. */
  unsettledSales(providerId: string, customerId: string): Promise<Intent[]>;
  /** Finds the intents, other than `except`, that have one of these order ids at the provider. */
  sharing(providerId: string, upstreamIds: string[], except: string | undefined): Promise<Intent[]>;
  /** Returns whether any attempt at this provider has no outcome yet. */
  isPlacingAt(providerId: string): Promise<boolean>;
  /** For the attempts at this provider whose answers were lost, moves the next check to `now`, unless it is due sooner. */
  wakeUnknown(providerId: string, now: number): Promise<void>;
  claimedUpstreamIds(providerId: string, ids: string[]): Promise<string[]>;
};
