import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fileStore } from './file-store.ts';
import { createRamp } from './index.ts';
import { goodAnswer, orderId, problem, quoteId, scripted } from './scripted-gateway.ts';
import { createState } from './state.ts';
import { asyncStorageStore, localStorageStore, type Store } from './store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ramp-store-'));
  // Node has navigator.locks, but older browsers, http pages and Hermes do not.
  vi.stubGlobal('navigator', undefined);
});
afterEach(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

const yielding = async (): Promise<void> => await new Promise((then) => setImmediate(then));
const asyncStorage = () => {
  const items = new Map<string, string>();
  return {
    getItem: async (key: string) => {
      await yielding();
      return items.get(key) ?? null;
    },
    setItem: async (key: string, value: string) => {
      await yielding();
      items.set(key, value);
    },
  };
};
const webStorage = () => {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
};

/** Each inner function opens the same store once more, as another process, tab or screen would. */
const kinds: Record<string, () => () => Store> = {
  Map: () => {
    const map = new Map<string, string>();
    return () => map;
  },
  asyncStorageStore: () => {
    const store = asyncStorageStore(asyncStorage());
    return () => store;
  },
  localStorageStore: () => {
    const storage = webStorage();
    return () => localStorageStore(storage);
  },
  fileStore: () => () => fileStore(join(folder, 'deep', 'er')),
};

describe.each(Object.entries(kinds))('%s', (_, make) => {
  it('keeps every change of many writers at once', async () => {
    const open = make();
    let id = 0;
    const key = 'ramp-gateway:gateway.example:8787';
    const add = async (n: number): Promise<void> => {
      const state = createState(open(), key, () => `${(id += 1)}`);
      await state.change((kept) => ({ ...kept, placings: { ...kept.placings, [`q${n}`]: { ramp: 'buy', body: {}, idempotencyKey: '', on: n } } }));
    };
    await Promise.all(Array.from({ length: 8 }, (_none, n) => add(n)));
    const { placings } = await createState(open(), key, () => '').read();
    expect(Object.keys(placings ?? {}).sort()).toEqual(['q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'q7']);
  });

  it('lets two tabs share one session and one order', async () => {
    const open = make();
    let sessions = 0;
    let orderedBy: string | null = null;
    const there = scripted((path, _body, headers) => {
      // Like the gateway: a quote becomes one order, for the Idempotency-Key that came first.
      if (path === '/order' && (orderedBy ??= headers.get('idempotency-key')) !== headers.get('idempotency-key'))
        return problem(409, 'quote-used', 'read-order', { order_id: orderId });
      if (path === '/session') return [200, { session_id: `s${(sessions += 1)}`, recovery_secret: `secret-of-s${sessions}`, proven: [] }];
      return goodAnswer(path);
    });
    const tabs = [1, 2].map(() => createRamp({ url: 'https://gateway.example', store: open(), runtime: there.runtime }));
    const orders = await Promise.all(tabs.map(async (tab, index) => await tab.buy({ id: quoteId }, { atLeast: BigInt(100_000 + index) })));
    expect(orders[0]?.id).toBe(orders[1]?.id);
    const sent = there.asked.filter(({ path }) => path === '/order');
    const kept = await createState(open(), 'ramp-gateway:gateway.example', () => '').read();
    expect([kept.recovery, new Set(sent.map(({ body }) => body['session_id']))]).toEqual([`secret-of-${kept.session}`, new Set([kept.session])]);
  });
});

it('tabs of a browser take turns by its locks', async () => {
  const names: string[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const request = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    names.push(name);
    const mine = turn.then(run);
    turn = mine.catch(() => undefined);
    return await mine;
  };
  vi.stubGlobal('navigator', { locks: { request } });
  const { getItem, setItem } = webStorage();
  // Each tab has a store object of its own, without `replace`: only the locks make them take turns.
  const tab = (): Store => ({ get: async (key) => (await yielding(), getItem(key)), set: setItem });
  const add = async (n: number): Promise<unknown> =>
    await createState(tab(), 'k', () => `${n}`).change((kept) => ({ ...kept, session: `${kept.session ?? ''}${n}` }));
  await Promise.all([add(1), add(2), add(3)]);
  expect([names, (await createState(tab(), 'k', () => '').read()).session]).toEqual([['k', 'k', 'k'], '123']);
});

it('of two tabs without locks that saw the same, one writes; a lease of a closed tab ends', async () => {
  const storage = webStorage();
  const [one, two] = [localStorageStore(storage), localStorageStore(storage)];
  const both = await Promise.all([one.replace?.('k', undefined, 'one'), two.replace?.('k', undefined, 'two')]);
  expect([both.toSorted(), both[0] ? 'one' : 'two']).toEqual([[false, true], storage.getItem('k')]);
  storage.setItem('k:lease', `${Date.now() - 1} closed`);
  expect(await one.replace?.('k', storage.getItem('k') ?? '', 'three')).toBe(true);
  expect([storage.getItem('k'), storage.getItem('k:lease')]).toEqual(['three', null]);
  // A clock that was ahead wrote the first, and nobody can read the second.
  for (const lease of [`${Date.now() + 86_400_000} closed`, 'nonsense']) {
    storage.setItem('k:lease', lease);
    expect(await two.replace?.('k', storage.getItem('k') ?? '', lease)).toBe(true);
  }
  const full = { ...storage, setItem: (key: string, value: string) => (key === 'k' ? failNow('quota') : storage.setItem(key, value)) };
  await expect(localStorageStore(full).replace?.('k', storage.getItem('k') ?? '', 'four')).rejects.toThrow('quota');
  expect(storage.getItem('k:lease')).toBeNull();
});
const failNow = (why: string): never => {
  throw new Error(why);
};

it('fileStore reads no file of a key that begins alike', async () => {
  const store = fileStore(folder);
  for (const value of ['one', 'two', 'three']) await store.set('gateway.default.svc', value);
  await store.set('gateway', 'mine');
  expect([await store.get('gateway'), await store.get('gateway.default.svc'), await store.get('gateway.default')]).toEqual(['mine', 'three', undefined]);
});

it('fileStore leaves one file, for its owner alone, and removes drafts of killed processes', async () => {
  const store = fileStore(folder);
  const draft = join(folder, 'dead.draft');
  writeFileSync(draft, 'secret');
  utimesSync(draft, 1, 1);
  for (const value of ['a', 'b', 'c']) await store.set('k:1', value);
  expect(readdirSync(folder)).toEqual(['k%3A1.3']);
  expect(statSync(join(folder, 'k%3A1.3')).mode & 0o777).toBe(0o600);
  expect([await store.replace?.('k:1', 'b', 'd'), await store.replace?.('k:1', 'c', 'd'), await store.get('k:1')]).toEqual([false, true, 'd']);
  // A writer that was paused for a long time writes under a number that has meanwhile been used and removed.
  writeFileSync(join(folder, 'k%3A1.2'), 'late');
  expect(await store.get('k:1')).toBe('d');
});
