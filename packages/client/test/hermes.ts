/**
 * A context with what React Native's engine has, and nothing else: ECMAScript 2022 with bigint, fetch and its classes, timers, AbortController
 * without reasons, TextEncoder, base64. No WebCrypto, Buffer, process, URL.host, TextDecoder, AbortSignal.timeout, streams or Web Locks.
 */
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';

/** Deletes what V8 has and Hermes 0.12 (React Native 0.76) lacks. */
const tooNew = `
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'Iterator']) delete globalThis[name];
  delete Promise.withResolvers; delete Promise.try; delete Array.fromAsync; delete Object.groupBy; delete Map.groupBy;
  for (const name of ['toSorted', 'toSpliced', 'toReversed', 'with']) delete Array.prototype[name];
  for (const name of ['union', 'intersection', 'difference', 'isSubsetOf']) delete Set.prototype[name];
  delete String.prototype.isWellFormed; delete String.prototype.toWellFormed; delete RegExp.escape;
  delete Uint8Array.fromBase64; delete Uint8Array.prototype.toBase64; delete Uint8Array.fromHex; delete Uint8Array.prototype.toHex;
`;

/** Defines AbortController as React Native's polyfill does: it can abort, but has no reason and no other members. */
const polyfills = `
  globalThis.AbortController = class {
    constructor() {
      const listeners = new Set();
      this.signal = {
        aborted: false,
        addEventListener: (_, listener) => void listeners.add(listener),
        removeEventListener: (_, listener) => void listeners.delete(listener),
      };
      this.abort = () => {
        if (this.signal.aborted) return;
        this.signal.aborted = true;
        for (const listener of [...listeners]) listener();
      };
    }
  };
`;

/** Behaves like React Native's fetch, which is built on XMLHttpRequest: it follows redirects and reads bodies whole. */
const hermesFetch = async (
  url: string,
  { method, headers, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<object> => {
  const {
    ok,
    status,
    headers: got,
    ...response
  } = await whole(url, { ...(method ? { method } : {}), ...(headers ? { headers } : {}), ...(body ? { body } : {}) });
  return { ok, status, headers: { get: (name: string) => got.get(name) }, ...response };
};
const whole = async (url: string, init: RequestInit) => {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    ok: response.ok,
    status: response.status,
    headers: response.headers,
    text: () => Promise.resolve(text),
    json: () => Promise.resolve(JSON.parse(text) as unknown),
  };
};

/** Runs an ES module (TypeScript, with its imports) in a context like React Native's engine, with `given` as further globals. Returns its exports. */
export const runInHermes = async (source: string, resolveDir: string, given: object): Promise<Record<string, unknown>> => {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'exported',
    target: 'es2022',
    platform: 'neutral',
    logLevel: 'silent',
  });
  const utf8 = new TextEncoder();
  const context = createContext({
    fetch: hermesFetch,
    // Shortens pauses. A timer of 20 s or more is a deadline, and is left as it is.
    setTimeout: (run: () => void, ms: number) => setTimeout(run, ms < 20_000 ? Math.min(ms, 50) : ms),
    clearTimeout,
    atob,
    btoa,
    // Returns a plain array, from which the context makes a Uint8Array of its own realm, so that `instanceof Uint8Array` holds there.
    encode: (text: string) => [...utf8.encode(text)],
    ...given,
  });
  runInContext(`${tooNew}${polyfills} globalThis.TextEncoder = class { encode(text) { return Uint8Array.from(encode(text)); } };`, context);
  runInContext(`${outputFiles[0]?.text ?? ''}\nglobalThis.exported = exported;`, context);
  return (context as { exported: Record<string, unknown> }).exported;
};
