/** Tests the adapter with a Bringin whose answers are written as similar servers write theirs: what customers do, and what is refused. */
import { afterEach, describe, expect, test } from 'vitest';
import { startBringin, valueOf, type Bringin, type Person } from '../../../test/support/bringin.ts';
import type { CatalogueOption, ConnectionRequest, ConnectionState, FollowedOrder, OrderEvidence, PlacedOrder } from '../spec.ts';
import type { Deviation, ErrorDialect } from './bringin.simulator-state.ts';

let bringin: Bringin;
afterEach(async () => await bringin.close());

const wanted: ConnectionRequest = {
  name: 'Savings',
  direction: 'sell',
  network: 'lightning',
  iban: 'DE89370400440532013000',
  bic: 'COBADEFFXXX',
  beneficiaryName: 'Alice Nakamoto',
  lightningUsername: 'alice',
};
const email = 'alice@example.com';

const create = async (person: Person, request = wanted): Promise<ConnectionState> => {
  const made = await person.does((context) => bringin.connections.create(context, request));
  // If the answer had no id, a second call finds the connection in the list.
  return valueOf(made.ok ? made : await person.does((context) => bringin.connections.create(context, request)));
};
const active = async (person: Person, request = wanted): Promise<ConnectionState> => {
  const waiting = valueOf(await bringin.connections.read(person.context(), await create(person, request)));
  return valueOf<ConnectionState>(await bringin.connections.confirm(person.context(), waiting, '123456'));
};
type Sold = { placed: PlacedOrder; order: FollowedOrder };
const sell = async (
  person: Person,
  rail: 'SEPA' | 'Card balance',
  more: { network?: 'lightning' | 'onchain'; connection?: ConnectionState; amount?: bigint } = {},
): Promise<Sold> => {
  const { network = 'lightning', connection, amount = 250_000n } = more;
  const option = valueOf(await bringin.adapter.catalogue(person.context())).options.find((one) => one.name === rail) as CatalogueOption;
  const quote = { ramp: 'sell', fixed: 'pay', amount, option, network } as const;
  const offer = valueOf(await bringin.adapter.quote(person.context(), quote));
  const inputs = connection === undefined ? {} : { connection: { ...connection } as never };
  const placed = valueOf(await bringin.adapter.placeOrder(person.context({ idempotencyKey: 'i-1' }), { quote, offer, inputs }));
  const order: FollowedOrder = {
    orderId: 'ours',
    createdOn: Date.now() - 1,
    pay: placed.pay,
    receive: placed.receive,
    fee: placed.fee,
    upstream: offer.upstream,
    facts: {},
    ...(placed.upstreamOrderId === undefined ? {} : { upstreamOrderId: placed.upstreamOrderId }),
    ...(placed.expiresOn === undefined ? {} : { expiresOn: placed.expiresOn }),
  };
  return { placed, order };
};
const valueIn = ({ paymentInfo }: PlacedOrder): string => ('value' in paymentInfo ? paymentInfo.value : '');
const read = async (person: Person, order: FollowedOrder): Promise<OrderEvidence[]> => valueOf(await bringin.adapter.readOrders(person.context(), order));

const dialects: [string, Deviation[]][] = [
  ['as documented', []],
  ['enveloped', ['enveloped']],
  ['in snake case', ['snake-case']],
  ['with numbers', ['numbers']],
  ['with numeric ids', ['numeric-ids']],
  ['in small letters', ['small-letters']],
  ['with flat links', ['flat-links']],
  ['with the order of the older contract', ['older-order']],
  ['with dates for numbers', ['date-expiry']],
  ['without an expiry or an amount of the order', ['no-expiry']],
  ['with bitcoin: and lightning: links in capitals', ['bitcoin-links']],
  ['with lists the other way round', ['bare-lists']],
  ['with odd rows', ['odd-rows']],
  ['with pages of two', ['pages-of-two']],
  ['with pages that repeat', ['pages-repeat']],
  ['with nothing but done', ['nothing-but-done']],
  ['with a creation that says nothing', ['create-says-nothing']],
  ['with all of it', ['enveloped', 'snake-case', 'numeric-ids', 'small-letters', 'flat-links', 'bare-lists', 'odd-rows', 'date-expiry']],
];
test.each(dialects)('a whole life at a Bringin %s', async (_name, deviations) => {
  bringin = await startBringin({ linkMs: 0, deviations });
  const person = await bringin.connectedPerson(email);
  const connection = await active(person);
  expect(connection).toMatchObject({ status: 'active', direction: 'sell', network: 'lightning', lightningAddress: 'alice@dev.bringin.xyz' });

  // A payment to the bank is recognised by its amount among other payments.
  for (const sats of [30_000n, 40_000n, 50_000n]) await bringin.control.pay('alice@dev.bringin.xyz', sats);
  const bank = await sell(person, 'SEPA', { connection });
  await bringin.control.pay(valueIn(bank.placed), 250_000n);
  expect(await read(person, bank.order)).toEqual([expect.objectContaining({ stage: 'filled', pay: 250_000n, receive: 22_720n })]);

  // A payment to the card is recognised by its id.
  for (const network of ['lightning', 'onchain'] as const) {
    const card = await sell(person, 'Card balance', { network, amount: 260_000n });
    expect(card.placed.upstreamOrderId).toBeDefined();
    await bringin.control.pay(valueIn(card.placed).toLowerCase(), 260_000n);
    const [evidence] = await read(person, card.order);
    expect(evidence).toMatchObject({ stage: 'finished', pay: 260_000n, upstreamOrderId: card.placed.upstreamOrderId });
  }
  expect(valueOf(await bringin.adapter.transactions(person.context(), { limit: 100 }))).toHaveLength(6);
  expect(valueOf(await bringin.adapter.balance(person.context())).amountFiat).toBe(2n * 23_629n);

  const [listed] = valueOf(await bringin.connections.list(person.context()));
  expect(listed?.upstreamId).toBe(connection.upstreamId);
  const cancelling = valueOf(await bringin.connections.cancel(person.context(), connection));
  expect(cancelling.status).toBe('code_required');
  const gone = valueOf<ConnectionState>(await bringin.connections.confirm(person.context(), cancelling, '123456'));
  expect(gone.status).toBe('inactive');
  expect(bringin.control.user(email).links.filter((link) => link.name === 'Savings')).toHaveLength(1);
});

describe.each<ErrorDialect>(['docs', 'message-and-error', 'nested', 'problem', 'plain-text', 'html', 'under-200', 'details-as-list', 'old'])(
  'refusals as %s',
  (errorDialect) => {
    test('say the same', async () => {
      bringin = await startBringin({ linkMs: 0, errorDialect });
      const person = await bringin.connectedPerson(email);
      const other = await bringin.connectedPerson('bob@example.com');
      const connection = await active(person);
      const refusal = async (request: ConnectionRequest, who = person) => await who.does((context) => bringin.connections.create(context, request));
      expect(await refusal({ ...wanted, lightningUsername: 'bertha' })).toMatchObject({ ok: false, refusal: { note: 'connection-name-taken' } });
      // Bob asks for Alice's address. Only Bringin knows that it is taken.
      expect(await refusal(wanted, other)).toMatchObject({ ok: false, refusal: { note: 'username-taken' } });

      const waiting = valueOf(
        await bringin.connections.read(person.context(), await create(person, { ...wanted, name: 'Second', lightningUsername: 'second' })),
      );
      expect((await bringin.connections.confirm(person.context(), waiting, '000000')).ok).toBe('code-wrong');
      for (let tries = 0; tries < 3; tries += 1) await bringin.connections.confirm(person.context(), waiting, '000000');
      expect((await bringin.connections.confirm(person.context(), waiting, '123456')).ok).toBe('code-expired');

      expect(await bringin.connections.read(person.context(), { ...connection, upstreamId: 'gone' })).toMatchObject({
        ok: false,
        refusal: { note: 'connection-not-found' },
      });
      bringin.control.rotateKey(email);
      const lost = await person.does((context) => bringin.adapter.balance(context));
      expect(lost).toMatchObject({ ok: false, refusal: { reason: 'account-required', note: 'needs-reconnect' } });
    });
  },
);

test.each<Deviation[]>([[], ['count-of-page'], ['pages-of-two']])('a payment behind a hundred others, %s', async (...deviations) => {
  bringin = await startBringin({ linkMs: 0, deviations: deviations.filter(Boolean) }, { transaction_pages: 100 });
  const person = await bringin.connectedPerson(email);
  await active(person);
  for (let i = 0; i < 120; i += 1) await bringin.control.pay('alice@dev.bringin.xyz', 30_000n + BigInt(i));
  const card = await sell(person, 'Card balance');
  await bringin.control.pay(valueIn(card.placed));
  expect(await read(person, card.order)).toEqual([expect.objectContaining({ stage: 'finished' })]);
});

/** Returns a connected person at a Bringin that returns this status and body on one endpoint (`to`). */
const refusing = async (status: number, body: unknown, to: string): Promise<Person> => {
  bringin = await startBringin({ linkMs: 0 });
  const person = await bringin.connectedPerson(email);
  bringin.control.setOptions({ refuses: { endpoint: to, status, body } });
  return person;
};
describe('words that say more than declined', () => {
  const order = async (person: Person): Promise<unknown> => {
    const { options } = valueOf(await bringin.adapter.catalogue(person.context()));
    const quote = { ramp: 'sell', fixed: 'pay', amount: 250_000n, option: options[1] as CatalogueOption, network: 'lightning' } as const;
    const offer = valueOf(await bringin.adapter.quote(person.context(), quote));
    return await bringin.adapter.placeOrder(person.context({ idempotencyKey: 'i' }), { quote, offer, inputs: {} }).catch((fault: unknown) => fault);
  };
  test.each<[number, unknown, object]>([
    [400, { statusCode: 400, error: 'Bad Request', message: 'Amount is below the minimum of 22 EUR' }, { reason: 'below-minimum' }],
    [409, { message: ['sourceAmount must not exceed the maximum'], errorCode: 7 }, { reason: 'above-maximum' }],
    [403, { message: 'KYC not approved' }, { reason: 'kyc-required' }],
    [403, 'User is not verified', { reason: 'kyc-required' }],
    [422, { detail: 'Not available in your country' }, { reason: 'country-restricted' }],
    [200, { success: false, statusCode: 400, message: 'Amount is below the minimum' }, { reason: 'below-minimum' }],
    [200, 'Order was rejected', { reason: 'declined', note: 'order-refused', detail: 'no code' }],
    [400, { message: 'no', errorCode: 'X-1' }, { reason: 'declined', note: 'order-refused', detail: 'X-1' }],
  ])('an order: %i %j', async (status, body, refusal) => {
    expect(await order(await refusing(status, body, 'POST /offramp/order'))).toEqual({ ok: false, refusal });
  });
  test.each<[number, unknown]>([
    [200, { success: false, message: 'Something went wrong' }],
    [200, 'Created'],
    [200, { message: 'order received' }],
    [201, {}],
  ])('an order that may have been made all the same: %i %j', async (status, body) => {
    expect(await order(await refusing(status, body, 'POST /offramp/order'))).toMatchObject({ kind: 'malformed', taken: 'maybe' });
  });

  test.each<[number, unknown, string]>([
    [400, { statusCode: 400, error: 'Bad Request', message: ['beneficiary.iban must be a valid IBAN'] }, 'iban-invalid'],
    [422, { errors: { 'beneficiary.bic': ['is not a BIC'] } }, 'bic-invalid'],
    [400, 'lnAddress already in use', 'username-taken'],
    [409, { error: { message: 'Name must be unique' } }, 'connection-name-taken'],
    [400, { message: 'nope' }, 'connection-refused'],
  ])('a connection: %i %j', async (status, body, note) => {
    const person = await refusing(status, body, 'POST /bringin-link');
    expect(await bringin.connections.create(person.context(), wanted)).toMatchObject({ ok: false, refusal: { note } });
  });

  test.each<[number, unknown, string]>([
    [403, { message: 'Invalid verification code' }, 'code-wrong'],
    [401, { error: 'Unauthorized', message: 'OTP expired' }, 'needs-reconnect'],
    [403, { message: 'OTP expired' }, 'code-expired'],
    [400, { message: 'The code has expired' }, 'code-expired'],
    [409, { message: 'Incorrect OTP' }, 'code-wrong'],
    [403, { message: 'Unauthorized' }, 'needs-reconnect'],
    [403, { error: { code: 403, message: 'Forbidden' } }, 'needs-reconnect'],
  ])('a code: %i %j', async (status, body, expected) => {
    bringin = await startBringin({ linkMs: 0 });
    const person = await bringin.connectedPerson(email);
    const waiting = valueOf(await bringin.connections.read(person.context(), await create(person)));
    bringin.control.setOptions({ refuses: { endpoint: 'POST /bringin-link/confirm', status, body } });
    const said = await bringin.connections.confirm(person.context(), waiting, '123456');
    expect(said.ok === false ? said.refusal.note : said.ok).toBe(expected);
  });

  test.each<[number, unknown, string]>([
    [400, { message: ['callback must be a URL address'] }, 'rejected-credentials'],
    [400, { message: 'Invalid signature' }, 'rejected-credentials'],
    [200, { success: false, statusCode: 403, message: 'Forbidden' }, 'rejected-credentials'],
    [400, { message: ['email must be an email'] }, 'email-refused'],
    [409, { message: 'e-mail is blocked' }, 'email-refused'],
  ])('an account: %i %j', async (status, body, expected) => {
    await refusing(status, body, 'POST /application/connect');
    const said = await bringin.adapter.startAccount(bringin.person().context(), { email: 'carol@example.com', ref: 'r' }).catch((fault: unknown) => fault);
    expect(JSON.stringify(said, ['kind', 'refusal', 'note'])).toContain(expected);
  });
});

test('an unknown status word leaves a connection as it was, and nobody is asked to pay to it', async () => {
  bringin = await startBringin({ linkMs: 0 });
  const person = await bringin.connectedPerson(email);
  const connection = await active(person);
  bringin.control.setLink(email, connection.upstreamId, 'SUSPENDED');
  expect(valueOf(await bringin.connections.read(person.context(), connection)).status).toBe('active');
  await expect(sell(person, 'SEPA', { connection })).rejects.toThrow(/connection-not-active/);
  bringin.control.setLink(email, connection.upstreamId, 'Cancelled');
  expect(valueOf(await bringin.connections.read(person.context(), connection)).status).toBe('inactive');
});

test('an order with an impossible amount is a review', async () => {
  bringin = await startBringin({ linkMs: 0 });
  const person = await bringin.connectedPerson(email);
  const card = await sell(person, 'Card balance');
  await bringin.control.pay(valueIn(card.placed));
  Object.assign(bringin.control.user(email).transactions[0] ?? {}, { destinationAmount: '-5' });
  expect(await read(person, card.order)).toEqual([expect.objectContaining({ stage: 'review' })]);
});

test('so is one whose payment is recognised by its amount, and a payout of 0 is what it says once the payment is successful', async () => {
  bringin = await startBringin({ linkMs: 0 });
  const person = await bringin.connectedPerson(email);
  const bank = await sell(person, 'SEPA', { connection: await active(person) });
  await bringin.control.pay(valueIn(bank.placed), bank.order.pay);
  const [row = {}] = bringin.control.user(email).transactions;
  Object.assign(row, { status: 'SUCCESSFUL', destinationAmount: '-5' });
  expect(await read(person, bank.order)).toEqual([expect.objectContaining({ stage: 'review' })]);
  expect(valueOf(await bringin.adapter.transactions(person.context(), { limit: 9 }))).toEqual([expect.objectContaining({ stage: 'review' })]);
  Object.assign(row, { destinationAmount: '0' });
  expect(await read(person, bank.order)).toEqual([expect.objectContaining({ stage: 'filled', receive: 0n })]);
  Object.assign(row, { status: 'PROCESSING' });
  expect((await read(person, bank.order))[0]).not.toHaveProperty('receive');
});
