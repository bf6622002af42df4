import { expect, it } from 'vitest';
import { grouped } from './grouped.ts';

/** Statements that end when the test says so. */
const statements = () => {
  const sent: { items: number[]; end: (error?: Error) => void }[] = [];
  const run = async (items: number[]): Promise<number[]> =>
    await new Promise((done, failed) => {
      sent.push({ items, end: (error) => (error ? failed(error) : done(items.map((item) => item * 10))) });
    });
  return { sent, run };
};
const soon = async (): Promise<void> => await new Promise((done) => setImmediate(done));

it('sends an item at once while a slot is free, later items with the next statement, and gives each caller its own result', async () => {
  const { sent, run } = statements();
  const ask = grouped(run, { largest: 3, inFlight: 1, repeats: () => false });
  const answers = [1, 2, 3, 4, 5].map((item) => ask(item));
  expect(sent.map(({ items }) => items)).toEqual([[1]]);
  sent[0]?.end();
  await soon();
  expect(sent.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
  sent[1]?.end();
  await soon();
  sent[2]?.end();
  expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50]);
});

it('a group that fails is repeated item by item: one bad item costs only itself', async () => {
  const seen: number[][] = [];
  const ask = grouped(
    async (items: number[]): Promise<number[]> => {
      seen.push(items);
      await soon();
      if (items.includes(3)) throw new Error('bad');
      return items;
    },
    { largest: 64, inFlight: 1, repeats: () => true },
  );
  const answers = await Promise.allSettled([1, 2, 3, 4].map((item) => ask(item)));
  expect(answers.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual([1, 2, 'failed', 4]);
  expect(seen).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
});

it('gives no caller the result of another when a statement returns too few results', async () => {
  const ask = grouped((items: number[]) => Promise.resolve(items.length > 1 ? items.slice(1) : items), { largest: 64, inFlight: 1, repeats: () => true });
  expect(await Promise.all([1, 2, 3].map((item) => ask(item)))).toEqual([1, 2, 3]);
});

it('does not repeat the items one by one when the database did not answer', async () => {
  const seen: number[][] = [];
  const ask = grouped(
    (items: number[]): Promise<number[]> => {
      seen.push(items);
      return Promise.reject(new Error('no database'));
    },
    { largest: 64, inFlight: 1, repeats: () => false },
  );
  const answers = await Promise.allSettled([1, 2, 3].map((item) => ask(item)));
  expect([answers.map(({ status }) => status), seen]).toEqual([
    ['rejected', 'rejected', 'rejected'],
    [[1], [2, 3]],
  ]);
});
