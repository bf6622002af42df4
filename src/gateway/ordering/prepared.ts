import type { OrderInputs } from '../../providers/spec.ts';
import type { PlacingInputs } from './placing.ts';

/** What a ramp adds once the quote is known: the upstream owner, and what the adapter needs from the customer. */
export type Prepared = {
  /** What no other attempt may use at the same time (ports/intents.ts). By default, the quote's upstream session. */
  exclusiveKey?: string;
  order: OrderInputs;
  nodePubkey?: string;
  /** Takes back the count for an attempt that never began. */
  release?: () => Promise<void>;
  /** Checks the conditions again, now that nobody else can order for the same upstream owner. Throws the problem for the wallet. */
  recheck?: () => Promise<void>;
  /** Whose webhook hears about the order when the request has none. */
  webhook?: Pick<PlacingInputs, 'webhookUrl' | 'webhookEvents'>;
};
