/** What a seller's answers mean. Pure: no clock, no network. */
import { bitcoinUri, checkPayoutAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { decodeInvoice } from '../../bitcoin/bolt11.ts';
import type { Facts, Json, ProviderOffer } from '../../domain/offer.ts';
import type { Stage } from '../../domain/order.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import type { End } from '../kit/read-time.ts';
import type { FollowedOrder, LiquidityListing, LiquidityQuoteRequest, OrderEvidence, PaymentInfo } from '../spec.ts';
import type { Settings } from './lsps1-settings.ts';
import { paymentWire, type InfoWire, type OrderWire, type PaymentWire } from './lsps1-wire.ts';

export type PayWith = Settings['pay_with'][number];
/** What we store of an offer, to order it and read its order. An estimate has no order yet. */
export type Notes = { pay_with: PayWith; order_id?: string };

const least = (...amounts: (bigint | undefined)[]): bigint =>
  amounts.reduce<bigint>((found, one) => (one !== undefined && one < found ? one : found), 2_100_000_000_000_000n);
const most = (...amounts: (bigint | undefined)[]): bigint => amounts.reduce<bigint>((found, one) => (one !== undefined && one > found ? one : found), 0n);

// ---- get_info --------------------------------------------------------------------------------------------------------------------------

type Range = { minSats: bigint; maxSats: bigint };

/** Inbound: N on the seller's side and nothing on the customer's. Turbo: V on both, as far as the channel goes. */
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

const peerForm = /^0[23][0-9a-f]{64}@[^\s@]{1,255}:\d{1,5}$/i;
/** `pubkey@host:port`, addresses without Tor first. A bare key if nothing says where the node is. */
export const peersOf = (info: InfoWire, settings: Settings): string[] => {
  const uris = (info.uris ?? []).filter((uri): uri is string => typeof uri === 'string' && peerForm.test(uri));
  const named = [...uris.filter((uri) => !uri.includes('.onion:')), ...uris.filter((uri) => uri.includes('.onion:'))];
  const key = typeof info.public_key === 'string' && /^0[23][0-9a-f]{64}$/i.test(info.public_key) ? [info.public_key] : [];
  const known = [...(settings.peer === undefined ? [] : [settings.peer]), ...named];
  return known.length > 0 ? [...new Set(known)] : key;
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

/** What this block's seller cannot serve, known without asking. */
export const refusedOutright = (request: LiquidityQuoteRequest, settings: Settings): Refusal | undefined => {
  if (request.product === 'recharge') return { reason: 'option-unsupported' };
  if (payWithOf(request.payWith, settings) === undefined) return { reason: 'payment-method-unsupported' };
  if (request.leaseBlocks !== undefined && settings.max_lease_blocks !== undefined && request.leaseBlocks > settings.max_lease_blocks)
    return { reason: 'lease-unsupported' };
  return undefined;
};

export type OrderTerms = { lspSats: bigint; clientSats: bigint; leaseBlocks: number; body: { [key: string]: Json } };

/** The body of create_order, or why this seller would refuse it. We make no order to learn what get_info already says. */
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
    ...(given.token === undefined ? {} : { token: given.token }),
    ...(given.refundOnchain === undefined ? {} : { refund_onchain_address: given.refundOnchain }),
  };
  return { terms: { lspSats: request.amountSats, clientSats, leaseBlocks, body } };
};

// ---- the order -------------------------------------------------------------------------------------------------------------------------

type Payment = { wire: PaymentWire; payTo?: string };
type Payments = { lightning?: Payment; onchain?: Payment; states: string[] };
const optionOf = (value: unknown): PaymentWire | undefined => {
  const parsed = typeof value === 'object' && value !== null && !Array.isArray(value) ? paymentWire.safeParse(value) : undefined;
  if (parsed && !parsed.success) throw new ProviderFault('malformed', 'a payment off the schema');
  return parsed?.data;
};
const longestWord = 64;
const wordOf = (text: string | undefined): string => (text ?? '').slice(0, longestWord).toUpperCase();
const stateOf = (wire: PaymentWire | undefined): string => wordOf(wire?.state ?? wire?.payment_state);
const way = (wire: PaymentWire | undefined, payTo: string | undefined): Payment | undefined =>
  wire && { wire, ...(payTo === undefined || payTo === '' ? {} : { payTo }) };

/** Nested under `bolt11` and `onchain`, or flat, with one state and one total for both. */
const paymentsOf = (order: OrderWire): Payments => {
  const payment = order.payment ?? {};
  const nested = ['bolt11', 'bolt12', 'onchain'].some((name) => typeof payment[name] === 'object' && payment[name] !== null);
  const flat = nested ? undefined : optionOf(payment);
  const [bolt11, onchain] = flat ? [flat, flat] : [optionOf(payment['bolt11']), optionOf(payment['onchain'])];
  const lightning = way(bolt11, bolt11?.invoice ?? bolt11?.lightning_invoice ?? bolt11?.bolt11_invoice);
  const chain = way(onchain, onchain?.address ?? onchain?.onchain_address);
  const states = flat ? [stateOf(flat)] : [bolt11, onchain].map(stateOf);
  return { states: states.filter((word) => word !== ''), ...(lightning ? { lightning } : {}), ...(chain ? { onchain: chain } : {}) };
};

const satsOfMsat = (msat: bigint | undefined): bigint | undefined => (msat === undefined ? undefined : (msat + 999n) / 1000n);

/** Checks order_total = fee + client balance, as far as they are stated. A document that breaks this is no order. Undefined: no totals at all. */
const totalsOf = (wire: PaymentWire, client: bigint): { pay: bigint; receive: bigint; fee: bigint } | undefined => {
  const fee = wire.fee_total_sat ?? satsOfMsat(wire.fee_total_msat ?? wire.total_fee_msat);
  const total = wire.order_total_sat ?? satsOfMsat(wire.order_total_msat) ?? (fee === undefined ? undefined : fee + client);
  if (total === undefined) return undefined;
  if (client < 0n || total <= 0n || total < client || (fee !== undefined && (fee < 0n || total !== fee + client)))
    throw new ProviderFault('malformed', 'order_total_sat is not fee_total_sat and client_balance_sat');
  return { pay: total, receive: client, fee: total - client };
};

export type Made = { orderId: string; pay: bigint; receive: bigint; fee: bigint; leaseBlocks: number; payTo: string; expiresOn: number; rawStatus: string };
export type Checks = { network: BitcoinNetwork; now: number; onchainLifeMs: number };

/** Accepts a new order that matches the request and can be paid. `unpayable`: the seller omitted this way to pay. Throws `malformed` for lies. */
export const toMade = (order: OrderWire, terms: OrderTerms, payWith: PayWith, checks: Checks): Made | 'unpayable' => {
  if ((order.lsp_balance_sat ?? terms.lspSats) !== terms.lspSats || (order.client_balance_sat ?? terms.clientSats) !== terms.clientSats)
    throw new ProviderFault('malformed', 'the order is over other balances than asked for');
  const payments = paymentsOf(order);
  const payment = payments[payWith];
  const totals = payment && totalsOf(payment.wire, terms.clientSats);
  if (payment?.payTo === undefined || totals === undefined) return 'unpayable';
  const ends = payment.wire.expires_at;
  const expiresOn = payWith === 'lightning' ? invoiceEnd(payment.payTo, totals.pay, ends, checks) : addressEnd(payment.payTo, ends, checks);
  if (expiresOn <= checks.now) throw new ProviderFault('malformed', 'the order was over when it was made');
  return {
    orderId: order.order_id,
    ...totals,
    leaseBlocks: order.channel_expiry_blocks ?? terms.leaseBlocks,
    payTo: payment.payTo,
    expiresOn,
    rawStatus: rawStatusOf(order, stateOf(payment.wire)),
  };
};

/** An invoice may state any number of seconds. */
const longestLifeMs = 365 * 86_400_000;

/** The invoice must be for the order's total, on our network. The earlier expiry of invoice and order counts. */
const invoiceEnd = (text: string, total: bigint, ends: End, { network, now }: Checks): number => {
  const invoice = decodeInvoice(text);
  if (!invoice) throw new ProviderFault('malformed', 'the invoice cannot be paid');
  if (invoice.network !== network) throw new ProviderFault('malformed', 'the invoice is for another network');
  if (satsOfMsat(invoice.amountMsat) !== total) throw new ProviderFault('malformed', 'the invoice is over another amount than the order');
  return Math.min((invoice.timestamp + invoice.expirySeconds) * 1000, typeof ends === 'number' ? ends : now + longestLifeMs);
};

const addressEnd = (text: string, ends: End, { network, now, onchainLifeMs }: Checks): number => {
  if ('problem' in checkPayoutAddress(text, network)) throw new ProviderFault('malformed', 'the address cannot be paid to');
  if (ends === 'unreadable') throw new ProviderFault('malformed', 'the end of the order cannot be read');
  return ends ?? now + onchainLifeMs;
};

export const toPaymentInfo = (payWith: PayWith, payTo: string, pay: bigint): PaymentInfo =>
  payWith === 'lightning'
    ? { kind: 'invoice', value: payTo, amountSats: pay }
    : { kind: 'onchain', value: payTo, amountSats: pay, bip21: bitcoinUri(payTo, pay) };

/** Above this a node must support large channels (BOLT9 option_support_large_channel), which we cannot see. */
const largeChannelSats = 16_777_216n;

export const toFirmOffer = (made: Made, terms: OrderTerms, payWith: PayWith, connectTo: string | undefined): ProviderOffer => ({
  pay: made.pay,
  receive: made.receive,
  fee: made.fee,
  binding: true,
  expiresOn: made.expiresOn,
  reservation: { upstreamOrderId: made.orderId, acceptUntil: made.expiresOn },
  upstream: { pay_with: payWith, order_id: made.orderId } satisfies Notes,
  secret: made.payTo,
  facts: factsOf(made, terms, connectTo),
  requires: [],
  warnings: terms.lspSats + terms.clientSats > largeChannelSats ? ['large-channel'] : [],
});

export const factsOf = (made: Made, terms: OrderTerms, connectTo: string | undefined): Facts => ({
  inbound_sats: Number(terms.lspSats),
  lease_blocks: made.leaseBlocks,
  delivered_as: 'channel',
  ...(connectTo === undefined ? {} : { connect_to: connectTo }),
});

/** The last price seen, marked as such. Without one, only an order would show the price. */
export const toEstimate = (request: LiquidityQuoteRequest, payWith: PayWith): ProviderOffer | undefined => {
  if (!request.lastSeen) return undefined;
  const { offer, observedOn } = request.lastSeen;
  return {
    pay: offer.pay,
    receive: offer.receive,
    fee: offer.fee,
    binding: false,
    upstream: { pay_with: payWith } satisfies Notes,
    facts: { ...offer.facts, observed_on: new Date(observedOn).toISOString() },
    requires: request.nodePubkey === undefined ? ['proof'] : [],
    warnings: ['price-is-last-observed'],
  };
};

// ---- get_order -------------------------------------------------------------------------------------------------------------------------

const rawStatusOf = (order: OrderWire, payment: string): string => [wordOf(order.order_state), payment].filter((word) => word !== '').join('/');

const paid = new Set(['HOLD', 'PAID']);
/** CANCELLED is the older word for a hold invoice that was released. */
const returned = new Set(['REFUNDED', 'CANCELLED', 'CANCELED']);

/**
 * The stage of an order. `state` is that of the chosen way to pay, `states` are those of all. COMPLETED means that the funding transaction is
 * published. That is all a seller promises, and the last thing it reports.
 */
export const stageOf = (orderState: string, state: string, states: string[], payWith: PayWith, isOver: boolean): Stage | undefined => {
  const isPaid = states.some((word) => paid.has(word));
  if (orderState === 'COMPLETED') return 'finished';
  if (orderState === 'FAILED') {
    if (returned.has(state)) return 'refunded';
    // The money was taken, and neither delivered nor refunded: a human must look. A hold invoice refunds itself.
    if (states.includes('PAID')) return 'review';
    if (state === 'EXPECT_PAYMENT') return isOver ? 'expired' : 'failed';
    return state === 'HOLD' || payWith === 'lightning' ? 'refunded' : 'review';
  }
  if (isPaid || paid.has(orderState) || orderState === 'OPENING') return 'paid';
  if (returned.has(state) || returned.has(orderState)) return 'refunded';
  if (orderState === 'EXPIRED') return 'expired';
  const isWaiting = orderState === 'CREATED' || orderState === 'EXPECT_PAYMENT' || (orderState === '' && state !== '');
  if (isWaiting && (state === '' || state === 'EXPECT_PAYMENT')) return isOver ? 'expired' : 'awaiting_payment';
  return undefined;
};

export const toEvidence = (order: OrderWire, followed: Pick<FollowedOrder, 'receive' | 'upstream'>, now: number): OrderEvidence => {
  const payments = paymentsOf(order);
  const payWith = notesOf(followed.upstream).pay_with;
  const payment = payments[payWith];
  const state = stateOf(payment?.wire);
  const told = payment?.wire.expires_at;
  const ends = told === 'unreadable' ? undefined : told;
  const orderState = wordOf(order.order_state);
  const stage = stageOf(orderState, state, payments.states, payWith, ends !== undefined && now >= ends);
  const totals = payment && totalsOf(payment.wire, order.client_balance_sat ?? followed.receive);
  const { channel } = order;
  const facts = {
    ...(channel?.funding_outpoint === undefined ? {} : { funding_outpoint: channel.funding_outpoint }),
    ...(channel?.expires_at === undefined ? {} : { channel_expires_on: new Date(channel.expires_at).toISOString() }),
  };
  return {
    upstreamOrderId: order.order_id,
    rawStatus: rawStatusOf(order, state),
    ...(stage === undefined ? {} : { stage }),
    ...totals,
    ...(channel?.funded_at === undefined ? {} : { statusOn: channel.funded_at }),
    ...(ends === undefined ? {} : { expiresOn: ends }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
  };
};

/** What we put into the offer. The gateway stores it unchanged. */
export const notesOf = (upstream: Json): Notes => {
  const kept = typeof upstream === 'object' && upstream !== null && !Array.isArray(upstream) ? upstream : {};
  const { pay_with, order_id } = kept;
  return {
    pay_with: pay_with === 'onchain' ? 'onchain' : 'lightning',
    ...(typeof order_id === 'string' ? { order_id } : {}),
  };
};
