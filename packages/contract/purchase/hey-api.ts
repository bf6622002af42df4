/** Makes a whole purchase with the client of @hey-api/openapi-ts, without a type cast. */
import { beginSession, getOffers, getOrders, getRoute, listPaymentOptions, openSession, placeOrder, withdraw } from '../dist/hey-api/index.ts';
import type { BuyOrderState } from '../dist/hey-api/index.ts';
import { client } from '../dist/hey-api/client.gen.ts';
import { gatewayUrl, say, sleep } from './world.ts';

client.setConfig({ baseUrl: gatewayUrl, throwOnError: true });
const throwOnError = true;

const { session_id } = (await beginSession({ throwOnError })).data;
await openSession({ body: { session_id }, throwOnError });
const { currencies } = (await listPaymentOptions({ body: { session_id, currency_code: 'EUR' }, throwOnError })).data;
const euro = currencies.flatMap((one) => Object.values(one))[0];
const sepa = euro?.payment_options.find(({ option }) => option === 'SEPA');
if (!euro || !sepa) throw new Error('no provider takes euros by SEPA');

const asked = { session_id, amount_fiat: 10_000, currency_id: euro.currency_id, payment_option_id: sepa.id };
const { offers } = (await getOffers({ body: asked, throwOnError })).data;
const best = offers.find(({ requires }) => requires.length === 0);
if (!best) throw new Error('no offer');
const order = (await placeOrder({ body: { session_id, quote_id: best.quote_id }, throwOnError })).data;
say(`pay to ${order.payment_info.payment_details?.['provider_iban'] ?? order.payment_info.payment_url}`);

let state: BuyOrderState | undefined;
for (let look = 0; look < 60 && state?.stage !== 'filled'; look += 1) {
  await sleep(1000);
  state = (await getOrders({ body: { session_id, order_id: order.order_id }, throwOnError })).data[order.order_id];
}
const { lnurlw } = (await withdraw({ body: { session_id, order_id: order.order_id }, throwOnError })).data;
const route = (await getRoute({ body: { session_id, order_id: order.order_id }, throwOnError })).data;
say(`filled; withdraw by ${lnurlw.slice(0, 12)}…; too good: from ${route.ramp === 'buy' ? route.policy.outlier_bps : 0} bps on`);
const { error } = await placeOrder({ body: { session_id, quote_id: session_id }, throwOnError: false });
if (error?.code !== 'quote-not-found' || error.action !== 'requote') throw new Error('an unknown quote was not refused');
