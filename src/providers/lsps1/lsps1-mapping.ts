/** Maps a seller's answers to the gateway's words. Pure: no clock, no network. */
import { checkPayoutAddress, isBareAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { withoutLightningScheme, readBitcoinLink } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry } from '../../bitcoin/bolt11.ts';
import type { Facts, Json, ProviderOffer } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import { mostPeers, peersIn, torLast, warningsFor, type PayWith } from '../kit/channel-order.ts';
import type { End } from '../kit/read-time.ts';
import { satsOfMsat } from '../kit/wire-values.ts';
import type { FollowedOrder, LiquidityListing, LiquidityQuoteRequest, OrderEvidence } from '../spec.ts';
import type { Settings } from './lsps1-settings.ts';
import type { InfoWire, OrderWire, PaymentWire } from './lsps1-wire.ts';

/** What the gateway stores with an offer for this adapter. An estimate has no order yet, so no `order_id`. `free`: nothing has to be paid. */
export type Notes = { pay_with: PayWith; /** Absent in orders of earlier releases. */ announce?: boolean; order_id?: string; free?: true };

const least = (...amounts: (bigint | undefined)[]): bigint =>
  amounts.reduce<bigint>((found, one) => (one !== undefined && one < found ? one : found), 2_100_000_000_000_000n);
const most = (...amounts: (bigint | undefined)[]): bigint => amounts.reduce<bigint>((found, one) => (one !== undefined && one > found ? one : found), 0n);

// ---- get_info --------------------------------------------------------------------------------------------------------------------------

type Range = { minSats: bigint; maxSats: bigint };

/**
 * Returns the amounts on sale. Inbound: the amount is on the seller's side, and nothing on the customer's. Turbo: the same amount on both sides,
 * within the channel's limits.
 */
export const rangeOf = (info: InfoWire, product: LiquidityQuoteRequest['product']): Range | undefined => {
  const [minLsp, maxLsp] = [most(1n, info.min_initial_lsp_balance_sat), info.max_initial_lsp_balance_sat];
  const [minClient, maxClient] = [info.min_initial_client_balance_sat ?? 0n, info.max_initial_client_balance_sat ?? 0n];
  const [minChannel, maxChannel] = [info.min_channel_balance_sat ?? 0n, info.max_channel_balance_sat];
  if (product === 'recharge' || (product === 'inbound' && minClient > 0n)) return undefined;
  const range =
    product === 'inbound'
      ? { minSats: most(minLsp, minChannel), maxSats: least(maxLsp, maxChannel) }
      : {
          minSats: most(minLsp, minClient, (minChannel + 1n) / 2n),
          maxSats: least(maxLsp, maxClient, maxChannel === undefined ? undefined : maxChannel / 2n),
        };
  return range.minSats <= range.maxSats ? range : undefined;
};

/** Returns the node's addresses as `pubkey@host:port`, the configured one first and Tor's last, or the bare key if no address is known. */
export const peersOf = (info: InfoWire, settings: Settings): string[] => {
  const key = [info.public_key, info.pubkey].filter((one): one is string => typeof one === 'string' && /^0[23][0-9a-f]{64}$/i.test(one)).slice(0, 1);
  const known = [...(settings.peer === undefined ? [] : [settings.peer]), ...torLast(peersIn(info.uris))];
  return known.length > 0 ? [...new Set(known)].slice(0, mostPeers) : key;
};

const maxLease = (info: InfoWire, settings: Settings): number | undefined => {
  const bounds = [info.max_channel_expiry_blocks, settings.max_lease_blocks].filter((one) => one !== undefined);
  return bounds.length > 0 ? Math.min(...bounds) : undefined;
};

export const toListings = (info: InfoWire, settings: Settings): LiquidityListing[] => {
  const lease = maxLease(info, settings);
  return (['inbound', 'turbo'] as const).flatMap((product) => {
    const range = rangeOf(info, product);
    if (!range) return [];
    const shared = { payWith: [...settings.pay_with], peers: peersOf(info, settings), ...(lease === undefined ? {} : { maxLeaseBlocks: lease }) };
    return [{ product, ...range, stepSats: 1n, ...shared }];
  });
};

// ---- create_order ----------------------------------------------------------------------------------------------------------------------

export const payWithOf = (word: string, settings: Settings): PayWith | undefined => settings.pay_with.find((one) => one === word);

/** Returns a refusal if this seller's configuration already rules the request out, so that the seller need not be asked. */
export const refusedOutright = (request: LiquidityQuoteRequest, settings: Settings): Refusal | undefined => {
  if (request.product === 'recharge') return { reason: 'option-unsupported' };
  if (payWithOf(request.payWith, settings) === undefined) return { reason: 'payment-method-unsupported' };
  if (request.leaseBlocks !== undefined && settings.max_lease_blocks !== undefined && request.leaseBlocks > settings.max_lease_blocks)
    return { reason: 'lease-unsupported' };
  return undefined;
};

export type OrderTerms = {
  lspSats: bigint;
  clientSats: bigint;
  leaseBlocks: number;
  announce: boolean;
  /** Whether a coupon is sent with the order. A coupon may make the channel free. */
  hasToken: boolean;
  /** Where the seller sends the money back if it opens no channel. */
  refundOnchain?: string;
  body: { [key: string]: Json };
};

/** Returns the body of create_order, or a refusal if get_info already shows that the seller would refuse it. */
export const toOrderTerms = (
  request: LiquidityQuoteRequest & { nodePubkey: string },
  info: InfoWire,
  settings: Settings,
  given: { token?: string; refundOnchain?: string },
): { terms: OrderTerms } | { refusal: Refusal } => {
  const range = rangeOf(info, request.product);
  if (!range) return { refusal: { reason: 'option-unsupported' } };
  const limits = { minReceive: range.minSats, maxReceive: range.maxSats };
  if (request.amountSats < range.minSats) return { refusal: { reason: 'below-minimum', limits } };
  if (request.amountSats > range.maxSats) return { refusal: { reason: 'above-maximum', limits } };
  const longest = maxLease(info, settings);
  const leaseBlocks = request.leaseBlocks ?? Math.min(settings.default_lease_blocks, longest ?? settings.default_lease_blocks);
  if (longest !== undefined && leaseBlocks > longest) return { refusal: { reason: 'lease-unsupported' } };
  if (request.payWith === 'onchain' && given.refundOnchain === undefined)
    return { refusal: { reason: 'payment-method-unsupported', note: 'refund-address-required' } };
  const clientSats = request.product === 'turbo' ? request.amountSats : 0n;
  const confirmations = request.announce ? settings.public_channel_confirmations : settings.channel_confirmations;
  const body = {
    public_key: request.nodePubkey,
    lsp_balance_sat: request.amountSats.toString(),
    client_balance_sat: clientSats.toString(),
    required_channel_confirmations: Math.max(confirmations, info.min_required_channel_confirmations ?? 0),
    funding_confirms_within_blocks: Math.max(settings.funding_confirms_within_blocks, info.min_funding_confirms_within_blocks ?? 1),
    channel_expiry_blocks: leaseBlocks,
    announce_channel: request.announce,
    // The public clients that we know send this member, nearly always empty, so sellers accept it.
    token: given.token ?? '',
    ...(given.refundOnchain === undefined ? {} : { refund_onchain_address: given.refundOnchain }),
  };
  const { announce } = request;
  const refund = given.refundOnchain === undefined ? {} : { refundOnchain: given.refundOnchain };
  return { terms: { lspSats: request.amountSats, clientSats, leaseBlocks, announce, hasToken: body.token !== '', ...refund, body } };
};

// ---- the order -------------------------------------------------------------------------------------------------------------------------

const longestWord = 64;
const wordOf = (text: string | undefined): string => (text ?? '').slice(0, longestWord).toUpperCase();
/**
 * Normalises a state word in upper case: removes the prefix that names its type (`ORDER_STATE_`), and separates its words by `_` (EXPECT-PAYMENT,
 * EXPECTPAYMENT).
 */
const bare = (word: string): string =>
  word
    .replaceAll(/[^A-Z\d]+/g, '_')
    .replace(/^(?:LSPS1_)?(?:ORDER|PAYMENT)_STATE_/, '')
    .replace(/^EXPECTPAYMENT$/, 'EXPECT_PAYMENT');
const stateOf = (wire: PaymentWire | undefined): string => wordOf(wire?.state ?? wire?.payment_state ?? wire?.status);
/** Returns the order's state. `status` may also say how the call went, so it counts only if it is a known word for a state. */
const orderStateOf = ({ order_state, state, status }: OrderWire): string => {
  const told = order_state ?? state;
  return told === undefined && !orderWords.has(bare(wordOf(status))) ? '' : wordOf(told ?? status);
};
const statesOf = ({ ways }: OrderWire): string[] => [ways.lightning, ways.onchain].map(stateOf).filter((word) => word !== '');
const endOf = (order: OrderWire, wire: PaymentWire | undefined): End =>
  wire?.expires_at ?? wire?.expires_on ?? wire?.expires ?? wire?.expiry ?? wire?.expiration ?? order.expires_at;

const msats = (msat: bigint | undefined): bigint | undefined => (msat === undefined ? undefined : satsOfMsat(msat));
const feeOf = (wire: PaymentWire): bigint | undefined =>
  wire.fee_total_sat ?? wire.total_fee_sat ?? wire.fee_sat ?? msats(wire.fee_total_msat ?? wire.total_fee_msat ?? wire.fee_msat);
const totalOf = (wire: PaymentWire): bigint | undefined =>
  wire.order_total_sat ?? wire.total_sat ?? wire.amount_sat ?? msats(wire.order_total_msat ?? wire.total_msat ?? wire.amount_msat);

type Totals = { pay: bigint; receive: bigint; fee: bigint };
/**
 * Checks that order_total = fee + client balance, as far as these are stated. Returns `contradictory` if they contradict one another, and undefined
 * if there is neither a total nor a fee nor `asked`, the invoice's amount.
 */
const totalsOf = (wire: PaymentWire, client: bigint, asked?: bigint): Totals | 'contradictory' | undefined => {
  const fee = feeOf(wire);
  const total = totalOf(wire) ?? (fee === undefined ? asked : fee + client);
  if (total === undefined) return undefined;
  if (client < 0n || total < client || total < 0n || (fee !== undefined && (fee < 0n || total !== fee + client))) return 'contradictory';
  return { pay: total, receive: client, fee: total - client };
};

/** Without `payTo` the channel is free: there is nothing to pay. */
export type Made = Totals & { orderId: string; leaseBlocks: number; payTo?: string; expiresOn: number; rawStatus: string };
export type Checks = { network: BitcoinNetwork; now: number; settings: Settings };

/**
 * Accepts a new order that matches the request and can be paid, or is free. Refuses an order that is not what was asked for: the seller omitted the
 * requested way to pay, leaves too little time for a payment on chain, announces a channel that should be private (or the reverse), or ended the
 * order at once. Throws `malformed` for an order that contradicts the request or itself, or that cannot be paid.
 */
export const toMade = (order: OrderWire, terms: OrderTerms, payWith: PayWith, checks: Checks): { made: Made } | { refusal: Refusal } => {
  if ((order.lsp_balance_sat ?? terms.lspSats) !== terms.lspSats || (order.client_balance_sat ?? terms.clientSats) !== terms.clientSats)
    throw new ProviderFault('malformed', "the order's balances differ from those requested");
  // An announced channel makes a private node public, and that cannot be undone.
  if ((order.announce_channel ?? terms.announce) !== terms.announce) return { refusal: { reason: 'option-unsupported' } };
  const wire = order.ways[payWith];
  const state = stateOf(wire);
  const stage = stageOf(bare(orderStateOf(order)), bare(state), statesOf(order).map(bare), payWith, false);
  if (stage !== undefined && ended.has(stage)) return { refusal: { reason: 'declined' } };
  const payTo = wire && payToOf(wire, payWith, checks.network);
  const totals = wire && totalsOf(wire, terms.clientSats, payTo === undefined ? undefined : askedBy(payTo, payWith));
  if (totals === 'contradictory') throw new ProviderFault('malformed', 'order_total_sat is not the sum of fee_total_sat and client_balance_sat');
  const ends = endOf(order, wire);
  const onchainLifeMs = checks.settings.onchain_life_s * 1000;
  const inCommon = { orderId: order.order_id, leaseBlocks: order.channel_expiry_blocks ?? terms.leaseBlocks, rawStatus: rawStatusOf(order, state) };
  if (isFree(order, terms, stage, totals)) {
    if (payTo !== undefined && (askedBy(payTo, payWith) ?? 0n) > 0n) throw new ProviderFault('malformed', 'the order is free, but has an invoice to pay');
    return { made: { ...inCommon, pay: 0n, receive: 0n, fee: 0n, expiresOn: typeof ends === 'number' ? ends : checks.now + onchainLifeMs } };
  }
  if (stage === 'paid' || stage === 'finished') throw new ProviderFault('malformed', 'the new order is said to be paid already');
  if (payTo === undefined || totals === undefined) return { refusal: { reason: 'payment-method-unsupported' } };
  const endsOn = payWith === 'lightning' ? invoiceEnd(payTo, totals.pay, ends, checks) : (addressEnd(payTo, ends, checks) ?? checks.now + onchainLifeMs);
  if (wire) contradictLink(wire, totals.pay, checks.network);
  if (payWith === 'onchain' && wire) contradictRefund(wire, terms, checks.network);
  if (endsOn <= checks.now) throw new ProviderFault('malformed', 'the order had already expired when it was made');
  const isStated = payWith === 'onchain' && typeof ends === 'number';
  const expiresOn = isStated ? endsOn - onchainMarginMs(wire, checks.settings) : endsOn;
  // Too little time is left for a payment on chain to confirm.
  if (expiresOn <= checks.now) return { refusal: { reason: 'payment-method-unsupported' } };
  return { made: { ...inCommon, ...totals, payTo, expiresOn } };
};

const ended: ReadonlySet<Stage> = new Set<Stage>(['refunded', 'failed', 'expired', 'review']);

/**
 * Returns whether an order is free. For a coupon, the seller Olympus leaves `payment` empty and opens the channel at once (ZEUS, pull request 4109).
 * An order with an empty `payment` is free if a coupon was sent or the channel is being opened. An order that names ways to pay is free only if its
 * total is 0: if all of them are null, it cannot be paid. An order with a balance for the customer is never free.
 */
const isFree = (order: OrderWire, { clientSats, hasToken }: OrderTerms, stage: Stage | undefined, totals: Totals | undefined): boolean => {
  if (clientSats > 0n) return false;
  if (!order.namesWay) return hasToken || stage === 'paid' || stage === 'finished';
  return totals?.pay === 0n;
};

/** Returns the invoice or address, even if it is inside a link. */
const payToOf = (wire: PaymentWire, payWith: PayWith, network: BitcoinNetwork): string | undefined => {
  const link = linkOf(wire, network);
  if (payWith === 'lightning') {
    const invoice = wire.invoice ?? wire.lightning_invoice ?? wire.bolt11_invoice ?? wire.bolt11 ?? wire.payment_request ?? wire.pr ?? link?.invoice;
    if (invoice === undefined || invoice.trim() === '') return undefined;
    return readBitcoinLink(invoice, network)?.invoice ?? withoutLightningScheme(invoice);
  }
  const address = wire.address ?? wire.onchain_address ?? link?.address;
  if (address === undefined || address.trim() === '') return undefined;
  const text = readBitcoinLink(address, network)?.address ?? address.trim();
  const checked = checkPayoutAddress(text, network);
  return isBareAddress(text) && 'address' in checked ? checked.address : text;
};
const linkOf = ({ bip21, uri, payment_uri, address }: PaymentWire, network: BitcoinNetwork) => {
  const text = [bip21, uri, payment_uri, address].find((one) => one !== undefined && /^\s*bitcoin:/i.test(one));
  return text === undefined ? undefined : readBitcoinLink(text, network);
};
/** Throws if a bitcoin: link in the order asks for an amount that differs from the order's, or that cannot be read. */
const contradictLink = (wire: PaymentWire, pay: bigint, network: BitcoinNetwork): void => {
  const amountSats = linkOf(wire, network)?.amountSats;
  if (amountSats !== undefined && amountSats !== pay) throw new ProviderFault('malformed', 'the bitcoin: link contradicts the order');
};

/** Returns the sats that an invoice asks for. Undefined for an invoice without an amount, and for an address. */
const askedBy = (payTo: string, payWith: PayWith): bigint | undefined => (payWith === 'lightning' ? msats(decodeInvoice(payTo)?.amountMsat) : undefined);

/** An order that states no expiry ends after this time at the latest, because its invoice could be dated in the far future. */
const longestLifeMs = 365 * 86_400_000;

/** Checks that the invoice is for the order's total, on our network. Returns the earlier expiry of invoice and order. */
const invoiceEnd = (text: string, total: bigint, ends: End, { network, now }: Checks): number => {
  const invoice = decodeInvoice(text);
  if (!invoice) throw new ProviderFault('malformed', 'the invoice cannot be paid');
  if (invoice.network !== network) throw new ProviderFault('malformed', 'the invoice is for another network');
  if (msats(invoice.amountMsat) !== total) throw new ProviderFault('malformed', "the invoice's amount differs from the order's");
  return Math.min(invoiceExpiry(invoice), typeof ends === 'number' ? ends : now + longestLifeMs);
};

/** Checks that the address can be paid. Returns the end that the seller states, if it states one. */
const addressEnd = (text: string, ends: End, { network }: Checks): number | undefined => {
  // Whoever pays gets this text in a bitcoin: link. With a "?" in it, the seller could add an amount or an invoice of its own.
  if (!isBareAddress(text) || 'problem' in checkPayoutAddress(text, network)) throw new ProviderFault('malformed', 'the address cannot be used for a payment');
  if (ends === 'unreadable') throw new ProviderFault('malformed', 'the expiry of the order cannot be read');
  return ends;
};

/** The most confirmations for which a seller may wait: then it must count the payment (bLIP-51, 3.3). */
const mostConfirmations = 6;
/**
 * Returns how long before the order's end an on-chain payment must be made, in milliseconds. Sellers count only confirmed payments, and a later one
 * may confirm too late.
 */
const onchainMarginMs = (wire: PaymentWire | undefined, { onchain_margin_s: perConfirmation }: Settings): number =>
  perConfirmation * 1000 * Math.min(Math.max(wire?.min_onchain_payment_confirmations ?? 1, 1), mostConfirmations);

/** Throws if the seller would send a refund to an address other than the customer's. Sellers may leave the address out. */
const contradictRefund = ({ refund_onchain_address: told }: PaymentWire, { refundOnchain }: OrderTerms, network: BitcoinNetwork): void => {
  if (told === undefined || told === null || told === '') return;
  const checked = typeof told === 'string' ? checkPayoutAddress(told.trim(), network) : undefined;
  if (!checked || 'problem' in checked || checked.address !== refundOnchain) throw new ProviderFault('malformed', 'refunds would go to another address');
};

export const toFirmOffer = (made: Made, terms: OrderTerms, payWith: PayWith, connectTo: string | undefined): ProviderOffer => ({
  pay: made.pay,
  receive: made.receive,
  fee: made.fee,
  binding: true,
  reservation: { upstreamOrderId: made.orderId, acceptUntil: made.expiresOn },
  ...(made.payTo === undefined
    ? { upstream: { pay_with: payWith, announce: terms.announce, order_id: made.orderId, free: true } satisfies Notes }
    : { expiresOn: made.expiresOn, upstream: { pay_with: payWith, announce: terms.announce, order_id: made.orderId } satisfies Notes, secret: made.payTo }),
  facts: factsOf(made, terms, connectTo),
  requires: [],
  warnings: warningsFor(terms),
});

export const factsOf = (made: Made, terms: OrderTerms, connectTo: string | undefined): Facts => ({
  inbound_sats: Number(terms.lspSats),
  lease_blocks: made.leaseBlocks,
  delivered_as: 'channel',
  ...(connectTo === undefined ? {} : { connect_to: connectTo }),
});

/** Returns an offer at the last price seen, with a warning that says so. Returns undefined if no price was seen: only an order would show one. */
export const toEstimate = (request: LiquidityQuoteRequest, payWith: PayWith): ProviderOffer | undefined => {
  if (!request.lastSeen) return undefined;
  const { offer, observedOn } = request.lastSeen;
  return {
    pay: offer.pay,
    receive: offer.receive,
    fee: offer.fee,
    binding: false,
    upstream: { pay_with: payWith, announce: request.announce } satisfies Notes,
    facts: { ...offer.facts, observed_on: new Date(observedOn).toISOString() },
    requires: request.nodePubkey === undefined ? ['proof'] : [],
    warnings: ['price-is-last-observed'],
  };
};

// ---- get_order -------------------------------------------------------------------------------------------------------------------------

const rawStatusOf = (order: OrderWire, payment: string): string => [orderStateOf(order), payment].filter((word) => word !== '').join('/');

const orderWords = new Set(['CREATED', 'COMPLETED', 'FAILED', 'EXPECT_PAYMENT', 'PAID', 'HOLD', 'OPENING', 'EXPIRED', 'REFUNDED', 'CANCELLED', 'CANCELED']);
const paid = new Set(['HOLD', 'PAID']);
const cancelled = new Set(['CANCELLED', 'CANCELED']);
/**
 * Returns whether a word says that the money went back. CANCELLED is the older word for a hold invoice that was released, so on chain it says only
 * that the seller no longer waits for a payment.
 */
const wentBack = (word: string, payWith: PayWith): boolean => word === 'REFUNDED' || (payWith === 'lightning' && cancelled.has(word));

/**
 * Returns the stage of an order. `state` is that of the chosen way to pay, `states` are those of all ways. COMPLETED means that the funding
 * transaction is published. That is all a seller promises, and the last thing it reports.
 */
export const stageOf = (orderState: string, state: string, states: string[], payWith: PayWith, isOver: boolean): Stage | undefined => {
  const isPaid = states.some((word) => paid.has(word));
  if (orderState === 'COMPLETED') return 'finished';
  if (orderState === 'FAILED') {
    if (state === 'REFUNDED') return 'refunded';
    // The money was taken, and there is neither a channel nor a refund: the operator must check.
    if (states.includes('PAID')) return 'review';
    // A hold invoice is refunded by itself.
    if (wentBack(state, payWith) || (state === 'HOLD' && payWith === 'lightning')) return 'refunded';
    if (state === 'EXPECT_PAYMENT' || cancelled.has(state)) return isOver ? 'expired' : 'failed';
    // The seller says nothing about the money, and may have missed it on chain. If money was seen before, order-life.ts puts the order into review.
    return state === '' && payWith === 'lightning' ? 'failed' : 'review';
  }
  if (isPaid || paid.has(orderState) || orderState === 'OPENING') return 'paid';
  if (wentBack(state, payWith) || (wentBack(orderState, payWith) && state !== 'EXPECT_PAYMENT')) return 'refunded';
  // Cancelled without a refund: if no payment was seen, one on chain may still arrive. If one was, order-life.ts puts the order into review.
  if ([state, orderState].some((word) => cancelled.has(word)) || orderState === 'REFUNDED') return isOver ? 'expired' : 'failed';
  if (orderState === 'EXPIRED') return 'expired';
  const isWaiting = orderState === 'CREATED' || orderState === 'EXPECT_PAYMENT' || (orderState === '' && state !== '');
  if (isWaiting && (state === '' || state === 'EXPECT_PAYMENT')) return isOver ? 'expired' : 'awaiting_payment';
  return undefined;
};

type Promised = Pick<FollowedOrder, 'receive' | 'upstream' | 'facts' | 'expiresOn'>;
/** Returns whether the channel that the seller states differs from the one ordered: other balances, a shorter lease, or public instead of private. */
const differs = (order: OrderWire, { receive, upstream, facts }: Promised): boolean => {
  const { announce } = notesOf(upstream);
  const { inbound_sats: inbound, lease_blocks: lease } = facts;
  if (order.lsp_balance_sat !== undefined && inbound !== undefined && order.lsp_balance_sat !== BigInt(inbound)) return true;
  if (order.client_balance_sat !== undefined && order.client_balance_sat !== receive) return true;
  if (order.channel_expiry_blocks !== undefined && lease !== undefined && order.channel_expiry_blocks < Number(lease)) return true;
  return order.announce_channel !== undefined && announce !== undefined && order.announce_channel !== announce;
};
/** In these stages no money is at stake, so a channel that differs does no harm. */
const harmless: ReadonlySet<Stage | undefined> = new Set<Stage>(['refunded', 'failed', 'expired']);

/**
 * Maps an order's present state. Contradictory amounts, a channel that differs from the one ordered, and members that cannot be read put the order
 * into review, unless no money is at stake (`harmless`). Contradictory amounts are left out, but what the seller says about the payment is kept.
 */
export const toEvidence = (order: OrderWire, followed: Promised, now: number, settings: Settings): OrderEvidence => {
  const { pay_with: payWith, free } = notesOf(followed.upstream);
  const wire = order.ways[payWith];
  const state = stateOf(wire);
  const told = endOf(order, wire);
  const ends = told === 'unreadable' ? undefined : told;
  const orderState = bare(orderStateOf(order));
  const isOver = free !== true && ends !== undefined && now >= ends;
  const stage = stageOf(orderState, bare(state), statesOf(order).map(bare), payWith, isOver);
  const totals = wire && totalsOf(wire, order.client_balance_sat ?? followed.receive);
  const { channel } = order;
  const facts = {
    ...(channel?.funding_outpoint === undefined ? {} : { funding_outpoint: channel.funding_outpoint }),
    ...(channel?.expires_at === undefined ? {} : { channel_expires_on: new Date(channel.expires_at).toISOString() }),
  };
  const said = free === true ? freeStage(stage) : stage;
  const isOdd = order.isPartial === true || totals === 'contradictory' || differs(order, followed);
  const reached = isOdd && !harmless.has(said) ? 'review' : said;
  const hasMoney = statesOf(order).some((word) => bare(word) === 'PAID') || (reached === 'review' && (said === 'paid' || said === 'finished'));
  const margin = payWith === 'onchain' ? onchainMarginMs(wire, settings) : 0;
  return {
    upstreamOrderId: order.order_id,
    rawStatus: rawStatusOf(order, state),
    ...(reached === undefined ? {} : { stage: reached }),
    ...(free !== true && hasMoney ? { moneySeen: true as const } : {}),
    ...((reached === undefined || reached === 'awaiting_payment') && mayConfirm(followed, now, margin) ? { arriving: true as const } : {}),
    ...(totals === 'contradictory' ? {} : totals),
    ...(channel?.funded_at === undefined ? {} : { statusOn: channel.funded_at }),
    ...(ends === undefined || free === true ? {} : { expiresOn: ends - margin }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
  };
};

/**
 * Returns whether a payment that was made in time may still wait for its confirmation. No seller has to report it before that, so an order that looks
 * unpaid has not expired yet. Nor has one in an unknown state, which may be the seller's word for such a payment.
 */
const mayConfirm = ({ expiresOn }: Promised, now: number, marginMs: number): boolean =>
  expiresOn !== undefined && now >= expiresOn && now < expiresOn + marginMs;

/** Maps the stage of a free order: it waits only for its channel. If the channel fails, nothing is owed. */
const freeStage = (stage: Stage | undefined): Stage | undefined => {
  if (stage === 'awaiting_payment') return 'paid';
  return stage !== undefined && ended.has(stage) ? 'refunded' : stage;
};

/** Reads the notes that this adapter put into the offer. The gateway stores them unchanged. */
export const notesOf = (upstream: Json): Notes => {
  const kept = typeof upstream === 'object' && upstream !== null && !Array.isArray(upstream) ? upstream : {};
  const { pay_with, announce, order_id, free } = kept;
  return {
    pay_with: pay_with === 'onchain' ? 'onchain' : 'lightning',
    ...(typeof announce === 'boolean' ? { announce } : {}),
    ...(typeof order_id === 'string' ? { order_id } : {}),
    ...(free === true ? { free } : {}),
  };
};
