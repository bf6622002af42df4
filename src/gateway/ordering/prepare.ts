import type { PayoutTo } from '../../domain/payout.ts';
import type { Ramp } from '../../domain/ramp.ts';
import type { Scope } from '../../ports/scope.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import type { OpenSession } from '../sessions/read-session.ts';
import { prepareBuyOrder, unsuitable, type BuyOrderRequest } from './payout.ts';
import { prepareLiquidityOrder, type LiquidityOrderRequest } from './prepare-liquidity.ts';
import { prepareSellOrder, type SellOrderRequest } from './prepare-sell.ts';
import type { Prepared } from './prepared.ts';
import { accountFor, paysElsewhere } from './account-for.ts';
import { upstreamOf } from '../ramps.ts';
import { providerOf } from '../upstream/provider-of.ts';

/** The members of an order request that exist on one ramp only. */
type OwnMembers = { buy: BuyOrderRequest; sell: SellOrderRequest; liquidity: LiquidityOrderRequest };
/** The ramp `R` with its own members. Without `R`, any ramp. */
export type RampRequest<R extends Ramp = Ramp> = { [P in R]: { ramp: P; own: OwnMembers[P] } }[R];

/**
 * If the provider sells bitcoin by account, returns the id of the customer's account, as the key that only one attempt may use at a time. Throws if
 * the account pays to a different destination.
 */
const buyingAccount = async (scope: Scope, session: OpenSession, quote: StoredQuote, payoutTo?: PayoutTo): Promise<Pick<Prepared, 'exclusiveKey'>> => {
  if (upstreamOf(providerOf(scope.gateway, quote.offer.providerId), 'buy') !== 'account') return {};
  const account = await accountFor(scope, session, quote);
  if (payoutTo && paysElsewhere(scope.gateway, quote, account, payoutTo))
    throw unsuitable(payoutTo.kind, 'This provider sends sats only to the destination that your account there has. Name that destination.');
  return account ? { exclusiveKey: account.id } : {};
};

const preparations: { [R in Ramp]: (scope: Scope, session: OpenSession, quote: StoredQuote, own: OwnMembers[R]) => Promise<Prepared> } = {
  buy: async (scope, session, quote, own) => {
    const prepared = await prepareBuyOrder(scope.gateway, session, quote, own);
    return { ...prepared, ...(await buyingAccount(scope, session, quote, prepared.order.payoutTo)) };
  },
  sell: prepareSellOrder,
  liquidity: async ({ gateway }, session, quote, own) => await prepareLiquidityOrder(gateway, session, quote, own),
};

/**
 * Returns what the ramp adds to the order once the quote is known. Throws a Problem if something that the order needs is missing or unsuitable, or if
 * the quote can no longer be ordered.
 */
export const prepareOrder = async <R extends Ramp>(scope: Scope, session: OpenSession, quote: StoredQuote, { ramp, own }: RampRequest<R>): Promise<Prepared> =>
  await preparations[ramp](scope, session, quote, own);
