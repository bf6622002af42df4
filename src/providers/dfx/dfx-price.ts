/**
 * Turns DFX's figures into offers. Exact: the figures are decimals, amounts are integers (sats, hundredths of the fiat unit). DFX rounds each figure
 * in its own way (README), so an offer uses the most precise ones, and a figure that contradicts the others makes the answer malformed.
 */
import { decimalTimesCeil, decimalTimesFloor, divCeil, divFloor, satsPerBtc, type Decimal } from '../../domain/money.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ProviderFault } from '../fault.ts';
import { isOnStep, nearestTwo, nextStep, roundToStep, stepAt } from './dfx-step.ts';
import type { QuoteReply } from './dfx-wire.ts';

export type Asked = { fixed: 'pay' | 'receive'; amount: bigint };
/** `btcPrice`: DFX's exchange rate without fees, in hundredths of the fiat unit per bitcoin, rounded down. */
export type Price = { pay: bigint; receive: bigint; fee: bigint; btcPrice?: bigint };
type Priced = { price: Price } | { refusal: Refusal };

/** How far off an amount may be after two roundings, in sats. */
const slack = 1n;
const contradiction = (what: string): ProviderFault => new ProviderFault('malformed', what);

const needed = (value: Decimal | undefined, name: string): Decimal => {
  if (value === undefined || value.digits === 0n) throw contradiction(`the answer does not match the schema at ${name}`);
  return value;
};
/** A fee may be 0, but it must be stated. */
const feeIn = (total: Decimal | undefined, name: string): bigint => {
  if (total === undefined) throw contradiction(`the answer does not match the schema at ${name}.total`);
  return decimalTimesCeil(total, 100n);
};

/**
 * Returns the least and the most sats that an amount of fiat buys at a rate that was rounded to two decimals, half up. `least` is what the offer may
 * promise: floor(pay × 1e8 / (rate + 0.005)).
 */
const satsAt = ({ digits, scale }: Decimal, pay: bigint): { least: bigint; most: bigint } => {
  const [unit, half] = [10n ** BigInt(scale), 5n * 10n ** BigInt(scale)];
  // The rate in thousandths, times 10^scale.
  const rate = digits * 1000n;
  if (rate <= half) throw contradiction('the rate cannot be true');
  const value = pay * 1_000_000n * 1000n * unit;
  return { least: divFloor(value, rate + half), most: divCeil(value, rate - half) };
};

export const buyPrice = ({ fixed, amount: asked }: Asked, reply: QuoteReply): Priced => {
  const [amount, estimated, rate] = [needed(reply.amount, 'amount'), needed(reply.estimatedAmount, 'estimatedAmount'), needed(reply.rate, 'rate')];
  const fee = feeIn(reply.fees?.total, 'fees');
  const pay = decimalTimesCeil(amount, 100n);
  const shown = decimalTimesFloor(estimated, satsPerBtc);
  const btcPrice = reply.exchangeRate === undefined ? {} : { btcPrice: decimalTimesFloor(reply.exchangeRate, 100n) };
  const { least, most } = satsAt(rate, pay);
  if (fixed === 'pay') {
    // `estimatedAmount` is rounded half up, so it may be up to half a step more than arrives. The check allows a whole step in either direction.
    const step = stepAt(shown);
    if (least > shown + step + slack || most + step + slack < shown) throw contradiction('the rate contradicts the amounts');
    return { price: { pay, receive: least, fee, ...btcPrice } };
  }
  // DFX calculates with the exact amount, but repeats it rounded. If it repeats any other amount, the price is not for this request.
  if (roundToStep(asked) !== shown) {
    if (isOnStep(asked)) throw contradiction('the price is for another amount');
    return { refusal: { reason: 'off-step', detail: nearestTwo(asked) } };
  }
  // `amount` is rounded down to a cent, so the exact amount is less than a cent more.
  if (least > asked + slack || satsAt(rate, pay + 1n).most + slack < asked) throw contradiction('the rate contradicts the amounts');
  return { price: { pay, receive: asked, fee, ...btcPrice } };
};

/**
 * Refuses an amount of sats that DFX cannot express, because DFX would make the invoice for the next lower amount that it can express. This needs no
 * call to DFX.
 */
export const offStep = ({ fixed, amount }: Asked): Refusal | undefined =>
  fixed === 'receive' || isOnStep(amount) ? undefined : { reason: 'off-step', detail: nearestTwo(amount) };

export const sellPrice = ({ fixed }: Asked, reply: QuoteReply): Priced => {
  const [amount, estimated, rate] = [needed(reply.amount, 'amount'), needed(reply.estimatedAmount, 'estimatedAmount'), needed(reply.rate, 'rate')];
  const fee = feeIn(reply.feesTarget?.total, 'feesTarget');
  if (!agree(amount, estimated, rate)) throw contradiction('the rate contradicts the amounts');
  const sats = decimalTimesCeil(amount, satsPerBtc);
  const price = reply.exchangeRate;
  return {
    price: {
      // If the fiat to receive was fixed, DFX rounded `amount` down by less than a step, so `amount` may bring less than promised. The next step up
      // cannot.
      pay: fixed === 'pay' ? sats : nextStep(sats),
      receive: decimalTimesFloor(estimated, 100n),
      fee,
      // `exchangeRate` is in bitcoin per fiat unit.
      ...(price === undefined || price.digits === 0n ? {} : { btcPrice: divFloor(100n * 10n ** BigInt(price.scale), price.digits) }),
    },
  };
};

/**
 * Returns whether estimated × rate is the amount. It may be off by 2 basis points (`rate` and `amount` have 5 digits) plus the worth of one cent
 * (`estimated` has two decimals).
 */
const agree = (amount: Decimal, estimated: Decimal, rate: Decimal): boolean => {
  const power = (scale: number): bigint => 10n ** BigInt(scale);
  const stated = amount.digits * power(estimated.scale + rate.scale);
  const gap = estimated.digits * rate.digits * power(amount.scale) - stated;
  const cent = rate.digits * power(estimated.scale + amount.scale);
  return (gap < 0n ? -gap : gap) * 10_000n <= 2n * stated + 100n * cent;
};
