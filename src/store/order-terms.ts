/**
 * The two halves of `orders.terms`: what was agreed, and what following has learnt. They lie in one bag, flat, because the release before this
 * reads and writes it so, and runs beside this one during an upgrade.
 */
import type { OrderTerms, OrderWatch } from '../ports/orders.ts';

export type StoredTerms = OrderTerms & OrderWatch;

/** Of an adopted order nothing else may be stored than that it was. */
export const fromStored = ({ beforeReview, unreadableSince, twinSeen, ...terms }: Partial<StoredTerms>): { terms: OrderTerms; watch: OrderWatch } => ({
  terms: { currencyId: 0, paymentOptionId: 0, optionName: '', ...terms },
  watch: {
    ...(beforeReview === undefined ? {} : { beforeReview }),
    ...(unreadableSince === undefined ? {} : { unreadableSince }),
    ...(twinSeen === undefined ? {} : { twinSeen }),
  },
});

export const toStored = (terms: OrderTerms, watch: OrderWatch): StoredTerms => ({ ...terms, ...watch });
