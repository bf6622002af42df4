import { expect, test } from 'vitest';
import { fromStored, toStored, type StoredTerms } from './order-terms.ts';

test('terms that the previous release wrote are split into what was agreed and what following the order taught us', () => {
  const agreed = { currencyId: 1, paymentOptionId: 2, optionName: 'SEPA', currency: 'EUR', arrivalSeconds: 86_400, matchedBy: 'amount' as const };
  const before: StoredTerms = { ...agreed, beforeReview: 'paid', unreadableSince: 1_700_000_000_000 };
  expect(fromStored(before)).toEqual({ terms: agreed, watch: { beforeReview: 'paid', unreadableSince: 1_700_000_000_000 } });
});

test('the previous release can read what this one writes', () => {
  const agreed = { currencyId: 1, paymentOptionId: 2, optionName: 'SEPA' };
  expect(toStored(agreed, { beforeReview: 'filled' })).toEqual({ ...agreed, beforeReview: 'filled' });
  expect(toStored(agreed, {})).toEqual(agreed);
});

test('an order that the previous release adopted says nothing about what was agreed', () => {
  expect(fromStored({ adopted: true })).toEqual({ terms: { currencyId: 0, paymentOptionId: 0, optionName: '', adopted: true }, watch: {} });
});
