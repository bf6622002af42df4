import { listPaymentOptions } from '../../gateway/catalogue/list-payment-options.ts';
import { readSession } from '../../gateway/sessions/read-session.ts';
import { endpoint } from '../call.ts';
import { optionsAnswer, optionsBody, showOptions } from '../fiat-on-ramp/payment-options.ts';

export const sellPaymentOptions = endpoint({
  id: 'listSellPaymentOptions',
  method: 'post',
  path: '/sell/payment-options',
  body: optionsBody,
  answer: optionsAnswer,
  problems: [],
  lane: 'quotes',
  run: async ({ scope, gateway }, body) => {
    await readSession(gateway, body.session_id, 'price');
    return { body: showOptions(await listPaymentOptions(scope, 'sell', body.currency_code)) };
  },
});
