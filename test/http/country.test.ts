import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    anywhere: { simulator: { quoteTtlS: 3600 } },
    german: { simulator: { quoteTtlS: 3600 }, block: { display: { countries: ['DE'] } } },
    austrian: { simulator: { quoteTtlS: 3600 }, block: { display: { countries: ['AT'] } } },
  });
});
afterAll(async () => await gateway.close());

type Offer = { provider: { id: string }; quote_id: string };
const namesOf = (offers: unknown): string[] => (offers as Offer[]).map(({ provider }) => provider.id).toSorted();

it('the fresh offers of a changed price are for the country that was asked for', async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId } = await wallet.open();
  const asked = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1, country: 'de' };
  const { body } = await wallet.call('/offers', asked);
  expect(namesOf(body['offers'])).toEqual(['anywhere', 'german']);
  expect(body['refused']).toMatchObject([{ provider: { id: 'austrian' }, reason: 'country-restricted' }]);
  const quote = (body['offers'] as Offer[]).find(({ provider }) => provider.id === 'anywhere');
  gateway.simulators['anywhere']?.control.setFault({ endpoint: 'order', fault: 'order-amounts-differ', times: 1 });
  const changed = await wallet.call('/order', { session_id: sessionId, quote_id: quote?.quote_id });
  expect([changed.status, changed.body['code']]).toEqual([409, 'price-changed']);
  // Neither the offers that are left from the first request nor the fresh ones include the Austrian provider.
  expect(namesOf(changed.body['offers'])).toEqual(['german']);
});
