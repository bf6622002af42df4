/** The destination of a pushed payout: read from the request, checked against the offer, and shown again with the order. */
import { readDestination, type Destination } from '../../bitcoin/destination.ts';
import { bareLightning } from '../../bitcoin/bitcoin-uri.ts';
import { decodeInvoice, invoiceExpiry, type Invoice } from '../../bitcoin/bolt11.ts';
import { payoutKinds, type PayoutKind, type PayoutTo } from '../../domain/payout.ts';
import type { Ramp } from '../../domain/ramp.ts';
import { usualArrivalSeconds } from '../../domain/record.ts';
import { checkPublicUrl } from '../../domain/url-guard.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OrderInputs } from '../../providers/spec.ts';
import { Problem } from '../problem.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { provenNode } from '../sessions/proven-node.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import type { Prepared } from './prepared.ts';

/** The request's `payout_to`: one member, named like the kind of destination. */
export type AskedPayout = { [kind in PayoutKind]?: string | undefined };
export type BuyOrderRequest = { destination?: Destination | undefined };

/**
 * Reads `payout_to`. Throws a Problem unless it names exactly one destination that can be read, is on this gateway's network as far as its text
 * shows, and would not make anybody call a private host. Private hosts are refused in sandbox mode, too: a provider's sandbox may be a real host.
 */
export const readPayoutTo = (gateway: Gateway, asked: AskedPayout | undefined): Destination | undefined => {
  if (asked === undefined) return undefined;
  const [kind, ...more] = payoutKinds.filter((one) => asked[one] !== undefined);
  if (kind === undefined || more.length > 0) {
    const detail = `must have exactly one of ${payoutKinds.join(', ')}`;
    throw new Problem('invalid-request', `payout_to: ${detail}.`, { errors: [{ pointer: '/payout_to', detail }] });
  }
  const read = readDestination(kind, asked[kind] ?? '', gateway.settings.network);
  if ('problem' in read) throw unsuitable(kind, read.problem);
  const host =
    read.calls === undefined
      ? undefined
      : checkPublicUrl(read.calls, { sandbox: false, allowedPorts: [443], ownHosts: [new URL(gateway.settings.public_url).hostname] });
  if (host?.ok === false) throw unsuitable(kind, `Nobody could send sats there: ${host.reason}.`);
  return read;
};

/** Returns the problem for a destination to which this order's sats cannot be sent. */
export const unsuitable = (kind: PayoutKind, detail: string): Problem =>
  new Problem('payout-unsuitable', `payout_to: ${detail}`, { errors: [{ pointer: `/payout_to/${kind}`, detail }] });

/** Returns the destination as it is stored to recognise a repeated request. */
export const namedPayout = (destination: Destination | undefined): { payout_to?: string } =>
  destination === undefined ? {} : { payout_to: `${destination.kind}:${destination.value}` };

/**
 * Returns what a buy order needs in addition to the quote: the destination, if the provider pushes its payouts. If it does not push, a destination
 * in the request is still checked and stored, because failover may move the order to a provider that pushes.
 */
export const prepareBuyOrder = async (gateway: Gateway, session: OpenSession, quote: StoredQuote, { destination }: BuyOrderRequest): Promise<Prepared> => {
  if (destination === undefined) {
    const kinds = quote.offer.offer.facts.payout_kinds;
    if (!kinds) return { order: {} };
    const detail = `This provider sends the sats itself: name the destination, one of ${kinds.join(', ')}.`;
    throw new Problem('payout-required', `payout_to: ${detail}`, { errors: [{ pointer: '/payout_to', detail }] });
  }
  const problem = misfit(gateway, quote, destination);
  if (problem !== undefined) throw unsuitable(destination.kind, problem);
  return { order: { payoutTo: await withProof(gateway, session, destination) } };
};

/**
 * Returns the destination, and whether the session has proved the node that gets the sats. Throws a Problem if the destination is a node key that the
 * session has not proved. An invoice may name any node, because its payee may be the customer's custodian.
 */
export const withProof = async (gateway: Gateway, session: OpenSession, { kind, value, invoice }: Destination): Promise<PayoutTo> => {
  const proven = await provenNode(gateway, session, undefined);
  if (kind === 'node_pubkey' && value !== proven)
    throw new Problem(
      'proof-required',
      'Sats are sent to a node key only if this session has proved it. Open a session with the key of payout_to.node_pubkey.',
      {
        errors: [{ pointer: '/payout_to/node_pubkey', detail: 'is not the node key that this session has proved' }],
      },
    );
  return { kind, value, isProven: proven !== undefined && (kind === 'node_pubkey' || invoice?.payee === proven) };
};

/** The time that a provider may take for the payout after the money has arrived. An invoice must stay valid until the end of that time. */
const payoutMs = 3_600_000;

/** Returns why this offer's provider could not pay to the destination, in words for the customer. Undefined if it can, or if it does not push. */
export const misfit = (gateway: Gateway, { offer: { offer, terms } }: StoredQuote, { kind, value }: Pick<PayoutTo, 'kind' | 'value'>): string | undefined => {
  const kinds = offer.facts.payout_kinds;
  if (!kinds) return undefined;
  if (!kinds.includes(kind)) return `The provider of this quote pays to ${kinds.join(', ')} only.`;
  const invoice = kind === 'invoice' ? decodeInvoice(value) : undefined;
  if (!invoice) return undefined;
  if (invoice.amountMsat !== undefined && !offer.binding)
    return 'The price is an estimate, so nobody knows yet how many sats will be sent. Send an invoice without an amount.';
  if (invoice.amountMsat !== undefined && invoice.amountMsat !== offer.receive * 1000n)
    return `The invoice is for ${invoice.amountMsat} msat, but ${offer.receive} sats will be sent. Send one for that amount, or without an amount.`;
  return invoiceDueBy(invoice, terms.arrivalSeconds) <= gateway.now() + gateway.settings.routing.expiry_margin_s * 1000
    ? 'The invoice would expire before the money arrives and the sats are sent. Send one that is valid for longer.'
    : undefined;
};

/**
 * Returns the latest time for the customer's payment to a provider that pushes, if the destination sets one. Money that was sent at the last moment
 * still has to arrive (paymentDueBy counts it as on time), and the sats have to be sent, before the invoice expires.
 */
export const paidBy = ({ offer: { offer, terms } }: StoredQuote, payoutTo: PayoutTo | undefined): number | undefined => {
  const isInvoice = offer.facts.payout_kinds !== undefined && payoutTo?.kind === 'invoice';
  const invoice = isInvoice ? decodeInvoice(payoutTo.value) : undefined;
  return invoice && invoiceDueBy(invoice, terms.arrivalSeconds);
};

/**
 * Returns the key that only one order may have: a hash of the payment hash, if this offer's provider sends sats to an invoice, as a pushed payout or
 * as a recharge. An invoice is paid once, so of two orders that name it the provider could pay only one. Undefined for every destination that takes
 * more than one payment.
 */
export const payoutKeyOf = ({ hash }: Pick<Gateway, 'hash'>, { offer: { offer } }: StoredQuote, order: OrderInputs): string | undefined => {
  const text = offer.requires.includes('invoice') ? order.invoice : offer.facts.payout_kinds === undefined ? undefined : invoiceIn(order.payoutTo);
  const invoice = text === undefined ? undefined : decodeInvoice(bareLightning(text));
  return invoice && hash(`payout to invoice ${invoice.paymentHash}`);
};
/** Brings a recharge's invoice into one form, by which a repeated request is recognised. */
export const bareInvoice = bareLightning;
const invoiceIn = (payoutTo: PayoutTo | undefined): string | undefined => (payoutTo?.kind === 'invoice' ? payoutTo.value : undefined);

/** Returns the problem for an invoice that another order has named. */
export const payoutUsed = (ramp: Ramp): Problem => {
  const said = 'This invoice is the destination of another order, and can be paid only once. Send a new one.';
  if (ramp !== 'liquidity') return unsuitable('invoice', said);
  return new Problem('invoice-unsuitable', said, { errors: [{ pointer: '/invoice', detail: 'another order has named this invoice' }] });
};

const invoiceDueBy = (invoice: Invoice, arrivalSeconds = usualArrivalSeconds): number => invoiceExpiry(invoice) - arrivalSeconds * 1000 - payoutMs;
