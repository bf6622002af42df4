/** What the client needs of the place where it runs. Everything else is plain JavaScript: Node, browsers, Workers and Hermes have it. */
export type Runtime = {
  fetch: (url: string, request: RequestInit) => Promise<Response>;
  /** Unix milliseconds. */
  now: () => number;
  /** The pause between two attempts or looks. Throws the signal's reason when it aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A deadline: runs once after `ms`; the returned function cancels it. */
  after: (ms: number, run: () => void) => () => void;
  /** Differs at each call. It need not be hard to guess. */
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

/** Hermes has no WebCrypto. What this makes tells apart the requests of one customer and is worth nothing to anybody else. */
const random = (): string => Math.random().toString(36).slice(2, 12).padEnd(10, '0');

/** Why the caller gave up. Old polyfills of AbortSignal know no reason. */
export const reasonOf = (signal: AbortSignal): unknown => (signal.reason as unknown) ?? new Error('aborted');
