import { expect, it } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import type { Account, AccountStore } from '../../ports/accounts.ts';
import { saveBlob, upstreamBlob } from '../upstream/blob.ts';

it.each([
  ['the key with which it was asked', undefined, 'from the price'],
  ['no key that the customer has pasted meanwhile', 'pasted', 'pasted'],
])('a price that changes the account’s key overwrites %s', async (_what, meanwhile, after) => {
  const { gateway, session, quote, buyer } = memoryGateway();
  const account = { id: 'a0000000-0000-4000-8000-000000000000', customerId: session.customerId, providerId: 'alpine', status: 'connected' } as Account;
  const woken: string[] = [];
  const accounts: Partial<AccountStore> = {
    list: async () => await Promise.resolve([account]),
    wake: async (id) => await Promise.resolve(void woken.push(id)),
  };
  gateway.stores.accounts = accounts as AccountStore;
  await gateway.stores.sessions.claimUpstream({ id: account.id, owner: `account:${account.id}`, providerId: 'alpine', now: gateway.now() });
  await saveBlob(gateway, account.id, 'used');
  const { adapter, script, sound } = buyer();
  Object.assign(adapter, { byAccount: true });
  script.quote = async (context, request) => {
    expect(context.customer).toBe('used');
    if (meanwhile !== undefined) await saveBlob(gateway, account.id, meanwhile);
    return { ...(await sound.quote(context, request)), customer: 'from the price' };
  };
  await quote();
  expect([await upstreamBlob(gateway, account.id), woken.length]).toEqual([after, meanwhile === undefined ? 1 : 0]);
});
