import { defined } from '../../../src/domain/defined.ts';
import type { paths } from './api.gen.ts';
import { isTemporary, RampError } from './error.ts';
import { inOwnWords } from './own-words.ts';
import { reasonOf, type Runtime } from './runtime.ts';
import type { Answer, PostPath } from './words.ts';

type Verify = paths['/verify']['get']['responses'][200]['content']['application/json'];
/**
 * `key`: the Idempotency-Key. `failed`: called with the error of each attempt. `once`: the request is never repeated, because each repeat
 * would have an effect of its own.
 */
export type CallOptions = { signal?: AbortSignal | undefined; key?: string; failed?: (error: RampError) => void; once?: true };
export type Call = {
  verify: () => Promise<Verify>;
  /** Sends a request. `body` contains the session id. */
  post: <Path extends PostPath>(path: Path, body: object, options?: CallOptions) => Promise<Answer<Path>>;
};

const attempts = 5;
const longestPauseMs = 30_000;

/**
 * Creates the functions that send requests. A request is sent again, up to five times in all, if its answer is lost, or if the gateway asks for it
 * (`action: retry`, or `wait` with `retry_after_ms`). The pause is the one that the gateway states, or else a growing one. Every other error is
 * thrown, and so is an error whose pause would exceed 30 seconds. With `once`, no request is repeated.
 */
export const createCall = (url: string, always: Record<string, string>, runtime: Runtime, timeoutMs: number): Call => {
  const send = async (path: string, body?: object, { signal, key, failed, once }: CallOptions = {}): Promise<object> => {
    const headers = { ...always, ...(body ? { 'content-type': 'application/json' } : {}), ...defined({ 'idempotency-key': key }) };
    // A redirect is never followed: it would send the session id to another host.
    const request = { headers, redirect: 'manual', ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) } as const;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await withDeadline({ runtime, timeoutMs, address: url + path, signal }, async (ends) => {
        const response = await runtime.fetch(url + path, { ...request, signal: ends });
        return await read(response, { address: url, say: (sentence) => inOwnWords(sentence, path, body ?? {}) });
      });
      if (!(answer instanceof RampError)) return answer;
      failed?.(answer);
      const pauseMs = answer.retryAfterMs ?? (answer.action === 'retry' ? 500 * 2 ** (attempt - 1) : Infinity);
      if (!isTemporary(answer) || pauseMs > longestPauseMs || attempt === (once ? 1 : attempts)) throw answer;
      await runtime.sleep(pauseMs, signal);
    }
  };
  // The members of an answer are checked only where they are read: see `readAs`.
  return { verify: async () => (await send('/verify')) as Verify, post: send as Call['post'] };
};

/** Runs a request within the time limit. Returns its result, or the error if it failed. Throws only if `signal` aborts, with the signal's reason. */
const withDeadline = async <T>(
  { runtime, timeoutMs, address, signal }: { runtime: Runtime; timeoutMs: number; address: string; signal: AbortSignal | undefined },
  run: (ends: AbortSignal) => Promise<T>,
): Promise<T | RampError> => {
  if (signal?.aborted) throw reasonOf(signal);
  const controller = new AbortController();
  let end: (reason: unknown) => void = () => undefined;
  const ended = new Promise<never>((_, fail) => (end = fail));
  const give = (reason: unknown): void => {
    end(reason);
    controller.abort();
  };
  const stop = (): void => give(signal && reasonOf(signal));
  const cancel = runtime.after(timeoutMs, () => give(Object.assign(new Error('no answer'), { code: `nothing within ${timeoutMs} ms` })));
  signal?.addEventListener('abort', stop);
  try {
    return await Promise.race([run(controller.signal), ended]);
  } catch (cause) {
    if (signal?.aborted) throw reasonOf(signal);
    const detail =
      cause instanceof SyntaxError ? `${address} did not answer with JSON.` : `${address} did not answer (${systemCode(cause) ?? 'no connection'}).`;
    return new RampError({ code: 'unreachable', action: 'retry', detail, cause });
  } finally {
    cancel();
    signal?.removeEventListener('abort', stop);
  }
};

/**
 * Returns a system code such as `ECONNREFUSED`, which fetch keeps in `cause`, or our own text for a missed deadline. Never returns an error's whole
 * message, because that may quote a header and so a key.
 */
const systemCode = (error: unknown): string | undefined => {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  return [code, cause?.code].find((one) => typeof one === 'string');
};

type Said = { address: string; say: (sentence: string) => string };
const read = async (response: Response, said: Said): Promise<object | RampError> => {
  const { ok, status, headers } = response;
  const text = await response.text();
  if (ok) {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer;
  }
  return problemOf(text, status, said) ?? notOurs(status, Number(headers.get('retry-after') ?? Number.NaN), said);
};

const problemOf = (text: string, status: number, { say }: Said): RampError | undefined => {
  if (!text.startsWith('{')) return undefined;
  const problem = JSON.parse(text) as Record<string, unknown>;
  const { code, action, detail, retry_after_ms: retryAfterMs } = problem;
  if (typeof code !== 'string') return undefined;
  return new RampError({
    code,
    action: typeof action === 'string' ? action : 'contact-support',
    detail: say(typeof detail === 'string' ? detail : code),
    status,
    problem,
    retryAfterMs: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined,
  });
};

/** Returns the error for a proxy's page, a redirect, or another answer that is not from a gateway. */
const notOurs = (status: number, seconds: number, { address }: Said): RampError => {
  const isTemporary = status === 429 || status >= 500;
  return new RampError({
    code: 'unreachable',
    action: isTemporary ? 'retry' : 'fix-request',
    detail: `${address} is ${isTemporary ? 'down or busy' : 'not a ramp-gateway'} (status ${status}).`,
    status,
    retryAfterMs: isTemporary && seconds >= 0 ? seconds * 1000 : undefined,
  });
};
