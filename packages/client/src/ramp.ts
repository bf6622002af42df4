import { createBuy } from './buy.ts';
import { readRoute, type Route } from './route.ts';
import { createContext, keepContext, type RampOptions } from './context.ts';
import type { Kept } from './state.ts';

export type Ramp = ReturnType<typeof createRamp>;
/**
 * Creates the client of one gateway for one customer, to buy, sell and get liquidity. It opens sessions, proves the node, repeats what is safe to
 * repeat, and never orders one offer twice. See RampError for what it throws.
 */
export const createRamp = (options: RampOptions) => {
  const context = createContext(options);
  const ramp = {
    ...createBuy(context),
    /** Returns the decision behind an offer or an order of any ramp, with its receipts. It shows why the provider was chosen. */
    route: async (of: { id: string; stage?: string }, signal?: AbortSignal): Promise<Route> => await readRoute(context, of, signal),
    /**
     * Forgets the session, the recovery secrets and pending requests. Use it when the gateway was set up again from scratch, or no longer knows the
     * recovery secret. Without a node, the customer can no longer reach their orders: let them agree to that first. `left` takes what is stored at
     * that moment (another tab may have begun anew), and returns what to keep: by default nothing. Returns what is stored afterwards.
     */
    forget: async (left: (kept: Kept) => Kept = () => ({})): Promise<Kept> => await context.state.change(left),
  };
  return keepContext(ramp, context);
};
