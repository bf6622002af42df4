import { expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway } from '../support/gateway.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** Buys once, with the caller's own request id and trace in every request. */
const purchase = async (config: Record<string, unknown>) => {
  const gateway = await startTestGateway({ alpine: { simulator: {} } }, { config });
  try {
    const wallet = createWallet(gateway.url);
    const { sessionId } = await wallet.open();
    const headers = (name: string) => ({ 'x-request-id': `request-${name}`, traceparent });
    const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 }, headers('quote'));
    const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] }, headers('order'));
    expect([quote.status, order.status]).toEqual([200, 200]);
    const calls = gateway.logs
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === 'provider_call')
      .map((line) => `${String(line['verb'])} ${String(line['request_id'])}`);
    const requests = gateway.simulators['alpine']?.control.history.requests ?? [];
    return { calls, traces: (endpoint: string) => requests.filter((one) => one.endpoint === endpoint).map((one) => one.traceparent) };
  } finally {
    await gateway.close();
  }
};

it('a call to a provider is logged under the request that it is made for; the trace goes out with prices where the operator wants it', async () => {
  const { calls, traces } = await purchase({ traceparent: true });
  expect(calls).toContain('quote request-quote');
  expect(calls).toContain('place_order request-order');
  expect(traces('quote')).toEqual([traceparent]);
  expect(traces('order')).toEqual([undefined]);
});

it('providers get no trace where the operator has not said so', async () => {
  const { traces } = await purchase({});
  expect(traces('quote')).toEqual([undefined]);
});
