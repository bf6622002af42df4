import { RampError } from './error.ts';
import { webLocks, type Store } from './store.ts';
import type { RampName } from './words.ts';

/** A request for an order. It is stored before it is sent, and removed when its outcome is known. */
export type Placing = {
  ramp: RampName;
  /** The request without its session. */
  body: Record<string, unknown>;
  idempotencyKey: string;
  /** When it was stored, in Unix milliseconds by this machine's clock. */
  on: number;
};
/** What the store holds. These are bearer secrets: whoever has them can reach the customer's orders. */
export type Kept = {
  session?: string;
  recovery?: string;
  /**
   * Earlier secrets that the gateway no longer knew when it gave `recovery`. They are kept but not sent: after its database is restored from another
   * backup, the gateway may know them again.
   */
  lost?: string[];
  placings?: Record<string, Placing>;
};
export type State = {
  read: () => Promise<Kept>;
  /** Applies `update` to the stored value, and again if another writer was faster. Returns the value that is then stored. */
  change: (update: (kept: Kept) => Kept) => Promise<Kept>;
};

/** `id`: makes each written value unique, so that a writer recognises the value that it wrote. */
export const createState = (store: Store, key: string, id: () => string): State => {
  const raw = async (): Promise<string | undefined> => (await guarded(() => store.get(key))) ?? undefined;
  const replace = async (was: string | undefined, value: string): Promise<boolean> => {
    if (store.replace) return await guarded(() => store.replace?.(key, was, value) ?? false);
    if ((await raw()) !== was) return false;
    await guarded(() => store.set(key, value));
    return true;
  };
  return {
    read: async () => parse(await raw()),
    change: async (update) =>
      await inTurn(store, key, async () => {
        for (;;) {
          const was = await raw();
          const kept = parse(was);
          const next = update(kept);
          if (next === kept) return kept;
          if (await replace(was, JSON.stringify({ ...next, write: id() }))) return next;
        }
      }),
  };
};

const parse = (text: string | undefined): Kept => {
  if (text === undefined) return {};
  try {
    const kept: unknown = JSON.parse(text);
    if (typeof kept === 'object' && kept !== null && !Array.isArray(kept)) return kept;
  } catch {
    // The error does not show the value: it may be a secret of another program.
  }
  throw new RampError({
    code: 'store-failed',
    action: 'fix-request',
    detail: 'The store holds other data: give the client its own store.',
  });
};

/** File-system errors that would happen again on a retry: for example, the folder may not be written to, or is not a folder. */
const lasting = /^E(?:ACCES|PERM|ROFS|NOTDIR|ISDIR|EXIST|NOENT)$/;

const guarded = async <T>(use: () => T | Promise<T>): Promise<T> => {
  try {
    return await use();
  } catch (cause) {
    const { code } = (cause ?? {}) as { code?: unknown };
    const isForGood = cause instanceof TypeError || lasting.test(String(code));
    throw new RampError({
      code: 'store-failed',
      action: isForGood ? 'fix-request' : 'retry',
      detail: `The store could not be read or written${typeof code === 'string' ? ` (${code})` : ''}. Nothing was ordered by this call.`,
      cause,
    });
  }
};

const turns = new WeakMap<Store, Promise<unknown>>();

/** Lets the writers that use the same store object take turns and, in a browser that has locks, those in all tabs of the same origin. */
const inTurn = async <T>(store: Store, key: string, run: () => Promise<T>): Promise<T> => {
  const locks = webLocks();
  const mine = (turns.get(store) ?? Promise.resolve()).then(async () => (locks ? await locks.request(key, run) : await run()));
  turns.set(
    store,
    mine.catch(() => undefined),
  );
  return await mine;
};
