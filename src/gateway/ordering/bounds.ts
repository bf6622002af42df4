/** The customer's own limits on an order, and on the orders that failover may place instead. */
import { defined } from '../../domain/defined.ts';
import type { Bounds } from '../../domain/judge-order.ts';
import { amountNames, sides, type Ramp } from '../../domain/ramp.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { exchangeOf } from '../pricing/exchange-terms.ts';
import type { StoredQuote } from '../pricing/store-route.ts';
import { Problem } from '../problem.ts';
import type { Failover, PlacingInputs } from './placing.ts';

/** How many further ranks may be tried, and the limits for each of them, in the ramp's units. */
export type FailoverRequest = { max: number; minReceive?: bigint | undefined; maxPay?: bigint | undefined };
type Own = Pick<PlacingInputs, 'minReceive' | 'maxPay'>;
export const ownBounds = ({ minReceive, maxPay }: Own): { minReceive?: bigint; maxPay?: bigint } =>
  defined({
    minReceive: minReceive === undefined ? undefined : BigInt(minReceive),
    maxPay: maxPay === undefined ? undefined : BigInt(maxPay),
  });
/** Returns what an order is judged by: the operator's slippage, and the customer's own limits. */
export const boundsOf = ({ settings }: Pick<Gateway, 'settings'>, inputs: Own): Bounds => ({
  slippageBps: settings.routing.slippage_bps,
  ...ownBounds(inputs),
});

type Limits = { minReceive?: string | bigint | undefined; maxPay?: string | bigint | undefined };

/**
 * Throws a Problem if the quote is already outside the customer's limits, because such a limit can only be a mistake. `within` is the path of the
 * request member that holds the limits.
 */
export const refuseOutOfBounds = (ramp: Ramp, offer: { pay: bigint; receive: bigint }, { minReceive, maxPay }: Limits, within = ''): void => {
  const units = { fiat: 'cents', sats: 'sats' };
  const refuse = (member: string, sentence: string): Problem =>
    new Problem('amount-out-of-range', `${sentence}.`, { errors: [{ pointer: `/${within}${member}`, detail: sentence }] });
  const [least, most] = [`min_${amountNames[ramp].receive}`, `max_${amountNames[ramp].pay}`];
  if (minReceive !== undefined && offer.receive < BigInt(minReceive))
    throw refuse(least, `the quote gives ${offer.receive} ${units[sides[ramp].receive]}, less than your ${least} ${minReceive}`);
  if (maxPay !== undefined && offer.pay > BigInt(maxPay))
    throw refuse(most, `the quote costs ${offer.pay} ${units[sides[ramp].pay]}, more than your ${most} ${maxPay}`);
};

/**
 * Throws a Problem if failover has no limit on the amount that differs between offers, or if the quote itself is outside the limits. All offers for
 * one price request have the same amount on one side, so only a limit on the other side keeps out an offer at a worse price.
 */
export const refuseBoundless = ({ route, offer: { offer } }: StoredQuote, failover: FailoverRequest): void => {
  const { ramp, fixed } = exchangeOf(route);
  const names = amountNames[ramp];
  const [wanted, bound] = fixed === 'pay' ? [`min_${names.receive}`, failover.minReceive] : [`max_${names.pay}`, failover.maxPay];
  if (bound === undefined) {
    const detail = `failover must contain ${wanted}: all offers for this request have the same ${names[fixed]}, so only ${wanted} keeps out a worse offer`;
    throw new Problem('invalid-request', `${detail}.`, { errors: [{ pointer: `/failover/${wanted}`, detail }] });
  }
  refuseOutOfBounds(ramp, offer, failover, 'failover/');
};

/** Returns the failover to store: its limits are the stricter of the request's own limits and those given for failover. */
export const failoverOf = ({ max, minReceive, maxPay }: FailoverRequest, own: Own): Failover => ({
  moves: max,
  ...defined({ minReceive: strictest(minReceive, own.minReceive, 'most'), maxPay: strictest(maxPay, own.maxPay, 'least') }),
});

const strictest = (one: bigint | undefined, other: string | undefined, which: 'least' | 'most'): string | undefined => {
  if (one === undefined || other === undefined) return one?.toString() ?? other;
  const isLess = one < BigInt(other);
  return isLess === (which === 'least') ? one.toString() : other;
};
