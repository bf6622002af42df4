import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDispute, judgeFill, linkPaysLess, type FillJudgement, type Ordered } from './judge-fill.ts';

const ordered = (more: Partial<Ordered> = {}): Ordered => ({ pay: 10_000n, receive: 100_000n, binding: true, bounds: { slippageBps: 100 }, ...more });

it.each<[string, Partial<Ordered>, { pay?: bigint; receive?: bigint }, FillJudgement]>([
  ['both amounts', {}, {}, 'as-ordered'],
  ['one sat less', {}, { receive: 99_999n }, 'differs'],
  ['12 bps more', {}, { receive: 100_120n }, 'differs'],
  ['99 %', {}, { receive: 99_000n }, 'differs'],
  ['less than 99 %', {}, { receive: 98_999n }, 'short'],
  ['half of it for half the price', {}, { pay: 5_000n, receive: 50_000n }, 'short'],
  ['half of it for nothing', {}, { pay: 0n, receive: 50_000n }, 'short'],
  ['nothing', {}, { receive: 0n }, 'short'],
  ['99 % for 99 % of the price', {}, { pay: 9_900n, receive: 99_000n }, 'differs'],
  ['a cent more, at the same price', {}, { pay: 10_001n, receive: 100_010n }, 'differs'],
  ['a cent more, at a better price', {}, { pay: 10_001n, receive: 200_000n }, 'differs'],
  ['a cent more, rounded down', {}, { pay: 10_001n, receive: 100_009n }, 'differs'],
  ['a cent more, which a fee rounded up swallows', {}, { pay: 10_001n }, 'differs'],
  ['a cent more of a small order, which a fee rounded up swallows', { pay: 100n, receive: 1_000n }, { pay: 101n, receive: 999n }, 'differs'],
  ['0.1 % more, for nothing', {}, { pay: 10_011n }, 'differs'],
  ['a little more than that, for nothing', {}, { pay: 10_012n }, 'overcharged'],
  ['paid twice, delivered twice', {}, { pay: 20_000n, receive: 200_000n }, 'differs'],
  ['paid twice, delivered once', {}, { pay: 20_000n, receive: 100_000n }, 'overcharged'],
  ['paid twice, and less than 99 % came', {}, { pay: 20_000n, receive: 98_999n }, 'short'],
  ['an estimate of half for half', { binding: false }, { pay: 5_000n, receive: 50_000n }, 'short'],
  ['an estimate paid twice, within its slippage', { binding: false }, { pay: 20_000n, receive: 198_000n }, 'differs'],
  ['an estimate paid twice, beyond it', { binding: false }, { pay: 20_000n, receive: 197_700n }, 'overcharged'],
  ['an estimate within its slippage', { binding: false }, { receive: 99_000n }, 'as-ordered'],
  ['an estimate beyond it', { binding: false }, { receive: 98_999n }, 'short'],
  ['an estimate with a tight slippage, at 99 %', { binding: false, bounds: { slippageBps: 10 } }, { receive: 99_000n }, 'differs'],
  ['an estimate with a wide slippage', { binding: false, bounds: { slippageBps: 500 } }, { receive: 95_000n }, 'as-ordered'],
  ["an estimate below the customer's own bound", { binding: false, bounds: { slippageBps: 500, minReceive: 99_000n } }, { receive: 98_999n }, 'short'],
  ["a binding order below the customer's own bound", { bounds: { slippageBps: 0, minReceive: 100_000n } }, { receive: 99_999n }, 'short'],
  ["dearer than the customer's own bound", { binding: false, bounds: { slippageBps: 500, maxPay: 10_100n } }, { pay: 10_120n }, 'overcharged'],
  ['capacity alone, as ordered', { receive: 0n }, {}, 'as-ordered'],
  ["above the customer's own bound, at the same price", { bounds: { slippageBps: 0, maxPay: 10_000n } }, { pay: 10_001n, receive: 100_010n }, 'differs'],
  ['capacity alone, for more', { receive: 0n }, { pay: 10_001n, receive: 0n }, 'overcharged'],
  ['capacity alone, for less', { receive: 0n }, { pay: 9_000n, receive: 0n }, 'differs'],
])('%s', (_name, more, told, judged) => {
  const order = ordered(more);
  expect(judgeFill(order, { pay: order.pay, receive: order.receive, ...told })).toBe(judged);
});

const gravity = { overcharged: 1, short: 1, differs: 0, 'as-ordered': 0 } satisfies Record<FillJudgement, number>;
const amount = fc.bigInt(1n, 200_000n);
const order = fc.record({
  pay: amount,
  receive: fc.bigInt(0n, 200_000n),
  binding: fc.boolean(),
  bounds: fc.record(
    { slippageBps: fc.integer({ min: 0, max: 1000 }), minReceive: amount, maxPay: amount },
    { requiredKeys: ['slippageBps'], noNullPrototype: true },
  ),
});

describe('the table of docs/decisions/2026-11-29-more-less-late.md', () => {
  it('more delivered for the same money is never judged worse, and neither is less charged for the same delivery', () => {
    fc.assert(
      fc.property(order, fc.bigInt(0n, 400_000n), fc.bigInt(0n, 400_000n), fc.bigInt(0n, 400_000n), (ordered, same, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(gravity[judgeFill(ordered, { pay: same, receive: high })]).toBeLessThanOrEqual(gravity[judgeFill(ordered, { pay: same, receive: low })]);
        expect(gravity[judgeFill(ordered, { pay: low, receive: same })]).toBeLessThanOrEqual(gravity[judgeFill(ordered, { pay: high, receive: same })]);
      }),
    );
  });
  it('below 99 % of what was ordered it is short, whatever the provider says was paid', () => {
    fc.assert(
      fc.property(order, fc.bigInt(0n, 400_000n), fc.bigInt(0n, 989_999n), (ordered, pay, millionths) => {
        fc.pre(ordered.receive > 0n);
        const told = (ordered.receive * millionths) / 1_000_000n;
        const judged = judgeFill({ ...ordered, bounds: { ...ordered.bounds, slippageBps: Math.min(100, ordered.bounds.slippageBps) } }, { pay, receive: told });
        expect(judged).toBe('short');
      }),
    );
  });
  it('more paid at no worse a price asks nobody, with any bound on the amount to pay; more at a worse one does', () => {
    fc.assert(
      fc.property(amount, amount, fc.bigInt(1n, 400_000n), fc.option(amount, { nil: undefined }), (pay, receive, more, maxPay) => {
        const ordered = { pay, receive, binding: true, bounds: { slippageBps: 0, ...(maxPay === undefined ? {} : { maxPay }) } };
        // An honest provider rounds the sats down, after a fee that is rounded up.
        for (const cents of [0n, 1n]) expect(judgeFill(ordered, { pay: pay + more, receive: (receive * (pay + more - cents)) / pay })).toBe('differs');
        const unfair = (receive * (pay + more - 1n) * 9_989n) / (pay * 10_000n) - 2n;
        expect(isDispute(judgeFill(ordered, { pay: pay + more, receive: unfair < 0n ? 0n : unfair }))).toBe(true);
      }),
    );
  });
});

it('a link that pays 99.9 % of its order is near enough', () => {
  expect([linkPaysLess(100_000n, 99_900n), linkPaysLess(100_000n, 99_899n), linkPaysLess(0n, 0n)]).toEqual([false, true, false]);
});
