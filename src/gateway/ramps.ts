/** How the gateway treats each ramp. The amounts are in domain/ramp.ts; what needs its own code is a record in the room that runs it. */
import type { Ramp } from '../domain/ramp.ts';

type RampFacts = {
  /**
   * Who owns the upstream session that places and reads an order. `session`: the customer's gateway session has one at the provider, which lists
   * its orders and may end. `account`: the customer's account there, whose key we store. `none`: the provider knows only orders.
   */
  upstream: 'session' | 'account' | 'none';
  /** Whether the wallet hears why a provider refused an order. FLS01's /order has one code for all reasons. */
  tellsRefusal: boolean;
  /** Whether only the order's answer says how to pay it, so that a lost answer is lost for good. */
  paidByAnswerOnly: boolean;
};

export const rampFacts: Record<Ramp, RampFacts> = {
  buy: { upstream: 'session', tellsRefusal: false, paidByAnswerOnly: false },
  sell: { upstream: 'account', tellsRefusal: true, paidByAnswerOnly: false },
  liquidity: { upstream: 'none', tellsRefusal: true, paidByAnswerOnly: true },
};
