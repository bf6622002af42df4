/** Faults on demand, shared by all simulated providers: which faults are set, and the faults of the transport. */
import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';

/** The faults that every simulated provider can have. `Name` in `Fault` adds those that only one kind of provider can have. */
export type TransportFault =
  | 'latency'
  | '429'
  | '500'
  | '503'
  | 'html200'
  | 'truncated'
  | 'endless'
  | 'drip'
  | 'reset'
  | 'gzip-bomb'
  | 'huge-header'
  | 'redirect';
/**
 * `endpoint`: the simulator's name for an endpoint, or `*`. `times`: how many calls get the fault. Without `times`, every call gets it until `clear`.
 */
export type Fault<Name extends string = never> = { endpoint: string; fault: Name | TransportFault; times?: number; ms?: number; to?: string };

/** Holds the faults that are set, and how many uses each has left. */
export const createFaults = <F extends Fault<string>>() => {
  let faults: F[] = [];
  return {
    set: (fault: F): void => void faults.push({ ...fault }),
    clear: (): void => {
      faults = [];
    },
    /** Returns the fault if it is set for calls to this endpoint, and uses up one of its `times`. */
    take: (endpoint: string, name: F['fault'] | TransportFault): F | undefined => {
      const found = faults.find((one) => (one.endpoint === endpoint || one.endpoint === '*') && one.fault === name && (one.times ?? 1) > 0);
      if (found?.times !== undefined) found.times -= 1;
      return found;
    },
  };
};
export type Faults<F extends Fault<string>> = ReturnType<typeof createFaults<F>>;

/** Cuts the connection of a request, so that the answer is lost. Without a Node server, the answer is a 500 instead. */
export const cutConnection = (c: Context): Response => {
  (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing?.destroy();
  return new Response(null, { status: 500 });
};

const forever = (chunk: string, everyMs: number): ReadableStream => {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(new TextEncoder().encode(chunk)), everyMs);
    },
    cancel: () => clearInterval(timer),
  });
};

type Instead = (fault: Fault<string>, c: Context) => Response;
const json = { 'content-type': 'application/json' };
const common: Record<Exclude<TransportFault, 'latency' | '429' | '500'>, Instead> = {
  '503': () => new Response('{}', { status: 503, headers: json }),
  html200: () => new Response('<html><body>maintenance</body></html>', { headers: { 'content-type': 'text/html' } }),
  truncated: () => new Response('{"id":"8ed1', { headers: json }),
  endless: () => new Response(forever('x'.repeat(65_536), 1), { headers: json }),
  drip: () => new Response(forever(' ', 50), { headers: json }),
  'gzip-bomb': () => new Response(gzipSync(Buffer.alloc(20_000_000, ' ')), { headers: { ...json, 'content-encoding': 'gzip' } }),
  'huge-header': () => new Response('{}', { headers: { ...json, 'x-huge': 'x'.repeat(30_000) } }),
  redirect: ({ to }) => new Response(null, { status: 307, headers: { location: to ?? 'http://127.0.0.1:1/' } }),
  reset: (_fault, c) => cutConnection(c),
};

/** The answers that each kind's own simulator writes: for 429 and 500, and for faults that only this kind has. */
export type OwnFaults<F extends Fault<string>> = Record<'429' | '500', () => Response> & Partial<Record<F['fault'], (fault: F) => Response>>;

/**
 * Waits if `latency` is set for the call. Returns the answer of another fault that is set for it, or undefined. Called before a request is carried
 * out.
 */
export const transportFault = async <F extends Fault<string>>(
  c: Context,
  endpoint: string,
  faults: Faults<F>,
  own: OwnFaults<F>,
): Promise<Response | undefined> => {
  const latency = faults.take(endpoint, 'latency');
  if (latency) await new Promise((done) => setTimeout(done, latency.ms ?? 1000));
  for (const [name, instead] of Object.entries<(fault: F, c: Context) => Response>({ ...common, ...own })) {
    const fault = faults.take(endpoint, name);
    if (fault) return instead(fault, c);
  }
  return undefined;
};
