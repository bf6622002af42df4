type Maybe<T> = T | Promise<T>;

/**
 * Where the client keeps what must outlive the process: the session, the customer's recovery secret, and orders whose outcome is not known yet. All
 * of it is under one key per gateway, in less than 4 kB. A `Map` is a store that forgets. Keep the store as safe as a password.
 */
export type Store = {
  get: (key: string) => Maybe<string | null | undefined>;
  set: (key: string, value: string) => unknown;
  /**
   * Writes `value` only if the stored value is `was` (undefined: none). Returns whether it did. Needed if several processes share the
   * store. Without it, writers take turns by `navigator.locks`, or inside of one process.
   */
  replace?: (key: string, was: string | undefined, value: string) => Maybe<boolean>;
};

type ItemStorage = { getItem: (key: string) => Maybe<string | null>; setItem: (key: string, value: string) => unknown };

/** React Native's AsyncStorage. */
export const asyncStorageStore = (storage: ItemStorage): Store => ({
  get: async (key) => await storage.getItem(key),
  set: async (key, value) => await storage.setItem(key, value),
});

type Locks = { request: <T>(name: string, run: () => Promise<T>) => Promise<T> };
/** Browsers have it on https and on localhost. */
export const webLocks = (): Locks | undefined => (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks;

type WebStorage = { getItem: (key: string) => string | null; setItem: (key: string, value: string) => void; removeItem: (key: string) => void };

/**
 * The browser's localStorage. Tabs take turns by `navigator.locks` or, without it, by a lease stored with the value: the last tab to write the lease has
 * it, after a moment in which no other tab wrote.
 */
export const localStorageStore = (storage: WebStorage = (globalThis as unknown as { localStorage: WebStorage }).localStorage): Store => ({
  get: (key) => storage.getItem(key),
  set: (key, value) => storage.setItem(key, value),
  replace: async (key, was, value) => {
    const replaceNow = (): boolean => {
      const isSame = (storage.getItem(key) ?? undefined) === was;
      if (isSame) storage.setItem(key, value);
      return isSame;
    };
    return webLocks() ? replaceNow() : await leased(storage, `${key}:lease`, replaceNow);
  },
});

const momentMs = 50;
/** A tab that was closed in between holds up the others no longer than this. */
const leaseMs = 2000;

const leased = async <T>(storage: WebStorage, lease: string, run: () => T): Promise<T> => {
  for (;;) {
    const heldUntil = Number(storage.getItem(lease)?.split(' ')[0] ?? 0);
    if (heldUntil < Date.now()) {
      const mine = `${Date.now() + leaseMs} ${Math.random()}`;
      storage.setItem(lease, mine);
      await wait(momentMs);
      if (storage.getItem(lease) === mine) {
        const done = run();
        storage.removeItem(lease);
        return done;
      }
    }
    await wait(momentMs * (1 + Math.random()));
  }
};
const wait = async (ms: number): Promise<void> => await new Promise((done) => void setTimeout(done, ms));
