/**
 * The two halves of `orders.terms`: what was agreed, and what we have learnt by following the order. Both are in one flat object, because the
 * previous release reads and writes them that way, and runs in parallel with this one during an upgrade.
 */
import { defined } from '../domain/defined.ts';
import type { OrderTerms, OrderWatch } from '../ports/orders.ts';

export type StoredTerms = OrderTerms & OrderWatch;

/** Reads stored terms. An adopted order is stored without a currency and a payment option. */
export const fromStored = ({
  beforeReview,
  reviewReason,
  reviewed,
  moneySeen,
  paidSeenOn,
  filledSeen,
  refundUnseen,
  linkUnseen,
  disputeClosed,
  unreadSince,
  unreadableSince,
  twinSeen,
  ...terms
}: Partial<StoredTerms>): { terms: OrderTerms; watch: OrderWatch } => ({
  terms: { currencyId: 0, paymentOptionId: 0, optionName: '', ...terms },
  watch: defined({
    beforeReview,
    reviewReason,
    reviewed,
    moneySeen,
    paidSeenOn,
    filledSeen,
    refundUnseen,
    linkUnseen,
    disputeClosed,
    unreadSince,
    unreadableSince,
    twinSeen,
  }),
});

export const toStored = (terms: OrderTerms, watch: OrderWatch): StoredTerms => ({ ...terms, ...watch });
