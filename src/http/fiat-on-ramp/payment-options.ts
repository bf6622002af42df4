import * as z from 'zod';
import { listPaymentOptions, type MergedCurrency } from '../../gateway/catalogue/list-payment-options.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { Problem } from '../../gateway/problem.ts';
import { endpoint, type Call } from '../call.ts';
import { fiat, sessionId, smallId } from '../shapes.ts';

export const amountRange = z.object({ min_amount: fiat, max_amount: fiat.optional() });
export const paymentOption = z.object({
  option: z.string(),
  id: smallId,
  fee_rate: z.number(),
  min_amount: fiat,
  max_amount: fiat.optional(),
  ranges: z.array(amountRange).optional(),
});
export const listedCurrency = z.object({ currency_id: smallId, currency_code: z.string(), payment_options: z.array(paymentOption) });
export const optionsBody = z.object({ session_id: sessionId, currency_code: z.string().max(32).optional() });
export const optionsAnswer = z.object({ currencies: z.array(z.record(z.string(), listedCurrency)) });

/** Shows the options as FLS01 does: each item of the array is one currency, keyed by its lower-case code. */
export const showOptions = (currencies: MergedCurrency[]) => ({
  currencies: currencies.map((currency) => ({
    [currency.currencyCode.toLowerCase()]: {
      currency_id: currency.currencyId,
      currency_code: currency.currencyCode,
      payment_options: currency.options.map((one) => ({
        option: one.option,
        id: one.id,
        fee_rate: one.feePpm / 1_000_000,
        min_amount: Number(one.minFiat ?? 0n),
        ...(one.maxFiat === undefined ? {} : { max_amount: Number(one.maxFiat) }),
        ...(one.ranges
          ? {
              ranges: one.ranges.map(({ minFiat, maxFiat }) => ({
                min_amount: Number(minFiat),
                ...(maxFiat === undefined ? {} : { max_amount: Number(maxFiat) }),
              })),
            }
          : {}),
      })),
    },
  })),
});

const list = async ({ scope, gateway }: Call, session: string, currencyCode: string | undefined) => {
  await readSession(gateway, session, 'price');
  return { body: showOptions(await listPaymentOptions(scope, 'buy', currencyCode)) };
};

export const paymentOptions = endpoint({
  id: 'listPaymentOptions',
  method: 'post',
  path: '/payment-options',
  body: optionsBody,
  answer: optionsAnswer,
  problems: ['session-invalid'],
  lane: 'quotes',
  run: async (call, body) => await list(call, body.session_id, body.currency_code),
});

/**
 * /payment-options by GET, because FLS01's table lists it with that method. The session id is in the header X-Session-Id, because no secret may be in
 * a URL.
 */
export const paymentOptionsByGet = endpoint({
  id: 'listPaymentOptionsByGet',
  method: 'get',
  path: '/payment-options',
  headers: z.object({ 'X-Session-Id': sessionId }),
  query: z.object({ currency_code: z.string().max(32).optional() }),
  answer: optionsAnswer,
  problems: ['session-invalid', 'invalid-request'],
  lane: 'quotes',
  run: async (call, query: { currency_code?: string | undefined }) => {
    const given = sessionId.safeParse(call.request.headers.get('x-session-id'));
    if (!given.success)
      throw new Problem('invalid-request', 'Send the session id in the header X-Session-Id.', {
        errors: [{ pointer: '/session_id', detail: 'missing header X-Session-Id' }],
      });
    return await list(call, given.data, query.currency_code);
  },
});
