import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
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
  const http: Http = async (request) => {
    // An IP address is not looked up, so it is checked here.
    if (guard && !mayAsk(new URL(request.url), guard.sandbox)) throw new ProviderFault('unreachable', 'this address is not public', { taken: 'no' });
    return await send(agent, request);
  };
  return { http, close: async () => await agent.close() };
};

const mayAsk = ({ hostname }: URL, sandbox: boolean): boolean => {
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  return !isAddress(host) || isReachable(host, sandbox);
};

const send = (agent: Agent, { method, url, headers, body, signal, maxBytes }: HttpRequest): Promise<HttpResponse> =>
  new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let over = false;
    let status = 0;
    let answered: Record<string, string> = {};
    let size = 0;
    const chunks: Uint8Array[] = [];

    const end = (): void => {
      over = true;
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (fault: ProviderFault): void => {
      if (over) return;
      end();
      reject(fault);
      controller?.abort(fault);
    };
    // undici sets the controller once there is a connection. Before that, no byte can have been sent.
    const taken = (): 'no' | 'maybe' => (controller === undefined ? 'no' : 'maybe');
    const onAbort = (): void => fail(new ProviderFault('timeout', 'no answer within the deadline', { taken: taken(), cause: signal.reason }));

    const { origin, pathname, search } = new URL(url);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    agent.dispatch(
      { origin, path: pathname + search, method, headers: headers ?? {}, body: body ?? null },
      {
        onRequestStart: (started) => {
          controller = started;
          if (over) started.abort(new Error('the caller has gone'));
        },
        onResponseStart: (_controller, code, given) => {
          if (code < 200) return;
          status = code;
          answered = flat(given);
          const encoding = answered['content-encoding'];
          if (encoding !== undefined && encoding !== 'identity') fail(new ProviderFault('malformed', 'the answer is encoded, though identity was asked for'));
          else if (Number(answered['content-length'] ?? 0) > maxBytes) fail(tooLarge(maxBytes));
        },
        // Counts the bytes while reading: an endless answer is cut off at the cap, and one that drips at the caller's deadline.
        onResponseData: (_controller, chunk) => {
          size += chunk.length;
          if (size > maxBytes) fail(tooLarge(maxBytes));
          else chunks.push(chunk);
        },
        onResponseEnd: () => {
          if (over) return;
          end();
          const [first] = chunks;
          resolve({ status, headers: answered, body: chunks.length === 1 && first ? first : Buffer.concat(chunks) });
        },
        onResponseError: (_controller, error) => fail(toFault(error, taken())),
      },
    );
  });

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
