import { expect, it } from 'vitest';
import { memoryGateway } from '../../../test/support/memory/gateway.ts';
import { noteNews, refreshRecord } from './record.ts';

it('is read again after half a minute, and after a second when this instance has news', async () => {
  const { gateway: base } = memoryGateway({}, {});
  let now = 1_000_000;
  let reads = 0;
  const record = {
    ...base.stores.record,
    read: async () => await Promise.resolve(((reads += 1), { estimates: [], broken: [] })),
    oldReaders: async () => await Promise.resolve(false),
  };
  const gateway = { ...base, now: () => now, stores: { ...base.stores, record } };
  const readsAfter = async (ms: number): Promise<number> => {
    now += ms;
    await refreshRecord(gateway);
    return reads;
  };
  expect(await readsAfter(0)).toBe(1);
  expect(await readsAfter(29_999)).toBe(1);
  expect(await readsAfter(1)).toBe(2);
  noteNews(gateway);
  expect(await readsAfter(999)).toBe(2);
  expect(await readsAfter(1)).toBe(3);
  expect(await readsAfter(29_999)).toBe(3);
});
