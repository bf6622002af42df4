/** Calculates what sats sell for. Exact: rates are decimals, amounts are integers (sats, euro cents). */
import { decimalTimesFloor, divCeil, divFloor, parseDecimal, satsPerBtc, type Decimal } from '../../domain/money.ts';
import type { Limits, Refusal } from '../../domain/refusal.ts';
import type { RatesReply } from './bringin-wire.ts';

/** `btcPrice`: market price in cents per bitcoin, rounded down. `centsPerSat`: what one sat sells for after fees, in cents. */
export type Rate = { btcPrice: bigint; centsPerSat: Decimal };
export type Price = { pay: bigint; receive: bigint; fee: bigint };
export type FiatLimits = { min_fiat: number; max_fiat?: number | undefined };

/** Reads the rates. Returns undefined if they cannot be true: another pair, not decimal, not positive, or better than the market. */
export const readRate = (reply: RatesReply): Rate | undefined => {
  const [market, bringin] = [parseDecimal(reply.price), parseDecimal(reply.bringinPrice)];
  if (reply.ticker !== 'BTCEUR' || !market || !bringin || bringin.digits <= 0n || isMore(bringin, market)) return undefined;
  const btcPrice = decimalTimesFloor(market, 100n);
  // 100 cents in a euro, 1e8 sats in a bitcoin. The result is never above the rounded market price, so that the fee is never negative.
  const after = { digits: bringin.digits, scale: bringin.scale + 6 };
  const rounded = { digits: btcPrice, scale: 8 };
  return btcPrice > 0n ? { btcPrice, centsPerSat: isMore(after, rounded) ? rounded : after } : undefined;
};

/**
 * Returns the price for the amount to pay, or for the smallest number of sats that gives the amount to receive. The fee is the market value of the
 * sats less the amount to receive: floor(sats × btcPrice / 1e8) − receive.
 */
export const priceOf = (rate: Rate, fixed: 'pay' | 'receive', amount: bigint): Price => {
  const pay = fixed === 'pay' ? amount : satsFor(rate, amount);
  const receive = decimalTimesFloor(rate.centsPerSat, pay);
  return { pay, receive, fee: divFloor(pay * rate.btcPrice, satsPerBtc) - receive };
};

/** Returns the smallest number of sats that gives at least that many cents. */
export const satsFor = ({ centsPerSat }: Rate, cents: bigint): bigint => divCeil(cents * 10n ** BigInt(centsPerSat.scale), centsPerSat.digits);

/** Checks the limits of the amount to receive, in euro cents. Converts them to the unit of the request. */
export const outsideLimits = (rate: Rate, fixed: 'pay' | 'receive', { receive }: Price, { min_fiat, max_fiat }: FiatLimits): Refusal | undefined => {
  const min = BigInt(min_fiat);
  const max = max_fiat === undefined ? undefined : BigInt(max_fiat);
  if (receive >= min && (max === undefined || receive <= max)) return undefined;
  const limits: Limits =
    fixed === 'receive'
      ? { minReceive: min, ...(max === undefined ? {} : { maxReceive: max }) }
      : { minPay: satsFor(rate, min), ...(max === undefined ? {} : { maxPay: satsFor(rate, max + 1n) - 1n }) };
  return { reason: receive < min ? 'below-minimum' : 'above-maximum', limits };
};

/** Checks limits that the receiving address states in sats. Converts them at the offer's price to the unit of the request. */
export const outsideSats = (
  sats: { min: bigint; max: bigint },
  fixed: 'pay' | 'receive',
  { pay, receive }: Pick<Price, 'pay' | 'receive'>,
): Refusal | undefined => {
  if (pay >= sats.min && pay <= sats.max) return undefined;
  const limits: Limits =
    fixed === 'pay' ? { minPay: sats.min, maxPay: sats.max } : { minReceive: divCeil(sats.min * receive, pay), maxReceive: divFloor(sats.max * receive, pay) };
  return { reason: pay < sats.min ? 'below-minimum' : 'above-maximum', limits };
};

const isMore = (a: Decimal, b: Decimal): boolean => a.digits * 10n ** BigInt(b.scale) > b.digits * 10n ** BigInt(a.scale);
