import { checkPayoutAddress } from '../bitcoin/address.ts';
import { readTerms } from './liquidity-terms.ts';
import type { Prepared } from './place-order.ts';
import { Problem } from './problem.ts';
import type { Gateway, Intent } from './ports.ts';
import { provenNode } from './price-liquidity.ts';
import type { OpenSession } from './read-session.ts';
import { refusalProblem } from './refusal-problem.ts';
import type { StoredQuote } from './store-route.ts';

export type LiquidityOrderRequest = {
  invoice?: string | undefined;
  refundOnchain?: string | undefined;
  email?: string | undefined;
  /** Whether the caller is an app that may spend the operator's balance. */
  maySpend: boolean;
};

/** What a liquidity order needs beside the quote: the customer's invoice for a recharge, the proven node, and a permission to spend. */
export const prepareLiquidityOrder = async (gateway: Gateway, session: OpenSession, quote: StoredQuote, request: LiquidityOrderRequest): Promise<Prepared> => {
  const asked = readTerms(quote.terms);
  const { requires } = quote.offer.offer;
  const nodePubkey = await provenNode(gateway, session, undefined);
  if (requires.includes('proof') && nodePubkey === undefined) throw refusalProblem({ reason: 'proof-required' });
  if (requires.includes('invoice') && request.invoice === undefined)
    throw new Problem('invoice-unsuitable', `Send the invoice to be paid: ${asked.amountSats} sats, of this network, good for the next half hour.`, {
      errors: [{ pointer: '/invoice', detail: 'missing' }],
    });
  const refund = request.refundOnchain;
  if (refund !== undefined && 'problem' in checkPayoutAddress(refund, gateway.settings.network))
    throw new Problem('address-invalid', 'refund_onchain is not an address of this network.', {
      errors: [{ pointer: '/refund_onchain', detail: 'not an address' }],
    });
  const order = {
    ...(request.invoice === undefined ? {} : { invoice: request.invoice }),
    ...(refund === undefined ? {} : { refundOnchain: refund }),
    ...(request.email === undefined ? {} : { email: request.email }),
  };
  const prepared = { order, ...(nodePubkey === undefined ? {} : { nodePubkey }), ...(await reserved(gateway, quote)) };
  return asked.payWith === 'balance' ? { ...prepared, ...(await spending(gateway, quote, request)), order: { ...order, payWithBalance: true } } : prepared;
};

/**
 * A reserved order stands behind every quote that was given for it, and becomes one order: whoever comes second is told so. The placings of
 * one reservation are one after the other.
 */
const reserved = async (gateway: Gateway, quote: StoredQuote): Promise<Pick<Prepared, 'providerSessionId' | 'recheck'>> => {
  const { providerId, offer } = quote.offer;
  const { reservation } = offer;
  if (!reservation) return {};
  const recheck = async (): Promise<void> => {
    const [taken] = await gateway.stores.intents.claimedUpstreamIds(providerId, [reservation.upstreamOrderId]);
    if (taken !== undefined) throw new Problem('quote-used', 'What this quote had reserved was ordered with another quote.');
  };
  await recheck();
  return { providerSessionId: idOf(gateway, `reserved at ${providerId}: ${reservation.upstreamOrderId}`), recheck };
};

export const appKeyRequired = (): Problem =>
  new Problem('app-key-required', "pay_with: balance spends the operator's money: it needs the key of an app that is allowed to.");

const spendOf = (gateway: Gateway, at: number) => ({ day: new Date(at).toISOString().slice(0, 10), purpose: 'balance-sats', subject: 'all' });

/** The operator's money: an app that may, within the day's limit, one purchase at a time for an account. */
const spending = async (gateway: Gateway, quote: StoredQuote, request: LiquidityOrderRequest): Promise<Pick<Prepared, 'providerSessionId' | 'release'>> => {
  if (!request.maySpend) throw appKeyRequired();
  const limit = gateway.settings.liquidity.balance_daily_sats;
  const counted = spendOf(gateway, gateway.now());
  const { pay } = quote.offer.offer;
  if ((await gateway.stores.liquidity.take(counted, pay, BigInt(limit))) === undefined)
    throw new Problem(
      'daily-limit-reached',
      limit === 0 ? 'Paying from the balance is switched off here.' : 'The daily limit of payments from the balance is reached.',
    );
  return {
    providerSessionId: idOf(gateway, `balance of ${quote.offer.providerId}`),
    release: async () => await gateway.stores.liquidity.give(counted, pay),
  };
};

/** One unsettled placing per upstream session is a rule of the database; the account that pays, or the reserved order, is that session. */
const idOf = (gateway: Gateway, what: string): string => {
  const hash = gateway.hash(what);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
};

/** A purchase that was certainly not made is not counted. */
export const releaseSpend = async (gateway: Gateway, intent: Pick<Intent, 'createdOn'>, quote: StoredQuote): Promise<void> => {
  if (quote.route.asked.ramp !== 'liquidity' || readTerms(quote.terms).payWith !== 'balance') return;
  await gateway.stores.liquidity.give(spendOf(gateway, intent.createdOn), quote.offer.offer.pay);
};
