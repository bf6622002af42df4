/** Makes a whole purchase with orval's fetch client, without a type cast. orval's zod schemas parse its answers. */
import { beginSession, getOffers, getOrders, getRoute, listPaymentOptions, openSession, placeOrder, withdraw } from '../dist/orval/fetch.ts';
import * as schemas from '../dist/orval/zod.ts';
import { gatewayUrl, say, sleep } from './world.ts';

declare global {
  var gatewayUrl: string;
}
globalThis.gatewayUrl = gatewayUrl;

const begun = await beginSession();
if (begun.status !== 200) throw new Error(begun.data.detail);
const { session_id } = schemas.BeginSessionResponse.parse(begun.data);
await openSession({ session_id });
const options = await listPaymentOptions({ session_id, currency_code: 'EUR' });
if (options.status !== 200) throw new Error(options.data.detail);
const euro = schemas.ListPaymentOptionsResponse.parse(options.data).currencies.flatMap((one) => Object.values(one))[0];
const sepa = euro?.payment_options.find(({ option }) => option === 'SEPA');
if (!euro || !sepa) throw new Error('no provider takes euros by SEPA');

const priced = await getOffers({ session_id, amount_fiat: 10_000, currency_id: euro.currency_id, payment_option_id: sepa.id });
if (priced.status !== 200) throw new Error(priced.data.detail);
const best = schemas.GetOffersResponse.parse(priced.data).offers.find(({ requires }) => requires.length === 0);
if (!best) throw new Error('no offer');
const ordered = await placeOrder({ session_id, quote_id: best.quote_id });
if (ordered.status !== 200) throw new Error(`${ordered.data.code}, ${ordered.data.action}`);
const order = schemas.PlaceOrderResponse.parse(ordered.data);
say(`pay to ${order.payment_info.payment_details?.['provider_iban'] ?? order.payment_info.payment_url}`);

let stage: string | undefined;
for (let look = 0; look < 60 && stage !== 'filled'; look += 1) {
  await sleep(1000);
  const read = await getOrders({ session_id, order_id: order.order_id });
  if (read.status !== 200) throw new Error(read.data.detail);
  stage = schemas.GetOrdersResponse.parse(read.data)[order.order_id]?.stage;
}
const withdrawn = await withdraw({ session_id, order_id: order.order_id });
if (withdrawn.status !== 200) throw new Error(withdrawn.data.detail);
const decided = await getRoute({ session_id, order_id: order.order_id });
if (decided.status !== 200) throw new Error(decided.data.detail);
const route = schemas.GetRouteResponse.parse(decided.data);
say(`filled; withdraw by ${schemas.WithdrawResponse.parse(withdrawn.data).lnurlw.slice(0, 12)}…; ${route.ramp}, ${route.receipts.length} receipts`);
