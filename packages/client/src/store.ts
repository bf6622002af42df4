type Maybe<T> = T | Promise<T>;

/**
 * Where the client keeps what must outlive the process: the session, the customer's recovery secret, and order requests whose outcome is not known
 * yet. All of it is one short string of JSON under one key per gateway. A `Map` loses everything when the process ends. Keep the store as safe as a
 * password.
 */
export type Store = {
  get: (key: string) => Maybe<string | null | undefined>;
  set: (key: string, value: string) => unknown;
  /**
   * Writes `value` only if the stored value is `was` (undefined: nothing is stored). Returns whether it wrote `value`. Needed if several processes
   * share the store. Without it, writers take turns only if they use the same store object or, where `navigator.locks` exists, are tabs of the same
   * browser and origin.
   */
  replace?: (key: string, was: string | undefined, value: string) => Maybe<boolean>;
};

type ItemStorage = { getItem: (key: string) => Maybe<string | null>; setItem: (key: string, value: string) => unknown };

/** Makes a store that uses React Native's AsyncStorage. */
export const asyncStorageStore = (storage: ItemStorage): Store => ({
  get: async (key) => await storage.getItem(key),
  set: async (key, value) => await storage.setItem(key, value),
});

type Locks = { request: <T>(name: string, run: () => Promise<T>) => Promise<T> };
/** Returns `navigator.locks`, which browsers have on https and on localhost. */
export const webLocks = (): Locks | undefined => (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks;

type WebStorage = { getItem: (key: string) => string | null; setItem: (key: string, value: string) => void; removeItem: (key: string) => void };

/**
 * Makes a store that uses the browser's localStorage. Tabs take turns by `navigator.locks` or, where that is missing, by a lease that is stored next
 * to the value. A tab holds the lease if, 50 ms after writing it, the tab still finds its own lease there.
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
/** How long a tab that was closed while it held the lease can hold up the others. */
const leaseMs = 2000;

const leased = async <T>(storage: WebStorage, lease: string, run: () => T): Promise<T> => {
  for (;;) {
    const heldForMs = parseInt(storage.getItem(lease) ?? '', 10) - Date.now();
    // No lease lasts longer than `leaseMs`, unless the clock was set back since.
    if (!(heldForMs >= 0 && heldForMs <= leaseMs)) {
      const mine = `${Date.now() + leaseMs} ${Math.random()}`;
      storage.setItem(lease, mine);
      await wait(momentMs);
      if (storage.getItem(lease) === mine) {
        // Nobody else can write before `momentMs` has passed again, and `run` may throw.
        storage.removeItem(lease);
        return run();
      }
    }
    await wait(momentMs * (1 + Math.random()));
  }
};
const wait = async (ms: number): Promise<void> => await new Promise((done) => void setTimeout(done, ms));
