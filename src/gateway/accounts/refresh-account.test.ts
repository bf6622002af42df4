import { expect, it } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import type { AccountStore } from '../../ports/accounts.ts';
import { refreshAccounts } from './refresh-account.ts';

it('an account is leased for as long as all its calls may take', async () => {
  const { gateway } = memoryGateway();
  const seconds: number[] = [];
  const claimDue: AccountStore['claimDue'] = async (_now, lease) => {
    seconds.push(lease.seconds);
    return await Promise.resolve([]);
  };
  gateway.stores.accounts = { claimDue } as Partial<AccountStore> as AccountStore;
  await refreshAccounts(gateway, 10);
  const { order_deadline_ms: each } = gateway.settings.routing;
  // The status, the list of connections, one connection, an order and the payments are read one after the other.
  expect(seconds).toEqual([Math.ceil((5 * each) / 1000) + 10]);
});
