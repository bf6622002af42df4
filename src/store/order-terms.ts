/**
 * The two halves of `orders.terms`: what was agreed, and what following has learnt. Both are in one flat object, because the previous release
 * reads and writes it so, and runs beside this one during an upgrade.
 */
import type { OrderTerms, OrderWatch } from '../ports/orders.ts';

export type StoredTerms = OrderTerms & OrderWatch;

/** An adopted order stores nothing but the fact that it was adopted. */
export const fromStored = ({
  beforeReview,
  reviewed,
  unreadableSince,
  twinSeen,
  ...terms
}: Partial<StoredTerms>): { terms: OrderTerms; watch: OrderWatch } => ({
  terms: { currencyId: 0, paymentOptionId: 0, optionName: '', ...terms },
  watch: {
    ...(beforeReview === undefined ? {} : { beforeReview }),
    ...(reviewed === undefined ? {} : { reviewed }),
    ...(unreadableSince === undefined ? {} : { unreadableSince }),
    ...(twinSeen === undefined ? {} : { twinSeen }),
  },
});

export const toStored = (terms: OrderTerms, watch: OrderWatch): StoredTerms => ({ ...terms, ...watch });
