/** How the gateway treats each ramp. The amounts are in domain/ramp.ts. What needs code of its own has one entry per ramp in the folder that runs it. */
import type { Ramp } from '../domain/ramp.ts';

type RampFacts = {
  /**
   * What the gateway needs at the provider to place and read an order. `session`: an upstream session that belongs to the customer's gateway session;
   * it may list its orders, and may end. `account`: the customer's account at the provider, whose key we store. `none`: nothing; the provider knows
   * only orders.
   */
  upstream: 'session' | 'account' | 'none';
  /** Whether the wallet is told why a provider refused an order. FLS01's /order has one code for all reasons. */
  tellsRefusal: boolean;
  /** Whether only the order's answer says how to pay it, so that a lost answer is lost for good. */
  paidByAnswerOnly: boolean;
};

export const rampFacts: Record<Ramp, RampFacts> = {
  buy: { upstream: 'session', tellsRefusal: false, paidByAnswerOnly: false },
  sell: { upstream: 'account', tellsRefusal: true, paidByAnswerOnly: false },
  liquidity: { upstream: 'none', tellsRefusal: true, paidByAnswerOnly: true },
};
