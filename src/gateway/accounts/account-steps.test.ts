import { expect, it } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import type { Account } from '../../ports/accounts.ts';
import { nextCheck } from './account-steps.ts';

const day = 86_400_000;
/** Returns when an account that does not change is polled within 30 days, in milliseconds since it was started. */
const pollsOf = (status: Account['status'], first: number, more: Partial<Account> = {}): number[] => {
  const { gateway, clock } = memoryGateway();
  const started = clock.now;
  const account = { status, statusOn: started, ...more } as Account;
  const polls: number[] = [];
  for (clock.now += first; clock.now < started + 30 * day; clock.now = nextCheck({ ...gateway, random: () => 0.5 }, account, []))
    polls.push(clock.now - started);
  return polls;
};

it.each(['onboarding', 'pending', 'rejected'] as const)('an account that is never connected (%s) is polled ever more rarely', (status) => {
  const polls = pollsOf(status, 30_000);
  expect(polls.length).toBeLessThan(60);
  // Somebody who signs up after an hour is noticed within a quarter of an hour, even if neither the wallet nor the provider says anything.
  const afterAnHour = polls.findIndex((at) => at > 3_600_000);
  expect((polls[afterAnHour] ?? 0) - (polls[afterAnHour - 1] ?? 0)).toBeLessThan(900_000);
});

it('a connected account is polled every ten minutes, and one whose key is lost every hour', () => {
  expect([pollsOf('connected', 30_000).length, pollsOf('needs_reconnect', 30_000).length]).toEqual([30 * 24 * 6, 30 * 24]);
});

it('an account that was connected and waits to be connected again is polled at least every hour', () => {
  const polls = pollsOf('pending', 30_000, { connectedOn: 0 });
  expect(polls.filter((at) => at < 3_600_000).length).toBeGreaterThan(10);
  expect(Math.max(...polls.slice(1).map((at, n) => at - (polls[n] ?? 0)))).toBeLessThanOrEqual(3_600_000);
});
