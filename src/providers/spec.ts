/**
 * The seam between the gateway and every kind of provider. One module serves many registered providers; the provider id is the key in
 * providers.config.yaml. Adapters keep no state of their own, read no clock, environment or network but what `AdapterDeps` hands them, and
 * answer in values: refusals are data, a `ProviderFault` is thrown when the provider could not answer.
 */
import type { z } from 'zod';
import type { Facts, Json, MatchedBy, ProviderOffer } from '../domain/offer.ts';
import type { Stage } from '../domain/order.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Refusal } from '../domain/refusal.ts';

// ---- network -------------------------------------------------------------------------------------------------------------------------

export type HttpRequest = {
  method: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  body?: string;
  signal: AbortSignal;
  /** Cap on decoded bytes; the answer is refused beyond it. */
  maxBytes: number;
};
/** Header names are lower case. Redirects are never followed: a 3xx comes back as it is. */
export type HttpResponse = { status: number; headers: Record<string, string>; body: Uint8Array };
/** Throws ProviderFault `timeout` | `unreachable` (with `taken: 'no'` only when no byte can have left) | `malformed` (over the cap, encoded). */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** `Field`: the module's own `logFields`. The provider's id is added to every line. */
type AdapterLog<Field extends string> = (level: 'debug' | 'info' | 'warn', event: string, fields?: { [field in Field]?: string | number | boolean }) => void;

export type AdapterDeps<LogField extends string = never> = {
  providerId: string;
  http: Http;
  now: () => number;
  newId: () => string;
  log: AdapterLog<LogField>;
  network: 'main' | 'test' | 'signet' | 'regtest';
  mode: 'sandbox' | 'live';
  /** The value of an environment variable that the block names (`*_env` settings). Never logged. */
  secret: (name: string) => string | undefined;
};

/** What every call gets. `customer` is the opaque blob this adapter returned last for this (owner, provider); kept sealed by the gateway. */
export type CallContext = {
  signal: AbortSignal;
  requestId: string;
  /** The same for every attempt of one placing; sent upstream where the provider has a field for it. */
  idempotencyKey?: string;
  /** Which sending of this placing it is, from 1. For providers where every sending is an order of its own. */
  attempt?: number;
  customer?: string;
  /** The customer's own public IPv4, only where known; some providers want it. */
  customerIp?: string;
  traceparent?: string;
};

/** `customer` replaces the stored blob when present. */
export type Answer<T> = ({ ok: true; value: T } | { ok: false; refusal: Refusal }) & { customer?: string };

// ---- what all ramps share ------------------------------------------------------------------------------------------------------------

/** One way to pay (buy) or to be paid (sell), with outward limits: what the customer pays, fee included, in hundredths of the fiat unit. */
export type CatalogueOption = {
  /** ISO 4217 upper case, or the provider's own word. */
  currency: string;
  /** The provider's own name for it, e.g. "SEPA Instant". */
  name: string;
  /** The adapter's own notes (upstream ids …). */
  upstream: Json;
  /** Parts per million of the total. */
  feePpm: number;
  minFiat?: bigint;
  maxFiat?: bigint;
};
export type Features = { quotes: boolean; estimates: boolean; on_chain_fallback: boolean; webhook: boolean };
export type Catalogue = { options: CatalogueOption[]; features: Features };

export type BuyQuoteRequest = { ramp: 'buy'; fixed: 'pay' | 'receive'; amount: bigint; option: CatalogueOption; country?: string };
export type SellQuoteRequest = { ramp: 'sell'; fixed: 'pay' | 'receive'; amount: bigint; option: CatalogueOption; network: 'lightning' | 'onchain' };
export type LiquidityProduct = 'recharge' | 'inbound' | 'turbo';
export type LiquidityQuoteRequest = {
  ramp: 'liquidity';
  product: LiquidityProduct;
  amountSats: bigint;
  payWith: string;
  leaseBlocks?: number;
  announce: boolean;
  firm: boolean;
  /** The session's proven node key, hex; firm channel prices are asked for it and for nothing else. */
  nodePubkey?: string;
  refundOnchain?: string;
  /** The last price seen for this seller, product, size and lease, if the gateway has one. */
  lastSeen?: { offer: Pick<ProviderOffer, 'pay' | 'receive' | 'fee'> & { facts: Facts }; observedOn: number };
};
export type QuoteRequest = BuyQuoteRequest | SellQuoteRequest | LiquidityQuoteRequest;

/** What the customer adds when ordering; each ramp uses its own members. */
export type OrderInputs = {
  /** recharge: the customer's own BOLT11 invoice. */
  invoice?: string;
  refundOnchain?: string;
  email?: string;
  /** sell: the connection to use, as the adapter stored it. */
  connection?: Json;
  payWithBalance?: boolean;
};
export type PlaceRequest = { quote: QuoteRequest; offer: ProviderOffer; inputs: OrderInputs; noticeUrl?: string };

/**
 * Payment instructions are shown to the customer and to nobody else; the gateway seals them. `kind: 'fiat'` passes the provider's keys
 * through; the other kinds carry the one value to pay to.
 */
export type PaymentInfo =
  | { kind: 'fiat'; paymentUrl?: string; paymentDetails?: Record<string, string> }
  | {
      kind: 'invoice' | 'lightning_address' | 'lnurl' | 'onchain' | 'altcoin';
      value: string;
      amountSats?: bigint;
      minSats?: bigint;
      maxSats?: bigint;
      bip21?: string;
      altcoinAmount?: string;
      altcoinCode?: string;
    }
  /** Nothing to pay by. `problem`: there may be, but it could not be read or shown whole, and so is shown to nobody. */
  | { kind: 'none'; problem?: string };

export type PlacedOrder = {
  upstreamOrderId?: string;
  stage: Stage;
  rawStatus?: string;
  pay: bigint;
  receive: bigint;
  fee: bigint;
  expiresOn?: number;
  paymentInfo: PaymentInfo;
  facts?: Facts;
  /** What must be echoed and was: currency and option the provider named. */
  echo?: { currency?: string; option?: string };
  /** sell: how a payment is recognised later. */
  matchedBy?: MatchedBy;
};

/** What one read said of one order. `stage` absent: an unknown word, still pending. */
export type OrderEvidence = {
  upstreamOrderId?: string;
  stage?: Stage;
  rawStatus: string;
  pay?: bigint;
  receive?: bigint;
  fee?: bigint;
  statusOn?: number;
  expiresOn?: number;
  /** The provider named another currency or option than ordered. */
  echo?: { currency?: string; option?: string };
  facts?: Facts;
  /** Bearer values that arrive with the status (redemption links); sealed by the gateway, never logged. */
  secret?: Json;
};

/** An order as an adapter needs to know it for a read or a match. */
export type FollowedOrder = {
  orderId: string;
  upstreamOrderId?: string;
  createdOn: number;
  pay: bigint;
  receive: bigint;
  fee: bigint;
  expiresOn?: number;
  upstream: Json;
  facts: Facts;
  /** sell, matched by its amount: the provider's ids of payments and orders that other orders of the account stand for. */
  others?: readonly string[];
};

type Verbs<Q extends QuoteRequest> = {
  quote(context: CallContext, request: Q): Promise<Answer<ProviderOffer>>;
  placeOrder(context: CallContext, request: PlaceRequest): Promise<Answer<PlacedOrder>>;
  /** With `order`: evidence on that order (none = the provider does not know it). Without: every order of the upstream session. */
  readOrders(context: CallContext, order?: FollowedOrder): Promise<Answer<OrderEvidence[]>>;
};

// ---- buy -----------------------------------------------------------------------------------------------------------------------------

/** `proof` is the customer's signature over the token that beginSession returned. */
export type Proof = { signature: string; nodePubkey: string };
export type BuyAdapter = Verbs<BuyQuoteRequest> & {
  /** The listing in the gateway's own upstream session. */
  catalogue(context: CallContext): Promise<Answer<Catalogue>>;
  /** Starts an upstream session; a `token` means that the provider demands proof. The blob in `customer` is needed by openSession. */
  beginSession(context: CallContext): Promise<Answer<{ token?: string; expiresOn: number }>>;
  openSession(context: CallContext, proof?: Proof): Promise<Answer<{ expiresOn: number }>>;
  /** Bearer money: the LNURL in upper-case bech32. An end that cannot be read is not "no end". */
  claim(
    context: CallContext,
    request: { order: FollowedOrder; fallbackAddress?: string },
  ): Promise<Answer<{ lnurl: string; expiresOn?: number | 'unreadable' }>>;
};

// ---- sell ----------------------------------------------------------------------------------------------------------------------------

export type AccountState = {
  status: 'onboarding' | 'pending' | 'connected' | 'rejected' | 'needs_reconnect';
  signupUrl?: string;
  mailSent?: boolean;
  userId?: string;
};
export type ConnectionState = {
  upstreamId: string;
  name: string;
  direction: 'sell' | 'buy';
  network: 'lightning' | 'onchain';
  status: 'initiating' | 'code_required' | 'active' | 'failed' | 'expired' | 'inactive';
  /** Ids the customer never sees (challenge, standing order). */
  upstream: Json;
  codeExpiresOn?: number;
  attemptsLeft?: number;
  failure?: string;
  lightningAddress?: string;
  depositAddress?: string;
  depositIban?: string;
  iban?: string;
  createdOn?: number;
};
export type ConnectionRequest = {
  name: string;
  direction: 'sell' | 'buy';
  network: 'lightning' | 'onchain';
  iban?: string;
  bic?: string;
  beneficiaryName?: string;
  lightningUsername?: string;
  destinationAddress?: string;
};
export type SellTransaction = { upstreamId: string; stage?: Stage; rawStatus: string; kind: string; pay?: bigint; receive?: bigint; createdOn: number };
export type SellAdapter = Verbs<SellQuoteRequest> & {
  catalogue(context: CallContext): Promise<Answer<Catalogue>>;
  /** Idempotent per e-mail: starts or recovers. The per-user key lives in the `customer` blob. */
  startAccount(context: CallContext, request: { email: string; ref: string; noticeUrl?: string }): Promise<Answer<AccountState>>;
  readAccount(context: CallContext): Promise<Answer<AccountState>>;
  /** The customer pasted a key; it is checked before it is kept. */
  adoptKey(context: CallContext, request: { key: string }): Promise<Answer<AccountState>>;
  balance(context: CallContext): Promise<Answer<{ currency: string; amountFiat: bigint }>>;
  transactions(context: CallContext, request: { since?: number; limit: number }): Promise<Answer<SellTransaction[]>>;
  connections?: {
    create(context: CallContext, request: ConnectionRequest): Promise<Answer<ConnectionState>>;
    confirm(
      context: CallContext,
      connection: ConnectionState,
      code: string,
    ): Promise<Answer<ConnectionState> | { ok: 'code-wrong'; attemptsLeft?: number } | { ok: 'code-expired' }>;
    resend(context: CallContext, connection: ConnectionState): Promise<Answer<ConnectionState>>;
    read(context: CallContext, connection: ConnectionState): Promise<Answer<ConnectionState>>;
    list(context: CallContext): Promise<Answer<ConnectionState[]>>;
    cancel(context: CallContext, connection: ConnectionState): Promise<Answer<ConnectionState>>;
  };
};

// ---- liquidity -----------------------------------------------------------------------------------------------------------------------

export type LiquidityListing = {
  product: LiquidityProduct;
  minSats: bigint;
  maxSats: bigint;
  stepSats: bigint;
  payWith: string[];
  maxLeaseBlocks?: number;
  peers: string[];
};
export type LiquidityAdapter = Verbs<LiquidityQuoteRequest> & {
  /** A firm price exists only by creating an order: firm quotes are counted, kept and used again. */
  pricesByOrder?: boolean;
  /** Which order a notice is about, from its body: a hint what to read, nothing more. Never throws. */
  noticeHint?(body: string): string | undefined;
  catalogue(context: CallContext): Promise<Answer<LiquidityListing[]>>;
  /** What to redeem with, once filled; bearer secrets. */
  redemption?(evidence: OrderEvidence): { lnurl?: string; link?: string; rebuilt?: boolean } | undefined;
};

// ---- the module ----------------------------------------------------------------------------------------------------------------------

export type ProviderAdapter = { buy?: BuyAdapter; sell?: SellAdapter; liquidity?: LiquidityAdapter };

export type ProviderModule<S extends z.ZodType = z.ZodType, LogField extends string = string> = {
  /** Equals the folder's name and the `kind` in the configuration. */
  kind: string;
  ramps: readonly Ramp[];
  /** The module's own settings: every member of its block that the gateway itself does not read. Strict. */
  settings: S;
  /** Whether a customer's proof of node ownership is demanded by a provider with these settings. */
  demandsProof?: (settings: z.output<S>) => boolean;
  /** What its adapter may put into a log line: another name does not compile. Never anything of a customer's. */
  logFields?: readonly LogField[];
  create(deps: AdapterDeps<LogField>, settings: z.output<S>): ProviderAdapter;
};

export const defineProvider = <S extends z.ZodType, LogField extends string = never>(module: ProviderModule<S, LogField>): ProviderModule<S, LogField> =>
  module;
