import { expect, it } from 'vitest';
import { isRecent } from './is-recent.ts';

it('what is less than the limit away is recent, before and after', () => {
  const recent = [-5000, -4999, -1, 0, 1, 4999, 5000, 3_600_000, Infinity].map((ago) => isRecent(1_700_000_000_000 - ago, 1_700_000_000_000, 5000));
  expect(recent).toEqual([false, true, true, true, true, true, false, false, false]);
});
