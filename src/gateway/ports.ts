/** What the use cases need from outside. Implemented by store, seal, outbound, log, metrics and resilience; wired in entry/compose.ts. */
import type { Json as AnyJson } from '../domain/offer.ts';
import type { FaultKind } from '../domain/fault-kind.ts';
import type { IntentState, RepostProfile, Stage } from '../domain/order.ts';
import type { PaymentMethod, Ramp } from '../domain/ramp.ts';
import type { ProviderAdapter } from '../providers/spec.ts';
import type { AccountStore } from './account-port.ts';
import type { LiquidityStore } from './liquidity-port.ts';
import type { DeliveryStore, NewDelivery, Sender, Signer } from './delivery-port.ts';
import type { OperatorStore, SwitchState } from './operator-port.ts';

export type Clock = () => number;
export type Ids = { uuid: () => string; /** base64url of that many random bytes */ secret: (bytes: number) => string };
export type LogFields = Record<string, string | number | boolean | undefined>;
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void;
export type Place = { table: string; row: string; field: string };
export type Seal = { seal(text: string, place: Place): Promise<string>; open(sealed: string, place: Place): Promise<string> };
export type Count = (name: string, labels?: Record<string, string>) => void;

/** JSON that is stored: never a bare null. */
export type Json = NonNullable<AnyJson>;

// ---- settings (a part of the parsed configuration, in its own names) -------------------------------------------------------------------

export type Settings = {
  mode: 'sandbox' | 'live';
  network: 'main' | 'test' | 'signet' | 'regtest';
  public_url: string;
  traceparent: boolean;
  proof_of_ownership: 'never' | 'offered' | 'required';
  proof_templates: string[];
  routing: {
    quote_deadline_ms: number;
    verify_deadline_ms: number;
    order_deadline_ms: number;
    status_deadline_ms: number;
    late_grace_ms: number;
    answer_early?: { after_ms: number; offers: number } | undefined;
    outlier_bps: number;
    tolerance_bps: number;
    indicative_haircut_bps: number;
    slippage_bps: number;
    quote_ttl_s: number;
    accept_margin_s: number;
    expiry_margin_s: number;
    shortest_life_s: number;
    reference?: Record<string, { btc_price: number; max_deviation_bps: number }> | undefined;
    arrival_seconds: Record<PaymentMethod, number>;
    option_methods: Record<string, PaymentMethod>;
  };
  sessions: { ttl_s: number; verify_ttl_s: number; token_ttl_s: number; owner_days: number; opens_per_minute: number };
  orders: { max_open: number; follow_days: number };
  liquidity: { balance_daily_sats: number };
  webhooks: { allowed_ports: number[] };
  catalogue: { fresh_s: number; stale_s: number };
};

export type ProviderCore = {
  id: string;
  kind: string;
  mode: 'on' | 'shadow' | 'off';
  name: string;
  base_url: string;
  sandbox: boolean;
  display: {
    name?: string | undefined;
    terms_url?: string | undefined;
    support_url?: string | undefined;
    kyc?: 'none' | 'light' | 'full' | undefined;
    countries: string[];
  };
  preference_bps: number;
  haircut_bps?: number | undefined;
  repost: RepostProfile;
  late_commit_max_s: number;
  status_by_session: boolean;
  payment_hosts?: string[] | undefined;
  payout_hosts?: string[] | undefined;
  option_aliases: Record<string, string>;
  option_methods: Record<string, PaymentMethod>;
  arrival_seconds?: { [method in PaymentMethod]?: number | undefined } | undefined;
  opens_per_minute?: number | undefined;
  quotes_per_node_per_day: number;
  orders_per_day: number;
};

// ---- providers -------------------------------------------------------------------------------------------------------------------------

export type Operation = 'quote' | 'order' | 'status';
export type CallLimits = { deadlineMs: number; signal?: AbortSignal; customerKey?: string; idempotent: boolean };
/** What surrounds every provider call (src/resilience). */
export type Guard = {
  call<T>(operation: Operation, limits: CallLimits, attempt: (signal: AbortSignal) => Promise<T>): Promise<T>;
  health(): { circuits: Record<Operation, 'closed' | 'open' | 'half-open'>; lastSuccessOn?: number; retryOn?: number; off: boolean };
};
export type Provider = { id: string; name: string; ramps: readonly Ramp[]; core: ProviderCore; demandsProof: boolean; adapter: ProviderAdapter; guard: Guard };

// ---- stores ----------------------------------------------------------------------------------------------------------------------------

export type ProviderSession = { id: string; providerId: string; blob?: string; ready: boolean; claimedOn: number; expiresOn?: number; unsettled: boolean };
export type Session = {
  idHash: string;
  customerId?: string;
  appId?: string;
  createdOn: number;
  openedOn?: number;
  lastUsedOn: number;
  expiresOn: number;
  revokedOn?: number;
  challenge: string;
  openedBy?: string;
  openedReply?: string;
  nodePubkey?: string;
  /** Live upstream sessions of this session, by provider id. Blobs are sealed. */
  upstream: Map<string, ProviderSession>;
};

export type SessionStore = {
  begin(
    row: { idHash: string; createdOn: number; expiresOn: number; challenge: string },
    upstream: { id: string; providerId: string; blob: string; expiresOn: number }[],
  ): Promise<void>;
  find(idHash: string): Promise<Session | undefined>;
  /** Sets the customer; false when another call opened it first. */
  open(row: {
    idHash: string;
    customerId: string;
    appId?: string;
    openedBy: string;
    openedReply: string;
    nodePubkey?: string;
    now: number;
    expiresOn: number;
  }): Promise<boolean>;
  touch(idHash: string, now: number, expiresOn: number): Promise<void>;
  /** The session of an owner whose orders outlive it. */
  ownsOrders(customerId: string, since: number): Promise<boolean>;
  findCustomer(by: { keyHash?: string; recoveryHash?: string }): Promise<{ byKey?: string; byRecovery?: string }>;
  createCustomer(row: { id: string; keyHash?: string; recoveryHash: string; now: number }): Promise<string>;
  linkKey(customerId: string, keyHash: string): Promise<boolean>;

  /** Wins or loses the right to open an upstream session: the row's id, or undefined when somebody else has a live row. */
  claimUpstream(row: { id: string; owner: string; providerId: string; now: number }): Promise<boolean>;
  findUpstream(owner: string, providerId: string): Promise<ProviderSession | undefined>;
  findUpstreamById(id: string): Promise<{ id: string; owner: string; providerId: string; blob?: string } | undefined>;
  saveUpstream(id: string, change: { blob: string; ready: boolean; expiresOn?: number }): Promise<void>;
  retireUpstream(id: string, now: number): Promise<void>;
};

export type StoredRoute = { id: string; customerId: string; sessionHash: string; ramp: Ramp; requestId: string; createdOn: number; route: Json };
export type RouteStore = {
  insert(route: StoredRoute): Promise<void>;
  /** Only the owner's. */
  find(id: string, customerId: string): Promise<StoredRoute | undefined>;
};

export type Intent = {
  id: string;
  quoteId: string;
  orderId: string;
  ramp: Ramp;
  customerId: string;
  providerId: string;
  providerSessionId?: string;
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
};
export type NewIntent = Omit<Intent, 'state' | 'attempt' | 'sentOn' | 'upstreamOrderId' | 'evidence' | 'answer'>;
export type IntentChange = Partial<Pick<Intent, 'state' | 'deadOn' | 'nextTryOn' | 'upstreamOrderId' | 'evidence' | 'answer' | 'knownBefore'>>;
export type Lease = { owner: string; seconds: number };

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
  expiresOn?: number;
  terms: { [key: string]: AnyJson };
  facts: { [key: string]: AnyJson };
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
    | 'facts'
    | 'terms'
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
  /** Confirms the intent, stores the order, its first event and its deliveries in one transaction. */
  confirm(id: string, owner: string, change: IntentChange, order: Order, event: OrderEvent, deliveries: NewDelivery[]): Promise<boolean>;
  claimDue(now: number, lease: Lease, limit: number): Promise<Intent[]>;
  claim(id: string, lease: Lease): Promise<Intent | undefined>;
  /** Unpayable and dead ones whose `nextTryOn` has come: to be looked at for money that should not be there. */
  claimWithheld(now: number, lease: Lease, limit: number): Promise<Intent[]>;
  /** `was`: only while this is still its answer. */
  changeWithheld(id: string, owner: string, change: IntentChange, was?: string): Promise<boolean>;
  wake(id: string, now: number): Promise<void>;
  earlierIn(providerSessionId: string): Promise<string[]>;
  /** The one whose outcome is not known yet: until it is, nothing else is placed in its upstream session. */
  unsettledIn(providerSessionId: string): Promise<Intent | undefined>;
  claimedUpstreamIds(providerId: string, ids: string[]): Promise<string[]>;
};

export type OrderStore = {
  find(id: string, customerId: string): Promise<Order | undefined>;
  findAny(id: string): Promise<Order | undefined>;
  list(customerId: string, ramp: Ramp | undefined, limit: number, changedSince?: number): Promise<Order[]>;
  /** Writes the change, its event (when the stage moved) and its deliveries in one transaction; false when `sequence` moved meanwhile. */
  advance(order: Pick<Order, 'id' | 'sequence'>, change: OrderChange, event: OrderEvent | undefined, deliveries: NewDelivery[]): Promise<boolean>;
  claimDue(now: number, lease: Lease, limit: number): Promise<Order[]>;
  wake(id: string, now: number): Promise<void>;
  /** A customer's orders at a provider with this amount that can still be paid and whose payment nothing else tells, also of a removed account. */
  payableByAmount(providerId: string, customerId: string, pay: bigint, now: number): Promise<{ id: string; network: unknown }[]>;
  /** The upstream payments and orders that a customer's orders at a provider stand for, by the provider's ids; `except` is left out. */
  explained(providerId: string, customerId: string, except?: string): Promise<{ upstreamIds: string[]; openAmounts: bigint[] }>;
};

export type Claim = {
  orderId: string;
  state: 'sending' | 'held' | 'review';
  attempt: number;
  fallback?: string;
  fallbackHash?: string;
  lnurl?: string;
  expiresOn?: number;
  createdOn: number;
  nextTryOn: number;
};
export type ClaimStore = {
  /** False when the order has a claim already. */
  create(claim: { orderId: string; fallback?: string; fallbackHash?: string; now: number }, lease: Lease): Promise<boolean>;
  find(orderId: string): Promise<Claim | undefined>;
  take(orderId: string, lease: Lease): Promise<Claim | undefined>;
  hold(orderId: string, owner: string, held: { lnurl: string; expiresOn?: number }): Promise<boolean>;
  change(orderId: string, owner: string, change: { state?: 'sending' | 'review'; attempt?: number; nextTryOn?: number }): Promise<boolean>;
  claimDue(now: number, lease: Lease, limit: number): Promise<Claim[]>;
};

export type StoredListing = { providerId: string; ramp: Ramp; listing: Json; readOn: number };
export type OptionNumber = { id: number; currencyId: number; currencyCode: string; normalName: string; name: string; ramp: Ramp };
export type CatalogueStore = {
  listings(): Promise<StoredListing[]>;
  saveListing(listing: StoredListing): Promise<void>;
  numbers(): Promise<OptionNumber[]>;
  /** Gives each its number, once and for ever, under a transaction lock. */
  number(wanted: { ramp: Ramp; currencyCode: string; normalName: string; name: string }[]): Promise<OptionNumber[]>;
};

export type NoticeStore = {
  record(
    notice: { id: string; providerId: string; purpose: string; targetId: string; genuine: boolean; receivedOn: number; body?: string },
    windowMs: number,
  ): Promise<'new' | 'counted'>;
  /** Sealed bodies of genuine notices about one target, the first ones first. */
  bodies(purpose: string, targetId: string): Promise<{ id: string; body: string }[]>;
  /** Whether a genuine notice about it came. */
  heard(targetId: string): Promise<boolean>;
};

export type IdempotencyStore = {
  begin(row: {
    caller: string;
    route: string;
    keyHash: string;
    fingerprint: string;
    now: number;
    leaseSeconds: number;
  }): Promise<{ state: 'begun' } | { state: 'running'; fingerprint: string } | { state: 'done'; fingerprint: string; answer: string }>;
  finish(row: { caller: string; route: string; keyHash: string; answer: string }): Promise<void>;
  abandon(row: { caller: string; route: string; keyHash: string }): Promise<void>;
};

export type Retention = {
  quotesBefore: number;
  sessionsBefore: number;
  noticesBefore: number;
  deliveriesBefore: number;
  idempotencyBefore: number;
  peopleBefore: number;
  operatorBefore: number;
};
export type Stores = {
  sessions: SessionStore;
  routes: RouteStore;
  intents: IntentStore;
  orders: OrderStore;
  claims: ClaimStore;
  accounts: AccountStore;
  liquidity: LiquidityStore;
  catalogue: CatalogueStore;
  notices: NoticeStore;
  deliveries: DeliveryStore;
  operator: OperatorStore;
  idempotency: IdempotencyStore;
  prune(before: Retention, limit: number): Promise<Record<string, number>>;
  /** A cheap round trip, and whether every migration is in. */
  check(): Promise<{ database: boolean; migrations: boolean }>;
};

// ---- the gateway -----------------------------------------------------------------------------------------------------------------------

/** State of one instance that outlives requests: caches, never truth. */
export type InstanceState = {
  /** Being stopped: it serves what comes and says that it is not ready. */
  leaving?: boolean;
  instance: string;
  listings: Map<string, { listing: Json | null; readOn: number; failed?: { reason: FaultKind; on: number } }>;
  numbers: OptionNumber[] | undefined;
  openBudget: Map<string, { windowStart: number; used: number }>;
  switches: SwitchState;
};

/** What is under way and may be shared by whoever wants the same: of the process on Node, of one request on Workers (no promise may cross requests there). */
export type Flights = {
  refreshing: Map<string, Promise<void>>;
  opening: Map<string, Promise<unknown>>;
  /** By order: the last look that a customer's question led to, also one that failed. */
  reading: Map<string, { on: number; order: Promise<Order> }>;
};

export type Gateway = {
  settings: Settings;
  providers: readonly Provider[];
  stores: Stores;
  seal: Seal;
  now: Clock;
  /** In [0, 1): jitter, never secrets. */
  random: () => number;
  ids: Ids;
  /** SHA-256, hex. */
  hash: (text: string) => string;
  log: Log;
  count: Count;
  observe: (name: string, labels: Record<string, string>, value: number) => void;
  /** Keeps running after the answer: a set awaited at SIGTERM on Node, ctx.waitUntil on Workers. */
  background: (work: Promise<unknown>) => void;
  /** Whether calls may outlive the answer (Node) or are cut (Workers). */
  runsOn: boolean;
  sleep: (ms: number) => Promise<void>;
  notices: { token(purpose: string, id: string): string; check(purpose: string, id: string, token: string): boolean };
  checkWebhookUrl: (url: string) => { ok: true; host: string } | { ok: false; reason: string };
  sender: Sender;
  signer: Signer;
  state: InstanceState;
  flights: Flights;
};
