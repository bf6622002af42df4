/** FLS01 providers that take orders: any number of them in one process, each quote and order with an id of its own. Nobody pays. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const far = '2036-01-01T00:00:00.000Z';
const figures = (index: number): object => ({
  amount_fiat: 10_000,
  currency_id: 1,
  payment_option_id: 1,
  amount_sats: 107_000 + index * 50,
  btc_price: 9_180_000,
  order_fee: 90,
  expires_on: far,
});
const session = { session_id: '72614b08-f884-479e-8a90-b13495afd5d9', expires_on: far };
const option = { option: 'SEPA', id: 1, fee_rate: 0.009, min_amount: 1000, max_amount: 1_000_000 };
const payment = {
  payment_option_id: 1,
  payment_details: { provider_iban: 'DE89370400440532013000', provider_name: 'Bench', payment_reference: 'bench' },
};
const answers: { [path: string]: (index: number, body: { order_id?: string }) => object } = {
  features: () => ({ supported_features: [{ quotes: true, estimates: false, on_chain_fallback: true, webhook: true }] }),
  'payment-options': () => ({ currencies: [{ eur: { currency_id: 1, currency_code: 'EUR', payment_options: [option] } }] }),
  quote: (index) => ({ quote_id: randomUUID(), is_estimate: false, ...figures(index) }),
  order: (index) => ({ order_id: randomUUID(), order_status: 'placed', ...figures(index), payment_info: payment }),
  'order-status': (index, { order_id: id = '' }) => ({ [id]: { ...figures(index), order_status: 'placed', order_status_date: new Date().toISOString() } }),
};

const server = createServer((request, response) => {
  const [, index = '0', path = ''] = (request.url ?? '').split('/');
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify((answers[path] ?? (() => session))(Number(index), text === '' ? {} : (JSON.parse(text) as { order_id?: string }))));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
process.on('disconnect', () => process.exit(0));
