/**
 * The benchmark's providers: any number of FLS01 providers in one process, with constant answers. The message `hang` makes one of them stop answering
 * price requests.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const count = Number(process.env['PROVIDERS'] ?? 5);
const far = '2036-01-01T00:00:00.000Z';
const session = JSON.stringify({ session_id: '72614b08-f884-479e-8a90-b13495afd5d9', expires_on: far });
const features = JSON.stringify({ supported_features: [{ quotes: true, estimates: false, on_chain_fallback: true, webhook: true }] });
const options = JSON.stringify({
  currencies: [
    { eur: { currency_id: 1, currency_code: 'EUR', payment_options: [{ option: 'SEPA', id: 1, fee_rate: 0.009, min_amount: 1000, max_amount: 1_000_000 }] } },
  ],
});
const quotes = Array.from({ length: count }, (_, i) =>
  JSON.stringify({
    quote_id: `8ed13c2a-a8c6-4f0e-b43e-3fdbf1f09${String(i).padStart(3, '0')}`,
    amount_fiat: 10_000,
    currency_id: 1,
    payment_option_id: 1,
    amount_sats: 107_000 + i * 50,
    is_estimate: false,
    btc_price: 9_180_000,
    order_fee: 90,
    expires_on: far,
  }),
);
let hanging = -1;

const server = createServer((request, response) => {
  const [, index = '0', path = ''] = (request.url ?? '').split('/');
  request.resume();
  request.on('end', () => {
    if (path === 'quote' && Number(index) === hanging) return;
    response.setHeader('content-type', 'application/json');
    response.end(path === 'quote' ? quotes[Number(index)] : path === 'features' ? features : path === 'payment-options' ? options : session);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
process.on('message', (message: { hang?: number }) => {
  hanging = message.hang ?? -1;
});
process.on('disconnect', () => process.exit(0));
