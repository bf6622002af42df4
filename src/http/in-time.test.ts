import { expect, it } from 'vitest';
import type { Gateway } from '../ports/gateway.ts';
import { createApp } from './app.ts';
import type { AppOptions } from './platform.ts';
import { live } from './service/health.ts';

/** No database, and a wait that is over at once: `waited` says for how long it was meant. */
const appOf = (run: () => Promise<never>) => {
  const waited: number[] = [];
  const gateway = {
    settings: { routing: { quote_deadline_ms: 2500, order_deadline_ms: 15_000, status_deadline_ms: 8000 } },
    ids: { uuid: () => '1' },
    hash: (text: string) => text,
    now: () => 0,
    count: () => undefined,
    observe: () => undefined,
    log: () => undefined,
    waitAtMost: async (work: Promise<unknown>, ms: number) => {
      waited.push(ms);
      await Promise.race([work, new Promise(setImmediate)]);
    },
  } as unknown as Gateway;
  const options = {
    platform: () => ({ gateway, ip: () => undefined }),
    http: { mode: 'live', corsOrigins: new Map(), apps: new Map() },
  } as unknown as AppOptions;
  return { app: createApp(options, [{ ...live, run }]), waited };
};

it('an answer that the database holds back is 503, after all providers together could have answered', async () => {
  const { app, waited } = appOf(async () => await new Promise(() => undefined));
  const answer = await app.request('/health/live');
  expect([answer.status, ((await answer.json()) as { code: string }).code, answer.headers.get('retry-after')]).toEqual([503, 'storage-unavailable', '2']);
  expect(waited).toEqual([2500 + 15_000 + 8000 + 5000]);
});

it('work that fails within that time fails as it does', async () => {
  const { app } = appOf(async () => await Promise.reject(new TypeError('ours')));
  const answer = await app.request('/health/live');
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([500, 'internal']);
});
