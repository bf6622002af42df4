/** Onboarding, keys and notices, through the real adapter and real HTTP against the simulator. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { apiSecret, masterKey, startBringin, valueOf, type Bringin, type Person } from '../../../test/support/bringin.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { readNotice } from './bringin-notice.ts';

let bringin: Bringin;
let receiver: WebhookReceiver;
beforeAll(async () => {
  bringin = await startBringin({ knownUsers: ['known@example.com'] });
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await bringin.close();
  await receiver.close();
});
afterEach(() => bringin.control.clearFaults());

const ref = '550e8400-e29b-41d4-a716-446655440000';
const start = async (person: Person, email: string, noticeUrl?: string) =>
  await person.does((context) => bringin.adapter.startAccount(context, { email, ref, ...(noticeUrl === undefined ? {} : { noticeUrl }) }));
const read = async (person: Person) => await person.does((context) => bringin.adapter.readAccount(context));
const keyIn = (person: Person): unknown => (JSON.parse(person.blob ?? '{}') as { key?: unknown }).key;
const connectRequests = () => bringin.exchanges.map(({ request }) => request).filter(({ url }) => url.endsWith('/application/connect'));

describe('the three answers', () => {
  test('a new user: a signup link and a mail, then verification in steps, then the key', async () => {
    const alice = bringin.person();
    const started = valueOf(await start(alice, 'alice@example.com', `${receiver.url}/notices/u_7Qm2x9`));
    expect(started).toEqual({
      status: 'onboarding',
      mailSent: true,
      signupUrl: `${bringin.simulator.url}/signup?inviteId=${bringin.control.user('alice@example.com').inviteId}`,
    });
    expect(bringin.control.state.mails.at(-1)).toEqual({ to: 'alice@example.com', about: 'signup' });
    const seen: unknown[] = [];
    for (let step = 0; step < 4; step += 1) {
      await bringin.control.advanceKyc('alice@example.com');
      seen.push(valueOf(await read(alice)).status);
    }
    expect(seen).toEqual(['onboarding', 'onboarding', 'onboarding', 'connected']);
    expect(keyIn(alice)).toBe(bringin.control.user('alice@example.com').key);
    expect(valueOf(await read(alice))).toEqual({ status: 'connected', userId: bringin.control.user('alice@example.com').id });
  });

  test('a Bringin user of another app: an e-mail, no link, the key after their consent', async () => {
    const known = bringin.person();
    expect(valueOf(await start(known, 'known@example.com'))).toEqual({ status: 'pending', mailSent: true });
    expect(bringin.control.state.mails.at(-1)).toEqual({ to: 'known@example.com', about: 'consent' });
    expect(valueOf(await read(known))).toEqual({ status: 'pending' });
    await bringin.control.consent('known@example.com');
    expect(valueOf(await read(known)).status).toBe('connected');
  });

  test('if it cannot be read whose key this is, connecting has happened all the same', async () => {
    await bringin.connectedPerson('whose@example.com');
    bringin.control.setFault({ endpoint: 'GET /user/user-id', fault: '429', times: 1 });
    await expect(start(bringin.person(), 'whose@example.com')).rejects.toMatchObject({ kind: 'rate-limited', taken: 'maybe' });
  });

  test('a connected user: the key at once, without a mail', async () => {
    await bringin.connectedPerson('soon@example.com');
    const mails = bringin.control.state.mails.length;
    const again = bringin.person();
    expect(valueOf(await start(again, 'soon@example.com'))).toEqual({ status: 'connected', userId: bringin.control.user('soon@example.com').id });
    expect([keyIn(again), bringin.control.state.mails.length]).toEqual([bringin.control.user('soon@example.com').key, mails]);
  });

  test('a user whose verification is refused', async () => {
    const person = bringin.person();
    await start(person, 'refused@example.com');
    bringin.control.rejectKyc('refused@example.com');
    expect(valueOf(await read(person))).toEqual({ status: 'rejected' });
    expect(valueOf(await start(person, 'refused@example.com'))).toEqual({ status: 'rejected' });
    expect(keyIn(person)).toBeUndefined();
  });

  test('the older contract: 409 for every known user, and no status word', async () => {
    bringin.control.setOptions({ connectDialect: 'sw-1' });
    const person = bringin.person();
    expect(valueOf(await start(person, 'older@example.com')).status).toBe('onboarding');
    while (!bringin.control.user('older@example.com').connected) await bringin.control.advanceKyc('older@example.com');
    expect(valueOf(await start(person, 'older@example.com'))).toEqual({ status: 'connected', userId: bringin.control.user('older@example.com').id });
    expect(bringin.exchanges.at(-1)?.response.status).toBe(409);
    bringin.control.setOptions({ connectDialect: 'docs' });
  });
});

describe('signing', () => {
  test('with a callback, without the slash at its end; the simulator checks raw body, compact body and clock', async () => {
    valueOf(await start(bringin.person(), 'signed@example.com', `${receiver.url}/notices/u_1/`));
    const sent = connectRequests().at(-1);
    expect(sent?.headers?.['authorization']).toMatch(/^HMAC \d{13}:[0-9a-f]{64}$/);
    expect(sent?.body).toBe(`{"email":"signed@example.com","callback":"${receiver.url}/notices/u_1","ref":"${ref}"}`);
    expect(bringin.control.user('signed@example.com').callback).toBe(`${receiver.url}/notices/u_1`);
  });
  test('refused without a customer IPv4', async () => {
    valueOf(await start(bringin.person(), 'unsigned@example.com'));
    expect(connectRequests().at(-1)?.headers?.['authorization']).toBeUndefined();
  });
  test('without a secret no callback is registered', async () => {
    const polling = await startBringin({}, { api_secret_env: undefined });
    valueOf(await polling.person().does((context) => polling.adapter.startAccount(context, { email: 'a@example.com', ref, noticeUrl: receiver.url })));
    expect(polling.exchanges[0]?.request.body).toBe(`{"email":"a@example.com","ref":"${ref}"}`);
    expect((await polling.adapter.catalogue(polling.person().context())).ok).toBe(true);
    await polling.close();
  });
  test.each<[string, Record<string, string>]>([
    ['a wrong secret', { apiSecret: `${apiSecret}x` }],
    ['a wrong master key', { masterKey: 'd3Jvbmc=' }],
  ])("%s is the operator's fault", async (_name, simulation) => {
    const strict = await startBringin(simulation);
    const asked = strict.person().does((context) => strict.adapter.startAccount(context, { email: 'a@example.com', ref, noticeUrl: receiver.url }));
    await expect(asked).rejects.toMatchObject({ kind: 'rejected-credentials', retryable: false, taken: 'no' });
    await strict.close();
  });
  test('a variable that is not set is named, and nothing is sent', async () => {
    const unset = await startBringin({}, { master_key_env: 'BRINGIN_OTHER_KEY' });
    const asked = unset.person().does((context) => unset.adapter.startAccount(context, { email: 'a@example.com', ref }));
    await expect(asked).rejects.toThrow('the variable BRINGIN_OTHER_KEY is not set');
    expect(unset.exchanges).toEqual([]);
    await unset.close();
  });
});

describe('keys', () => {
  test('a key pasted from the dashboard is used once a call with it has succeeded', async () => {
    const owner = await bringin.connectedPerson('paster@example.com');
    const person = bringin.person();
    const adopt = async (key: string) => await person.does((context) => bringin.adapter.adoptKey(context, { key }));
    expect(await adopt('short')).toEqual({ ok: false, refusal: { reason: 'declined', note: 'key-invalid' } });
    expect(await adopt('bm90IGEga2V5IG9mIGFueWJvZHk=')).toEqual({ ok: false, refusal: { reason: 'declined', note: 'key-refused' } });
    expect(person.blob).toBeUndefined();
    const key = `sk_test_${String(keyIn(owner))}`;
    expect(valueOf(await adopt(key))).toEqual({ status: 'connected', userId: bringin.control.user('paster@example.com').id });
    expect(keyIn(person)).toBe(key);
    expect(await bringin.adapter.balance(person.context())).toEqual({ ok: true, value: { currency: 'EUR', amountFiat: 0n } });
    expect(bringin.exchanges.at(-1)?.request.headers?.['api-key']).toBe(key);
    expect(valueOf(await read(person)).status).toBe('connected');
  });
  test("another user's key is not taken while the account has a key: its orders could no longer be read", async () => {
    const person = await bringin.connectedPerson('first@example.com');
    const other = await bringin.connectedPerson('second@example.com');
    const adopt = async () => await person.does((context) => bringin.adapter.adoptKey(context, { key: String(keyIn(other)) }));
    const refused = { ok: false, refusal: { reason: 'declined', note: 'key-of-another' } };
    expect(valueOf(await read(person)).userId).toBe(bringin.control.user('first@example.com').id);
    const kept = person.blob;
    expect([await adopt(), person.blob]).toEqual([refused, kept]);
    // If an earlier answer did not say whose key the account has, Bringin is asked.
    const { userId: _unknown, ...unnamed } = JSON.parse(String(kept)) as Record<string, unknown>;
    person.blob = JSON.stringify(unnamed);
    expect(await adopt()).toEqual(refused);
    person.blob = kept;
    bringin.control.disconnect('first@example.com');
    expect(valueOf(await read(person)).status).toBe('needs_reconnect');
    expect(await adopt()).toEqual(refused);
    // Now it is not known whose key the account had, so nobody can tell whether the new key is the same user's.
    person.blob = JSON.stringify(unnamed);
    expect(await adopt()).toEqual(refused);
    // Asking for the account again drops the lost key, but not its owner.
    person.blob = kept;
    expect(valueOf(await start(person, 'first@example.com')).status).toBe('pending');
    expect(keyIn(person)).toBeUndefined();
    expect(await adopt()).toEqual(refused);
    await bringin.control.consent('first@example.com');
    expect(valueOf(await read(person)).status).toBe('connected');
  });
  test.each(['connect', 'a poll'])('whose key it is is known as soon as %s brings the key', async (by) => {
    const email = `owner-${by.length}@example.com`;
    const person = await bringin.connectedPerson(email);
    const again = by === 'connect' ? bringin.person() : person;
    if (by === 'connect') valueOf(await start(again, email));
    expect(JSON.parse(String(again.blob))).toMatchObject({ userId: bringin.control.user(email).id });
  });
  test.each(['a poll', 'asking for the account again'])("a key that %s brings is not taken if the e-mail is another user's by then", async (by) => {
    const email = `moved-${by.length}@example.com`;
    const person = await bringin.connectedPerson(email);
    const first = bringin.control.user(email);
    await bringin.connectedPerson(`new-${email}`);
    bringin.control.disconnect(email);
    bringin.control.state.users.set(email, { ...bringin.control.user(`new-${email}`), email });
    const asked = async () => (by === 'a poll' ? await read(person) : await start(person, email));
    for (let n = 0; n < 2; n += 1) {
      expect(valueOf(await asked())).toEqual({ status: 'needs_reconnect', userId: first.id });
      expect(keyIn(person)).toBe(first.key);
    }
    // The account is connected again as soon as its own user is connected.
    bringin.control.state.users.set(email, { ...first, connected: true, key: `${first.key}2` });
    expect(valueOf(await asked())).toEqual({ status: 'connected', userId: first.id });
    expect(keyIn(person)).toBe(`${first.key}2`);
  });
  test("before an account has a key, another user's key takes the entered e-mail away", async () => {
    const other = await bringin.connectedPerson('third@example.com');
    const person = bringin.person();
    valueOf(await person.does((context) => bringin.adapter.startAccount(context, { email: 'fourth@example.com', ref })));
    valueOf(await person.does((context) => bringin.adapter.adoptKey(context, { key: String(keyIn(other)) })));
    expect(person.blob).not.toContain('fourth@example.com');
    bringin.control.rotateKey('third@example.com');
    expect(valueOf(await read(person)).status).toBe('needs_reconnect');
  });
  test('if a key stops working, the account needs reconnecting, no call is repeated, and connect returns the new key', async () => {
    const person = await bringin.connectedPerson('lost@example.com');
    const oldKey = keyIn(person);
    bringin.control.disconnect('lost@example.com');
    const required = { reason: 'account-required', note: 'needs-reconnect' };
    expect(await person.does((context) => bringin.adapter.balance(context))).toMatchObject({ ok: false, refusal: required });
    expect(bringin.exchanges.at(-1)?.response.status).toBe(403);
    const asked = bringin.exchanges.length;
    expect(await person.does((context) => bringin.adapter.balance(context))).toEqual({ ok: false, refusal: required });
    expect(bringin.exchanges.length).toBe(asked);
    expect(valueOf(await read(person)).status).toBe('needs_reconnect');
    expect(keyIn(person)).toBe(oldKey);
    const newKey = bringin.control.rotateKey('lost@example.com');
    await bringin.control.consent('lost@example.com');
    expect(valueOf(await start(person, 'lost@example.com')).status).toBe('connected');
    expect(keyIn(person)).toBe(newKey);
    expect((await person.does((context) => bringin.adapter.balance(context))).ok).toBe(true);
  });
  test('if a key was replaced at Bringin, a read finds the new key with the master key', async () => {
    const person = await bringin.connectedPerson('rotated@example.com');
    const newKey = bringin.control.rotateKey('rotated@example.com');
    expect(valueOf(await read(person)).status).toBe('connected');
    expect(keyIn(person)).toBe(newKey);
    expect(bringin.logs.at(-1)).toBe('{"level":"warn","event":"bringin_key_replaced"}');
  });
  test('no key ever reaches a log or an answer', async () => {
    const told: string[] = [];
    const person = bringin.person();
    told.push(JSON.stringify(valueOf(await start(person, 'soon@example.com'))), JSON.stringify(valueOf(await read(person))));
    const secrets = [...bringin.control.state.users.values()].map(({ key }) => key).concat(masterKey, apiSecret);
    for (const secret of secrets) expect([told.join(), bringin.logs.join()].filter((text) => text.includes(secret))).toEqual([]);
  });
});

describe('bad input and bad days', () => {
  test.each(['', 'alice', 'a@b', 'a b@c.de'])('the e-mail %j is refused before anything is sent', async (email) => {
    const asked = bringin.exchanges.length;
    expect(await start(bringin.person(), email)).toEqual({ ok: false, refusal: { reason: 'declined', note: 'email-invalid' } });
    expect(bringin.exchanges.length).toBe(asked);
  });
  test('what Bringin refuses is refused', async () => {
    bringin.control.setFault({ endpoint: 'POST /application/connect', fault: 'refuse' });
    expect(await start(bringin.person(), 'odd@example.com')).toEqual({ ok: false, refusal: { reason: 'declined', note: 'email-refused' } });
    bringin.control.setFault({ endpoint: 'POST /application/connect', fault: 'refuse', status: 409 });
    expect(await start(bringin.person(), 'odd@example.com')).toEqual({ ok: false, refusal: { reason: 'declined', note: 'email-refused' } });
  });
  test('without an account there is nothing to read', async () => {
    expect(await read(bringin.person())).toEqual({ ok: false, refusal: { reason: 'account-required' } });
    expect(await bringin.adapter.balance(bringin.person().context())).toEqual({ ok: false, refusal: { reason: 'account-required' } });
  });
  test('an e-mail that Bringin has forgotten', async () => {
    const person = bringin.person();
    person.blob = JSON.stringify({ status: 'pending', email: 'never@example.com' });
    expect(valueOf(await read(person)).status).toBe('needs_reconnect');
  });
  test('an unknown status changes nothing and is logged', async () => {
    const person = bringin.person();
    await start(person, 'unclear@example.com');
    bringin.control.setFault({ endpoint: 'GET /application/connect/status', fault: 'unknown-status' });
    expect(valueOf(await read(person)).status).toBe('onboarding');
    expect(bringin.logs.at(-1)).toBe('{"level":"warn","event":"bringin_status_unknown","of":"account"}');
  });
  test('an answer that says "connected" without a key is malformed', async () => {
    const person = await bringin.connectedPerson('keyless@example.com');
    bringin.control.setFault({ endpoint: 'POST /application/connect', fault: 'no-key' });
    await expect(start(person, 'keyless@example.com')).rejects.toMatchObject({ kind: 'malformed' });
  });
  test.each(['503', 'reset', 'lost-answer', 'html200', 'truncated', '429'] as const)(
    '%s while connecting loses nothing: the step can be repeated',
    async (fault) => {
      const person = bringin.person();
      const email = `${fault}@example.com`;
      bringin.control.setFault({ endpoint: 'POST /application/connect', fault });
      await expect(start(person, email)).rejects.toMatchObject({ name: 'ProviderFault' });
      bringin.control.clearFaults();
      expect(valueOf(await start(person, email)).status).toBe('onboarding');
      const before = person.blob;
      bringin.control.setFault({ endpoint: 'GET /application/connect/status', fault });
      await expect(read(person)).rejects.toMatchObject({ name: 'ProviderFault' });
      expect(person.blob).toBe(before);
    },
  );
  test('if the read that checks a key fails, the key is kept', async () => {
    const person = await bringin.connectedPerson('steady@example.com');
    const before = person.blob;
    bringin.control.setFault({ endpoint: 'GET /user/user-id', fault: '503' });
    await expect(read(person)).rejects.toMatchObject({ kind: 'server' });
    expect(person.blob).toBe(before);
  });
});

describe('webhooks are hints', () => {
  const path = '/notices/u_k3y';
  const hintOf = (one: { path: string; body: string }) => readNotice(one.path.slice(path.length), one.body);

  test('the genuine webhook makes us read the account, and the key comes from the response to a call with the master key', async () => {
    const person = bringin.person();
    await start(person, 'hooked@example.com', `${receiver.url}${path}`);
    while (!bringin.control.user('hooked@example.com').connected) await bringin.control.advanceKyc('hooked@example.com');
    const notice = receiver.received.at(-1) ?? { path: '', body: '' };
    expect([notice.path, hintOf(notice)]).toEqual([`${path}/verification-status`, { about: 'account' }]);
    expect(keyIn(person)).toBeUndefined();
    valueOf(await read(person));
    expect(keyIn(person)).toBe(bringin.control.user('hooked@example.com').key);
  });

  test("a forged one with somebody else's valid key changes nothing, however often it comes", async () => {
    const victim = await bringin.connectedPerson('victim@example.com', `${receiver.url}${path}`);
    const mallory = await bringin.connectedPerson('mallory@example.com');
    await read(victim);
    const [before, mallorysKey] = [victim.blob, String(keyIn(mallory))];
    const forged = { userId: bringin.control.user('mallory@example.com').id, apikey: mallorysKey, verificationStatus: 'APPROVED', ref };
    for (const body of [forged, { ...forged, ref: 'another' }, { ...forged, userId: bringin.control.user('victim@example.com').id }, forged]) {
      await bringin.control.forge(`${receiver.url}${path}/verification-status`, body);
      expect(hintOf(receiver.received.at(-1) ?? { path: '', body: '' })).toEqual({ about: 'account' });
      expect(valueOf(await read(victim)).status).toBe('connected');
      expect(victim.blob).toBe(before);
    }
  });

  test('webhooks come twice, at the callback without a path, and are retried until accepted', async () => {
    const count = () => receiver.received.filter((one) => one.path === '/notices/u_twice').length;
    bringin.control.setOptions({ webhooks: { duplicates: 1, verbatim: true } });
    await bringin.connectedPerson('twice@example.com', `${receiver.url}/notices/u_twice`);
    expect(count()).toBe(2);
    expect(readNotice('', receiver.received.at(-1)?.body ?? '')).toEqual({ about: 'account' });
    bringin.control.setOptions({ webhooks: {} });
    receiver.respond(500);
    await bringin.connectedPerson('again@example.com', `${receiver.url}/notices/u_again`);
    receiver.respond(200);
    await receiver.waitFor('a second try', () => receiver.received.filter((one) => one.path.startsWith('/notices/u_again')).length === 2);
  });
});
