/**
 * How the gateway treats each ramp. Which amounts a ramp has is in domain/ramp.ts. Where each ramp needs code of its own, the folder that runs the
 * code has a table with one entry per ramp.
 */
import type { Ramp } from '../domain/ramp.ts';
import type { Provider } from '../ports/providers.ts';

type RampFacts = {
  /**
   * What the gateway needs at the provider to place and read an order. `session`: an upstream session that belongs to the customer's gateway session.
   * The provider may list its orders, and may end it. `account`: the customer's account at the provider, whose key we store. `none`: nothing; the
   * provider knows only orders. For buy, see `upstreamOf`.
   */
  upstream: 'session' | 'account' | 'none';
  /** Whether only the provider's answer to the order says how to pay, so that a lost answer is lost for good. */
  paidByAnswerOnly: boolean;
};

export const rampFacts: Record<Ramp, RampFacts> = {
  buy: { upstream: 'session', paidByAnswerOnly: false },
  sell: { upstream: 'account', paidByAnswerOnly: false },
  liquidity: { upstream: 'none', paidByAnswerOnly: true },
};

/**
 * Returns what the gateway needs at this provider to place and read an order of the ramp. On the buy ramp, it is the customer's account at some
 * providers (`byAccount`), and a session at the others.
 */
export const upstreamOf = ({ adapter }: Pick<Provider, 'adapter'>, ramp: Ramp): RampFacts['upstream'] =>
  ramp === 'buy' && adapter.buy?.byAccount === true ? 'account' : rampFacts[ramp].upstream;
