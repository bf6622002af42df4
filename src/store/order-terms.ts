/**
 * The two halves of `orders.terms`: what was agreed, and what we have learnt by following the order. Both are in one flat object, because the
 * previous release reads and writes them that way, and runs in parallel with this one during an upgrade.
 */
import { defined } from '../domain/defined.ts';
import type { OrderTerms, OrderWatch } from '../ports/orders.ts';

export type StoredTerms = OrderTerms & OrderWatch;

/** Every member that we learn by following an order. If one is missing here, this does not compile. */
const learnt: { readonly [K in keyof Required<OrderWatch>]: true } = {
  beforeReview: true,
  reviewReason: true,
  reviewed: true,
  moneySeen: true,
  paidSeenOn: true,
  filledSeen: true,
  refundUnseen: true,
  arriving: true,
  linkUnseen: true,
  finishedUnlinked: true,
  linkUnknown: true,
  disputeClosed: true,
  provenOn: true,
  paidOtherwiseOn: true,
  shortReleased: true,
  unreadSince: true,
  noticeUnread: true,
  unreadableSince: true,
  twinSeen: true,
  paymentOf: true,
};

/** Reads stored terms. An adopted order is stored without a currency or a payment option. */
export const fromStored = (stored: Partial<StoredTerms>): { terms: OrderTerms; watch: OrderWatch } => {
  const members = Object.entries(defined(stored));
  const of = (isLearnt: boolean): object => Object.fromEntries(members.filter(([name]) => Object.hasOwn(learnt, name) === isLearnt));
  return { terms: { currencyId: 0, paymentOptionId: 0, optionName: '', ...of(false) }, watch: of(true) };
};

export const toStored = (terms: OrderTerms, watch: OrderWatch): StoredTerms => ({ ...terms, ...watch });

/**
 * Adds to `stored` what was learnt since `before` was read. What another caller has learnt in the meantime stays: a read may be overtaken by an
 * operator's command, or by a withdrawal.
 */
export const withLearnt = <T extends OrderWatch>(stored: T, before: OrderWatch, after: OrderWatch): T => {
  const names = Object.keys(learnt) as (keyof OrderWatch)[];
  const news = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return defined({ ...stored, ...Object.fromEntries(news.map((name) => [name, after[name]])) }) as object as T;
};
