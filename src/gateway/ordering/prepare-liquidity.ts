import { readTerms } from '../pricing/liquidity-terms.ts';
import { readRefundAddress, refundHashOf } from '../pricing/refund-address.ts';
import type { Prepared } from './prepared.ts';
import { Problem } from '../problem.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { provenNode } from '../sessions/proven-node.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { refusalProblem } from '../refusal-problem.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { spending, exclusiveKeyOf } from './balance.ts';

export type LiquidityOrderRequest = {
  invoice?: string | undefined;
  refundOnchain?: string | undefined;
  email?: string | undefined;
  /** Whether the caller is an app that may spend the operator's balance. */
  maySpend: boolean;
};

/**
 * Returns what a liquidity order needs in addition to the quote: the invoice for a recharge, the proven node, and the right to spend the operator's
 * balance. Throws a Problem if something is missing or unsuitable.
 */
export const prepareLiquidityOrder = async (gateway: Gateway, session: OpenSession, quote: StoredQuote, request: LiquidityOrderRequest): Promise<Prepared> => {
  const asked = readTerms(quote.terms);
  const { requires } = quote.offer.offer;
  const nodePubkey = await provenNode(gateway, session, undefined);
  if (requires.includes('proof') && nodePubkey === undefined) throw refusalProblem({ reason: 'proof-required' });
  if (requires.includes('invoice') && request.invoice === undefined)
    throw new Problem('invoice-unsuitable', `Send the invoice to pay: ${asked.amountSats} sats, on this network, valid for at least half an hour.`, {
      errors: [{ pointer: '/invoice', detail: 'missing' }],
    });
  const refund = readRefundAddress(gateway, request.refundOnchain);
  if (refund !== undefined) refuseOtherRefund(gateway, quote, refund);
  const order = {
    ...(request.invoice === undefined ? {} : { invoice: request.invoice }),
    ...(refund === undefined ? {} : { refundOnchain: refund }),
    ...(request.email === undefined ? {} : { email: request.email }),
  };
  const prepared = { order, ...(nodePubkey === undefined ? {} : { nodePubkey }), ...(await reserved(gateway, quote)) };
  return asked.payWith === 'balance'
    ? { ...prepared, ...(await spending(gateway, quote, request.maySpend)), order: { ...order, payWithBalance: true } }
    : prepared;
};

/**
 * Throws a Problem if the seller reserved this order with a different refund address, or with none. The seller would not pay refunds to the address
 * that is given now.
 */
const refuseOtherRefund = (gateway: Gateway, quote: StoredQuote, refund: string): void => {
  const given = quote.offer.offer.reservation?.refundHash;
  if (given === undefined || given === refundHashOf(gateway, refund)) return;
  const detail = `the seller has reserved this order ${given === '' ? 'without a refund address' : 'with another refund address'}, as the price request asked. Leave refund_onchain out, or ask for a new price with this address`;
  throw new Problem('invalid-request', `/refund_onchain: ${detail}.`, { errors: [{ pointer: '/refund_onchain', detail }] });
};

/**
 * Several quotes may share one reserved order, but only one of them can become that order. Throws `quote-used` for every later quote. Attempts on the
 * same reservation run one after the other.
 */
const reserved = async (gateway: Gateway, quote: StoredQuote): Promise<Pick<Prepared, 'exclusiveKey' | 'recheck'>> => {
  const { providerId, offer } = quote.offer;
  const { reservation } = offer;
  if (!reservation) return {};
  const recheck = async (): Promise<void> => {
    const [taken] = await gateway.stores.intents.claimedUpstreamIds(providerId, [reservation.upstreamOrderId]);
    if (taken !== undefined)
      throw new Problem(
        'quote-used',
        'This quote and another quote reserved the same order at the seller, and that order was placed with the other quote. Ask for a new quote.',
      );
  };
  await recheck();
  return { exclusiveKey: exclusiveKeyOf(gateway, `reserved at ${providerId}: ${reservation.upstreamOrderId}`), recheck };
};
