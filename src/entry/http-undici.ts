import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { CutSignal } from '../domain/cut.ts';
import { isAddress } from '../domain/public-address.ts';
import { ProviderFault } from '../providers/fault.ts';
import { guardedLookup, isReachable } from './guarded-lookup.ts';
import type { Http, HttpRequest, HttpResponse } from '../providers/spec.ts';

/** `guard`: connect only to public addresses (in a sandbox also to loopback). For hosts that other people name, such as that of a withdrawal link. */
type UndiciOptions = { connections?: number; guard?: { sandbox: boolean; lookup?: LookupFunction } };

/**
 * Makes calls to providers on Node, through undici's `dispatch`: answers are read whole, and `dispatch` needs no stream for that. Never follows a
 * redirect, and never decompresses.
 */
export const createUndiciHttp = ({ connections = 64, guard }: UndiciOptions = {}): { http: Http; close: () => Promise<void> } => {
  const agent = new Agent({
    // HTTP/1.1 only, because with it we know what a lost connection means for its request.
    allowH2: false,
    connections,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: { timeout: 3_000, ...(guard ? { lookup: guardedLookup(guard) } : {}) },
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    maxHeaderSize: 16_384,
  });
  const http: Http = (request) =>
    new Promise((resolve, reject) => {
      const url = new URL(request.url);
      // An IP address is not looked up, so it is checked here.
      if (guard && !mayAsk(url, guard.sandbox)) throw new ProviderFault('unreachable', 'this address is not public', { taken: 'no' });
      send(agent, request, url, new Call(request, resolve, reject));
    });
  return { http, close: async () => await agent.close() };
};

const mayAsk = ({ hostname }: URL, sandbox: boolean): boolean => {
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  return !isAddress(host) || isReachable(host, sandbox);
};

const send = (agent: Agent, { method, headers, body, signal }: HttpRequest, url: URL, call: Call): void => {
  if (signal.aborted) return call.handleEvent();
  signal.addEventListener('abort', call, { once: true });
  agent.dispatch({ origin: url.origin, path: url.pathname + url.search, method, headers: headers ?? {}, body: body ?? null }, call);
};

/** A call in progress: undici's handler, and the listener for an abort. One object per waiting call takes the place of ten closures. */
class Call implements Dispatcher.DispatchHandler {
  readonly #signal: CutSignal;
  readonly #maxBytes: number;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (fault: ProviderFault) => void;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #isOver = false;
  #status = 0;
  #headers: Record<string, string> | undefined = undefined;
  #size = 0;
  #chunks: Uint8Array[] | undefined = undefined;

  constructor({ signal, maxBytes }: HttpRequest, resolve: (response: HttpResponse) => void, reject: (fault: ProviderFault) => void) {
    this.#signal = signal;
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Handles the abort. */
  handleEvent(): void {
    this.#fail(new ProviderFault('timeout', 'no answer within the deadline', { taken: this.#taken(), cause: this.#signal.reason }));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('the caller no longer waits'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, code: number, given: Dispatcher.ResponseData['headers']): void {
    if (code < 200) return;
    this.#status = code;
    const headers = (this.#headers = flat(given));
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') this.#fail(new ProviderFault('malformed', 'the answer is encoded, though identity was asked for'));
    else if (Number(headers['content-length'] ?? 0) > this.#maxBytes) this.#fail(tooLarge(this.#maxBytes));
  }

  /** Counts the bytes while reading: an endless answer is cut off at the cap, and a slow one is cut off at the caller's deadline. */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.#fail(tooLarge(this.#maxBytes));
    else (this.#chunks ??= []).push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#end();
    const [first, ...more] = this.#chunks ?? [];
    this.#resolve({ status: this.#status, headers: this.#headers ?? {}, body: first && more.length === 0 ? first : Buffer.concat(this.#chunks ?? []) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(toFault(error, this.#taken()));
  }

  /** undici sets the controller once there is a connection. Before that, no byte can have been sent. */
  #taken(): 'no' | 'maybe' {
    return this.#controller === undefined ? 'no' : 'maybe';
  }

  #end(): void {
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this);
  }

  #fail(fault: ProviderFault): void {
    if (this.#isOver) return;
    this.#end();
    this.#reject(fault);
    this.#controller?.abort(fault);
  }
}

const flat = (headers: Dispatcher.ResponseData['headers']): Record<string, string> => {
  const single: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) single[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return single;
};

const tooLarge = (maxBytes: number): ProviderFault => new ProviderFault('malformed', `the answer is larger than ${maxBytes} bytes`);

const toFault = (error: unknown, taken: 'no' | 'maybe'): ProviderFault => {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  // A parser error has its own code or, in some cases, only a name.
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError'))
    return new ProviderFault('malformed', code, { cause: error });
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return new ProviderFault('timeout', code, { cause: error });
  return new ProviderFault('unreachable', code, { taken, cause: error });
};
