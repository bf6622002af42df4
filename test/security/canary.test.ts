import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

let gateway: TestGateway;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  gateway = await startTestGateway(
    { dune: { simulator: { proof: 'demanded', quoteTtlS: 3600 }, block: { proof: 'demanded', catalogue_without_session: true } } },
    { pauseMs: 1_000 },
  );
});
afterAll(async () => {
  await gateway.close();
  await receiver.close();
});

/** Returns every text of every table, as a stolen dump would show it. */
const dump = async (): Promise<string> => {
  const tables = await gateway.database.sql<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public'`;
  const texts = await Promise.all(
    tables.map(
      async ({ name }) => (await gateway.database.sql.unsafe(`select coalesce(string_agg(t::text, E'\n'), '') as rows from ${name} t`))[0]?.['rows'] as string,
    ),
  );
  return texts.join('\n');
};

it('no secret of a whole purchase stands in a log line, a problem document or the database', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId, recoverySecret } = await wallet.open();
  const appKey = 'canary-app-key-0123456789';
  const quote = await wallet.call(
    '/quote',
    { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 },
    { authorization: `Bearer ${appKey}` },
  );
  const order = await wallet.call('/order', {
    session_id: sessionId,
    quote_id: quote.body['quote_id'],
    webhook_url: `${receiver.url}/canary-webhook-path`,
    webhook_events: ['order_status_changed', 'withdrawal_ready'],
  });
  const upstream = gateway.simulators['dune']?.control;
  await upstream?.pay(upstream.history.orders[0]?.orderId ?? '');
  await receiver.waitFor('the webhook', (one) => one.body.includes('withdrawal_ready'), gateway);
  const withdrawal = await wallet.call('/withdrawal', { session_id: sessionId, order_id: order.body['order_id'] });
  const problem = await wallet.call('/order', { session_id: sessionId, quote_id: sessionId });
  const details = (order.body['payment_info'] as { payment_details: Record<string, string> }).payment_details;
  const asked = upstream?.history.requests.find((one) => one.endpoint === 'quote')?.body as { session_id: string } | undefined;
  const secrets: Record<string, string> = {
    session: sessionId,
    recovery: recoverySecret ?? '',
    upstreamSession: asked?.session_id ?? '',
    lnurl: String(withdrawal.body['lnurlw']),
    iban: details['provider_iban'] ?? '',
    reference: details['payment_reference'] ?? '',
    webhook: 'canary-webhook-path',
    appKey,
  };
  for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThan(5);
  const places = {
    logs: gateway.logs.join('\n'),
    database: await dump(),
    problem: JSON.stringify(problem.body),
    metrics: await (await fetch(`${gateway.url}/metrics`)).text(),
  };
  const found = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets).flatMap(([name, secret]) => (text.toLowerCase().includes(secret.toLowerCase()) ? [`${name} in ${place}`] : [])),
  );
  expect(found).toEqual([]);
  expect(places.database).toContain(String(order.body['order_id']));
  expect(places.metrics).toContain('ramp_orders_total{provider="dune",outcome="confirmed"} 1');
});
