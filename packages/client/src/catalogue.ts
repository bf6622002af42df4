import { defined } from '../../../src/domain/defined.ts';
import { RampError, readAs } from './error.ts';
import { moneyOf, type Money } from './money.ts';
import type { InSession } from './in-session.ts';

/** A way to pay (or, when selling, to be paid). */
export type PaymentOption = {
  /** The name, as `by` takes it: `SEPA`, `Credit card` … */
  name: string;
  currency: string;
  min?: Money;
  max?: Money;
};
type Listed = PaymentOption & { currency_id: number; payment_option_id: number };
type Exchange = 'buy' | 'sell';

/** Translates names to numbers: the gateway knows currencies and options by numbers that never change; callers of this client use names. */
export const createCatalogue = (inSession: InSession) => {
  const kept: { [Ramp in Exchange]?: Promise<Listed[]> } = {};
  const paths = { buy: '/payment-options', sell: '/sell/payment-options' } as const;
  const read = async (ramp: Exchange, signal?: AbortSignal): Promise<Listed[]> => {
    const { currencies } = await inSession(paths[ramp], {}, { signal });
    return readAs('a list of payment options', () =>
      currencies.flatMap((one) =>
        Object.values(one).flatMap(({ currency_id, currency_code: currency, payment_options: options }) =>
          options.map(({ option: name, id: payment_option_id, min_amount, max_amount }) => {
            const [min, max] = [moneyOf(min_amount, currency), moneyOf(max_amount, currency)];
            return { name, currency, currency_id, payment_option_id, ...defined({ min, max }) };
          }),
        ),
      ),
    );
  };
  /** Finds an option. The list is kept for the life of this client, and read again if the option is not in it. */
  const idsOf = async (ramp: Exchange, currency: string, by: string, signal?: AbortSignal): Promise<Listed> => {
    const [code, name] = [currency.toUpperCase(), by.toLowerCase()];
    const is = (one: Listed): boolean => one.currency === code && one.name.toLowerCase() === name;
    const known = (await kept[ramp]?.catch(() => undefined))?.find(is);
    if (known) return known;
    kept[ramp] = read(ramp, signal);
    const all = await kept[ramp];
    const found = all.find(is);
    if (found) return found;
    const there = all.map((one) => `${one.name} in ${one.currency}`);
    const detail = `No provider offers ${by} in ${currency}.${there.length > 0 ? ` Options: ${there.join(', ')}.` : ''}`;
    throw new RampError({ code: 'option-unavailable', action: 'fix-request', detail });
  };
  return { list: read, idsOf };
};
