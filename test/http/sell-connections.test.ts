import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectionStatePlace } from '../../src/gateway/places.ts';
import { bank, iban, startSellWorld, type SellWorld } from '../support/sell-world.ts';
import { type Body, type Call } from '../support/wallet.ts';

let world: SellWorld;
beforeAll(async () => {
  world = await startSellWorld({}, { block: { initiating_timeout_s: 1 } });
});
afterAll(async () => await world.close());
afterEach(() => {
  world.control.clearFaults();
  world.control.setOptions({ linkMs: 50, deviations: [] });
});

const links = (email: string) => world.control.user(email).links;

describe('what is wrong with a request is told before anything is sent', () => {
  it.each([
    ['an IBAN with a wrong check digit', { iban: 'DE88370400440532013000' }, 422, 'iban-invalid', undefined],
    ['an IBAN of another length', { iban: 'DE8937040044053201300' }, 422, 'iban-invalid', undefined],
    ['no IBAN', { iban: undefined }, 422, 'iban-invalid', undefined],
    ['a BIC of nine characters', { bic: 'COBADEFFX' }, 400, 'invalid-request', '/bic'],
    ['no BIC', { bic: undefined }, 400, 'invalid-request', '/bic'],
    ['a name of one character', { name: 'x' }, 400, 'invalid-request', '/name'],
    ['a name of 51 characters', { name: 'x'.repeat(51) }, 400, 'invalid-request', '/name'],
    ['a beneficiary of one character', { beneficiary_name: 'x' }, 400, 'invalid-request', '/beneficiary_name'],
    ['a beneficiary of 101 characters', { beneficiary_name: 'x'.repeat(101) }, 400, 'invalid-request', '/beneficiary_name'],
    ['a user name with a blank', { lightning_username: 'al ice' }, 400, 'invalid-request', '/lightning_username'],
    ['a user name that ends in a dot', { lightning_username: 'alice.' }, 400, 'invalid-request', '/lightning_username'],
    ['a user name with a domain', { lightning_username: 'alice@evil.example' }, 400, 'invalid-request', '/lightning_username'],
    ['no user name', { lightning_username: undefined }, 400, 'invalid-request', '/lightning_username'],
    ['buying to no address', { direction: 'buy' }, 422, 'address-invalid', undefined],
    [
      'buying to an address of another network',
      { direction: 'buy', destination_address: 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq' },
      422,
      'address-invalid',
      undefined,
    ],
    ['buying over Lightning', { direction: 'buy', network: 'lightning' }, 400, 'invalid-request', '/network'],
  ])('%s', async (what, change, status, code, pointer) => {
    const call = await world.opened();
    const email = `${what.replaceAll(/\W/g, '').toLowerCase()}@example.com`;
    const accountId = await world.connected(call, email);
    const made = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'frank', ...bank, ...change });
    expect([made.status, made.body['code']]).toEqual([status, code]);
    expect((made.body['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer).toBe(pointer);
    expect(JSON.stringify(made.body)).not.toContain('DE8');
    expect(links(email)).toEqual([]);
    const { body } = await call('/sell/connection-status', { account_id: accountId });
    expect(body['connections']).toEqual([]);
    // Once corrected, the request may use the same name: the refused connection left nothing behind.
    const right = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: email.slice(0, -12).toLowerCase(), ...bank });
    expect([right.status, right.body['connection_status']]).toEqual([200, 'initiating']);
  });

  it('names every member that is missing', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'missing@example.com');
    const said = async (more: Body): Promise<unknown> => (await call('/sell/connections', { account_id: accountId, name: 'Bank', ...more })).body['detail'];
    expect(await said({})).toBe('iban, bic, beneficiary_name, lightning_username are missing: selling pays into a bank account.');
    expect(await said({ ...bank, iban: undefined, network: 'onchain' })).toBe('iban is missing: selling pays into a bank account.');
    expect(await said({ direction: 'buy' })).toBe('destination_address is missing: the address that the bitcoin will be sent to.');
  });

  it('an IBAN may have blanks and small letters, as people write it', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'blanks@example.com');
    const id = await world.waiting(call, accountId, 'Bank', 'blanks', { iban: 'de89 3704 0044 0532 0130 00', bic: 'cobadeff' });
    expect(links('blanks@example.com')[0]?.iban).toBe(iban);
    const { body } = await call('/sell/connection-status', { connection_id: id });
    expect(body['iban_masked']).toBe('DE89…3000');
  });

  it('no webhook is sent about a refused connection', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'quiet@example.com', { webhook_url: world.receiver.url });
    const before = world.told('connection_status').length;
    await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'a b', ...bank });
    await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'quiet', ...bank });
    await world.gateway.passUntil('told of the second', () =>
      Promise.resolve(world.told('connection_status').some((one) => one['account_id'] === accountId) ? true : undefined),
    );
    expect(
      world
        .told('connection_status')
        .slice(before)
        .map((one) => one['connection_status']),
    ).toEqual(['code_required']);
  });
});

describe('a code', () => {
  it.each(['123 456', '123-456', ' 123456\n', '1\u20102\u00a03\u200b4 5 6', '\u202a123456\u202c'])('is taken as people paste it: %j', async (code) => {
    const call = await world.opened();
    const name = `pasted${[...code].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0)}`;
    const connection_id = await world.waiting(call, await world.connected(call, `${name}@example.com`), 'Bank', name);
    const { status, body } = await call('/sell/connection-confirm', { connection_id, code });
    expect([status, body['connection_status']]).toEqual([200, 'active']);
  });

  it('that is wrong says how many are left once that is known, and a used-up one has expired', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'codes@example.com');
    const connection_id = await world.waiting(call, accountId, 'Bank', 'codes');
    const first = await call('/sell/connection-confirm', { connection_id, code: '000000' });
    expect([first.status, first.body['code'], first.body['attempts_left']]).toEqual([422, 'code-wrong', undefined]);
    // A code that does not have six digits is refused by the gateway, so the provider does not count it.
    const short = await call('/sell/connection-confirm', { connection_id, code: '12345' });
    expect([short.status, short.body['code']]).toEqual([422, 'code-wrong']);
    const resent = await call('/sell/connection-resend', { connection_id });
    expect([resent.status, resent.body['attempts_left']]).toEqual([200, 2]);
    const second = await call('/sell/connection-confirm', { connection_id, code: '000000' });
    expect([second.status, second.body['code'], second.body['attempts_left']]).toEqual([422, 'code-wrong', 1]);
    const third = await call('/sell/connection-confirm', { connection_id, code: '000000' });
    expect([third.body['code'], third.body['attempts_left']]).toEqual(['code-wrong', 0]);
    // From now on no response leads to a new code, because the provider would refuse that code too.
    const { body } = await call('/sell/connection-status', { connection_id });
    const texts = world.control.state.texts.length;
    for (const [path, code] of [
      ['/sell/connection-confirm', '123456'],
      ['/sell/connection-resend', undefined],
      ['/sell/connection-confirm', '123456'],
    ] as const) {
      const late = await call(path, { connection_id, ...(code === undefined ? {} : { code }) });
      expect([path, late.status, late.body['code'], late.body['code_expires_on']]).toEqual([path, 410, 'code-expired', body['code_expires_on']]);
      expect(late.body['detail']).toMatch(/^Too many wrong codes were entered/);
    }
    expect(world.control.state.texts).toHaveLength(texts);
  });

  it('that was wrong too often before the attempts left were known: the first request for another code says so', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'often@example.com');
    const connection_id = await world.waiting(call, accountId, 'Bank', 'often');
    for (let n = 0; n < 3; n += 1) await call('/sell/connection-confirm', { connection_id, code: '000000' });
    const { body } = await call('/sell/connection-status', { connection_id });
    const late = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([late.status, late.body['code'], late.body['code_expires_on']]).toEqual([410, 'code-expired', body['code_expires_on']]);
    const resent = await call('/sell/connection-resend', { connection_id });
    expect([resent.status, resent.body['code'], resent.body['code_expires_on']]).toEqual([410, 'code-expired', body['code_expires_on']]);
    expect((await call('/sell/connection-status', { connection_id })).body['attempts_left']).toBe(0);
  });

  /** Counts are per UTC hour, so what is counted must not happen in two of them. */
  const nextHour = (): void => world.gateway.clock.move(3_600_000 - (world.gateway.clock.now() % 3_600_000));

  it('of all connections of an account together is limited, however often the provider lets them be tried', async () => {
    nextHour();
    const call = await world.opened();
    const email = 'guessed@example.com';
    const accountId = await world.connected(call, email);
    const tries = async (id: string, times: number): Promise<Set<unknown>> => {
      const codes = new Set<unknown>();
      for (let n = 0; n < times; n += 1) codes.add((await call('/sell/connection-confirm', { connection_id: id, code: '000000' })).body['code']);
      return codes;
    };
    const [first, second] = [await world.waiting(call, accountId, 'One', 'guessed1'), await world.waiting(call, accountId, 'Two', 'guessed2')];
    expect([...(await tries(first, 10)), ...(await tries(second, 10))]).not.toContain('rate-limited');
    const asked = world.asked('POST /bringin-link/confirm');
    const refused = await call('/sell/connection-confirm', { connection_id: second, code: '123456' });
    expect([refused.status, refused.body['code'], await tries(first, 1)]).toEqual([429, 'rate-limited', new Set(['rate-limited'])]);
    expect(asked).toBeGreaterThan(0);
    expect(world.asked('POST /bringin-link/confirm')).toBe(asked);
  });

  it('is counted for the user at the provider: neither a new account nor another customer gets more', async () => {
    nextHour();
    const email = 'holder@example.com';
    const call = await world.opened();
    let accountId = await world.connected(call, email);
    const connection_id = await world.waiting(call, accountId, 'Bank', 'holder');
    const tried = async (by: typeof call, id: unknown, code = '000000'): Promise<unknown[]> => {
      const { status, body } = await by('/sell/connection-confirm', { connection_id: id, code });
      return [status, body['code']];
    };
    for (let n = 0; n < 20; n += 1) expect((await tried(call, connection_id))[1]).not.toBe('rate-limited');
    const asked = world.asked('POST /bringin-link/confirm');
    const api_key = world.control.user(email).key;
    const pasted = async (by: typeof call): Promise<unknown> => {
      const { body } = await by('/sell/accounts', { provider: 'bringin', api_key });
      accountId = String(body['account_id']);
      return (body['connections'] as Body[])[0]?.['connection_id'];
    };
    await call('/sell/account-remove', { account_id: accountId });
    expect(await tried(call, await pasted(call), '123456')).toEqual([429, 'rate-limited']);
    const other = await world.opened();
    const theirs = await pasted(other);
    expect(await tried(other, theirs, '123456')).toEqual([429, 'rate-limited']);
    expect(world.asked('POST /bringin-link/confirm')).toBe(asked);
    nextHour();
    expect(await tried(other, theirs)).not.toEqual([429, 'rate-limited']);
  });

  it('is sent for each new connection, so those are counted like codes that are sent again, and cancellations apart', async () => {
    nextHour();
    const call = await world.opened();
    const accountId = await world.connected(call, 'many@example.com');
    const active = await world.activeConnection(call, accountId, 'Bank', 'many');
    const waiting = await world.waiting(call, accountId, 'Two', 'many2');
    const wanted = (n: number): Body => ({ account_id: accountId, name: `More ${n}`, lightning_username: `many.more${n}`, ...bank });
    // No code is sent for a creation that is refused before it is sent, or that only repeats an earlier one.
    for (let n = 0; n < 11; n += 1) expect((await call('/sell/connections', { ...wanted(0), iban: 'DE88370400440532013000' })).status).toBe(422);
    for (let n = 0; n < 11; n += 1) expect((await call('/sell/connections', { ...wanted(0), name: 'Two', lightning_username: 'many2' })).status).toBe(200);
    for (let n = 0; n < 4; n += 1) expect((await call('/sell/connection-resend', { connection_id: waiting })).status).toBe(200);
    const made = await Promise.all(Array.from({ length: 6 }, async (_, n) => await call('/sell/connections', wanted(n))));
    expect(made.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 429, 429]);
    const refused = await call('/sell/connection-resend', { connection_id: waiting });
    expect([refused.status, refused.body['code']]).toEqual([429, 'rate-limited']);
    const names = ((await call('/sell/connection-status', { account_id: accountId })).body['connections'] as Body[]).map((one) => one['name']);
    expect(names).toHaveLength(6);
    const ending = await call('/sell/connection-cancel', { connection_id: active });
    expect([ending.status, ending.body['connection_status']]).toEqual([200, 'code_required']);
    const ended = await call('/sell/connection-confirm', { connection_id: active, code: '123456' });
    expect([ended.status, ended.body['connection_status']]).toEqual([200, 'inactive']);
  });

  it('of the wrong form, and one for a connection that waits for none, is not counted', async () => {
    nextHour();
    const call = await world.opened();
    const accountId = await world.connected(call, 'typos@example.com');
    const active = await world.activeConnection(call, accountId, 'Bank', 'typos');
    // The confirmed code was the first of the 20.
    await call('/sell/connection-cancel', { connection_id: active });
    await call('/sell/connection-confirm', { connection_id: active, code: '123456' });
    const waiting = await world.waiting(call, accountId, 'Two', 'typos2');
    const tried = async (connection_id: string, code: string): Promise<unknown> =>
      (await call('/sell/connection-confirm', { connection_id, code })).body['code'];
    for (let n = 0; n < 20; n += 1) expect(await tried(waiting, '12345')).toBe('code-wrong');
    world.control.shareWallet('typos@example.com', 'typos3@dev.bringin.xyz', iban);
    const shared = await call('/sell/connections', { account_id: accountId, name: 'Shared', lightning_username: 'typos3', ...bank });
    await world.connectionIs(call, String(shared.body['connection_id']), 'active');
    for (let n = 0; n < 20; n += 1) expect(await tried(String(shared.body['connection_id']), '123456')).toBe('invalid-request');
    for (let n = 0; n < 18; n += 1) expect(await tried(waiting, '000000')).not.toBe('rate-limited');
    expect(await tried(waiting, '12345')).toBe('code-wrong');
    expect(await tried(waiting, '000000')).toBe('rate-limited');
  });

  it.each([
    ['is limited', { fault: '429' }, 'provider-unavailable'],
    ['finds the key refused', { fault: 'refuse', status: 403 }, 'account-not-connected'],
  ] as const)('stays counted if the read after it %s', async (_what, fault, code) => {
    nextHour();
    const call = await world.opened();
    const accountId = await world.connected(call, `${fault.fault}@example.com`);
    const connection_id = await world.waiting(call, accountId, 'Bank', `read.${fault.fault}`);
    // No poll may take the fault.
    await world.gateway.database.sql`update accounts set next_check_on = '9999-01-01T00:00Z' where id = ${accountId}`;
    const tried = async (): Promise<unknown> => (await call('/sell/connection-confirm', { connection_id, code: '000000' })).body['code'];
    for (let n = 0; n < 19; n += 1) expect(await tried()).not.toBe('rate-limited');
    world.control.setFault({ endpoint: 'GET /bringin-link/{id}', times: 1, ...fault });
    const asked = world.asked('POST /bringin-link/confirm');
    expect(await tried()).toBe(code);
    expect([world.asked('POST /bringin-link/confirm') - asked, await tried()]).toEqual([1, 'rate-limited']);
  });

  it('that comes late has expired, and so has the connection; its name is free again', async () => {
    const own = await startSellWorld();
    try {
      const call = await own.opened();
      const accountId = await own.connected(call, 'late@example.com');
      const connection_id = await own.waiting(call, accountId, 'Bank', 'late');
      own.control.moveClock(31 * 60_000);
      const late = await call('/sell/connection-confirm', { connection_id, code: '123456' });
      expect([late.status, late.body['code']]).toEqual([410, 'code-expired']);
      await own.connectionIs(call, connection_id, 'expired');
      own.control.moveClock(-31 * 60_000);
      const again = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'late', ...bank });
      expect([again.status, again.body['connection_status']]).toEqual([200, 'initiating']);
      expect(again.body['connection_id']).not.toBe(connection_id);
    } finally {
      await own.close();
    }
  });

  it('whose answer was lost has worked all the same: the same code again says so', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'lostcode@example.com');
    const connection_id = await world.waiting(call, accountId, 'Bank', 'lostcode');
    world.control.setFault({ endpoint: 'POST /bringin-link/confirm', fault: 'lost-answer', times: 1 });
    const lost = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([lost.status, lost.body['retryable']]).toEqual([503, true]);
    const again = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([again.status, again.body['connection_status']]).toEqual([200, 'active']);
  });

  it('that comes while the connection is still being made may be sent again, whether or not the provider knows the connection', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'nocode@example.com');
    world.control.setOptions({ linkMs: 1_500 });
    world.control.setFault({ endpoint: 'POST /bringin-link', fault: '503', times: 1 });
    world.control.setFault({ endpoint: 'GET /bringin-link', fault: '503', times: 2 });
    const wanted = { account_id: accountId, name: 'Bank', lightning_username: 'nocode', ...bank };
    const made = await call('/sell/connections', wanted);
    const connection_id = made.body['connection_id'];
    const early = async (): Promise<void> => {
      for (const [path, more] of [
        ['/sell/connection-confirm', { code: '123456' }],
        ['/sell/connection-resend', {}],
        ['/sell/connection-cancel', {}],
      ] as const) {
        const { status, body } = await call(path, { connection_id, ...more });
        expect([path, status, body['code'], body['action'], body['retryable'], body['retry_after_ms']]).toEqual([
          path,
          409,
          'connection-required',
          'retry',
          true,
          2000,
        ]);
      }
    };
    await early();
    world.control.clearFaults();
    await call('/sell/connections', wanted);
    await early();
    // As soon as the connection waits for its code, the same request works, even if the connection was read meanwhile.
    await world.gateway.passUntil('confirmed', async () => {
      const { status, body } = await call('/sell/connection-confirm', { connection_id, code: '123456' });
      return status === 200 && body['connection_status'] === 'active' ? true : undefined;
    });
  });
});

describe('made once', () => {
  it('also when it is asked for twice at the same time, with and without a key', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'twice@example.com');
    const wanted = { account_id: accountId, name: 'Bank', lightning_username: 'twice', ...bank };
    world.control.setFault({ endpoint: 'GET /bringin-link', fault: 'latency', ms: 200, times: 3 });
    const both = await Promise.all([call('/sell/connections', wanted), call('/sell/connections', wanted), call('/sell/connections', wanted)]);
    expect(both.map((one) => one.status)).toEqual([200, 200, 200]);
    expect(new Set(both.map((one) => one.body['connection_id'])).size).toBe(1);
    await world.connectionIs(call, String(both[0]?.body['connection_id']), 'code_required');
    expect(links('twice@example.com')).toHaveLength(1);

    const key = { 'idempotency-key': 'one-key-for-two' };
    const other = { ...wanted, name: 'Other', lightning_username: 'twice.other' };
    const keyed = await Promise.all([call('/sell/connections', other, key), call('/sell/connections', other, key)]);
    expect(keyed.map((one) => one.status).filter((status) => status !== 200 && status !== 409)).toEqual([]);
    const again = await call('/sell/connections', other, key);
    expect(again).toEqual(keyed.find((one) => one.status === 200));
    expect(links('twice@example.com')).toHaveLength(2);
  });

  it('a second of the same name for something else is refused, and so is a second for the same under another name', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'second@example.com');
    const id = await world.activeConnection(call, accountId, 'Bank', 'second');
    const other = await call('/sell/connections', {
      account_id: accountId,
      name: 'Bank',
      lightning_username: 'second',
      ...bank,
      iban: 'GB29NWBK60161331926819',
    });
    expect([other.status, other.body['code']]).toEqual([409, 'connection-name-taken']);
    // The provider already has this connection, so the request returns it, whatever name the request gives.
    const same = await call('/sell/connections', { account_id: accountId, name: 'Renamed', lightning_username: 'second', ...bank });
    expect([same.status, same.body['connection_id'], same.body['name']]).toEqual([200, id, 'Bank']);
    const { body } = await call('/sell/connection-status', { account_id: accountId });
    expect((body['connections'] as Body[]).map((one) => one['connection_id'])).toEqual([id]);
    const stranger = await world.opened();
    const strangers = await world.connected(stranger, 'stranger@example.com');
    const taken = await stranger('/sell/connections', { account_id: strangers, name: 'Bank', lightning_username: 'second', ...bank });
    expect([taken.status, taken.body['code']]).toEqual([409, 'username-taken']);
  });

  it('however many ask at once, the provider is asked for it by one of them', async () => {
    const call = await world.opened();
    const account_id = await world.connected(call, 'atonce@example.com');
    const wanted = { account_id, name: 'Bank', lightning_username: 'atonce', ...bank };
    const before = world.asked('POST /bringin-link');
    // As long as the list is slow, everybody who asks finds no connection in it.
    world.control.setFault({ endpoint: 'GET /bringin-link', fault: 'latency', ms: 300, times: 20 });
    world.control.setFault({ endpoint: 'POST /bringin-link', fault: 'reset', times: 1 });
    const made = await Promise.all(Array.from({ length: 4 }, async () => await call('/sell/connections', wanted)));
    const [connection_id, ...others] = new Set(made.map(({ body }) => body['connection_id']));
    expect([made.map(({ status }) => status), others, world.asked('POST /bringin-link') - before]).toEqual([[200, 200, 200, 200], [], 1]);
    // It is not known whether the connection was made. Of all these callers, only one asks for it again.
    await Promise.all([
      ...Array.from({ length: 3 }, async () => await call('/sell/connection-status', { connection_id })),
      call('/sell/connection-status', { account_id }),
      call('/sell/connections', wanted),
    ]);
    world.control.clearFaults();
    await world.connectionIs(call, String(connection_id), 'code_required');
    expect(world.asked('POST /bringin-link') - before).toBe(2);
    expect(world.control.user('atonce@example.com').links).toHaveLength(1);
  });

  it('with the provider down in each step nothing is lost, and the step can be repeated', async () => {
    const call = await world.opened();
    const email = 'down@example.com';
    world.control.setFault({ endpoint: 'POST /application/connect', fault: '503', times: 1 });
    const start = { provider: 'bringin', email };
    const failed = await call('/sell/accounts', start);
    expect([failed.status, failed.body['retryable']]).toEqual([503, true]);
    const accountId = await world.connected(call, email);
    const wanted = { account_id: accountId, name: 'Bank', lightning_username: 'down', ...bank };
    for (const endpoint of ['GET /bringin-link', 'POST /bringin-link']) {
      world.control.setFault({ endpoint, fault: '503', times: 1 });
      const made = await call('/sell/connections', wanted);
      expect([endpoint, made.status, made.body['connection_status']]).toEqual([endpoint, 200, 'initiating']);
    }
    const made = await call('/sell/connections', wanted);
    expect([made.status, made.body['connection_status']]).toEqual([200, 'initiating']);
    const connection_id = String(made.body['connection_id']);
    await world.connectionIs(call, connection_id, 'code_required');
    world.control.setFault({ endpoint: 'GET /bringin-link/{id}', fault: '503', times: 1 });
    const read = await call('/sell/connection-status', { connection_id });
    expect([read.status, read.body['connection_status']]).toEqual([200, 'code_required']);
    for (const [endpoint, path] of [
      ['POST /bringin-link/resend-otp', '/sell/connection-resend'],
      ['POST /bringin-link/confirm', '/sell/connection-confirm'],
      ['POST /bringin-link/{id}/cancel', '/sell/connection-cancel'],
      ['POST /bringin-link/{id}/cancel/confirm', '/sell/connection-confirm'],
    ] as const) {
      const body = path === '/sell/connection-confirm' ? { connection_id, code: '123456' } : { connection_id };
      world.control.setFault({ endpoint, fault: '503', times: 1 });
      const down = await call(path, body);
      expect([path, down.status, down.body['retryable']]).toEqual([path, 503, true]);
      const up = await call(path, body);
      expect([path, up.status]).toEqual([path, 200]);
    }
    const { body } = await call('/sell/connection-status', { connection_id });
    expect(body['connection_status']).toBe('inactive');
    expect(links(email)).toHaveLength(1);
  });

  it('one that takes long says so while it does, and no longer once it is there', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'slow@example.com');
    world.control.setOptions({ linkMs: 2_500 });
    const made = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'slow', ...bank });
    const connection_id = String(made.body['connection_id']);
    await world.gateway.passUntil('late', async () => {
      const { body } = await call('/sell/connection-status', { connection_id });
      return body['failure'] === 'takes-too-long' ? true : undefined;
    });
    const there = await world.connectionIs(call, connection_id, 'code_required');
    expect(there['failure']).toBeUndefined();
    const active = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect(active.body).toMatchObject({ connection_status: 'active', lightning_address: 'slow@dev.bringin.xyz', iban_masked: 'DE89…3000' });
    for (const gone of ['failure', 'code_expires_on', 'attempts_left']) expect(active.body[gone]).toBeUndefined();
  });

  it('one that was accepted without an id is being made for as long as the list masks its bank account', async () => {
    const call = await world.opened();
    const email = 'masked@example.com';
    const accountId = await world.connected(call, email);
    world.control.setOptions({ deviations: ['create-says-nothing'] });
    const wanted = { account_id: accountId, name: 'Bank', lightning_username: 'masked', ...bank };
    const made = await call('/sell/connections', wanted);
    expect([made.status, made.body['connection_status']]).toEqual([200, 'initiating']);
    const [link] = world.control.user(email).links;
    if (!link) throw new Error('not made');
    link.iban = 'DE89 **** **** 3000';
    const connection_id = String(made.body['connection_id']);
    // Background work reads it again after a second.
    await world.gateway.pass(5_000);
    expect((await call('/sell/connection-status', { connection_id })).body).toMatchObject({ connection_status: 'initiating' });
    expect((await call('/sell/connections', wanted)).body).toMatchObject({ connection_id, connection_status: 'initiating' });
    link.iban = iban;
    await world.connectionIs(call, connection_id, 'code_required');
    const confirmed = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([confirmed.status, confirmed.body['connection_status']]).toEqual([200, 'active']);
    expect(links(email)).toHaveLength(1);
    // For a request that was not sent before, the address is taken.
    link.iban = '******';
    const other = await call('/sell/connections', { ...wanted, name: 'Other' });
    expect([other.status, other.body['code']]).toEqual([409, 'username-taken']);
  });

  it('a name that was taken in the provider’s own app ends the request once a code for it would have expired', async () => {
    const call = await world.opened();
    const email = 'app@example.com';
    const account_id = await world.connected(call, email);
    world.control.setOptions({ linkMs: 5_000 });
    const inApp = {
      name: 'Home',
      type: 'CRYPTO_TO_FIAT',
      subtype: 'LN',
      lnAddress: 'app',
      beneficiary: { iban, bic: bank.bic, name: bank.beneficiary_name },
    };
    const made = await fetch(`${world.bringin.url}/api/v0/bringin-link`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'api-key': world.control.user(email).key },
      body: JSON.stringify(inApp),
    });
    expect(made.status).toBe(202);
    const before = world.asked('POST /bringin-link');
    const wanted = { account_id, name: 'Home', lightning_username: 'app', ...bank };
    const asked = await call('/sell/connections', wanted);
    expect([asked.status, asked.body['connection_status']]).toEqual([200, 'initiating']);
    const connection_id = String(asked.body['connection_id']);
    // The connection is confirmed in the app, and the list masks its bank account from then on.
    const [link] = links(email);
    if (!link) throw new Error('not made');
    Object.assign(link, { iban: 'DE89 **** **** 3000', readyOn: 0 });
    await world.gateway.pass(5_000);
    world.control.setLink(email, link.id, 'ACTIVE');
    expect((await call('/sell/connection-status', { connection_id })).body).toMatchObject({ connection_status: 'initiating' });
    await world.gateway.pass(30 * 60_000);
    const { body } = await call('/sell/connection-status', { connection_id });
    expect(body).toMatchObject({ connection_status: 'failed', failure: 'connection-name-taken' });
    // The account is read at its usual pace again, every ten minutes ±20 %.
    const [next] = await world.gateway.database.sql<{ s: number }[]>`
      select extract(epoch from next_check_on - checked_on)::float8 as s from accounts where id = ${account_id}`;
    expect(next?.s).toBeGreaterThan(400);
    expect((await call('/sell/connections', wanted)).body['code']).toBe('connection-name-taken');
    expect([links(email).length, world.asked('POST /bringin-link') - before]).toEqual([1, 0]);
  });

  it('one that is always listed with a masked bank account is requested once, and fails when its code has expired unused', async () => {
    const call = await world.opened();
    const email = 'unused@example.com';
    const account_id = await world.connected(call, email);
    world.control.setOptions({ deviations: ['create-says-nothing'] });
    const before = world.asked('POST /bringin-link');
    const made = await call('/sell/connections', { account_id, name: 'Bank', lightning_username: 'unused', ...bank });
    const connection_id = String(made.body['connection_id']);
    const [link] = links(email);
    if (!link) throw new Error('not made');
    link.iban = 'DE89 **** **** 3000';
    await world.gateway.pass(5_000);
    expect((await call('/sell/connection-status', { connection_id })).body).toMatchObject({ connection_status: 'initiating' });
    await world.gateway.pass(30 * 60_000);
    expect((await call('/sell/connection-status', { connection_id })).body).toMatchObject({ connection_status: 'failed', failure: 'connection-not-found' });
    expect(world.asked('POST /bringin-link') - before).toBe(1);
  });

  it('a failed one is told as failed', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'failing@example.com', { webhook_url: world.receiver.url });
    world.control.nextLink('FAILED');
    const made = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'failing', ...bank });
    const failed = await world.connectionIs(call, String(made.body['connection_id']), 'failed');
    expect(failed['failure']).toBe('STANDING_ORDER_FAILED');
    await world.gateway.passUntil('told', () =>
      Promise.resolve(
        world.told('connection_status').find((one) => one['connection_id'] === made.body['connection_id'] && one['connection_status'] === 'failed'),
      ),
    );
  });
});

describe('ending one', () => {
  it('is soft where others use it, and twice is once', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'soft@example.com');
    world.control.shareWallet('soft@example.com', 'soft@dev.bringin.xyz', iban);
    const made = await call('/sell/connections', { account_id: accountId, name: 'Bank', lightning_username: 'soft', ...bank });
    const connection_id = String(made.body['connection_id']);
    await world.connectionIs(call, connection_id, 'active');
    const ended = await call('/sell/connection-cancel', { connection_id });
    expect([ended.status, ended.body['connection_status']]).toEqual([200, 'inactive']);
    const before = world.asked('POST /bringin-link/{id}/cancel');
    const twice = await call('/sell/connection-cancel', { connection_id });
    expect([twice.status, twice.body['connection_status']]).toEqual([200, 'inactive']);
    expect(world.asked('POST /bringin-link/{id}/cancel')).toBe(before);
    const late = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([late.status, late.body['errors']]).toEqual([400, [{ pointer: '/code', detail: 'this connection is not waiting for a code' }]]);
  });

  it('waits for the orders that say to pay to it, and for no other', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'ordered@example.com');
    const connection_id = await world.activeConnection(call, accountId, 'Bank', 'ordered');
    const chain = await world.activeConnection(call, accountId, 'Chain', 'unused', { network: 'onchain', lightning_username: undefined });
    const { body: quote } = await call('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(call, 'SEPA')) });
    const { body: order } = await call('/sell/order', { quote_id: quote['quote_id'], connection_id });
    const before = world.asked('POST /bringin-link/{id}/cancel');
    const refused = await call('/sell/connection-cancel', { connection_id });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'connection-required', action: 'ask-user', order_ids: [order['order_id']], expires_on: order['expires_on'] },
    });
    expect(world.asked('POST /bringin-link/{id}/cancel')).toBe(before);
    const other = await call('/sell/connection-cancel', { connection_id: chain });
    expect([other.status, other.body['connection_status']]).toEqual([200, 'code_required']);
    await world.payAddress('ordered', 250_000);
    await world.orderIs(call, String(order['order_id']), 'filled');
    const ended = await call('/sell/connection-cancel', { connection_id });
    expect([ended.status, ended.body['connection_status']]).toEqual([200, 'code_required']);
  });

  it('waits, too, while a payment that was sent in time may still arrive, and while one is being converted', async () => {
    const ending = await startSellWorld({}, { block: { match_window_s: 3600 } });
    try {
      const { opened, connected, activeConnection, optionOf, gateway, control } = ending;
      const call = await opened();
      const accountId = await connected(call, 'slowly@example.com');
      const connections = {
        lightning: await activeConnection(call, accountId, 'Bank', 'slowly'),
        onchain: await activeConnection(call, accountId, 'Chain', 'unused', { network: 'onchain', lightning_username: undefined }),
      };
      const sold = async (network: 'lightning' | 'onchain') => {
        const { body } = await call('/sell/quote', { amount_sats: 250_000, network, ...(await optionOf(call, 'SEPA')) });
        return (await call('/sell/order', { quote_id: body['quote_id'], connection_id: connections[network] })).body;
      };
      const [byLightning, onChain] = [await sold('lightning'), await sold('onchain')];
      const cancelled = async (network: 'lightning' | 'onchain') => {
        const { status, body } = await call('/sell/connection-cancel', { connection_id: connections[network] });
        return [status, body['order_ids'], body['expires_on']];
      };
      const end = Date.parse(String(onChain['expires_on']));
      const after = (order: Body, ms: number): string => new Date(Date.parse(String(order['expires_on'])) + ms).toISOString();
      await gateway.pass(end - gateway.clock.now() + 1_000);
      for (const order of [byLightning, onChain]) await ending.orderIs(call, String(order['order_id']), 'expired');
      expect(await cancelled('lightning')).toEqual([409, [byLightning['order_id']], after(byLightning, 600_000)]);
      expect(await cancelled('onchain')).toEqual([409, [onChain['order_id']], after(onChain, 3_600_000)]);
      await gateway.pass(end - gateway.clock.now() + 601_000);
      expect((await cancelled('lightning'))[0]).toBe(200);
      // The payment arrives, and waits for its conversion.
      control.setOptions({ convertMs: 86_400_000 });
      await control.pay((onChain['payment_info'] as { address: string }).address, 250_000n);
      await ending.orderIs(call, String(onChain['order_id']), 'paid');
      expect((await cancelled('onchain'))[0]).toBe(409);
      await gateway.pass(end - gateway.clock.now() + 3_601_000);
      expect((await cancelled('onchain'))[0]).toBe(200);
    } finally {
      await ending.close();
    }
  });

  it('at the same time as an order is made: only one of them succeeds', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'hasty@example.com');
    const connection_id = await world.activeConnection(call, accountId, 'Bank', 'hasty');
    const { body: quote } = await call('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(call, 'SEPA')) });
    const [ordered] = await Promise.all([
      call('/sell/order', { quote_id: quote['quote_id'], connection_id }),
      call('/sell/connection-cancel', { connection_id }),
    ]);
    const ended = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([
      [200, 409],
      [409, 200],
    ]).toContainEqual([ordered?.status, ended.status]);
  });

  /** Returns two customers of one Bringin user, and each one's id of the same connection: the second has pasted the key. */
  const sharedConnection = async (name: string) => {
    const email = `${name}@example.com`;
    const [first, second] = [await world.opened(), await world.opened()];
    const own = await world.activeConnection(first, await world.connected(first, email), 'Bank', name);
    const pasted = await second('/sell/accounts', { provider: 'bringin', api_key: world.control.user(email).key });
    const [imported] = pasted.body['connections'] as Body[];
    return { first, second, own, imported: imported?.['connection_id'] };
  };

  it('waits for the orders of another customer with the same user, and names none of them', async () => {
    const { first, second, own, imported } = await sharedConnection('both');
    const { body: quote } = await first('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(first, 'SEPA')) });
    const { body: order } = await first('/sell/order', { quote_id: quote['quote_id'], connection_id: own });
    const refused = await second('/sell/connection-cancel', { connection_id: imported });
    expect([refused.status, refused.body['code'], refused.body['order_ids'], refused.body['expires_on']]).toEqual([
      409,
      'connection-required',
      [],
      order['expires_on'],
    ]);
    await world.payAddress('both', 250_000);
    await world.orderIs(first, String(order['order_id']), 'filled');
    expect((await second('/sell/connection-cancel', { connection_id: imported })).status).toBe(200);
  });

  it('waits for an order that is being placed', async () => {
    const { first, second, own, imported } = await sharedConnection('placing');
    const { intents } = world.gateway.server.gateway.stores;
    const confirm = intents.confirm.bind(intents);
    const refusals: unknown[] = [];
    intents.confirm = async (...placed) => {
      const ends = [await first('/sell/connection-cancel', { connection_id: own }), await second('/sell/connection-cancel', { connection_id: imported })];
      refusals.push(...ends.map(({ status, body }) => [status, body['order_ids']]));
      return await confirm(...placed);
    };
    try {
      const { body: quote } = await first('/sell/quote', { amount_sats: 250_000, ...(await world.optionOf(first, 'SEPA')) });
      const { body: order } = await first('/sell/order', { quote_id: quote['quote_id'], connection_id: own });
      expect(refusals).toEqual([
        [409, [order['order_id']]],
        [409, []],
      ]);
    } finally {
      intents.confirm = confirm;
    }
  });

  it('that is asked for twice before the code came waits for one code', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'patient@example.com');
    const connection_id = await world.activeConnection(call, accountId, 'Bank', 'patient');
    for (let n = 0; n < 2; n += 1) {
      const cancelling = await call('/sell/connection-cancel', { connection_id });
      expect([cancelling.status, cancelling.body['connection_status']]).toEqual([200, 'code_required']);
    }
    expect(world.control.state.texts.filter((one) => one.to === 'patient@example.com')).toHaveLength(2);
    const wrong = await call('/sell/connection-confirm', { connection_id, code: '000000' });
    expect([wrong.status, wrong.body['code']]).toEqual([422, 'code-wrong']);
    const done = await call('/sell/connection-confirm', { connection_id, code: '123456' });
    expect([done.status, done.body['connection_status']]).toEqual([200, 'inactive']);
    // If the wallet asks for the connection again, it gets a new one, not the ended one.
    const again = await world.activeConnection(call, accountId, 'Bank', 'patient');
    expect(again).not.toBe(connection_id);
  });
});

describe('a code that is sent while something else about the connection is under way', () => {
  /** Runs `meanwhile` once, after Bringin has answered and before the answer is stored. */
  const afterThe = (verb: 'read' | 'cancel' | 'confirm' | 'resend', meanwhile: () => Promise<unknown>): void => {
    const verbs = world.gateway.server.gateway.providers.find(({ id }) => id === 'bringin')?.adapter.sell?.connections;
    if (!verbs) throw new Error('no connections');
    const once = <A extends unknown[], R>(call: (...given: A) => Promise<R>, restored: () => void): ((...given: A) => Promise<R>) => {
      return async (...given) => {
        restored();
        const answer = await call(...given);
        await meanwhile();
        return answer;
      };
    };
    const { [verb]: before } = verbs;
    Object.assign(verbs, { [verb]: once(before as never, () => void Object.assign(verbs, { [verb]: before })) });
  };
  /** Reads a connection, and returns the name of it that is then stored. */
  const nameAfterRead = async (call: Call, connection_id: string): Promise<string | undefined> => {
    expect((await call('/sell/connection-status', { connection_id })).status).toBe(200);
    const { gateway } = world.gateway.server;
    const [row] = await world.gateway.database.sql<{ state: string }[]>`select state from connections where id = ${connection_id}`;
    return (JSON.parse(await gateway.seal.open(row?.state ?? '', connectionStatePlace(connection_id))) as { name?: string }).name;
  };
  const cancelling = async (name: string) => {
    const call = await world.opened();
    const accountId = await world.connected(call, `${name}@example.com`);
    const connection_id = await world.activeConnection(call, accountId, 'Bank', name);
    const asked = await call('/sell/connection-cancel', { connection_id });
    expect([asked.status, asked.body['connection_status']]).toEqual([200, 'code_required']);
    const resend = async (): Promise<void> => expect((await call('/sell/connection-resend', { connection_id })).status).toBe(200);
    const confirm = async () => await call('/sell/connection-confirm', { connection_id, code: '123456' });
    return { call, connection_id, resend, confirm };
  };

  it.each([
    ['a read', 'read', false],
    ['a read with news', 'read', true],
    ['the cancellation that is asked for again', 'cancel', false],
    ['the same with news', 'cancel', true],
  ] as const)('is the one that counts: %s does not bring back the earlier one', async (what, verb, isNews) => {
    const name = what.replaceAll(' ', '');
    const { call, connection_id, resend, confirm } = await cancelling(name);
    if (isNews) Object.assign(links(`${name}@example.com`)[0] ?? {}, { name: 'Savings' });
    afterThe(verb, resend);
    const path = verb === 'read' ? '/sell/connection-status' : '/sell/connection-cancel';
    expect((await call(path, { connection_id })).body['connection_status']).toBe('code_required');
    const { status, body } = await confirm();
    expect([status, body['connection_status']]).toEqual([200, 'inactive']);
  });

  it('is stored, whatever a read has stored meanwhile', async () => {
    const { call, connection_id, resend, confirm } = await cancelling('readbefore');
    afterThe('resend', async () => {
      Object.assign(links('readbefore@example.com')[0] ?? {}, { name: 'Savings' });
      expect(await nameAfterRead(call, connection_id)).toBe('Savings');
    });
    await resend();
    expect((await confirm()).body['connection_status']).toBe('inactive');
  });

  it('is not lost to an earlier code that was wrong, whose try counts all the same, also after a read', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'wrongmeanwhile@example.com');
    const connection_id = await world.waiting(call, accountId, 'Bank', 'wrongmeanwhile');
    const triesAfter = async (code: string) => (await call('/sell/connection-confirm', { connection_id, code })).body['attempts_left'];
    expect((await call('/sell/connection-resend', { connection_id })).body['attempts_left']).toBe(3);
    Object.assign(links('wrongmeanwhile@example.com')[0] ?? {}, { name: 'Savings' });
    afterThe('confirm', async () => expect(await nameAfterRead(call, connection_id)).toBe('Savings'));
    expect(await triesAfter('000000')).toBe(2);
    expect((await call('/sell/connection-status', { connection_id })).body['attempts_left']).toBe(2);
    afterThe('confirm', async () => await call('/sell/connection-resend', { connection_id }));
    expect(await triesAfter('000000')).toBe(1);
    expect((await call('/sell/connection-confirm', { connection_id, code: '123456' })).body['connection_status']).toBe('active');
  });

  it('a read that finds nothing new does not keep the news of another read from being stored', async () => {
    const call = await world.opened();
    const accountId = await world.connected(call, 'twotimes@example.com');
    const connection_id = await world.activeConnection(call, accountId, 'Bank', 'twotimes');
    const name = async (): Promise<unknown> => await nameAfterRead(call, connection_id);
    expect(await name()).toBe('Bank');
    const callIt = (called: string) => Object.assign(links('twotimes@example.com')[0] ?? {}, { name: called });
    callIt('Savings');
    afterThe('read', async () => {
      callIt('Bank');
      expect(await name()).toBe('Bank');
    });
    expect(await name()).toBe('Savings');
  });
});

it('buys, too: euros to a fixed address, by an IBAN of the provider that is not judged', async () => {
  const call = await world.opened();
  const accountId = await world.connected(call, 'buyer@example.com');
  const made = await call('/sell/connections', {
    account_id: accountId,
    name: 'Savings plan',
    direction: 'buy',
    destination_address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  });
  expect([made.status, made.body['direction'], made.body['network']]).toEqual([200, 'buy', 'onchain']);
  const connection_id = String(made.body['connection_id']);
  await world.connectionIs(call, connection_id, 'code_required');
  const active = await call('/sell/connection-confirm', { connection_id, code: '123456' });
  expect(active.body).toMatchObject({ connection_status: 'active', direction: 'buy', deposit_iban: 'LT613250046722895172' });
  // This connection receives no sats, so no sell offer relies on it and no order can use it.
  const sepa = await world.optionOf(call, 'SEPA');
  const quote = await call('/sell/quote', { amount_sats: 250_000, ...sepa });
  expect(quote.body['requires']).toEqual(['connection']);
  const order = await call('/sell/order', { quote_id: quote.body['quote_id'], connection_id });
  expect([order.status, order.body['code']]).toEqual([409, 'connection-required']);
});

it('is nobody else’s: every step at a foreign connection looks like an unknown one', async () => {
  const mine = await world.opened();
  const accountId = await world.connected(mine, 'mine@example.com');
  const connection_id = await world.activeConnection(mine, accountId, 'Bank', 'mine');
  const call = await world.opened();
  await world.connected(call, 'theirs@example.com');
  const unknown = '4b1f0f62-98a1-4b58-8a39-9d2c9a1f3c11';
  const sepa = await world.optionOf(call, 'SEPA');
  const quote = await call('/sell/quote', { amount_sats: 250_000, ...sepa });
  for (const [path, body] of [
    ['/sell/connection-status', {}],
    ['/sell/connection-confirm', { code: '123456' }],
    ['/sell/connection-resend', {}],
    ['/sell/connection-cancel', {}],
    ['/sell/order', { quote_id: quote.body['quote_id'] }],
  ] as const) {
    const [foreign, absent] = await Promise.all([connection_id, unknown].map(async (id) => await call(path, { ...body, connection_id: id })));
    expect([path, foreign?.status, foreign?.body['code']]).toEqual([path, 404, 'connection-not-found']);
    expect({ ...foreign?.body, instance: '' }).toEqual({ ...absent?.body, instance: '' });
  }
});

it('a connection that does not open takes neither its account nor the others with it', async () => {
  const call = await world.opened();
  const accountId = await world.connected(call, 'torn@example.com');
  const [torn, good] = [await world.waiting(call, accountId, 'Torn', 'torn'), await world.waiting(call, accountId, 'Good', 'good')];
  await world.gateway.database
    .sql`update connections set request = (select request from connections where id = ${good}), state = (select state from connections where id = ${good}) where id = ${torn}`;
  for (const path of ['/sell/connection-status', '/sell/account-status']) {
    const { status, body } = await call(path, { account_id: accountId });
    expect([status, (body['connections'] as Body[]).map((one) => one['name'])]).toEqual([200, ['Good']]);
  }
});
