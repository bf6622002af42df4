import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    alpine: { simulator: { quoteTtlS: 3600 } },
    borealis: { simulator: { feeStyle: 'added', spreadBps: 40, quoteTtlS: 3600 }, block: { fee_style: 'added' } },
    cobalt: { simulator: { estimate: true, spreadBps: 80, fallback: false } },
    dune: { simulator: { proof: 'demanded', spreadBps: -200, quoteTtlS: 3600 }, block: { proof: 'demanded', catalogue_without_session: true } },
  });
});
afterAll(async () => await gateway.close());

it('carries a purchase from /features to finished, best price first, with proof, webhook-driven', async () => {
  const wallet = createWallet(gateway.url);
  const features = await wallet.call('/features');
  expect(features.body).toEqual({ supported_features: [{ quotes: true, estimates: true, on_chain_fallback: true, webhook: true }] });
  const { sessionId, proven, recoverySecret } = await wallet.open();
  expect(proven.sort()).toEqual(['dune', 'gateway']);
  expect(recoverySecret).toMatch(/^[\w-]{43}$/);

  const options = await wallet.call('/payment-options', { session_id: sessionId, currency_code: 'eur' });
  const euro = (
    options.body['currencies'] as Record<
      string,
      { currency_id: number; payment_options: { id: number; option: string; fee_rate: number; min_amount: number; max_amount: number }[] }
    >[]
  )[0]?.['eur'];
  expect(euro?.payment_options.map((one) => one.option).sort()).toEqual(['Credit card', 'SEPA', 'SEPA Instant']);
  const sepa = euro?.payment_options.find((one) => one.option === 'SEPA');
  expect(sepa).toMatchObject({ fee_rate: 0.009, min_amount: 1000 });

  const offers = await wallet.call('/offers', { session_id: sessionId, amount_fiat: 10_000, currency_id: euro?.currency_id, payment_option_id: sepa?.id });
  expect(offers.body).toMatchObject({ excluded: [], refused: [], failed: [] });
  const ranked = offers.body['offers'] as {
    provider: { id: string };
    amount_fiat: number;
    amount_sats: number;
    order_fee: number;
    quote_id: string;
    is_estimate: boolean;
  }[];
  expect(ranked.map((one) => one.provider.id)).toEqual(['dune', 'alpine', 'borealis', 'cobalt']);
  expect(ranked[2]?.amount_fiat).toBeLessThanOrEqual(10_000);
  expect(ranked[0]?.amount_sats).toBeGreaterThan(ranked[1]?.amount_sats ?? Infinity);
  expect(offers.body['refused']).toEqual([]);

  const quote = await wallet.call('/quote', { session_id: sessionId, amount_fiat: 10_000, currency_id: euro?.currency_id, payment_option_id: sepa?.id });
  expect(quote.body).toMatchObject({ amount_fiat: 10_000, provider: { id: 'dune' }, is_estimate: false });

  const order = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  expect(order.status).toBe(200);
  expect(order.body).toMatchObject({ order_status: 'placed', stage: 'awaiting_payment', amount_fiat: 10_000, provider: { id: 'dune' } });
  const payment = order.body['payment_info'] as { payment_details: Record<string, string>; epc_qr: string };
  expect(payment.payment_details['provider_reference']).toMatch(/^DUN-/);
  expect(payment.epc_qr).toContain('EUR100.00');
  const again = await wallet.call('/order', { session_id: sessionId, quote_id: quote.body['quote_id'] });
  expect(again.body).toEqual(order.body);

  const orderId = String(order.body['order_id']);
  const early = await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId });
  expect([early.status, early.body['code']]).toEqual([409, 'order-not-withdrawable']);

  const simulator = gateway.simulators['dune'];
  const upstream = simulator?.control.history.orders[0];
  expect(simulator?.control.history.orders).toHaveLength(1);
  await simulator?.control.pay(upstream?.orderId ?? '');
  expect(simulator?.control.history.webhooks[0]?.status).toBe(202);
  const filled = await gateway.passUntil('filled', async () => {
    const { body } = await wallet.call('/order-status', { session_id: sessionId, order_id: orderId });
    const entry = body[orderId] as { stage: string; order_status: string };
    return entry.stage === 'filled' ? entry : undefined;
  });
  expect(filled.order_status).toBe('filled');

  const withdrawal = await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId });
  expect(withdrawal.status).toBe(200);
  expect(withdrawal.body['lnurlw']).toMatch(/^LNURL1[A-Z0-9]+$/);
  expect((await wallet.call('/withdrawal', { session_id: sessionId, order_id: orderId })).body).toEqual(withdrawal.body);
  const stranger = createWallet(gateway.url);
  expect((await stranger.withdraw(String(withdrawal.body['lnurlw']))).answer).toMatchObject({ status: 'ERROR' });
  const claimed = await wallet.withdraw(String(withdrawal.body['lnurlw']));
  expect(claimed).toEqual({ sats: order.body['amount_sats'], answer: { status: 'OK' } });
  await gateway.passUntil('finished', async () => {
    const { body } = await wallet.call('/order-status', { session_id: sessionId, order_id: orderId });
    return (body[orderId] as { stage: string }).stage === 'finished' ? true : undefined;
  });

  const route = await wallet.call('/route', { session_id: sessionId, order_id: orderId });
  expect(route.body).toMatchObject({ chosen_rank: 1, policy: { name: 'most-received', decided_by: 'expected_sats' } });
});
