import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import type { Account } from '../ports/accounts.ts';
import { createStores } from './stores.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(async () => await database.close());

it('accounts that were connected are polled first, however long others have been due', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  const started = async (status: Account['status'], dueSince: number, more: Partial<Account> = {}): Promise<string> => {
    const [id, customerId] = [crypto.randomUUID(), crypto.randomUUID()];
    await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
    const account = { id, customerId, providerId: 'bringin', status, statusOn: now, sequence: 0, createdOn: now, nextCheckOn: dueSince, ...more };
    expect(await accounts.create(account, undefined)).toBe('created');
    return id;
  };
  const others = await Promise.all(Array.from({ length: 12 }, async (_, n) => await started('onboarding', now - 86_400_000 - n)));
  const connected = await started('connected', now - 1_000);
  const lost = await started('needs_reconnect', now - 2_000);
  const reconnecting = await started('pending', now - 500, { connectedOn: now });
  const taken = async (): Promise<string[]> => (await accounts.claimDue(now, { owner: crypto.randomUUID(), seconds: 60 }, 3)).map(({ id }) => id);
  expect((await taken()).toSorted()).toEqual([connected, lost, reconnecting].toSorted());
  expect((await taken()).toSorted()).toEqual(others.slice(-3).toSorted());
});

it('an account stays with the instance that polls it until its next poll is set, whatever is stored about it meanwhile', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  const [id, customerId] = [crypto.randomUUID(), crypto.randomUUID()];
  await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
  const account = { id, customerId, providerId: 'other', status: 'connected' as const, statusOn: now, sequence: 0, createdOn: now, nextCheckOn: now - 1 };
  await accounts.create(account, undefined);
  const isTaken = async (): Promise<boolean> => (await accounts.claimDue(now, { owner: crypto.randomUUID(), seconds: 60 }, 100)).some((one) => one.id === id);
  expect([await isTaken(), await isTaken()]).toEqual([true, false]);
  expect([await accounts.change(account, { checkedOn: now }, []), await isTaken()]).toEqual([true, false]);
  expect([await accounts.change(account, { nextCheckOn: now }, []), await isTaken()]).toEqual([true, true]);
});

it('the migration finds who was connected before, and gives no e-mail to two customers', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const made = async (emailHash: string, status: Account['status'], createdOn: number, hasConnection: boolean): Promise<string> => {
    const [id, customerId] = [crypto.randomUUID(), crypto.randomUUID()];
    await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
    // Written directly, because the e-mail may be another customer's already.
    await database.sql`insert into accounts (id, customer_id, provider_id, email_hash, status, status_on, created_on)
      values (${id}, ${customerId}, 'old', ${emailHash}, ${status}, now(), ${new Date(createdOn).toISOString()})`;
    if (hasConnection)
      await database.sql`insert into connections (id, account_id, name_hash, status, status_on, direction, network, request, created_on)
        values (${crypto.randomUUID()}, ${id}, 'bank', 'active', now(), 'sell', 'lightning', 'sealed', now())`;
    return id;
  };
  const now = Date.now();
  const rows = {
    lost: await made('lost', 'needs_reconnect', now, false),
    named: await made('named', 'pending', now, false),
    waits: await made('waits', 'pending', now, true),
    took: await made('taken', 'connected', now, false),
    taken: await made('taken', 'pending', now - 1, true),
    older: await made('both', 'pending', now - 1, true),
    newer: await made('both', 'rejected', now, true),
  };
  const written = await readFile(new URL('../../migrations/0011_email_owner.sql', import.meta.url), 'utf8');
  const updates = written.split('--> statement-breakpoint').filter((one) => one.includes('UPDATE'));
  expect(updates).toHaveLength(2);
  for (const update of updates) await database.sql.unsafe(update);
  const connectedOn = await Promise.all(Object.entries(rows).map(async ([name, id]) => [name, (await accounts.findAny(id))?.connectedOn !== undefined]));
  expect(Object.fromEntries(connectedOn)).toEqual({ lost: true, named: false, waits: true, took: true, taken: false, older: true, newer: false });
});

it('an account is removed as it was read, once, and no late answer changes it then', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  const [id, customerId] = [crypto.randomUUID(), crypto.randomUUID()];
  await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
  const account = { id, customerId, providerId: 'removed', status: 'onboarding' as const, statusOn: now, sequence: 0, createdOn: now, nextCheckOn: now };
  await accounts.create(account, undefined);
  // A try of a code is counted after the account was read.
  const counted = { ...account, sequence: 1 };
  expect(await accounts.change(account, { sequence: 1, signup: 'one try' }, [])).toBe(true);
  expect([await accounts.remove(account, now, 'no try'), (await accounts.findAny(id))?.signup]).toEqual([false, 'one try']);
  expect([await accounts.remove(counted, now, 'kept'), await accounts.remove(counted, now + 1, 'again')]).toEqual([true, false]);
  const late = { status: 'connected', signup: 'late', sequence: 2, connectedOn: now } as const;
  expect([await accounts.change(counted, late, []), await accounts.change({ ...counted, sequence: 2 }, late, [])]).toEqual([false, false]);
  expect(await accounts.lastRemoved(customerId, 'removed')).toMatchObject({ status: 'onboarding', signup: 'kept', sequence: 2, removedOn: now });
});

it('a connection that is imported twice is stored once, also if it has ended between the two', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  const [accountId, customerId] = [crypto.randomUUID(), crypto.randomUUID()];
  await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
  const account = { customerId, providerId: 'importing', status: 'connected' as const, statusOn: now, sequence: 0, createdOn: now, nextCheckOn: now };
  await accounts.create({ ...account, id: accountId }, undefined);
  const link = (upstreamId: string | undefined, name: string) =>
    ({
      id: crypto.randomUUID(),
      accountId,
      nameHash: name,
      status: 'active',
      statusOn: now,
      direction: 'sell',
      network: 'lightning',
      request: 'sealed',
      sequence: 0,
      createdOn: now,
      ...(upstreamId === undefined ? {} : { upstreamId }),
    }) as const;
  const first = link('link-1', 'bank');
  expect(await accounts.createConnection(first)).toEqual({ created: true });
  expect(await accounts.createConnection(link('link-1', 'bank'))).toMatchObject({ existing: { id: first.id } });
  expect(await accounts.changeConnection(first, { status: 'inactive', sequence: 1 }, [])).toBe(true);
  expect(await accounts.createConnection(link('link-1', 'bank'))).toMatchObject({ existing: { id: first.id, status: 'inactive' } });
  // `first` has ended, so its name is free, and `second` takes it. A connection with the same id is found before one with the same name.
  const second = link('link-2', 'bank');
  expect(await accounts.createConnection(second)).toEqual({ created: true });
  expect(await accounts.createConnection(link(undefined, 'bank'))).toMatchObject({ existing: { id: second.id } });
  expect(await accounts.createConnection(link('link-1', 'bank'))).toMatchObject({ existing: { id: first.id } });
  // Whoever stores a connection may hold its lease from the start, so that nobody else requests it meanwhile.
  const third = link(undefined, 'third');
  const [own, other] = [
    { owner: 'own', seconds: 60 },
    { owner: 'other', seconds: 60 },
  ];
  expect(await accounts.createConnection(third, own)).toEqual({ created: true });
  expect(await accounts.leaseConnection(third.id, other)).toBe(false);
  await accounts.releaseConnection(third.id, own);
  expect(await accounts.leaseConnection(third.id, other)).toBe(true);
});

it('of one connection, what an account that is still here has stored comes before what a removed one has, even if it is the one in question', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  const [customer, other] = [crypto.randomUUID(), crypto.randomUUID()];
  for (const id of [customer, other]) await database.sql`insert into customers (id, created_on) values (${id}, now())`;
  const stored = async (customerId: string, upstreamId: string, createdOn: number): Promise<Account> => {
    const id = crypto.randomUUID();
    const status = 'connected' as const;
    const account = { id, customerId, providerId: 'known', status, statusOn: now, sequence: 0, createdOn: now, nextCheckOn: now, userHash: upstreamId };
    await accounts.create(account, undefined);
    const of = { accountId: id, nameHash: 'bank', status: 'active', statusOn: now, direction: 'sell', network: 'lightning', request: 'sealed' } as const;
    await accounts.createConnection({ ...of, id: crypto.randomUUID(), upstreamId, sequence: 0, createdOn });
    return account;
  };
  const first = await stored(customer, 'link', now - 9_000);
  const ofAnother = await stored(other, 'link', now);
  const whose = async (): Promise<string | undefined> => (await accounts.lastStored(first.id, 'link'))?.accountId;
  expect(await whose()).toBe(first.id);
  await accounts.remove(first, now);
  expect(await whose()).toBe(ofAnother.id);
  const second = await stored(customer, 'link', now - 5_000);
  expect(await whose()).toBe(second.id);
  // An operator who frees the account's e-mail also forgets its user.
  await database.sql`update accounts set user_hash = null where id = ${first.id}`;
  expect(await whose()).toBe(second.id);
  await database.sql`update accounts set user_hash = 'link' where id = ${first.id}`;
  await accounts.remove(ofAnother, now);
  await accounts.remove(second, now);
  expect(await whose()).toBe(second.id);
});

it('what was read of a connection is stored only over the state that was read, and the answer to a step over any of the same sequence', async () => {
  const { accounts } = createStores(database.sql, { grouped: false, migrated: async () => await Promise.resolve(true) });
  const now = Date.now();
  const [id, accountId, customerId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
  const account = { customerId, providerId: 'reading', status: 'connected' as const, statusOn: now, sequence: 0, createdOn: now };
  await accounts.create({ ...account, id: accountId }, undefined);
  const made = { id, accountId, nameHash: 'bank', status: 'code_required', statusOn: now, direction: 'sell', network: 'lightning' } as const;
  const before = { ...made, request: 'sealed', sequence: 0, createdOn: now };
  await accounts.createConnection(before);
  const store = async (state: string, known: { state?: string; sequence: number }, isNewer?: boolean): Promise<unknown> => [
    await accounts.changeConnection({ id, ...known }, { state }, [], isNewer),
    (await accounts.findConnection(id, customerId))?.state,
  ];
  expect(await store('first', before)).toEqual([true, 'first']);
  expect(await store('late', before)).toEqual([false, 'first']);
  expect(await store('late', { state: 'other', sequence: 0 })).toEqual([false, 'first']);
  expect(await store('second', { state: 'first', sequence: 0 })).toEqual([true, 'second']);
  expect(await store('step', { state: 'first', sequence: 0 }, true)).toEqual([true, 'step']);
  expect(await store('late', { state: 'step', sequence: 1 }, true)).toEqual([false, 'step']);
});
