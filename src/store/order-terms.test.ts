import { expect, test } from 'vitest';
import { fromStored, toStored, type StoredTerms } from './order-terms.ts';

test('what the release before wrote is read: what was agreed apart from what following learnt', () => {
  const agreed = { currencyId: 1, paymentOptionId: 2, optionName: 'SEPA', currency: 'EUR', arrivalSeconds: 86_400, matchedBy: 'amount' as const };
  const before: StoredTerms = { ...agreed, beforeReview: 'paid', unreadableSince: 1_700_000_000_000 };
  expect(fromStored(before)).toEqual({ terms: agreed, watch: { beforeReview: 'paid', unreadableSince: 1_700_000_000_000 } });
});

test('it can read what is written now, too', () => {
  const agreed = { currencyId: 1, paymentOptionId: 2, optionName: 'SEPA' };
  expect(toStored(agreed, { beforeReview: 'filled' })).toEqual({ ...agreed, beforeReview: 'filled' });
  expect(toStored(agreed, {})).toEqual(agreed);
});

test('an adopted order of the release before says nothing of what was agreed', () => {
  expect(fromStored({ adopted: true })).toEqual({ terms: { currencyId: 0, paymentOptionId: 0, optionName: '', adopted: true }, watch: {} });
});
