/** Orders and statuses that cannot be right: what a provider says affects only its own order, and never costs a customer money. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

type Body = Record<string, unknown>;
const token = 'odd-orders-operator-token';
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    {
      firm: { simulator: { quoteTtlS: 3 * 86_400, webhooks: false } },
      loose: { simulator: { estimate: true, quoteTtlS: 3600, webhooks: false } },
    },
    { config: { operator: { token_hashes: [sha256Hex(token)] }, orders: { max_open: 50 } } },
  );
});
afterAll(async () => await gateway.close());

const control = (id: string) => {
  const simulator = gateway.simulators[id];
  if (!simulator) throw new Error('no such simulator');
  return simulator.control;
};
beforeEach(() => {
  for (const id of ['firm', 'loose']) control(id).options.says = undefined;
});
/** Makes a false response from the true one. */
type Lie = (truth: Body) => Body;
/** Changes a provider's responses: to an order (`order`), to a read of orders (`status`, for each order) and to a withdrawal (`withdrawal`). */
const lie = (id: string, lies: { order?: Lie; status?: Lie; withdrawal?: Lie }): void => {
  control(id).options.says = (endpoint, truth) => {
    if (endpoint === 'order' || endpoint === 'withdrawal') return lies[endpoint]?.(truth);
    const said = lies.status;
    if (endpoint !== 'order-status' || !said) return undefined;
    return Object.fromEntries(Object.entries(truth).map(([key, entry]) => [key, said(entry as Body)]));
  };
};
const openWallet = async () => {
  const wallet = createWallet(gateway.url);
  const { sessionId: session_id } = await wallet.open();
  await wallet.call('/payment-options', { session_id });
  const order = async (at: string, more: Body = {}): Promise<{ status: number; body: Body; id: string }> => {
    const { body } = await wallet.call('/offers', { session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
    const offer = (body['offers'] as { provider: { id: string }; quote_id: string }[]).find(({ provider }) => provider.id === at);
    const answer = await wallet.call('/order', { session_id, quote_id: offer?.quote_id, ...more });
    return { ...answer, id: String(answer.body['order_id']) };
  };
  /** Reads the status again, after moving the clock so that the provider is asked. */
  const status = async (id?: string): Promise<Record<string, Body>> => {
    gateway.clock.move(6000);
    const { status: code, body } = await wallet.call('/order-status', { session_id, ...(id === undefined ? {} : { order_id: id }) });
    expect(code).toBe(200);
    return body as Record<string, Body>;
  };
  return { ...wallet, session_id, order, status };
};
const ids = (id: string) => (truth: Body) => ({ ...truth, order_id: id });

it('two orders under one upstream id: the second is withheld, both are named to the operator, the first goes on', async () => {
  const [alice, bob] = [await openWallet(), await openWallet()];
  lie('firm', { order: ids('17') });
  const first = await alice.order('firm');
  expect(first.status).toBe(200);
  const second = await bob.order('firm');
  expect([second.status, second.body['code'], second.body['payment_info']]).toEqual([409, 'order-unpayable', undefined]);
  const { body } = await bob.call('/operator/attention', undefined, { authorization: `Bearer ${token}` });
  const twins = body['twins'] as Body[];
  expect(twins.map((one) => [one['order_id'], one['placing'], one['upstream_order_id']])).toEqual(
    expect.arrayContaining([
      [first.id, 'confirmed', '17'],
      [second.id, 'review', '17'],
    ]),
  );
  expect((await alice.status(first.id))[first.id]).toMatchObject({ stage: 'awaiting_payment' });
  const notes = await gateway.database.sql`select note from order_events where order_id = ${first.id} and note is not null`;
  expect(notes.map((row) => String(row['note']))).toEqual([expect.stringContaining(second.id)]);
});

it('at the same moment, and in another writing of the id, it is one of the two that is shown', async () => {
  const id = '3F2504E0-4F89-41D3-9A0C-0305E82C3301';
  let n = 0;
  lie('firm', { order: (truth) => ({ ...truth, order_id: (n += 1) % 2 === 0 ? id : id.toLowerCase() }) });
  const wallets = await Promise.all([1, 2, 3].map(openWallet));
  const answers = await Promise.all(wallets.map(async (wallet) => await wallet.order('firm')));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409, 409]);
  const rows = await gateway.database.sql`select count(*)::int as n from orders where upstream_key = ${id.toLowerCase()}`;
  expect(rows[0]?.['n']).toBe(1);
});

it('twins of the release before are not both paid out: the operator looks', async () => {
  const [alice, bob] = [await openWallet(), await openWallet()];
  const [first, second] = [await alice.order('firm'), await bob.order('firm')];
  const [mine] = await gateway.database.sql`select upstream_order_id as id from orders where id = ${first.id}`;
  // Two instances of the previous release may have left this state.
  await gateway.database.sql`update orders set upstream_key = null where id in (${first.id}, ${second.id})`;
  await gateway.database
    .sql`update orders set upstream_order_id = ${String(mine?.['id'])}, provider_session_id = (select provider_session_id from orders where id = ${first.id}) where id = ${second.id}`;
  await gateway.database.sql`update intents set upstream_order_id = ${String(mine?.['id'])} where order_id = ${second.id}`;
  await control('firm').pay(String(mine?.['id']));
  expect((await bob.status(second.id))[second.id]).toMatchObject({ stage: 'filled' });
  const withdrawn = await bob.call('/withdrawal', { session_id: bob.session_id, order_id: second.id });
  expect([withdrawn.status, withdrawn.body['code']]).toEqual([409, 'order-not-withdrawable']);
  expect((await bob.status(second.id))[second.id]).toMatchObject({ stage: 'review' });
});

it.each([
  ['that has ended', -10_000, 'order-unpayable'],
  ['that ends at once', 5000, 'order-unpayable'],
  ['that ends before its binding quote', 600_000, 'price-changed'],
])('an order %s is not handed out', async (_, inMs, code) => {
  lie('firm', { order: (truth) => ({ ...truth, expires_on: new Date(gateway.clock.now() + inMs).toISOString() }) });
  const { status, body } = await (await openWallet()).order('firm');
  expect([status, body['code'], JSON.stringify(body).includes('DE89')]).toEqual([409, code, false]);
});

it('an order for ten times the money at the same price is not what an estimate was accepted for', async () => {
  const wallet = await openWallet();
  lie('loose', { order: (truth) => ({ ...truth, amount_fiat: Number(truth['amount_fiat']) * 10, amount_sats: Number(truth['amount_sats']) * 10 }) });
  const { status, body } = await wallet.order('loose');
  expect([status, body['code'], body['payment_info']]).toEqual([409, 'price-changed', undefined]);
});

it('an id that no database can index costs its own order, and breaks nothing', async () => {
  const wallet = await openWallet();
  // The id must not be compressible, because it would then fit into the index.
  const long = Array.from({ length: 4096 }, (_, i) => String.fromCharCode(33 + ((Math.imul(i + 1, 0x9e3779b1) >>> 16) % 90))).join('');
  lie('firm', { order: ids(long) });
  const { status, body } = await wallet.order('firm');
  expect([status, body['code']]).toEqual([503, 'order-pending']);
  lie('firm', { status: ids(long) });
  await gateway.pass(60_000);
  expect(await wallet.status()).toEqual({});
  expect(gateway.logs.filter((line) => line.includes('btree'))).toEqual([]);
});

it('amounts of 0 are not told yet', async () => {
  const wallet = await openWallet();
  lie('firm', { status: (truth) => ({ ...truth, amount_sats: 0, order_fee: 0 }) });
  const { id, body } = await wallet.order('firm');
  expect((await wallet.status(id))[id]).toMatchObject({ stage: 'awaiting_payment', payment_info: body['payment_info'], amount_sats: body['amount_sats'] });
});

it('an unknown word neither loses an order nor keeps it from lapsing', async () => {
  const wallet = await openWallet();
  lie('loose', { status: (truth) => ({ ...truth, order_status: 'in_progress' }) });
  const { id } = await wallet.order('loose');
  expect((await wallet.status(id))[id]).toMatchObject({ stage: 'awaiting_payment' });
  gateway.clock.move(3_600_000);
  expect((await wallet.status(id))[id]).toMatchObject({ stage: 'expired' });
});

const bounded = async (status: (truth: Body) => Body) => {
  const wallet = await openWallet();
  const { body } = await wallet.call('/offers', { session_id: wallet.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const offer = (body['offers'] as Body[]).find((one) => one['is_estimate'] === true);
  const sats = Number(offer?.['amount_sats']);
  lie('loose', { status });
  const { id } = await wallet.order('loose', { min_amount_sats: sats - 50 });
  return { sats, told: (await wallet.status(id))[id] as Body, withdrawn: await wallet.call('/withdrawal', { session_id: wallet.session_id, order_id: id }) };
};

it.each([
  ['five times the money at the same rate', (truth: Body) => ({ ...truth, amount_fiat: 50_000, amount_sats: Number(truth['amount_sats']) * 5 })],
  ['less than the customer bounded, before it was paid', (truth: Body) => ({ ...truth, amount_sats: Number(truth['amount_sats']) - 100 })],
])('an estimate that became %s is for the operator to look at', async (_, status) => {
  const { sats, told } = await bounded(status);
  expect(told).toMatchObject({ stage: 'review', amount_fiat: 10_000, amount_sats: sats });
});

it.each([
  ['one sat', () => 1],
  ['less than the customer bounded', (sats: number) => sats - 100],
])('an estimate that was paid and filled with %s is disputed, and given to nobody who has not agreed', async (_, fill) => {
  const { sats, told, withdrawn } = await bounded((truth) => ({ ...truth, order_status: 'filled', amount_sats: fill(Number(truth['amount_sats'])) }));
  expect(told).toMatchObject({ stage: 'filled', disputed: true, amount_sats: fill(sats), quoted_amount_sats: sats });
  expect(withdrawn).toMatchObject({ status: 409, body: { code: 'order-short' } });
});

it('an entry that cannot be shown takes neither itself nor the list with it', async () => {
  const wallet = await openWallet();
  lie('loose', { status: (truth) => ({ ...truth, order_fee: '999999999999999999' }) });
  const [odd, torn, good] = [await wallet.order('loose'), await wallet.order('firm'), await wallet.order('firm')];
  await gateway.database.sql`update orders set payment_info = (select payment_info from orders where id = ${good.id}) where id = ${torn.id}`;
  const list = await wallet.status();
  expect(Object.keys(list).sort()).toEqual([odd.id, torn.id, good.id].sort());
  expect(list[good.id]).toMatchObject({ stage: 'awaiting_payment', payment_info: good.body['payment_info'] });
  expect([list[torn.id]?.['stage'], list[torn.id]?.['payment_info'], list[odd.id]?.['stage']]).toEqual(['awaiting_payment', undefined, 'review']);
});

it('a withdrawal link that nobody can read is brought to the operator, and given once it can be', async () => {
  const wallet = await openWallet();
  const { id } = await wallet.order('firm');
  await control('firm').pay(control('firm').history.orders.at(-1)?.orderId ?? '');
  lie('firm', { withdrawal: (truth) => ({ ...truth, lnurlw: 'see your e-mail' }) });
  const withdraw = async () => await wallet.call('/withdrawal', { session_id: wallet.session_id, order_id: id });
  for (let n = 0; n < 6; n += 1) {
    const { status, body } = await withdraw();
    expect([status, body['code']]).toEqual([503, 'claim-outcome-unknown']);
    gateway.clock.move(90_000);
  }
  const { body } = await wallet.call('/operator/attention', undefined, { authorization: `Bearer ${token}` });
  expect(body['claims_in_review']).toContain(id);
  expect(gateway.logs.filter((line) => line.includes('claim_unreadable') && line.includes(id))).toHaveLength(1);
  control('firm').options.says = undefined;
  expect((await withdraw()).body['lnurlw']).toMatch(/^LNURL1/);
});

const never = '9999-12-31T23:59:59Z';
const halfMonthMs = 15 * 86_400_000;

it.each([
  ['in the year 9999', never],
  ['that is not told', undefined],
])('an order with an end %s is payable for half of the time that it is followed, and a late payment is seen', async (_, end) => {
  const wallet = await openWallet();
  control('firm').options.says = (endpoint, truth) => (endpoint === 'quote' || endpoint === 'order' ? { ...truth, expires_on: end } : undefined);
  const began = gateway.clock.now();
  const { id, status, body } = await wallet.order('firm');
  expect(status).toBe(200);
  const left = Date.parse(String(body['expires_on'])) - began;
  expect([left >= halfMonthMs, left < halfMonthMs + 60_000]).toEqual([true, true]);
  gateway.clock.move(halfMonthMs + 60_000);
  await gateway.pass(1000);
  const stored = async () => (await gateway.database.sql<Body[]>`select stage, final from orders where id = ${id}`)[0];
  expect(await stored()).toEqual({ stage: 'expired', final: false });
  await control('firm').pay(control('firm').history.orders.at(-1)?.orderId ?? '');
  await gateway.pass(8 * 3_600_000);
  expect(await stored()).toEqual({ stage: 'filled', final: false });
});

it('an attempt whose answer was lost does not wait for a quote that never ends', async () => {
  const wallet = await openWallet();
  control('firm').options.says = (endpoint, truth) => (endpoint === 'quote' ? { ...truth, expires_on: never } : undefined);
  control('firm').setFault({ endpoint: 'order', fault: 'reset', times: 1 });
  const lost = await wallet.order('firm');
  expect([lost.status, lost.body['code']]).toEqual([503, 'order-pending']);
  const [row] = await gateway.database.sql<{ left: number }[]>`
    select extract(epoch from dead_on - created_on)::int as left from intents order by created_on desc limit 1`;
  expect(row?.left).toBeLessThanOrEqual(86_400 + 3600);
});

it.each(['filled', 'FINISHED', 'refunded', 'paid'])('an order that is %s in its first answer is shown to nobody: it waits for the operator', async (word) => {
  const wallet = await openWallet();
  lie('firm', { order: (truth) => ({ ...truth, order_status: word }) });
  const { status, body, id } = await wallet.order('firm');
  expect([status, body['code']]).toEqual([409, 'order-unpayable']);
  expect(body['detail']).toContain('Do not pay anything.');
  const { body: attention } = await wallet.call('/operator/attention', undefined, { authorization: `Bearer ${token}` });
  expect(JSON.stringify(attention['review'])).toContain(id);
  expect(await wallet.status()).toEqual({});
});

it.each(['cancelled', 'Canceled', 'rejected', 'payment failed', 'expired', 'timed-out'])(
  'an order that is "%s" in its first answer cannot be paid',
  async (word) => {
    const wallet = await openWallet();
    lie('firm', { order: (truth) => ({ ...truth, order_status: word }) });
    const { status, body } = await wallet.order('firm');
    expect([status, body['code'], body['payment_info']]).toEqual([409, 'order-unpayable', undefined]);
  },
);

it.each([
  ['CANCELLED', 'failed'],
  ['order declined', 'failed'],
  ['payment_expired', 'expired'],
  ['PaymentReceived', 'paid'],
])('nobody is shown how to pay an order that has become "%s"', async (word, stage) => {
  const wallet = await openWallet();
  const { id } = await wallet.order('firm');
  lie('firm', { status: (truth) => ({ ...truth, order_status: word }) });
  const told = (await wallet.status(id))[id];
  expect([told?.['stage'], told?.['payment_info']]).toEqual([stage, undefined]);
  // If money arrives nevertheless, it belongs to the customer.
  lie('firm', {});
  await control('firm').pay(control('firm').history.orders.at(-1)?.orderId ?? '');
  expect((await wallet.status(id))[id]).toMatchObject({ stage: 'filled' });
});
