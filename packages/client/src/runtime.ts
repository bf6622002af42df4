/** The parts of the JavaScript runtime that a caller of the client can replace. `defaultRuntime` works in Node, browsers, Workers and Hermes. */
export type Runtime = {
  fetch: (url: string, request: RequestInit) => Promise<Response>;
  /** Unix milliseconds. */
  now: () => number;
  /** Pauses between two attempts or polls. Throws the signal's reason when the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls `run` once after `ms`, unless the returned function is called before. */
  after: (ms: number, run: () => void) => () => void;
  /** Returns an id that differs at each call. It may be easy to guess. */
  id: () => string;
};

const after: Runtime['after'] = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

export const defaultRuntime: Runtime = {
  fetch: async (url, request) => await globalThis.fetch(url, request),
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    if (signal?.aborted) throw reasonOf(signal);
    await new Promise<void>((done, fail) => {
      const stop = (): void => {
        cancel();
        fail(signal && reasonOf(signal));
      };
      const cancel = after(ms, () => {
        signal?.removeEventListener('abort', stop);
        done();
      });
      signal?.addEventListener('abort', stop);
    });
  },
  after,
  id: () => `${Date.now().toString(36)}-${random()}${random()}`,
};

/** Used in place of WebCrypto, which Hermes lacks. The ids that are made from it only tell one customer's requests apart, and are not secret. */
const random = (): string => Math.random().toString(36).slice(2, 12).padEnd(10, '0');

/** Returns why the caller gave up. Old polyfills of AbortSignal have no reason. */
export const reasonOf = (signal: AbortSignal): unknown => (signal.reason as unknown) ?? new Error('aborted');
