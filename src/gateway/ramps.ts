/** What the ways of the gateway depend on, ramp by ramp. Their amounts are in domain/ramp.ts; what needs code of its own is a record in its room. */
import type { Ramp } from '../domain/ramp.ts';

type RampFacts = {
  /**
   * Whose upstream session an order is placed and read in. `session`: the customer's session at the gateway has one at the provider, which
   * lists its orders and may end. `account`: the customer's account there, whose key is kept. `none`: the provider knows orders only.
   */
  upstream: 'session' | 'account' | 'none';
  /** Whether the wallet hears why a provider refused an order. FLS01's /order has one word for all of it. */
  tellsRefusal: boolean;
  /** Whether only the answer to the order says how to pay it, so that a lost answer is lost for good. */
  paidByAnswerOnly: boolean;
};

export const rampFacts: Record<Ramp, RampFacts> = {
  buy: { upstream: 'session', tellsRefusal: false, paidByAnswerOnly: false },
  sell: { upstream: 'account', tellsRefusal: true, paidByAnswerOnly: false },
  liquidity: { upstream: 'none', tellsRefusal: true, paidByAnswerOnly: true },
};
