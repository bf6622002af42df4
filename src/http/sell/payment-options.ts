import { z } from '@hono/zod-openapi';
import { listPaymentOptions } from '../../gateway/catalogue/list-payment-options.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { optionsAnswer, showOptions } from '../fiat-on-ramp/payment-options.ts';
import { sessionId } from '../shapes.ts';

export const sellPaymentOptions = endpoint({
  method: 'post',
  path: '/sell/payment-options',
  tag: 'Sell',
  summary: 'Currencies and ways to be paid of all sell providers, merged',
  body: z.object({ session_id: sessionId, currency_code: z.string().max(32).optional() }),
  answer: optionsAnswer,
  problems: [],
  lane: 'quotes',
  run: async ({ scope, gateway }, body) => {
    await readSession(gateway, body.session_id, 'price');
    return { body: showOptions(await listPaymentOptions(scope, 'sell', body.currency_code)) };
  },
});
