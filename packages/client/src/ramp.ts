import { createBuy } from './buy.ts';
import { readRoute, type Route } from './route.ts';
import { createContext, keepContext, type RampOptions } from './context.ts';

export type Ramp = ReturnType<typeof createRamp>;
/**
 * Buy, sell and get liquidity through one gateway, for one customer. Opens sessions, proves the node, repeats what is safe to repeat, and never
 * orders one offer twice. Every failure is a RampError.
 */
export const createRamp = (options: RampOptions) => {
  const context = createContext(options);
  const ramp = {
    ...createBuy(context),
    /** Why this provider: the decision behind an offer or an order of any ramp, with its receipts. */
    route: async (of: { id: string; stage?: string }, signal?: AbortSignal): Promise<Route> => await readRoute(context, of, signal),
    /** Forgets the session, the recovery secret and what is pending: for a gateway that was set up anew. Without a node, the customer's orders are lost to them. */
    forget: async (): Promise<void> => {
      await context.state.change(() => ({}));
    },
  };
  return keepContext(ramp, context);
};
