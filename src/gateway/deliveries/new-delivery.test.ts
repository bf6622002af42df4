import { expect, it } from 'vitest';
import { newDelivery, type Telling } from './new-delivery.ts';

const gateway = {
  seal: { seal: async (text: string) => await Promise.resolve(text) },
  hash: (text: string) => text,
  now: () => 0,
  ids: { uuid: () => crypto.randomUUID() },
} as unknown as Telling;

it.each([
  ['https://wallet.example/hook', 'wallet.example'],
  ['https://WALLET.example./hook', 'wallet.example'],
  ['https://wallet.example.:8443/hook', 'wallet.example:8443'],
])('a webhook to %s takes its turn among those to the host %s', async (url, host) => {
  expect(await newDelivery(gateway, { subjectId: 'order', sequence: 1, type: 'order_status_changed', data: {}, url })).toMatchObject({ host, url });
});
