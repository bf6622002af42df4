import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgeFill, linkPaysLess, type FillJudgement, type Ordered } from './judge-fill.ts';

const ordered = (more: Partial<Ordered> = {}): Ordered => ({ pay: 10_000n, receive: 100_000n, binding: true, bounds: { slippageBps: 100 }, ...more });

it.each<[string, Partial<Ordered>, { pay?: bigint; receive?: bigint }, FillJudgement]>([
  ['both amounts', {}, {}, 'as-ordered'],
  ['one sat less', {}, { receive: 99_999n }, 'differs'],
  ['12 bps more', {}, { receive: 100_120n }, 'differs'],
  ['99 %', {}, { receive: 99_000n }, 'differs'],
  ['less than 99 %', {}, { receive: 98_999n }, 'short'],
  ['half of it for half the price', {}, { pay: 5_000n, receive: 50_000n }, 'differs'],
  ['half of it for a little more than half the price', {}, { pay: 5_001n, receive: 50_000n }, 'short'],
  ['more was to be paid', {}, { pay: 10_001n, receive: 200_000n }, 'overcharged'],
  ['an estimate within its slippage', { binding: false }, { receive: 99_000n }, 'as-ordered'],
  ['an estimate beyond it', { binding: false }, { receive: 98_999n }, 'short'],
  ['an estimate with a tight slippage, at 99 %', { binding: false, bounds: { slippageBps: 10 } }, { receive: 99_000n }, 'differs'],
  ['an estimate with a wide slippage', { binding: false, bounds: { slippageBps: 500 } }, { receive: 95_000n }, 'as-ordered'],
  ["an estimate below the customer's own bound", { binding: false, bounds: { slippageBps: 500, minReceive: 99_000n } }, { receive: 98_999n }, 'short'],
  ["a binding order below the customer's own bound", { bounds: { slippageBps: 0, minReceive: 100_000n } }, { receive: 99_999n }, 'short'],
  ["dearer than the customer's own bound", { binding: false, bounds: { slippageBps: 500, maxPay: 10_100n } }, { pay: 10_101n }, 'overcharged'],
  ['capacity alone, as ordered', { receive: 0n }, {}, 'as-ordered'],
  ['capacity alone, for less', { receive: 0n }, { pay: 9_000n, receive: 0n }, 'differs'],
])('%s', (_name, more, told, judged) => {
  const order = ordered(more);
  expect(judgeFill(order, { pay: order.pay, receive: order.receive, ...told })).toBe(judged);
});

it('more delivered for the same money is never judged worse', () => {
  const rank = { overcharged: 0, short: 1, differs: 2, 'as-ordered': 2 } satisfies Record<FillJudgement, number>;
  const amount = fc.bigInt(1n, 200_000n);
  fc.assert(
    fc.property(amount, amount, amount, fc.boolean(), fc.integer({ min: 0, max: 1000 }), (pay, less, more, binding, slippageBps) => {
      const order = ordered({ binding, bounds: { slippageBps } });
      const [low, high] = less < more ? [less, more] : [more, less];
      expect(rank[judgeFill(order, { pay, receive: high })]).toBeGreaterThanOrEqual(rank[judgeFill(order, { pay, receive: low })]);
    }),
  );
});

it('a customer who paid a part gets that part; one who paid in full and got less than 99 % must agree', () => {
  const amount = fc.bigInt(1_000n, 10n ** 12n);
  fc.assert(
    fc.property(amount, amount, fc.bigInt(1n, 999n), fc.bigInt(0n, 1_000_000n), fc.boolean(), (pay, receive, thousandths, millionths, binding) => {
      const order = ordered({ pay: pay * 1000n, receive: receive * 1000n, binding, bounds: { slippageBps: 0 } });
      expect(judgeFill(order, { pay: pay * thousandths, receive: receive * thousandths })).not.toBe('short');
      const told = (order.receive * millionths) / 1_000_000n;
      const judged = judgeFill(order, { pay: order.pay, receive: told });
      expect([millionths, judged === 'short']).toEqual([millionths, told * 100n < order.receive * 99n]);
    }),
  );
});

it('a link that pays 99.9 % of its order is near enough', () => {
  expect([linkPaysLess(100_000n, 99_900n), linkPaysLess(100_000n, 99_899n), linkPaysLess(0n, 0n)]).toEqual([false, true, false]);
});
