import type { OrderInputs } from '../../providers/spec.ts';
import type { PlacingInputs } from './placing.ts';

/** What a ramp adds once the quote is known: the upstream owner, and what the adapter needs of the customer. */
export type Prepared = {
  /** What no other placing may use at the same time (ports/intents.ts); without one, the upstream session of the quote. */
  exclusiveKey?: string;
  order: OrderInputs;
  nodePubkey?: string;
  /** Takes back what was counted for a placing that never began. */
  release?: () => Promise<void>;
  /** Looks once more at what must be true, now that nobody else can place for the same upstream owner. Throws what the wallet is told. */
  recheck?: () => Promise<void>;
  /** Who is told of the order, where the request names nobody. */
  webhook?: Pick<PlacingInputs, 'webhookUrl' | 'webhookEvents'>;
};
