import { describe, expect, it } from 'vitest';
import type { Refusal } from '../domain/refusal.ts';
import { problems } from '../http/problem.ts';
import { refusalProblem } from './refusal-problem.ts';

/** Returns what the caller gets: the code, and what the problem says about repeating the request. */
const told = (refusal: Refusal) => {
  const { code, more } = refusalProblem(refusal);
  const { action, retryable } = { ...problems[code], ...(more.members as { action?: string; retryable?: boolean } | undefined) };
  return { code, action, retryable };
};

describe('how a refusal is shown to the caller', () => {
  it.each<[Refusal, string, string]>([
    [{ reason: 'declined', note: 'attempts-used' }, 'order-unpayable', 'requote'],
    [{ reason: 'declined', note: 'amount-crowded' }, 'amount-in-use', 'ask-user'],
    [{ reason: 'declined', note: 'cancel-refused' }, 'cancel-refused', 'ask-user'],
    [{ reason: 'declined', note: 'resend-refused' }, 'code-expired', 'ask-user'],
    [{ reason: 'declined', note: 'address-not-payable' }, 'connection-required', 'ask-user'],
    [{ reason: 'option-unsupported', note: 'out-of-stock' }, 'order-unpayable', 'requote'],
    [{ reason: 'account-required', note: 'needs-reconnect' }, 'account-not-connected', 'ask-user'],
    [{ reason: 'declined', note: 'reservation-ended' }, 'quote-expired', 'requote'],
    [{ reason: 'declined', note: 'node-not-listed' }, 'order-unpayable', 'requote'],
    [{ reason: 'declined', note: 'token-refused' }, 'misconfigured', 'contact-support'],
    [{ reason: 'payment-method-unsupported', note: 'refund-address-required' }, 'invalid-request', 'fix-request'],
    [{ reason: 'country-restricted' }, 'order-unpayable', 'requote'],
  ])('%o will be refused again, so the caller is not told to retry', (refusal, code, action) => {
    expect(told(refusal)).toEqual({ code, action, retryable: false });
  });

  it.each<[Refusal, string]>([
    [{ reason: 'busy', note: 'connection-initiating' }, 'connection-required'],
    [{ reason: 'busy' }, 'provider-unavailable'],
    [{ reason: 'declined', note: 'order-refused', detail: '20001' }, 'provider-unavailable'],
  ])('%o may be accepted another time', (refusal, code) => {
    expect(told(refusal)).toEqual({ code, action: 'retry', retryable: true });
    expect(refusalProblem(refusal).more.retryAfterMs).toBe(2000);
  });

  it('names limits by the ramp: a buyer pays fiat, a seller sats', () => {
    const limits = { minPay: 1000n, maxReceive: 5000n };
    const shown = (ramp: 'buy' | 'sell') => refusalProblem({ reason: 'above-maximum', limits }, ramp).more.members;
    expect(shown('buy')).toEqual({ limits: { min_amount_fiat: 1000, max_amount_sats: 5000 } });
    expect(shown('sell')).toEqual({ limits: { min_amount_sats: 1000, max_amount_fiat: 5000 } });
    expect(refusalProblem({ reason: 'kyc-required', limits }, 'buy').more.members).toEqual({
      action: 'ask-user',
      retryable: false,
      limits: { min_amount_fiat: 1000, max_amount_sats: 5000 },
    });
  });

  it('shows the page that the customer must visit, whatever the reason, and never in its sentence', () => {
    const actionUrl = 'https://p.example/kyc?session=bearer';
    for (const refusal of [{ reason: 'kyc-required' }, { reason: 'account-required' }, { reason: 'declined', note: 'order-refused' }] as Refusal[]) {
      const { detail, more } = refusalProblem({ ...refusal, actionUrl }, 'buy');
      expect([more.members?.['action_url'], more.members?.['action'], detail.includes('bearer')]).toEqual([actionUrl, 'ask-user', false]);
    }
  });

  it('names the member of the request, and the code of the provider', () => {
    expect(refusalProblem({ reason: 'declined', note: 'bic-invalid' }).more.errors).toEqual([{ pointer: '/bic', detail: 'is not a BIC' }]);
    expect(refusalProblem({ reason: 'declined', note: 'order-refused', detail: '20001' }).detail).toBe(
      'The provider refused the request: declined (order-refused: 20001). Nothing was changed.',
    );
  });
});
