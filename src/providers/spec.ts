/**
 * The interface between the gateway and every kind of provider. One module serves every provider of its kind; a provider's id is its key in
 * providers.config.yaml. Adapters keep no state, and get clock, environment and network only from `AdapterDeps`. They return a refusal as a value,
 * and throw a `ProviderFault` only if there is no usable answer.
 */
import type * as z from 'zod';
import type { CutSignal } from '../domain/cut.ts';
import type { Facts, Json, MatchedBy, ProviderOffer } from '../domain/offer.ts';
import type { Stage } from '../domain/order.ts';
import type { PayoutKind, PayoutTo } from '../domain/payout.ts';
import type { Ramp } from '../domain/ramp.ts';
import type { Refusal } from '../domain/refusal.ts';

// ---- network -------------------------------------------------------------------------------------------------------------------------

export type HttpRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  url: string;
  headers?: Readonly<Record<string, string>> | undefined;
  body?: string | undefined;
  signal: CutSignal;
  /** The largest response body that is accepted, in bytes. */
  maxBytes: number;
};
/** Header names are in lower case. Redirects are not followed: a 3xx is returned as it is. */
export type HttpResponse = { status: number; headers: Record<string, string>; body: Uint8Array };
/**
 * Sends a request. Throws a ProviderFault: `timeout`, `unreachable` (with `taken: 'no'` only if certainly nothing was sent), or `malformed`, for
 * example if the response is larger than `maxBytes` or compressed.
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** Writes a log line. `Field`: the names in the module's `logFields`. The provider's id is added to every line. */
type AdapterLog<Field extends string> = (level: 'debug' | 'info' | 'warn', event: string, fields?: { [field in Field]?: string | number | boolean }) => void;

export type AdapterDeps<LogField extends string = never> = {
  providerId: string;
  http: Http;
  now: () => number;
  newId: () => string;
  log: AdapterLog<LogField>;
  network: 'main' | 'test' | 'signet' | 'regtest';
  mode: 'sandbox' | 'live';
  /** The hosts to which a link that redeems an order may lead (`payout_hosts`). If absent, only the host of `base_url`. No other link is shown. */
  payoutHosts?: readonly string[];
  /** Returns the value of an environment variable that the block names (`*_env` settings). The value is never logged. */
  secret: (name: string) => string | undefined;
};

/**
 * What every call gets. `customer` is the opaque blob that this adapter last returned for the customer's account (sell, and buy with `byAccount`) or,
 * in all other cases, for the upstream session. The gateway stores the blob sealed.
 */
export type CallContext = {
  signal: CutSignal;
  /**
   * When the gateway may stop waiting for the answer, in Unix milliseconds. If the adapter has not answered by then, all that it has learnt is lost.
   * So an adapter that can answer without its last step gives that step less time.
   */
  endsOn?: number;
  requestId: string;
  /** The same for every try of one order attempt (intent). Sent to the provider if it has a field for it. */
  idempotencyKey?: string;
  /**
   * Which try of the order attempt this is, counted from 1. For providers where each try makes a new order. For a connection, 2 if it may have been
   * requested before.
   */
  attempt?: number;
  /** For a connection: when the customer asked for it. */
  requestedOn?: number;
  customer?: string;
  /** The customer's own public IPv4 address, if known. Some providers require it. */
  customerIp?: string;
  traceparent?: string;
};

/** `customer` replaces the stored blob when present. */
export type Answer<T> = ({ ok: true; value: T } | { ok: false; refusal: Refusal }) & { customer?: string };

// ---- what all ramps share ------------------------------------------------------------------------------------------------------------

/**
 * One way to pay (buy) or to be paid (sell). `minFiat` and `maxFiat` limit what the customer pays, fee included (buy), or receives (sell), in
 * hundredths of the fiat unit.
 */
export type CatalogueOption = {
  /** ISO 4217 upper case, or the provider's own word. */
  currency: string;
  /** The provider's own name for the option, e.g. "SEPA Instant". */
  name: string;
  /** The adapter's own notes, such as the provider's ids. */
  upstream: Json;
  /** The listed fee rate, in parts per million. */
  feePpm: number;
  minFiat?: bigint;
  maxFiat?: bigint;
};
export type Features = { quotes: boolean; estimates: boolean; on_chain_fallback: boolean; webhook: boolean };
export type Catalogue = { options: CatalogueOption[]; features: Features };

export type BuyQuoteRequest = { ramp: 'buy'; fixed: 'pay' | 'receive'; amount: bigint; option: CatalogueOption; country?: string };
export type SellQuoteRequest = {
  ramp: 'sell';
  fixed: 'pay' | 'receive';
  amount: bigint;
  option: CatalogueOption;
  network: 'lightning' | 'onchain';
  country?: string;
};
export type LiquidityProduct = 'recharge' | 'inbound' | 'turbo';
export type LiquidityQuoteRequest = {
  ramp: 'liquidity';
  product: LiquidityProduct;
  amountSats: bigint;
  payWith: string;
  leaseBlocks?: number;
  announce: boolean;
  firm: boolean;
  /** The session's proven node key in hex. Firm channel prices are only for this key. */
  nodePubkey?: string;
  refundOnchain?: string;
  /** The last price that the gateway has seen from this seller for the same terms, if any. */
  lastSeen?: { offer: Pick<ProviderOffer, 'pay' | 'receive' | 'fee'> & { facts: Facts }; observedOn: number };
};
export type QuoteRequest = BuyQuoteRequest | SellQuoteRequest | LiquidityQuoteRequest;

/** What the customer adds to the order. Each ramp uses its own members. */
export type OrderInputs = {
  /** buy: where the sats go. If the adapter pushes its payouts, always set, and of one of its `payoutKinds`. Other adapters ignore it. */
  payoutTo?: PayoutTo;
  /** recharge: the customer's own BOLT11 invoice. */
  invoice?: string;
  refundOnchain?: string;
  email?: string;
  /** sell: the connection to use, in the adapter's stored form. */
  connection?: Json;
  payWithBalance?: boolean;
};
/**
 * `mostPay`: the gateway withholds an order that asks for more. If the provider takes orders only once they are confirmed, such an order is not
 * confirmed.
 */
export type PlaceRequest = { quote: QuoteRequest; offer: ProviderOffer; inputs: OrderInputs; noticeUrl?: string; mostPay?: bigint };

/**
 * Payment instructions are only for the customer, and the gateway seals them. With `kind: 'fiat'`, the keys of `paymentDetails` are the adapter's
 * choice, and are shown unchanged. The other kinds, except `none`, hold the one value to pay to.
 */
export type PaymentInfo =
  | { kind: 'fiat'; paymentUrl?: string; paymentDetails?: Record<string, string> }
  | { kind: 'invoice'; value: string; amountSats: bigint }
  | { kind: 'lightning_address' | 'lnurl'; value: string; amountSats: bigint; minSats?: bigint; maxSats?: bigint }
  | { kind: 'onchain'; value: string; amountSats: bigint; bip21: string }
  | { kind: 'altcoin'; value: string; amountSats: bigint; altcoinAmount?: string; altcoinCode: string }
  /** There are no instructions to show. If the customer should be able to pay, `problem` says why there are none. */
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
  /** The currency and option that the provider named in its answer, if it named any. */
  echo?: { currency?: string; option?: string };
  /** sell: how the customer's payment is matched to the order. */
  matchedBy?: MatchedBy;
};

/** What one read said about one order. `stage` is absent for an unknown status: the order then usually keeps its stage. */
export type OrderEvidence = {
  upstreamOrderId?: string;
  stage?: Stage;
  rawStatus: string;
  pay?: bigint;
  receive?: bigint;
  fee?: bigint;
  /**
   * For a pushed order, `payout_id` or `payout_on` shows that the payout was made. For a payout to an invoice, only the invoice's
   * payment hash in `payout_id` shows it. Until the payout is shown, a pushed order's `filled` and `finished` count only as `paid`.
   */
  facts?: Facts;
  /** Set if the answer shows that money arrived, whatever the stage: a failure that only a paid order can have, or a payment next to a failure. */
  moneySeen?: true;
  /**
   * Set if the provider sees a payment that was made in time and has not arrived yet, or if there may be one that it cannot show yet. The order then
   * expires a day later than it otherwise would, unless a later read says otherwise.
   */
  arriving?: true;
  /**
   * Set if the payment in `facts.transaction_id` was matched to this order only by date and amount. The gateway refuses such a payment if another
   * order already has this payment, or if the payment's id is the id of another order. So a payment may share an id only with its own order, as at
   * Bringin; at DFX, payments and orders never share ids.
   */
  guessed?: true;
  /** The evidence without the payment in `facts.transaction_id`. The gateway uses it if that payment turns out to be another order's. */
  otherwise?: OrderEvidence;
  statusOn?: number;
  /** The latest time, in Unix milliseconds, at which the order or payment can have been made: the time that the provider states, plus some slack. */
  madeBy?: number;
  expiresOn?: number;
  /** The currency and option that the provider named, if it named any. */
  echo?: { currency?: string; option?: string };
  /** Bearer values that come with the status (redemption links). The gateway seals them, and never logs them. */
  secret?: Json;
};

/** What an adapter needs to know about an order to read or match it. */
export type FollowedOrder = {
  orderId: string;
  upstreamOrderId?: string;
  /** The `idempotencyKey` of the call that placed the order. After a lost answer, the call may have been repeated with the same key. */
  idempotencyKey?: string;
  createdOn: number;
  pay: bigint;
  receive: bigint;
  fee: bigint;
  expiresOn?: number;
  upstream: Json;
  facts: Facts;
  /**
   * If payments are matched by amount: takes the provider's ids of payments and orders, and returns those that belong to other orders of the
   * customer. A customer may have any number of orders, so the adapter asks about the few payments that could be this order's.
   */
  ofOthers?: (ids: readonly string[]) => Promise<readonly string[]>;
  /** sell, if payments are matched by amount: when the customer next sold the same amount. A payment from then on is more likely that sale's. */
  amountAgainOn?: number;
  /** liquidity, if the adapter sets `opensForNode`: the node key that the customer had proved when they ordered, in hex. */
  nodePubkey?: string;
  /** Whether an earlier read showed the whole payment. */
  paymentSeen?: boolean;
  /** buy, if the adapter pushes its payouts: where the sats go. Absent if we do not know, for example after a restore. */
  payoutTo?: PayoutTo;
};

type Verbs<Q extends QuoteRequest> = {
  quote(context: CallContext, request: Q): Promise<Answer<ProviderOffer>>;
  placeOrder(context: CallContext, request: PlaceRequest): Promise<Answer<PlacedOrder>>;
  /**
   * Reads evidence. With `order`: about that order; an empty list means that the provider does not know it. Without `order`: about every order of the
   * provider session.
   */
  readOrders(context: CallContext, order?: FollowedOrder): Promise<Answer<OrderEvidence[]>>;
};

// ---- buy -----------------------------------------------------------------------------------------------------------------------------

/** `proof` is the customer's signature over the token that beginSession returned. */
export type Proof = { signature: string; nodePubkey: string };
type BuyVerbs = Verbs<BuyQuoteRequest> & {
  /**
   * Set if prices and orders are made with the customer's account (`ProviderAdapter.accounts`) instead of an upstream session. `context.customer` is
   * then the account's blob, and is absent if a customer without a connected account asks for a price. The offer then names `account` in `requires`,
   * unless it can be ordered without an account. The gateway does not call beginSession or openSession of an adapter that sets this.
   */
  byAccount?: true;
  /** Reads the listing, in the gateway's own session at the provider. */
  catalogue(context: CallContext): Promise<Answer<Catalogue>>;
  /** Starts a session at the provider. A `token` means that the provider demands proof. openSession needs the blob that is returned as `customer`. */
  beginSession(context: CallContext): Promise<Answer<{ token?: string; expiresOn: number }>>;
  openSession(context: CallContext, proof?: Proof): Promise<Answer<{ expiresOn: number }>>;
};
/** The provider holds the sats until the customer withdraws them by LNURL. */
export type ClaimingBuyer = BuyVerbs & {
  payoutKinds?: undefined;
  /** Fetches the withdrawal link, an LNURL in upper-case bech32: bearer money. An unreadable expiry does not mean "no expiry". */
  claim(
    context: CallContext,
    request: { order: FollowedOrder; fallbackAddress?: string },
  ): Promise<Answer<{ lnurl: string; expiresOn?: number | 'unreadable' }>>;
};
/**
 * The provider sends the sats itself, to a destination that the order names (docs/decisions/2026-11-29-pushed-payouts.md). Its prices are shown only
 * to customers who said that they can name a destination of one of `payoutKinds`. A pushed order is `paid` when the money has arrived, `filled` when
 * the provider's answer shows that the payout has begun, and `finished` when it shows that the payout was made (see `facts` in OrderEvidence). If the
 * payout failed or hangs, the order is never `finished`: it is `review` with `moneySeen`, or stays `paid` or `filled`.
 */
export type PushingBuyer = BuyVerbs & {
  claim?: undefined;
  /** The kinds of destination that the provider pays. */
  payoutKinds: readonly [PayoutKind, ...PayoutKind[]];
};
/** Exactly one of the two ways to hand over the sats: an adapter with neither, or with both, does not compile. */
export type BuyAdapter = ClaimingBuyer | PushingBuyer;

// ---- accounts ------------------------------------------------------------------------------------------------------------------------

/** What a customer may be asked for when an account is started, under the names of the API. */
export type AccountMember = 'email' | 'phone' | 'payout_to' | 'terms_accepted';
/** What an account still needs from its customer: a member of the request that starts it, or the code that was sent to them. */
export type AccountNeed = AccountMember | 'code';

/**
 * What is known when an account is started, or when the start is repeated with what was missing. Of the customer's data, it holds only members that
 * the adapter `takes`. `email` is in lower case. `termsAccepted` is present only if the customer has accepted the terms at `AccountState.termsUrl`.
 */
export type AccountRequest = { email?: string; phone?: string; payoutTo?: PayoutTo; termsAccepted?: true; ref: string; noticeUrl?: string };

export type AccountState = {
  status: 'onboarding' | 'pending' | 'connected' | 'rejected' | 'needs_reconnect';
  /** Where the customer signs up or identifies themselves. It may be a bearer link: the gateway seals it, and shows it only to its customer. */
  signupUrl?: string;
  mailSent?: boolean;
  /** The provider's id of the user. With it, the gateway keeps other customers out of this account, and finds the account that a notice is about. */
  userId?: string;
  /** What is still missing before the account can be connected. `code`: the provider has sent a code, or sends one when `codes.send` is called. */
  needs?: AccountNeed[];
  /** The terms that the customer must accept. Shown while `needs` names `terms_accepted`. */
  termsUrl?: string;
  /** How the code of `needs` was sent, if it was sent. */
  codeSentBy?: 'mail' | 'sms';
  codeExpiresOn?: number;
  attemptsLeft?: number;
};

/** A customer's accounts at a provider. One account serves all ramps of the provider. */
export type AccountAdapter = {
  /** What startAccount takes. The gateway passes on nothing else. */
  takes: readonly AccountMember[];
  /**
   * The member by which the provider recognises a user. Calls with the same value lead to one account, which serves one customer of the gateway only.
   */
  knownBy: 'email' | 'payout_to';
  /** Hosts of the provider's pages for signing up and of its terms, in addition to `payment_hosts`. */
  pageHosts?: readonly string[];
  /** Starts, continues or recovers an account. The per-user key is kept in the `customer` blob. */
  startAccount(context: CallContext, request: AccountRequest): Promise<Answer<AccountState>>;
  readAccount(context: CallContext): Promise<Answer<AccountState>>;
  /** Checks a key that the customer pasted, before it is stored. Absent if users of the provider have no such key. */
  adoptKey?(context: CallContext, request: { key: string }): Promise<Answer<AccountState>>;
  /** Codes by mail or SMS, with which an account that `needs` a code is confirmed. Absent if the provider sends none. */
  codes?: {
    /** Asks the provider to send a code, or another one. Refuses with the note `resend-refused` if the provider sends no further code for now. */
    send(context: CallContext): Promise<Answer<AccountState>>;
    /** Hands in the code that was sent. The gateway allows few tries; a code is never logged or stored. */
    confirm(context: CallContext, code: string): Promise<Answer<AccountState> | { ok: 'code-wrong'; attemptsLeft?: number } | { ok: 'code-expired' }>;
  };
};

// ---- sell ----------------------------------------------------------------------------------------------------------------------------

export type ConnectionState = {
  upstreamId: string;
  name: string;
  direction: 'sell' | 'buy';
  network: 'lightning' | 'onchain';
  status: 'initiating' | 'code_required' | 'active' | 'failed' | 'expired' | 'inactive';
  /** Ids that the customer never sees (challenge, standing order). */
  upstream: Json;
  codeExpiresOn?: number;
  attemptsLeft?: number;
  failure?: string;
  /** The provider still has this failed connection, and may pay by it. So it is read again, and the customer can end it. */
  stillThere?: true;
  lightningAddress?: string;
  depositAddress?: string;
  /** The known addresses of a connection that nobody may pay now. They are never shown. */
  withheld?: Addresses;
  depositIban?: string;
  iban?: string;
  createdOn?: number;
};
type Addresses = { lightningAddress?: string; depositAddress?: string };
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
export type SellTransaction = {
  upstreamId: string;
  /** The provider's id of the payment itself, if `upstreamId` is the id of the order to which the provider has linked the payment. */
  paymentId?: string;
  stage?: Stage;
  rawStatus: string;
  kind: string;
  pay?: bigint;
  receive?: bigint;
  createdOn: number;
};
export type SellAdapter = Verbs<SellQuoteRequest> & {
  catalogue(context: CallContext): Promise<Answer<Catalogue>>;
  balance(context: CallContext): Promise<Answer<{ currency: string; amountFiat: bigint }>>;
  transactions(context: CallContext, request: { since?: number; limit: number }): Promise<Answer<SellTransaction[]>>;
  connections?: {
    create(context: CallContext, request: ConnectionRequest): Promise<Answer<ConnectionState>>;
    /** Returns whether a text has the form of the provider's codes. With any other text, `confirm` makes no call. Absent if there are no codes. */
    isCode?(code: string): boolean;
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
  /** Set if a firm price needs an order at the seller. The gateway then limits, stores and reuses firm quotes. */
  pricesByOrder?: boolean;
  /** Set if reads need the proven node key, because the adapter itself asks for the channel of a paid order to be opened. */
  opensForNode?: boolean;
  catalogue(context: CallContext): Promise<Answer<LiquidityListing[]>>;
  /** Returns what redeems a filled order: bearer secrets. */
  redemption?(evidence: OrderEvidence): { lnurl?: string; link?: string; rebuilt?: boolean } | undefined;
};

// ---- the module ----------------------------------------------------------------------------------------------------------------------

/** What a notice seems to be about: an order of any ramp, or a user. Only a hint of what to read, since anybody may have written the notice. */
export type NoticeHint = { upstreamOrderId: string } | { userId: string };
/** How to read the notices of a provider that sends all of them to one URL. */
export type NoticeReader = {
  /** Returns the orders and users that the body names. Never throws. */
  hints(body: string): NoticeHint[];
  /** The header, in lower case, with which the provider sends a key that the operator has agreed with it. Notices without it count as forged. */
  key?: { header: string; value: string };
};

export type ProviderAdapter = {
  buy?: BuyAdapter;
  sell?: SellAdapter;
  liquidity?: LiquidityAdapter;
  accounts?: AccountAdapter;
  notices?: NoticeReader;
};

export type ProviderModule<S extends z.ZodType = z.ZodType, LogField extends string = string> = {
  /** The name of the folder, and the `kind` in the configuration. */
  kind: string;
  ramps: readonly Ramp[];
  /**
   * Whether a provider with these settings can give prices but make no orders, for example because it has no key. It may then be `shadow` or `off`,
   * never `on`: nobody is shown an offer that cannot be ordered.
   */
  pricesOnly?: (settings: z.output<S>) => boolean;
  /** The module's own settings: every member of its block that the gateway does not read itself. Strict. */
  settings: S;
  /** Whether a provider with these settings demands proof of node ownership. */
  demandsProof?: (settings: z.output<S>) => boolean;
  /** The names of the fields that the adapter may log; other names do not compile. The fields must not say anything about a customer. */
  logFields?: readonly LogField[];
  create(deps: AdapterDeps<LogField>, settings: z.output<S>): ProviderAdapter;
};

export const defineProvider = <S extends z.ZodType, LogField extends string = never>(module: ProviderModule<S, LogField>): ProviderModule<S, LogField> =>
  module;
