/** Whether the order that a provider made is the quote that the customer accepted. Amounts in the ramp's units. */
import { isExchange, type Ramp } from './ramp.ts';
import { namesDiffer } from './option-name.ts';

export type Accepted = { ramp?: Ramp; pay: bigint; receive: bigint; binding: boolean; currency?: string; option?: string };
export type Made = { pay: bigint; receive: bigint; echo?: { currency?: string; option?: string } };
export type Bounds = { minReceive?: bigint; maxPay?: bigint; slippageBps: number };

export type Judgement = 'as-accepted' | 'price-changed' | 'differs';

/**
 * A binding quote's order must repeat both amounts; an estimate's may be worse by `slippageBps` of the net result (receive per pay), and
 * never beyond what the customer bounded. Another currency or option is no order of this quote at all.
 */
export const judgeOrder = (accepted: Accepted, made: Made, bounds: Bounds): Judgement => {
  if (namesDiffer(made.echo?.currency, accepted.currency) || namesDiffer(made.echo?.option, accepted.option)) return 'differs';
  if (made.pay <= 0n || made.receive < 0n) return 'differs';
  if (bounds.minReceive !== undefined && made.receive < bounds.minReceive) return 'price-changed';
  if (bounds.maxPay !== undefined && made.pay > bounds.maxPay) return 'price-changed';
  if (accepted.binding) return made.pay === accepted.pay && made.receive === accepted.receive ? 'as-accepted' : 'price-changed';
  // Inbound capacity alone receives nothing that could be divided: what it costs is held against what was accepted.
  if (accepted.ramp !== undefined && !isExchange(accepted.ramp))
    return made.receive >= accepted.receive && made.pay * 10_000n <= accepted.pay * BigInt(10_000 + bounds.slippageBps) ? 'as-accepted' : 'price-changed';
  // made.receive / made.pay ≥ accepted.receive / accepted.pay × (1 − slippage), by exact cross multiplication
  return made.receive * accepted.pay * 10_000n >= accepted.receive * made.pay * BigInt(10_000 - bounds.slippageBps) ? 'as-accepted' : 'price-changed';
};

/** Two clocks, or one that is told in minutes, differ by as much. */
const endSlackMs = 15_000;

/**
 * Whether an order can still be paid in time. One that has ended, or is about to, would take money that comes too late; one that ends before its
 * binding quote does is not what was accepted. No end named is the quote's.
 */
export const judgeEnd = (
  quoted: { binding: boolean; expiresOn?: number },
  endsOn: number | undefined,
  lastMoment: number,
): 'in-time' | 'over' | 'price-changed' => {
  if (endsOn === undefined) return 'in-time';
  if (endsOn <= lastMoment) return 'over';
  return quoted.binding && quoted.expiresOn !== undefined && endsOn < quoted.expiresOn - endSlackMs ? 'price-changed' : 'in-time';
};
