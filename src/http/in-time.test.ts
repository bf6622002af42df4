import { expect, it } from 'vitest';
import { bareApp } from '../../test/support/bare-app.ts';
import { live } from './service/health.ts';

/** Makes an app without a database, whose wait ends at once. `waited` holds for how long each wait was meant to last. */
const appOf = (run: () => Promise<never>) => {
  const waited: number[] = [];
  const app = bareApp([{ ...live, run }], {
    routing: { quote_deadline_ms: 2500, order_deadline_ms: 15_000, status_deadline_ms: 8000 },
    waitAtMost: async (work, ms) => {
      waited.push(ms);
      await Promise.race([work, new Promise(setImmediate)]);
    },
  });
  return { app, waited };
};

it('an answer that the database holds back is 503, after all providers together could have answered', async () => {
  const { app, waited } = appOf(async () => await new Promise(() => undefined));
  const answer = await app.request('/health/live');
  expect([answer.status, ((await answer.json()) as { code: string }).code, answer.headers.get('retry-after')]).toEqual([503, 'storage-unavailable', '2']);
  expect(waited).toEqual([2500 + 15_000 + 8000 + 5000]);
});

it('a failure within that time is reported as what it is', async () => {
  const { app } = appOf(async () => await Promise.reject(new TypeError('ours')));
  const answer = await app.request('/health/live');
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([500, 'internal']);
});
