/** Connections from creation to cancellation, through the real adapter and real HTTP against the simulator. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBringin, valueOf, type Bringin, type Person } from '../../../test/support/bringin.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import type { ConnectionRequest, ConnectionState } from '../spec.ts';
import type { FaultName } from './bringin.simulator-state.ts';
import { readNotice } from './bringin-notice.ts';

let bringin: Bringin;
let receiver: WebhookReceiver;
let person: Person;
let email: string;
let number = 0;
beforeAll(async () => {
  bringin = await startBringin({ linkMs: 0 });
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await bringin.close();
  await receiver.close();
});
beforeEach(async () => {
  number += 1;
  email = `person${number}@example.com`;
  person = await bringin.connectedPerson(email, `${receiver.url}/notices/c_${number}`);
});
afterEach(() => {
  bringin.control.clearFaults();
  bringin.control.setOptions({ linkDialect: 'newer', linkMs: 0, errorDialect: 'docs' });
});

const iban = 'DE89370400440532013000';
const wanted = (more: Partial<ConnectionRequest> = {}): ConnectionRequest => ({
  name: 'Savings',
  direction: 'sell',
  network: 'lightning',
  iban,
  bic: 'COBADEFFXXX',
  beneficiaryName: 'Alice Nakamoto',
  lightningUsername: `alice${number}`,
  ...more,
});
const create = async (request = wanted()) => await person.does((context) => bringin.connections.create(context, request));
const read = async (connection: ConnectionState) => await person.does((context) => bringin.connections.read(context, connection));
const confirm = async (connection: ConnectionState, code = '123456') => await person.does((context) => bringin.connections.confirm(context, connection, code));
const resend = async (connection: ConnectionState) => await person.does((context) => bringin.connections.resend(context, connection));
const cancel = async (connection: ConnectionState) => await person.does((context) => bringin.connections.cancel(context, connection));
const list = async () => valueOf(await person.does((context) => bringin.connections.list(context)));

const pending = async (): Promise<ConnectionState> => valueOf(await read(valueOf(await create())));
const active = async (): Promise<ConnectionState> => valueOf(await confirm(await pending()));
const links = () => bringin.control.user(email).links;
const createsSent = () =>
  bringin.control.state.requests.filter(({ endpoint, key }) => endpoint === 'POST /bringin-link' && key === bringin.control.user(email).key).length;

describe('creating', () => {
  test('202, being made, the code, active', async () => {
    const made = valueOf(await create());
    expect(made).toEqual({
      upstreamId: links()[0]?.id,
      name: 'Savings',
      direction: 'sell',
      network: 'lightning',
      status: 'initiating',
      upstream: {},
      iban,
      createdOn: links()[0]?.createdAt,
    });
    const waiting = valueOf(await read(made));
    expect(waiting).toMatchObject({
      status: 'code_required',
      lightningAddress: `alice${number}@dev.bringin.xyz`,
      iban,
      codeExpiresOn: (made.createdOn ?? 0) + 1_800_000,
    });
    expect(waiting.upstream).toEqual({
      challengeId: bringin.control.state.texts.at(-1)?.challengeId,
      standingOrderId: expect.stringMatching(/^pending_/) as unknown,
    });
    const done = valueOf(await confirm(waiting));
    expect(done).toMatchObject({ status: 'active', lightningAddress: `alice${number}@dev.bringin.xyz`, iban });
    expect(done.codeExpiresOn).toBeUndefined();
    expect((done.upstream as { standingOrderId: string }).standingOrderId).toBe(links()[0]?.standingOrder?.id);
    expect(bringin.exchanges.find(({ request }) => request.url.endsWith('/bringin-link') && request.method === 'POST')?.response.status).toBe(202);
  });
  test('active without a code, if another application already uses the standing order', async () => {
    bringin.control.shareWallet(email, `alice${number}@dev.bringin.xyz`, iban);
    const texts = bringin.control.state.texts.length;
    expect(valueOf(await read(valueOf(await create())))).toMatchObject({ status: 'active', lightningAddress: `alice${number}@dev.bringin.xyz` });
    expect(bringin.control.state.texts.length).toBe(texts);
  });
  test('the request has the full address, or only the name if the setting says so', async () => {
    await create();
    expect(bringin.control.state.requests.at(-1)?.body).toMatchObject({ lnAddress: `alice${number}@dev.bringin.xyz`, type: 'CRYPTO_TO_FIAT', subtype: 'LN' });
    const short = await startBringin({ linkMs: 0 }, { ln_address_form: 'username' });
    const other = await short.connectedPerson();
    const made = valueOf(await short.connections.create(other.context(), wanted({ lightningUsername: 'bob' })));
    expect(short.control.state.requests.at(-1)?.body).toMatchObject({ lnAddress: 'bob' });
    expect(valueOf(await short.connections.read(other.context(), made)).lightningAddress).toBe('bob@dev.bringin.xyz');
    await short.close();
  });
  test.each([
    ['FAILED', 'failed', 'STANDING_ORDER_FAILED'],
    ['EXPIRED', 'expired', undefined],
    ['INACTIVE', 'inactive', undefined],
  ] as const)('%s', async (word, status, failure) => {
    bringin.control.nextLink(word);
    const end = valueOf(await read(valueOf(await create())));
    expect([end.status, end.failure]).toEqual([status, failure]);
    expect(await list()).toEqual([]);
    expect(valueOf(await read(end)).status).toBe(status);
  });
  test('a connection that takes more than a minute is reported as late, and may still become active', async () => {
    bringin.control.setOptions({ linkMs: 90_000 });
    const made = valueOf(await create());
    expect(valueOf(await read(made)).failure).toBeUndefined();
    bringin.pass(61_000);
    expect(valueOf(await read(made))).toMatchObject({ status: 'initiating', failure: 'takes-too-long' });
    bringin.pass(30_000);
    const late = valueOf(await read(made));
    expect([late.status, late.failure]).toEqual(['code_required', undefined]);
  });
  test('an unknown account status changes nothing and is logged', async () => {
    const done = await active();
    bringin.control.setLink(email, done.upstreamId, 'PAUSED');
    expect(valueOf(await read(done)).status).toBe('active');
    expect(bringin.logs.at(-1)).toBe('{"level":"warn","event":"bringin_status_unknown","of":"connection"}');
  });
  test('buying: the same shape, an IBAN to pay to, on chain', async () => {
    const destinationAddress = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    const request: ConnectionRequest = { name: 'Stacking', direction: 'buy', network: 'onchain', destinationAddress };
    const done = valueOf(await confirm(valueOf(await read(valueOf(await create(request))))));
    expect(done).toMatchObject({ direction: 'buy', network: 'onchain', status: 'active', depositIban: 'LT613250046722895172' });
    expect(
      bringin.control.state.requests.find(({ endpoint, body }) => endpoint === 'POST /bringin-link' && JSON.stringify(body).includes('Stacking'))?.body,
    ).toMatchObject({ destinationCurrency: 'BTC', network: 'BTC' });
  });
  test('selling on chain: a deposit address', async () => {
    const done = valueOf(await confirm(valueOf(await read(valueOf(await create(wanted({ network: 'onchain' })))))));
    expect(done).toMatchObject({ direction: 'sell', network: 'onchain', status: 'active', depositAddress: links()[0]?.depositAddress, iban });
  });
});

describe('never twice', () => {
  test('a repeated request returns the existing connection, in each of its states', async () => {
    const made = valueOf(await create());
    expect(valueOf(await create())).toMatchObject({ upstreamId: made.upstreamId, status: 'code_required' });
    await confirm(valueOf(await read(made)));
    expect(valueOf(await create(wanted({ name: 'Another name' })))).toMatchObject({ upstreamId: made.upstreamId, status: 'active' });
    expect([links().length, createsSent()]).toEqual([1, 1]);
  });
  test.each(['lost-answer', 'reset', '503'] as const)('%s at creating: repeated, there is one', async (fault) => {
    bringin.control.setFault({ endpoint: 'POST /bringin-link', fault, times: 1 });
    await expect(create()).rejects.toMatchObject({ name: 'ProviderFault', taken: 'maybe' });
    expect(valueOf(await create()).name).toBe('Savings');
    expect(links().length).toBe(1);
  });
  test('after a lost answer, a connection that is still being made cannot be told from another: the customer tries again in seconds', async () => {
    bringin.control.setOptions({ linkMs: 5_000 });
    bringin.control.setFault({ endpoint: 'POST /bringin-link', fault: 'lost-answer', times: 1 });
    await expect(create()).rejects.toMatchObject({ taken: 'maybe' });
    expect(await create()).toEqual({ ok: false, refusal: { reason: 'busy', note: 'connection-initiating' } });
    bringin.pass(5_000);
    expect(valueOf(await create()).status).toBe('code_required');
    expect([links().length, createsSent()]).toEqual([1, 1]);
  });
  test('if the list cannot be read, no connection is created', async () => {
    bringin.control.setFault({ endpoint: 'GET /bringin-link', fault: '503', times: 1 });
    await expect(create()).rejects.toMatchObject({ kind: 'server' });
    expect(createsSent()).toBe(0);
  });
  test('a second one with the same name and another account', async () => {
    await active();
    expect(await create(wanted({ iban: 'FR1420041010050500013M02606', lightningUsername: 'other' }))).toEqual({
      ok: false,
      refusal: { reason: 'declined', note: 'connection-name-taken' },
    });
    expect(createsSent()).toBe(1);
  });
  test("Bringin may refuse a name, too: one that its list did not show, or another customer's Lightning name", async () => {
    bringin.control.setFault({ endpoint: 'POST /bringin-link', fault: 'refuse', status: 409, times: 1 });
    expect(await create()).toEqual({ ok: false, refusal: { reason: 'declined', note: 'connection-name-taken' } });
    const mine = await active();
    const other = await bringin.connectedPerson(`other${number}@example.com`);
    const taken = await bringin.connections.create(other.context(), wanted({ lightningUsername: mine.lightningAddress?.split('@')[0] ?? '' }));
    expect(taken).toEqual({ ok: false, refusal: { reason: 'declined', note: 'username-taken' } });
  });
});

test.each<[string, Partial<ConnectionRequest>, string]>([
  ['IBAN with a wrong digit', { iban: 'DE89370400440532013001' }, 'iban-invalid'],
  ['BIC', { bic: 'COBA' }, 'bic-invalid'],
  ['name', { name: 'x' }, 'name-invalid'],
  ['holder', { beneficiaryName: '' }, 'beneficiary-name-invalid'],
  ['user name', { lightningUsername: 'a..b' }, 'username-invalid'],
  ['buying by Lightning', { direction: 'buy' }, 'network-unsupported'],
  ['buying to nowhere', { direction: 'buy', network: 'onchain', destinationAddress: 'nowhere' }, 'address-invalid'],
])('bad input is refused before anything is sent: %s', async (_name, more, note) => {
  const asked = bringin.exchanges.length;
  expect(await create(wanted(more))).toEqual({ ok: false, refusal: { reason: 'declined', note } });
  expect(bringin.exchanges.length).toBe(asked);
});

describe('the code', () => {
  test('a string that is not a code uses no attempt', async () => {
    const waiting = await pending();
    const asked = bringin.exchanges.length;
    expect([await confirm(waiting, '12345'), await confirm(waiting, 'abcdef'), await confirm(waiting, '')]).toEqual(Array(3).fill({ ok: 'code-wrong' }));
    expect(bringin.exchanges.length).toBe(asked);
  });
  test.each(['docs', 'status-as-text', 'old', 'details-as-list', 'no-body'] as const)('a wrong one, told in the form "%s"', async (errorDialect) => {
    bringin.control.setOptions({ errorDialect });
    const waiting = await pending();
    expect(await confirm(waiting, '000000')).toEqual({ ok: 'code-wrong' });
    expect(valueOf(await confirm(waiting)).status).toBe('active');
  });
  test('three wrong codes end the challenge; a new code can be requested', async () => {
    const waiting = await pending();
    for (let tries = 0; tries < 3; tries += 1) expect(await confirm(waiting, '000000')).toEqual({ ok: 'code-wrong' });
    expect(await confirm(waiting)).toEqual({ ok: 'code-expired' });
  });
  test('a code sent again: a new challenge with the same expiry; the old challenge is no longer valid', async () => {
    const waiting = await pending();
    expect(await confirm(waiting, '000000')).toEqual({ ok: 'code-wrong' });
    bringin.pass(60_000);
    const again = valueOf(await resend(waiting));
    expect(again).toMatchObject({ status: 'code_required', attemptsLeft: 2, codeExpiresOn: waiting.codeExpiresOn });
    expect(again.upstream).not.toEqual(waiting.upstream);
    // Bringin no longer knows the old challenge. The connection still waits for a code.
    expect(await confirm(waiting)).toEqual({ ok: 'code-wrong' });
    expect(await confirm(again, '12')).toEqual({ ok: 'code-wrong', attemptsLeft: 2 });
    expect(await confirm(again, '000000')).toEqual({ ok: 'code-wrong', attemptsLeft: 1 });
    expect(valueOf(await confirm(again)).status).toBe('active');
  });
  test('older pages: the confirmation wrapped, the resend bare', async () => {
    bringin.control.setOptions({ linkDialect: 'older' });
    const again = valueOf(await resend(await pending()));
    expect(again.attemptsLeft).toBeUndefined();
    expect(valueOf(await confirm(again)).status).toBe('active');
  });
  test('after 30 minutes the code has expired, and a resend does not extend it', async () => {
    const waiting = await pending();
    bringin.pass(25 * 60_000);
    const again = valueOf(await resend(waiting));
    bringin.pass(5 * 60_000);
    expect(await confirm(again)).toEqual({ ok: 'code-expired' });
    expect(valueOf(await read(again)).status).toBe('expired');
    expect(valueOf(await resend(again)).status).toBe('expired');
    expect(valueOf(await create()).upstreamId).not.toBe(waiting.upstreamId);
  });
  test('a code is refused if nothing waits for one', async () => {
    expect(await confirm(valueOf(await create()))).toEqual({ ok: false, refusal: { reason: 'declined', note: 'no-code-expected' } });
  });
  test.each(['lost-answer', '503', 'reset', '429'] as const)('%s at confirming: the same step again ends active', async (fault) => {
    const waiting = await pending();
    bringin.control.setFault({ endpoint: 'POST /bringin-link/confirm', fault, times: 1 });
    await expect(confirm(waiting)).rejects.toMatchObject({ name: 'ProviderFault' });
    const done = valueOf(await confirm(waiting));
    expect([done.status, (done.upstream as { standingOrderId: string }).standingOrderId]).toEqual(['active', links()[0]?.standingOrder?.id]);
  });
  test('if the read after a confirmation fails, the connection is still active, with the new standing order', async () => {
    const waiting = await pending();
    bringin.control.setFault({ endpoint: 'GET /bringin-link/{id}', fault: '503', times: 1 });
    const done = valueOf(await confirm(waiting));
    expect(done.status).toBe('active');
    expect((done.upstream as { standingOrderId: string }).standingOrderId).toBe(links()[0]?.standingOrder?.id);
  });
  test.each(['429', '503'] as const)('%s of the read after a wrong code: the code was handed in', async (fault) => {
    const waiting = await pending();
    bringin.control.setFault({ endpoint: 'GET /bringin-link/{id}', fault, times: 1 });
    await expect(confirm(waiting, '000000')).rejects.toMatchObject({ name: 'ProviderFault', taken: 'maybe' });
    // A wrong code for a cancellation is handed in as well.
    const asked = valueOf(await cancel(valueOf(await confirm(waiting))));
    bringin.control.setFault({ endpoint: 'GET /bringin-link/{id}', fault, times: 1 });
    await expect(confirm(asked, '000000')).rejects.toMatchObject({ name: 'ProviderFault', taken: 'maybe' });
  });
  test.each(['lost-answer', '503'] as const)('%s at the resend: asked again, the code can still be used', async (fault) => {
    const waiting = await pending();
    bringin.control.setFault({ endpoint: 'POST /bringin-link/resend-otp', fault, times: 1 });
    await expect(resend(waiting)).rejects.toMatchObject({ name: 'ProviderFault' });
    expect(valueOf(await confirm(valueOf(await resend(waiting)))).status).toBe('active');
  });
});

describe('cancelling', () => {
  test("hard: a code is sent, with the standing order's new id; then it is over", async () => {
    const waiting = await pending();
    await confirm(waiting);
    // `waiting` was stored before the confirmation, so it has the old id of the standing order.
    const asked = valueOf(await cancel(waiting));
    expect(asked.status).toBe('code_required');
    expect(bringin.exchanges.at(-1)?.request.url).toContain(`/bringin-link/${links()[0]?.standingOrder?.id}/cancel`);
    expect(valueOf(await read(asked)).status).toBe('code_required');
    expect(await confirm(asked, '000000')).toEqual({ ok: 'code-wrong' });
    const over = valueOf(await confirm(asked));
    expect([over.status, over.codeExpiresOn]).toEqual(['inactive', undefined]);
    expect([links()[0]?.status, await list()]).toEqual(['INACTIVE', []]);
  });
  test('a soft cancellation: other applications use the standing order, so it takes effect at once', async () => {
    bringin.control.shareWallet(email, `alice${number}@dev.bringin.xyz`, iban);
    const shared = valueOf(await read(valueOf(await create())));
    expect(valueOf(await cancel(shared)).status).toBe('inactive');
    expect(links().map(({ status, standingOrder }) => [status, standingOrder?.status])).toEqual([
      ['FOREIGN', 'ACTIVE'],
      ['INACTIVE', 'ACTIVE'],
    ]);
  });
  test('a second cancellation changes nothing and sends nothing', async () => {
    const done = await active();
    const asked = valueOf(await cancel(done));
    const texts = bringin.control.state.texts.length;
    expect(valueOf(await cancel(asked))).toEqual(asked);
    expect(bringin.control.state.texts.length).toBe(texts);
    await confirm(asked);
    expect([valueOf(await cancel(asked)).status, valueOf(await cancel(done)).status]).toEqual(['inactive', 'inactive']);
  });
  test('another code for it', async () => {
    const asked = valueOf(await cancel(await active()));
    const again = valueOf(await resend(asked));
    expect(again.upstream).not.toEqual(asked.upstream);
    expect(valueOf(await confirm(again)).status).toBe('inactive');
  });
  test('if the code for a cancellation expires, the connection is active again', async () => {
    const asked = valueOf(await cancel(await active()));
    bringin.pass(30 * 60_000);
    expect(valueOf(await read(asked)).status).toBe('active');
    expect(await confirm(asked)).toEqual({ ok: 'code-expired' });
  });
  test('before its confirmation a connection cannot be cancelled: it expires by itself', async () => {
    const busy = { ok: false, refusal: { reason: 'busy', note: 'connection-not-active' } };
    bringin.control.setOptions({ linkMs: 1_000 });
    const made = valueOf(await create());
    expect(await cancel(made)).toEqual(busy);
    bringin.pass(1_000);
    expect(await cancel(made)).toEqual(busy);
  });
  test.each<FaultName>(['lost-answer', '503'])('%s: both steps can be repeated', async (fault) => {
    const done = await active();
    bringin.control.setFault({ endpoint: 'POST /bringin-link/{id}/cancel', fault, times: 1 });
    await expect(cancel(done)).rejects.toMatchObject({ name: 'ProviderFault' });
    const asked = valueOf(await cancel(done));
    bringin.control.setFault({ endpoint: 'POST /bringin-link/{id}/cancel/confirm', fault, times: 1 });
    await expect(confirm(asked)).rejects.toMatchObject({ name: 'ProviderFault' });
    expect(valueOf(await confirm(asked)).status).toBe('inactive');
  });
  test('a soft cancellation whose answer was lost has ended the connection', async () => {
    bringin.control.shareWallet(email, `alice${number}@dev.bringin.xyz`, iban);
    const shared = valueOf(await read(valueOf(await create())));
    bringin.control.setFault({ endpoint: 'POST /bringin-link/{id}/cancel', fault: 'lost-answer', times: 1 });
    await expect(cancel(shared)).rejects.toMatchObject({ name: 'ProviderFault' });
    expect(valueOf(await cancel(shared)).status).toBe('inactive');
  });
});

describe('a connection that pays another bank account', () => {
  const elsewhere = async (word = 'ACTIVE'): Promise<ConnectionState> => {
    const done = word === 'ACTIVE' ? await active() : await pending();
    Object.assign(links()[0] ?? {}, { iban: 'FR1420041010050500013M02606' });
    const state = valueOf(await read(done));
    expect([state.status, state.failure, state.lightningAddress]).toEqual(['failed', 'iban-differs', undefined]);
    return state;
  };
  test('is cancelled like any other, and can be made anew then', async () => {
    const asked = valueOf(await cancel(await elsewhere()));
    expect([asked.status, asked.failure, asked.lightningAddress]).toEqual(['code_required', 'iban-differs', undefined]);
    const again = valueOf(await read(asked));
    expect([again.status, again.failure]).toEqual(['code_required', 'iban-differs']);
    expect(valueOf(await cancel(again))).toEqual(again);
    const over = valueOf(await confirm(valueOf(await resend(again))));
    expect([over.status, over.failure, over.stillThere, links()[0]?.status]).toEqual(['inactive', 'iban-differs', undefined, 'INACTIVE']);
    expect(valueOf(await create()).status).toBe('initiating');
  });
  test('is not confirmed', async () => {
    const state = await elsewhere('PENDING');
    expect(await confirm(state)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'no-code-expected' } });
    expect(links()[0]?.status).toBe('PENDING');
    expect(await cancel(state)).toEqual({ ok: false, refusal: { reason: 'busy', note: 'connection-not-active' } });
  });
  test('is there again once Bringin pays the right one', async () => {
    const state = await elsewhere();
    Object.assign(links()[0] ?? {}, { iban });
    expect(valueOf(await read(state))).toMatchObject({ status: 'active', lightningAddress: `alice${number}@dev.bringin.xyz`, iban });
  });
});

describe('reading', () => {
  test('the list has only our connections, the newest first', async () => {
    const first = await active();
    bringin.pass(1_000);
    const second = valueOf(await create(wanted({ name: 'Rent', lightningUsername: `rent${number}`, iban: 'FR1420041010050500013M02606' })));
    expect((await list()).map(({ name, status }) => [name, status])).toEqual([
      ['Rent', 'code_required'],
      ['Savings', 'active'],
    ]);
    expect((await list()).map(({ upstreamId }) => upstreamId)).toEqual([second.upstreamId, first.upstreamId]);
    const stranger = await bringin.connectedPerson(`stranger${number}@example.com`);
    expect(await bringin.connections.list(stranger.context())).toEqual({ ok: true, value: [] });
    expect(await bringin.connections.read(stranger.context(), first)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'connection-not-found' } });
  });
  test('without a key there is nothing', async () => {
    expect(await bringin.connections.list(bringin.person().context())).toEqual({ ok: false, refusal: { reason: 'account-required' } });
  });
  test('the notice about an active connection is only a hint; the read decides', async () => {
    const done = await active();
    const notice = await receiver.waitFor('the notice', (one) => one.path === `/notices/c_${number}/connection-status`);
    expect(JSON.parse(notice.body)).toMatchObject({ status: 'active', lnAddress: done.lightningAddress, bringinLinkId: done.upstreamId });
    expect(readNotice('/connection-status', notice.body)).toEqual({ about: 'connection', upstreamId: done.upstreamId });
    await bringin.control.forge(`${receiver.url}/notices/c_${number}/connection-status`, {
      bringinLinkId: done.upstreamId,
      status: 'active',
      lnAddress: 'mallory@dev.bringin.xyz',
    });
    expect(valueOf(await read(done)).lightningAddress).toBe(done.lightningAddress);
  });
});
