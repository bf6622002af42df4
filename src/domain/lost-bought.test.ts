import { describe, expect, it } from 'vitest';
import { longestLinkMs, mayBeEnded, mayBeLost, mayHaveLink, unreadEnd, type ClaimNow } from './lost-bought.ts';

const now = Date.UTC(2026, 10, 30);
const claim = (more: Partial<ClaimNow> = {}): ClaimNow => ({
  state: 'held',
  attempt: 1,
  isUnlost: true,
  hasLink: true,
  hasFallback: false,
  createdOn: now,
  expiresOn: now + 60_000,
  ...more,
});
const { expiresOn: _end, ...endless } = claim();
const both = (one: ClaimNow, stage: 'filled' | 'finished', at: number): [lost: boolean, ended: boolean] => [
  mayBeLost({ stage, claim: one }, at),
  mayBeEnded({ ramp: 'buy', stage, claim: one }, at),
];

describe('whatever a provider says about its own link, a proof counts three days after the customer first asked', () => {
  it.each<[string, ClaimNow]>([
    ['an end in the year 2100', claim({ expiresOn: Date.UTC(2100, 0) })],
    ['no end', endless],
    ['an end that cannot be read', claim({ expiresOn: unreadEnd })],
    ['an end that each new link postpones', claim({ expiresOn: now + longestLinkMs + 60_000 })],
    ['no link at all, and no refusal', { ...endless, state: 'sending', hasLink: false }],
  ])('%s', (_what, one) => {
    expect(mayBeLost({ stage: 'filled', claim: one }, now + longestLinkMs - 1)).toBe(false);
    expect([both(one, 'filled', now + longestLinkMs), both(one, 'finished', now + longestLinkMs)]).toEqual([
      [true, true],
      [true, false],
    ]);
  });
});

it('until then, a link whose end is known is left alone, and is over afterwards', () => {
  expect([both(claim(), 'filled', now), both(claim(), 'filled', now + 60_000)]).toEqual([
    [false, false],
    [true, true],
  ]);
});

it('a link that is held, and one whose answer may have been lost, may pay the customer', () => {
  const claims = [undefined, claim(), claim({ hasLink: false }), claim({ hasLink: false, isUnlost: false })];
  expect(claims.map((one) => mayHaveLink({ claim: one }))).toEqual([false, true, false, true]);
  expect(mayHaveLink({ linkUnknown: true })).toBe(true);
});
