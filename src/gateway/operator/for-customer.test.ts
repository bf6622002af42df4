import { expect, test } from 'vitest';
import type { Dossier } from '../../ports/operator.ts';
import { forCustomer } from './for-customer.ts';

const told = (terms: object, claim?: 'held' | 'sending' | 'review' | 'refused'): string =>
  forCustomer({
    intent: { orderId: 'o1', state: 'confirmed' },
    order: { stage: 'filled', ramp: 'buy', terms },
    ...(claim ? { claim: { state: claim } } : {}),
  } as unknown as Dossier);

test.each([
  [{}, undefined, 'your wallet can withdraw it now'],
  [{}, 'held', 'your wallet can withdraw it now'],
  [{}, 'sending', 'your wallet can withdraw it now'],
  [{}, 'review', 'your wallet cannot withdraw it yet'],
  [{}, 'refused', 'the provider refused your wallet’s withdrawal'],
  [{ finishedUnlinked: true }, undefined, 'The provider says that your bitcoin was collected'],
  [{ finishedUnlinked: true }, 'review', 'The provider says that your bitcoin was collected'],
  [{ payout: 'push' }, undefined, 'the provider is sending it to the destination of your order'],
] as const)('a filled order with %o, whose withdrawal is %s', (terms, claim, sentence) => {
  expect(told(terms, claim)).toContain(sentence);
});

test.each([
  ['moved', 'your request went on to another one'],
  ['declined', 'There is nothing to pay'],
  ['review', 'We are checking your order'],
  ['unknown', 'Please do not pay anything until your wallet shows how'],
] as const)('an attempt in the state %s, without an order', (state, sentence) => {
  expect(forCustomer({ intent: { orderId: 'o1', state } } as unknown as Dossier)).toContain(sentence);
});
