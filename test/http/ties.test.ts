/** Who wins among equal offers, over sockets and PostgreSQL. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const providers = ['alpine', 'borealis', 'mallory'];
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(Object.fromEntries(providers.map((id) => [id, { simulator: { quoteTtlS: 3600 } }])));
});
afterAll(async () => await gateway.close());

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

it('a caller who chooses its request ids does not choose the winner; the stored seed shows why each one won', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  await wallet.call('/payment-options', { session_id: sessionId });
  const winners: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    // A request id by which mallory would win.
    let requestId = `wallet-${n}`;
    while (providers.some((id) => sha256(requestId + id) < sha256(`${requestId}mallory`))) requestId += 'a';
    const ask = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 };
    const { body: quote } = await wallet.call('/quote', ask, { 'x-request-id': requestId });
    const { body: route } = await wallet.call('/route', { session_id: sessionId, quote_id: quote['quote_id'] });
    const ranked = (route['ranked'] as { provider: string; tie_key: string }[]).map(({ provider, tie_key: key }) => ({ provider, key }));
    expect(route['request_id']).toBe(requestId);
    const keys = providers.map((id) => ({ provider: id, key: sha256(`${String(route['tie_seed'])}${id}`) }));
    expect(ranked).toEqual(keys.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
    winners.push(ranked[0]?.provider ?? '');
  }
  // By chance it is always mallory once in 500,000 runs.
  expect(winners.every((one) => one === 'mallory')).toBe(false);
});
