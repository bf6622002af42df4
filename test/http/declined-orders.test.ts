import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, walletFrom, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let lone: TestGateway;
beforeAll(async () => {
  const simulator = { quoteTtlS: 3600 };
  gateway = await startTestGateway(
    {
      best: { simulator: { ...simulator, spreadBps: 0 } },
      second: { simulator: { ...simulator, spreadBps: 20 } },
      third: { simulator: { ...simulator, spreadBps: 40 } },
    },
    { config: { trusted_proxies: ['127.0.0.1'] } },
  );
  lone = await startTestGateway({ only: { simulator } });
});
afterAll(async () => {
  await gateway.close();
  await lone.close();
});

type Body = Record<string, unknown>;
type Offer = { quote_id: string; rank: number; provider: { id: string } };
const controlOf = (of: TestGateway, id: string) => {
  const control = of.simulators[id]?.control;
  if (!control) throw new Error(`no ${id}`);
  return control;
};
let customers = 0;
const customerOf = async (of: TestGateway, ip = `203.0.113.${(customers += 1)}`) => {
  const wallet = walletFrom(of.url, ip);
  const { sessionId } = await wallet.open();
  const call = async (path: string, body: object) => await wallet.call(path, { session_id: sessionId, ...body });
  const offers = async (): Promise<{ offers: Offer[]; excluded: Body[] }> => {
    const { body } = await call('/offers', { amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    return body as { offers: Offer[]; excluded: Body[] };
  };
  const order = async (offer: Offer | undefined, more: object = {}) => await call('/order', { quote_id: offer?.quote_id, ...more });
  return { call, offers, order };
};
const providersOf = (offers: Offer[]): string[] => offers.map(({ provider }) => provider.id);
const without = (body: Body): Body => ({ ...body, instance: '' });

it.each([
  ['order-refused', 'provider-declined', 'declined'],
  ['order-amounts-differ', 'price-changed', 'unpayable'],
] as const)('%s: what is left of the same route, no provider twice, and the same bytes again', async (fault, code, state) => {
  const { offers, order } = await customerOf(gateway);
  const first = (await offers()).offers;
  expect(providersOf(first)).toEqual(['best', 'second', 'third']);
  controlOf(gateway, 'best').setFault({ endpoint: 'order', fault, times: 1 });
  const answer = await order(first[0]);
  expect([answer.status, answer.body['code'], answer.body['action'], answer.body['retryable']]).toEqual([409, code, 'ask-user', false]);
  const offered = answer.body['offers'] as Offer[];
  expect(offered).toEqual(first.slice(1));
  // The quote is used up: a repeat gets the same response, and the provider is not asked again.
  const asked = controlOf(gateway, 'best').history.requests.length;
  expect(without((await order(first[0])).body)).toEqual(without(answer.body));
  expect(controlOf(gateway, 'best').history.requests.length).toBe(asked);
  const [kept] = await gateway.database.sql`select state from intents where quote_id = ${first[0]?.quote_id ?? ''}`;
  expect(kept).toEqual({ state });
  // Each of these offers can be ordered.
  expect((await order(offered[0])).status).toBe(200);
  expect((await order(offered[1])).status).toBe(200);
});

it('the offers that are left are followed by fresh offers of providers whose offer was ordered', async () => {
  const { offers, order } = await customerOf(gateway);
  const first = (await offers()).offers;
  expect((await order(first[1])).status).toBe(200);
  controlOf(gateway, 'best').setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  const offered = (await order(first[0])).body['offers'] as Offer[];
  expect(offered[0]).toEqual(first[2]);
  expect(providersOf(offered)).toEqual(['third', 'second']);
  expect((await order(offered[1])).status).toBe(200);
});

it('stands back for ten minutes, for this customer alone, and its price still tells liars', async () => {
  const { offers, order } = await customerOf(gateway);
  controlOf(gateway, 'best').setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  await order((await offers()).offers[0]);
  const until = new Date(gateway.clock.now() + 600_000).toISOString().slice(0, 15);
  const now = await offers();
  expect(providersOf(now.offers)).toEqual(['second', 'third']);
  expect(now.excluded).toMatchObject([{ provider: { id: 'best' }, rule: 'declined-your-order', until: expect.stringContaining(until) as string }]);
  const other = await customerOf(gateway);
  expect(providersOf((await other.offers()).offers)).toEqual(['best', 'second', 'third']);
  gateway.clock.move(600_000);
  expect(providersOf((await offers()).offers)).toEqual(['best', 'second', 'third']);
});

it('a provider that declined is offered all the same if there is no other', async () => {
  const { offers, order } = await customerOf(lone);
  controlOf(lone, 'only').setFault({ endpoint: 'order', fault: 'order-refused', times: 1 });
  const answer = await order((await offers()).offers[0]);
  expect([answer.body['code'], answer.body['offers']]).toEqual(['provider-declined', []]);
  const now = await offers();
  expect([providersOf(now.offers), now.excluded]).toEqual([['only'], []]);
  expect((await order(now.offers[0])).status).toBe(200);
});

it('an order that the provider cannot serve at the moment is not refused: the quote stays good, and the provider is not excluded', async () => {
  const { offers, order } = await customerOf(gateway);
  const [best] = (await offers()).offers;
  controlOf(gateway, 'best').setFault({ endpoint: 'order', fault: '429', times: 1 });
  const answer = await order(best);
  expect([answer.status, answer.body['code'], answer.body['action']]).toEqual([503, 'provider-unavailable', 'retry']);
  await gateway.passUntil('it is taken', async () => ((await order(best)).status === 200 ? true : undefined));
  expect(providersOf((await offers()).offers)).toEqual(['best', 'second', 'third']);
});

it('refusals never open the circuit, and count once for each network', async () => {
  const before = Number(/order_networks_total\{provider="third",outcome="went-back"\} (\d+)/.exec(await metrics())?.[1] ?? 0);
  controlOf(gateway, 'third').setFault({ endpoint: 'order', fault: 'order-refused', times: 12 });
  for (let n = 0; n < 12; n += 1) {
    const { offers, order } = await customerOf(gateway, '198.51.100.7');
    const { offers: all } = await offers();
    expect((await order(all.find(({ provider }) => provider.id === 'third'))).body['code']).toBe('provider-declined');
  }
  const { providers } = (await (await fetch(`${gateway.url}/providers`)).json()) as { providers: { id: string; circuits: Body }[] };
  expect(providers.find(({ id }) => id === 'third')?.circuits['order']).toBe('closed');
  expect(await metrics()).toContain(`ramp_order_networks_total{provider="third",outcome="went-back"} ${before + 1}\n`);
  expect(await metrics()).toContain('ramp_orders_total{provider="third",outcome="provider-declined"} 12');
});
const metrics = async (): Promise<string> => await (await fetch(`${gateway.url}/metrics`)).text();
