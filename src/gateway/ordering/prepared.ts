import type { OrderInputs } from '../../providers/spec.ts';
import type { PlacingInputs } from './placing.ts';

/**
 * What a ramp adds to an order once the quote is known: the key that allows only one attempt at a time, and what the adapter needs from the customer.
 */
export type Prepared = {
  /** The key of something that no other attempt may use at the same time (ports/intents.ts). By default, the quote's upstream session. */
  exclusiveKey?: string;
  order: OrderInputs;
  nodePubkey?: string;
  /**
   * When something was counted for the attempt. This becomes the attempt's `createdOn`, so that a count that is taken back later is taken from the
   * same day.
   */
  countedOn?: number;
  /** Takes back what was counted for an attempt that never began. */
  release?: () => Promise<void>;
  /** Checks the conditions again, now that no other attempt can use the same key. Throws the problem for the wallet. */
  recheck?: () => Promise<void>;
  /** The webhook that gets the order's events if the request has none. */
  webhook?: Pick<PlacingInputs, 'webhookUrl' | 'webhookEvents'>;
};
