/**
 * How the gateway treats each ramp. The amounts are in domain/ramp.ts. What needs code of its own has one entry per ramp in the folder that runs it.
 */
import type { Ramp } from '../domain/ramp.ts';
import type { Provider } from '../ports/providers.ts';

type RampFacts = {
  /**
   * What the gateway needs at the provider to place and read an order. `session`: an upstream session that belongs to the customer's gateway session;
   * it may list its orders, and may end. `account`: the customer's account at the provider, whose key we store. `none`: nothing; the provider knows
   * only orders. For buy, see `upstreamOf`.
   */
  upstream: 'session' | 'account' | 'none';
  /** Whether only the order's answer says how to pay it, so that a lost answer is lost for good. */
  paidByAnswerOnly: boolean;
};

export const rampFacts: Record<Ramp, RampFacts> = {
  buy: { upstream: 'session', paidByAnswerOnly: false },
  sell: { upstream: 'account', paidByAnswerOnly: false },
  liquidity: { upstream: 'none', paidByAnswerOnly: true },
};

/**
 * Returns what the gateway needs at this provider to place and read an order of the ramp. Some providers of the buy ramp work with the customer's
 * account, too (`byAccount`).
 */
export const upstreamOf = ({ adapter }: Pick<Provider, 'adapter'>, ramp: Ramp): RampFacts['upstream'] =>
  ramp === 'buy' && adapter.buy?.byAccount === true ? 'account' : rampFacts[ramp].upstream;
