import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../src/domain/defined.ts';
import { openSignup, sealSignup } from '../../src/gateway/accounts/show-account.ts';
import { until } from '../support/gateway.ts';
import { bank, startSellWorld, type SellWorld } from '../support/sell-world.ts';
import { type Body } from '../support/wallet.ts';

let world: SellWorld;
beforeAll(async () => {
  world = await startSellWorld();
});
afterAll(async () => await world.close());
afterEach(() => world.control.clearFaults());

const start = { provider: 'bringin' };

describe("somebody else's e-mail", () => {
  it('cannot be taken over through an account that lost its own key', async () => {
    const { connected, opened, control, accountIs, gateway } = world;
    const victim = await opened();
    await connected(victim, 'victim@example.com');
    const thief = await opened();
    const own = await connected(thief, 'thief@example.com');
    control.disconnect('thief@example.com');
    world.gateway.clock.move(2_100);
    await accountIs(thief, own, 'needs_reconnect');
    const stolen = await thief('/sell/accounts', { ...start, email: 'victim@example.com' });
    expect([stolen.status, stolen.body['code']]).toEqual([400, 'invalid-request']);
    await thief('/sell/account-remove', { account_id: own });
    const anew = await thief('/sell/accounts', { ...start, email: 'victim@example.com' });
    expect([anew.status, anew.body['code']]).toEqual([409, 'customer-conflict']);
    expect(gateway.logs.join('\n')).not.toContain('victim@example.com');
  });

  it('nor through an account of a pasted key', async () => {
    const { opened, control, connected } = world;
    const victim = await opened();
    await connected(victim, 'vera@example.com');
    // The thief has the key of an account of their own at Bringin.
    const pawn = await opened();
    await connected(pawn, 'pawn@example.com');
    const thief = await opened();
    const pasted = await thief('/sell/accounts', { ...start, api_key: control.user('pawn@example.com').key });
    expect([pasted.status, pasted.body['account_status']]).toEqual([200, 'connected']);
    const before = await thief('/sell/accounts', { ...start, email: 'vera@example.com' });
    expect([before.status, before.body['code']]).toEqual([400, 'invalid-request']);
    control.rotateKey('pawn@example.com');
    world.gateway.clock.move(2_100);
    await world.accountIs(thief, String(pasted.body['account_id']), 'needs_reconnect');
    const stolen = await thief('/sell/accounts', { ...start, email: 'vera@example.com' });
    expect([stolen.status, stolen.body['code']]).toEqual([400, 'invalid-request']);
  });

  it('nor after its owner has removed the account here: it stays theirs', async () => {
    const { opened, connected } = world;
    const owner = await opened();
    const accountId = await connected(owner, 'olga@example.com');
    const removed = await owner('/sell/account-remove', { account_id: accountId });
    expect(removed.body).toEqual({ account_id: accountId, removed: true });
    const other = await opened();
    const stolen = await other('/sell/accounts', { ...start, email: 'olga@example.com' });
    expect([stolen.status, stolen.body['code']]).toEqual([409, 'customer-conflict']);
    const again = await owner('/sell/accounts', { ...start, email: 'olga@example.com' });
    expect([again.status, again.body['account_status']]).toEqual([200, 'connected']);
    expect(again.body['account_id']).not.toBe(accountId);
  });

  it("nor while its owner reconnects after more than 30 days, and the owner's account stays", async () => {
    const { opened, connected, control, accountIs, gateway } = world;
    const { accounts } = gateway.server.gateway.stores;
    const email = 'vita@example.com';
    const owner = await opened();
    const accountId = await connected(owner, email);
    await gateway.database
      .sql`update accounts set created_on = created_on - interval '40 days', status_on = status_on - interval '40 days' where id = ${accountId}`;
    control.disconnect(email);
    gateway.clock.move(2_100);
    await accountIs(owner, accountId, 'needs_reconnect');
    await gateway.database.sql`update accounts set status_on = status_on - interval '20 days' where id = ${accountId}`;
    const again = await owner('/sell/accounts', { ...start, email });
    expect([again.body['account_id'], again.body['account_status'], again.body['mail_sent']]).toEqual([accountId, 'pending', true]);
    // The customer has just asked, so their consent is noticed soon.
    expect(Date.parse(String(again.body['next_check_on'])) - gateway.clock.now()).toBeLessThan(60_000);
    const thief = await opened();
    const taken = async () => (await thief('/sell/accounts', { ...start, email })).body['code'];
    expect(await taken()).toBe('customer-conflict');
    // Whoever has named the e-mail before it was connected does not get its key either.
    const early = await accounts.findAny(accountId);
    if (!early) throw new Error('the account is gone');
    expect(await accounts.isNamedByOthers({ ...early, customerId: crypto.randomUUID() }, gateway.clock.now() - 1)).toBe(true);
    gateway.clock.move(2_100);
    const { body } = await owner('/sell/account-status', { account_id: accountId });
    expect(body['account_status']).toBe('pending');
    expect(await taken()).toBe('customer-conflict');
    await control.consent(email);
    await accountIs(owner, accountId, 'connected');
    // The same is true of an account that is removed while it waits for that consent.
    control.disconnect(email);
    gateway.clock.move(2_100);
    await accountIs(owner, accountId, 'needs_reconnect');
    await owner('/sell/accounts', { ...start, email });
    await owner('/sell/account-remove', { account_id: accountId });
    expect(await taken()).toBe('customer-conflict');
  });

  it('another e-mail is another account: the first is removed before', async () => {
    const { opened, connected, control, accountIs } = world;
    const call = await opened();
    const accountId = await connected(call, 'nina@example.com');
    control.disconnect('nina@example.com');
    world.gateway.clock.move(2_100);
    await accountIs(call, accountId, 'needs_reconnect');
    const refused = await call('/sell/accounts', { ...start, email: 'nina.new@example.com' });
    expect(refused.body['errors']).toEqual([{ pointer: '/email', detail: expect.stringContaining('/account-remove') }]);
    await call('/sell/account-remove', { account_id: accountId });
    const moved = await call('/sell/accounts', { ...start, email: 'nina.new@example.com' });
    expect([moved.status, moved.body['account_status']]).toEqual([200, 'onboarding']);
    const other = await opened();
    const stolen = await other('/sell/accounts', { ...start, email: 'Nina.New@example.com' });
    expect([stolen.status, stolen.body['code']]).toEqual([409, 'customer-conflict']);
  });
});

describe('an e-mail that was only named', () => {
  const verify = async (email: string): Promise<void> => {
    while (!world.control.user(email).connected) await world.control.advanceKyc(email);
  };
  it('locks nobody out, and its key goes to neither of the two who named it by that name alone', async () => {
    const { opened, control } = world;
    const squatter = await opened();
    const email = 'walter@example.com';
    const named = await squatter('/sell/accounts', { ...start, email });
    expect([named.status, named.body['account_status']]).toEqual([200, 'onboarding']);
    const owner = await opened();
    const own = await owner('/sell/accounts', { ...start, email });
    expect([own.status, own.body['account_status']]).toEqual([200, 'onboarding']);
    await verify(email);
    world.gateway.clock.move(2_100);
    for (const [call, id] of [
      [squatter, named.body['account_id']],
      [owner, own.body['account_id']],
    ] as const) {
      const { body } = await call('/sell/account-status', { account_id: id });
      expect(body['account_status']).toBe('pending');
      const again = await call('/sell/accounts', { ...start, email });
      expect([again.status, again.body['code'], again.body['action']]).toEqual([409, 'customer-conflict', 'ask-user']);
    }
    // The e-mail is not enough either when the owner has removed the account.
    const third = await opened();
    await third('/sell/accounts', { ...start, email });
    await owner('/sell/account-remove', { account_id: own.body['account_id'] });
    await squatter('/sell/account-remove', { account_id: named.body['account_id'] });
    expect((await third('/sell/accounts', { ...start, email })).body['code']).toBe('customer-conflict');
    // The key from the provider's dashboard proves that the account is the owner's.
    const pasted = await owner('/sell/accounts', { ...start, api_key: control.user(email).key });
    expect([pasted.status, pasted.body['account_status']]).toEqual([200, 'connected']);
  });

  it('brings its key to nobody else once its owner has pasted that key', async () => {
    const { opened, control } = world;
    const email = 'wanda@example.com';
    const squatter = await opened();
    const named = await squatter('/sell/accounts', { ...start, email });
    const owner = await opened();
    const own = await owner('/sell/accounts', { ...start, email });
    await verify(email);
    const pasted = await owner('/sell/accounts', { ...start, api_key: control.user(email).key });
    expect([pasted.status, pasted.body['account_id'], pasted.body['account_status']]).toEqual([200, own.body['account_id'], 'connected']);
    world.gateway.clock.move(2_100);
    const { body } = await squatter('/sell/account-status', { account_id: named.body['account_id'] });
    expect(body['account_status']).toBe('pending');
    const later = await opened();
    expect((await later('/sell/accounts', { ...start, email })).body['code']).toBe('customer-conflict');
  });

  it('in other capitals is the same account', async () => {
    const { opened } = world;
    const call = await opened();
    const first = await call('/sell/accounts', { ...start, email: 'Xenia@Example.com' });
    const again = await call('/sell/accounts', { ...start, email: ' xenia@example.COM ' });
    expect([again.status, again.body['account_id']]).toEqual([200, first.body['account_id']]);
    await verify('xenia@example.com');
    world.gateway.clock.move(2_100);
    const { body } = await call('/sell/account-status', { account_id: first.body['account_id'] });
    expect(body['account_status']).toBe('connected');
  });

  it('is mailed to no more than a few times an hour from one network', async () => {
    const limits = { verify_per_minute: 1000, quotes_per_minute: 1000, orders_per_minute: 1000, mails_per_hour_network: 3 };
    const limited = await startSellWorld({}, { config: { limits } });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const call = await limited.opened();
      const { status, body } = await call('/sell/accounts', { ...start, email: `stranger${n}@example.com` });
      statuses.push(status);
      if (status === 200) await call('/sell/account-remove', { account_id: body['account_id'] });
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(limited.control.state.mails).toHaveLength(3);
    await limited.close();
  });

  it('lapses', async () => {
    const { opened, gateway } = world;
    const call = await opened();
    const { body } = await call('/sell/accounts', { ...start, email: 'yves@example.com' });
    await gateway.database
      .sql`update accounts set created_on = created_on - interval '31 days', next_check_on = created_on where id = ${String(body['account_id'])}`;
    await gateway.server.tick();
    expect((await call('/sell/account-status', { account_id: body['account_id'] })).body['code']).toBe('account-not-found');
    const other = await opened();
    expect((await other('/sell/accounts', { ...start, email: 'yves@example.com' })).status).toBe(200);
  });
});

describe('a key that the provider no longer takes', () => {
  it('is told once, at once, and is not tried again and again', async () => {
    const { opened, connected, control, receiver, told, asked } = world;
    const call = await opened();
    const accountId = await connected(call, 'rita@example.com', { webhook_url: receiver.url });
    control.disconnect('rita@example.com');
    const balance = await call('/sell/balance', { account_id: accountId });
    expect([balance.status, balance.body['code']]).toEqual([409, 'account-not-connected']);
    await world.gateway.passUntil('told', () =>
      Promise.resolve(told('account_status').some((one) => one['account_id'] === accountId && one['account_status'] === 'needs_reconnect') ? true : undefined),
    );
    // Waiting does not help, so the responses to prices and orders say what the customer must do.
    const { body: quote } = await call('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(call, 'Card balance')) });
    expect(quote['requires']).toEqual(['account']);
    const order = await call('/sell/order', { quote_id: quote['quote_id'] });
    for (const { body } of [balance, order, await call('/sell/connections', { account_id: accountId, name: 'Bank' })])
      expect([body['code'], body['action'], body['retryable'], body['detail']]).toEqual([
        'account-not-connected',
        'ask-user',
        false,
        'The provider no longer accepts the account. Reconnect it with POST /accounts.',
      ]);
    const before = asked('GET /user/user-id') + asked('POST /account/get-balance');
    for (let n = 0; n < 10; n += 1) expect((await call('/sell/balance', { account_id: accountId })).status).toBe(409);
    await world.gateway.pass(1_500);
    expect(asked('GET /user/user-id') + asked('POST /account/get-balance')).toBe(before);
    const of = told('account_status').filter((one) => one['account_id'] === accountId);
    expect(of.map((one) => one['account_status'])).toEqual(['connected', 'needs_reconnect']);

    // The same e-mail connects the account again: the person consents, and the key comes in the response to a call with the gateway's master key.
    const again = await call('/sell/accounts', { ...start, email: 'rita@example.com' });
    expect([again.status, again.body['account_id']]).toEqual([200, accountId]);
    await control.consent('rita@example.com');
    await world.accountIs(call, accountId, 'connected');
    expect((await call('/sell/balance', { account_id: accountId })).body).toEqual({ account_id: accountId, currency_code: 'EUR', amount_fiat: 0 });
  });

  it('a connection that was being made meanwhile is not given up', async () => {
    const { opened, connected, control, asked } = world;
    const call = await opened();
    const accountId = await connected(call, 'sam@example.com');
    control.setFault({ endpoint: 'POST /bringin-link', fault: 'reset', times: 1 });
    const made = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'sam', ...bank });
    expect([made.status, made.body['connection_status']]).toEqual([200, 'initiating']);
    control.disconnect('sam@example.com');
    const { body } = await call('/sell/connection-status', { connection_id: made.body['connection_id'] });
    expect(body['connection_status']).toBe('initiating');
    await control.consent('sam@example.com');
    const again = await call('/sell/accounts', { ...start, email: 'sam@example.com' });
    expect(again.status).toBe(200);
    await world.accountIs(call, accountId, 'connected');
    await world.connectionIs(call, String(made.body['connection_id']), 'code_required');
    expect(control.user('sam@example.com').links).toHaveLength(1);
    expect(asked('POST /bringin-link')).toBe(2);
  });
});

it('an account that is not connected yet names the way to sign up, one that was rejected sends nobody to wait', async () => {
  const { opened, control, accountIs } = world;
  const call = await opened();
  const started = await call('/sell/accounts', { ...start, email: 'newcomer@example.com' });
  const accountId = String(started.body['account_id']);
  const card = await world.optionOf(call, 'Card balance');
  const ordered = async () => {
    const { body } = await call('/sell/quote', { amount_sats: 250_000, ...card });
    expect(body['requires']).toEqual(['account']);
    return await call('/sell/order', { quote_id: body['quote_id'] });
  };
  for (const refused of [await ordered(), await call('/sell/balance', { account_id: accountId })])
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'account-not-connected', action: 'wait', retryable: true, signup_url: started.body['signup_url'] },
    });
  control.user('newcomer@example.com').step = 'rejected';
  world.gateway.clock.move(2_100);
  await accountIs(call, accountId, 'rejected');
  for (const refused of [await ordered(), await call('/sell/balance', { account_id: accountId })]) {
    expect(refused).toMatchObject({ status: 409, body: { code: 'account-not-connected', action: 'ask-user', retryable: false } });
    expect(refused.body['signup_url']).toBeUndefined();
  }
});

it('an account that was removed and is connected again brings the connections that the provider kept', async () => {
  const { opened, connected, activeConnection, control } = world;
  const call = await opened();
  const email = 'return@example.com';
  const removed = await connected(call, email);
  await activeConnection(call, removed, 'Bank', 'return');
  await call('/sell/account-remove', { account_id: removed });
  // If the provider fails at the moment, it is asked again later.
  control.setFault({ endpoint: 'GET /bringin-link', fault: '503', times: 3 });
  const again = await call('/sell/accounts', { ...start, email });
  expect([again.status, again.body['account_status'], again.body['connections']]).toEqual([200, 'connected', []]);
  control.clearFaults();
  const account_id = String(again.body['account_id']);
  world.gateway.clock.move(2_100);
  const { body } = await call('/sell/account-status', { account_id });
  const [adopted, ...others] = body['connections'] as Body[];
  expect(others).toEqual([]);
  expect(adopted).toMatchObject({
    account_id,
    name: 'Bank',
    direction: 'sell',
    network: 'lightning',
    connection_status: 'active',
    lightning_address: 'return@dev.bringin.xyz',
    iban_masked: 'DE89…3000',
  });
  const { connection_id } = adopted ?? {};
  // The same request returns the same connection; for a different request, the name is taken.
  const wanted = { account_id, name: 'Bank', lightning_username: 'return', ...bank };
  expect((await call('/sell/connections', wanted)).body['connection_id']).toBe(connection_id);
  expect((await call('/sell/connections', { ...wanted, lightning_username: 'other' })).body['code']).toBe('connection-name-taken');
  const { body: quote } = await call('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(call, 'SEPA')) });
  expect(quote['requires']).toEqual([]);
  await call('/sell/connection-cancel', { connection_id });
  const ended = await call('/sell/connection-confirm', { connection_id, code: '123456' });
  expect([ended.status, ended.body['connection_status']]).toEqual([200, 'inactive']);
});

it('connections that the provider kept are imported once each, also by two reads at once, and after an import that was cut short', async () => {
  const { opened, connected, activeConnection, control, gateway } = world;
  const call = await opened();
  const email = 'returning@example.com';
  const removed = await connected(call, email);
  await activeConnection(call, removed, 'Bank', 'returning');
  await activeConnection(call, removed, 'Other', 'returning.other');
  await call('/sell/account-remove', { account_id: removed });
  control.setFault({ endpoint: 'GET /bringin-link', fault: '503' });
  const { body } = await call('/sell/accounts', { ...start, email });
  const account_id = String(body['account_id']);
  control.clearFaults();
  const reads = async (): Promise<unknown[]> => {
    gateway.clock.move(2_100);
    control.setFault({ endpoint: 'GET /bringin-link', fault: 'latency', ms: 200, times: 2 });
    const both = await Promise.all([call('/sell/account-status', { account_id }), call('/sell/account-status', { account_id })]);
    control.clearFaults();
    const rows = await gateway.database.sql<{ id: string }[]>`select upstream_id as id from connections where account_id = ${account_id}`;
    return [...both.map((one) => one.status), ...rows.map(({ id }) => id).toSorted()];
  };
  const kept = [
    200,
    200,
    ...control
      .user(email)
      .links.map(({ id }) => id)
      .toSorted(),
  ];
  expect(kept).toHaveLength(4);
  expect(await reads()).toEqual(kept);
  for (const { id } of control.user(email).links) {
    const gone = await gateway.database.sql`delete from connections where account_id = ${account_id} and upstream_id = ${id} returning id`;
    expect(gone.length).toBe(1);
    expect(await reads()).toEqual(kept);
  }
});

it('how many codes were sent and tried is kept if the account is removed and a key is pasted', async () => {
  const { opened, connected, control, gateway } = world;
  const call = await opened();
  const id = await connected(call, 'counted@example.com');
  const { stores, ...rest } = gateway.server.gateway;
  const own = { ...rest, stores };
  const account = await stores.accounts.findAny(id);
  if (!account) throw new Error('no account');
  const counts = { codesSince: gateway.clock.now(), codesSent: 5, codeTries: 5 };
  expect(await stores.accounts.change(account, { sequence: account.sequence + 1, ...defined({ signup: await sealSignup(own, id, counts) }) }, [])).toBe(true);
  await call('/account-remove', { account_id: id });
  const pasted = await call('/accounts', { provider: 'bringin', api_key: control.user('counted@example.com').key });
  const anew = String(pasted.body['account_id']);
  await call('/account-remove', { account_id: anew });
  const removed = await stores.accounts.lastRemoved(account.customerId, 'bringin');
  expect([removed?.id, removed && (await openSignup(own, removed))]).toEqual([anew, { codesSince: counts.codesSince, codesSent: 5 }]);
});

it('a customer who already has an account at the provider is told that a mail asks for their consent', async () => {
  const { opened, control } = world;
  const first = await opened();
  const email = 'known@example.com';
  const removed = await world.connected(first, email);
  control.disconnect(email);
  await first('/sell/account-remove', { account_id: removed });
  const started = await first('/sell/accounts', { ...start, email });
  expect([started.status, started.body['account_status'], started.body['mail_sent']]).toEqual([200, 'pending', true]);
  expect(control.state.mails.filter((one) => one.to === email).map((one) => one.about)).toEqual(['signup', 'consent']);
  const { body } = await first('/sell/account-status', { account_id: started.body['account_id'] });
  expect([body['account_status'], body['mail_sent'], body['signup_url']]).toEqual(['pending', true, undefined]);
  await control.consent(email);
  const connected = await world.accountIs(first, String(started.body['account_id']), 'connected');
  expect(connected['mail_sent']).toBeUndefined();
});

it('an account that is woken during a check is checked once more', async () => {
  const { opened, connected, gateway } = world;
  const call = await opened();
  const accountId = await connected(call, 'woken@example.com');
  const { accounts } = gateway.server.gateway.stores;
  // The check that found the account connected has ended once the next check is in the future.
  await until('the end of that check', async () => (((await accounts.findAny(accountId))?.nextCheckOn ?? 0) > gateway.clock.now() ? true : undefined));
  const now = gateway.clock.now();
  const hour = 3_600_000;
  const change = async (wokenOn: number | undefined, nextCheckOn: number): Promise<number | undefined> => {
    await accounts.wake(accountId, now + 4 * hour);
    const read = await accounts.findAny(accountId);
    if (!read) throw new Error('the account is gone');
    if (wokenOn !== undefined) await accounts.wake(accountId, wokenOn);
    expect(await accounts.change(read, { nextCheckOn }, [])).toBe(true);
    return (await accounts.findAny(accountId))?.nextCheckOn;
  };
  expect(await change(undefined, now + 6 * hour)).toBe(now + 6 * hour);
  expect(await change(now + hour, now + 6 * hour)).toBe(now + hour);
  expect(await change(now + 3 * hour, now + 2 * hour)).toBe(now + 2 * hour);
});
