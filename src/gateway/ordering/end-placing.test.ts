import { expect, it } from 'vitest';
import type { Ramp } from '../../domain/ramp.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { endOfRefusal } from './end-placing.ts';
import type { Placing } from './placing.ts';

const endOf = (ramp: Ramp, refusal: Refusal, order: object = {}) => {
  // The parts of an order attempt that decide how it ends.
  const { state, problem, wentBack } = endOfRefusal(ramp, refusal, { inputs: { order } } as Placing);
  return [state, problem.code, wentBack];
};

it.each<[Ramp, Refusal, string, boolean]>([
  ['buy', { reason: 'declined' }, 'provider-declined', true],
  ['sell', { reason: 'declined', note: 'order-refused', detail: '20001' }, 'provider-declined', true],
  ['liquidity', { reason: 'declined', note: 'price-moved' }, 'price-changed', true],
  // A refusal because of the customer or the stock also lasts, but breaks no promise.
  ['buy', { reason: 'country-restricted' }, 'provider-declined', false],
  ['liquidity', { reason: 'option-unsupported', note: 'out-of-stock' }, 'provider-declined', false],
])('%s, %o: another offer is taken', (ramp, refusal, code, wentBack) => expect(endOf(ramp, refusal)).toEqual(['declined', code, wentBack]));

it.each<[Ramp, Refusal, string, object?]>([
  ['buy', { reason: 'busy' }, 'provider-unavailable'],
  ['liquidity', { reason: 'quota-used' }, 'provider-unavailable'],
  // The customer can fix the cause and order the same quote again.
  ['sell', { reason: 'account-required', note: 'needs-reconnect' }, 'account-not-connected'],
  ['sell', { reason: 'declined', note: 'connection-not-active' }, 'connection-required'],
  ['sell', { reason: 'above-maximum' }, 'amount-out-of-range'],
  ['buy', { reason: 'below-minimum' }, 'amount-out-of-range'],
  ['buy', { reason: 'account-required' }, 'account-required'],
  ['buy', { reason: 'kyc-required', actionUrl: 'https://p.example/kyc' }, 'account-not-connected'],
  ['liquidity', { reason: 'peer-not-connected' }, 'peer-not-connected'],
  ['liquidity', { reason: 'declined', note: 'invoice-unsuitable' }, 'invoice-unsuitable'],
  ['sell', { reason: 'declined', note: 'amount-crowded' }, 'amount-in-use'],
  // The provider allows no further attempt, but the quote does not count as used.
  ['sell', { reason: 'declined', note: 'attempts-used' }, 'order-unpayable'],
  // The operator's own balance may be too low.
  ['liquidity', { reason: 'declined', note: 'order-refused' }, 'provider-unavailable', { payWithBalance: true }],
])('%s, %o: the quote stays good', (ramp, refusal, code, order) => expect(endOf(ramp, refusal, order)).toEqual(['rejected', code, false]));
