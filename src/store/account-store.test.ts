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
  const started = async (status: Account['status'], dueSince: number): Promise<string> => {
    const [id, customerId] = [crypto.randomUUID(), crypto.randomUUID()];
    await database.sql`insert into customers (id, created_on) values (${customerId}, now())`;
    const account = { id, customerId, providerId: 'bringin', status, statusOn: now, sequence: 0, createdOn: now, nextCheckOn: dueSince };
    expect(await accounts.create(account, undefined)).toBe('created');
    return id;
  };
  const others = await Promise.all(Array.from({ length: 12 }, async (_, n) => await started('onboarding', now - 86_400_000 - n)));
  const connected = await started('connected', now - 1_000);
  const lost = await started('needs_reconnect', now - 2_000);
  const taken = async (): Promise<string[]> => (await accounts.claimDue(now, { owner: crypto.randomUUID(), seconds: 60 }, 2)).map(({ id }) => id);
  expect((await taken()).toSorted()).toEqual([connected, lost].toSorted());
  expect((await taken()).toSorted()).toEqual(others.slice(-2).toSorted());
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
